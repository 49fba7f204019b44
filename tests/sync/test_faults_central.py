"""The central system is absent, ill, or somebody answers in its place: nothing lost or doubled."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from kiosk.central import crash_points
from kiosk.storage.atomic_io import write_json
from tests.support.delivery_rig import KIOSK, Central, Kiosk, count_uploads, wait_problem
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

STEPS = (
    crash_points.REGISTER_AFTER_COMMIT,
    crash_points.VERIFY_AFTER_TAKE,
    crash_points.RECEIPT_AFTER_COMMIT,
)


def filing_row(central: Central, filing: str) -> tuple[str, str | None]:
    """Return the number and provisional number of a filing."""
    rows = central.query(f"SELECT number, provisional FROM filings WHERE id = '{filing}'")
    assert len(rows) == 1
    return rows[0][0], rows[0][1]


def receipt_files(kiosk: Kiosk, item: str) -> list[str]:
    """Return the paths in a receipt."""
    receipt = json.loads((kiosk.paths.receipts / f"{item}.json").read_text())
    return [file["path"] for file in receipt["files"]]


def wait_bytes(kiosk: Kiosk, hearing: str, count: int) -> None:
    """Wait until more than ``count`` bytes of a hearing are sent."""
    wait_for(
        lambda: kiosk.get(f"/v1/hearings/{hearing}").get("bytes_done", 0) > count, "bytes sent"
    )


def test_absent_all_day_then_everything_is_delivered_once(
    own_central: Central, own_kiosk: Kiosk
) -> None:
    central, kiosk = own_central, own_kiosk
    kiosk.paths.schedule.parent.mkdir(parents=True)
    last = {"pulled_at": "2026-01-05T00:00:00.000Z", "days": 7, "hearings": [{"id": "x"}]}
    kiosk.paths.schedule.write_text(json.dumps(last))
    kiosk.start()
    wait_problem(kiosk, "central_unreachable")
    assert "central_unreachable" in kiosk.alarms()
    assert kiosk.get("/v1/schedule")["hearings"] == [{"id": "x"}]
    filings = [kiosk.make_filing() for _ in range(2)]
    hearing = kiosk.make_hearing()
    numbers = []
    for filing in filings:
        started = time.monotonic()
        status, answer = kiosk.request("POST", f"/v1/filings/{filing}/register")
        assert status == 200
        assert time.monotonic() - started < 5
        assert answer["state"] == "provisional"
        numbers.append(answer["number"])
    assert all(re.fullmatch(rf"{KIOSK}-\d{{6}}-\d{{3}}", number) for number in numbers)
    assert [number[-3:] for number in numbers] == ["001", "002"]
    again = kiosk.request("POST", f"/v1/filings/{filings[0]}/register")[1]
    assert again["number"] == numbers[0]
    kiosk.kill()
    kiosk.start_in_thread()
    filings.append(kiosk.make_filing())
    third = kiosk.request("POST", f"/v1/filings/{filings[2]}/register")[1]["number"]
    assert third.endswith("-003")
    filings.append(kiosk.make_filing())  # given a number while sync was dead
    own = f"{third[:-3]}501"
    write_json(
        kiosk.paths.filings / filings[3] / "registration.json",
        {"given_by": "kiosk", "provisional": own},
    )
    numbers += [third, own]
    wait_for(lambda: kiosk.state()["queue"]["filings"] == 4, "the queue of four")
    central.start()
    wait_problem(kiosk, None)
    assert "central_unreachable" not in kiosk.alarms()
    for filing, provisional in zip(filings, numbers, strict=True):
        kiosk.wait_delivered("filing", filing)
        known = kiosk.get(f"/v1/filings/{filing}")
        assert known["state"] == "registered"
        assert known["number"] != known["provisional"] == provisional
    kiosk.wait_delivered("hearing", hearing)
    found = central.query("SELECT id, provisional FROM filings ORDER BY provisional")
    assert found == list(zip(filings, numbers, strict=True))


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"fault": "captive"}, "captive_portal"),
        ({"fault": "status", "status": 503}, "central_fault"),
        ({"fault": "status", "status": 401}, "certificate_invalid"),
        ({"fault": "full"}, "central_full"),
        ({"fault": "answer", "value": {"contract": 99}}, "central_contract_unknown"),
    ],
    ids=["captive", "503", "401", "full", "contract"],
)
def test_the_problem_is_named_and_heals(
    central: Central, kiosk: Kiosk, fault: dict[str, object], problem: str
) -> None:
    central.set_faults(fault)
    hearing = kiosk.make_hearing(video=10_000)
    kiosk.start_in_thread()
    wait_problem(kiosk, problem)
    assert not count_uploads(central, hearing, "complete")
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    wait_problem(kiosk, None)
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


def test_revoked_certificate_delivers_nothing_and_loses_nothing(
    own_central: Central, own_kiosk: Kiosk
) -> None:
    central, kiosk = own_central, own_kiosk
    central.start()
    kiosk.start_in_thread()
    wait_problem(kiosk, None)
    central.run_task("revoke", KIOSK)
    filing = kiosk.make_filing()
    wait_problem(kiosk, "certificate_invalid")
    assert "certificate_invalid" in kiosk.alarms()
    assert kiosk.request("POST", f"/v1/filings/{filing}/register")[1]["state"] == "provisional"
    assert (kiosk.paths.filings / filing / "document.pdf").exists()


def test_wrong_hash_is_an_alarm_and_a_fresh_upload(
    central: Central, kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    central.set_faults({"fault": "corrupt", "match": "PATCH", "times": 1})
    hearing = kiosk.make_hearing()
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", hearing)
    assert "disagrees" in caplog.text
    assert kiosk.get(f"/v1/hearings/{hearing}")["central_sha256_match"] is True
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")
    assert count_uploads(central, hearing, "mismatch") == 1


def test_hash_that_always_disagrees_never_deletes(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "corrupt", "match": "PATCH"})
    hearing = kiosk.make_hearing(files=1)
    kiosk.start_in_thread()
    wait_for(lambda: "hash_mismatch" in kiosk.alarms(), "the alarm")
    kiosk.wait_state("hearing", hearing, "failed")
    assert not (kiosk.paths.receipts / f"{hearing}.json").exists()
    assert (kiosk.paths.hearings / hearing / "part-01/main/run-01/000000.m4s").exists()
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)


@pytest.mark.parametrize("after", [0, 100_000])
def test_connection_cut_in_a_patch_resumes(central: Central, kiosk: Kiosk, after: int) -> None:
    central.set_faults({"fault": "cut", "match": "PATCH", "after": after, "times": 3})
    hearing = kiosk.make_hearing()
    kiosk.start_in_thread()
    for _ in range(4):
        kiosk.request("POST", "/v1/deliver")
        time.sleep(0.3)
    kiosk.wait_delivered("hearing", hearing)


def test_lost_answers_register_once(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "forget", "match": "PUT /v1/filings", "times": 2})
    kiosk.start_in_thread()
    filing = kiosk.make_filing()
    first = kiosk.request("POST", f"/v1/filings/{filing}/register")[1]
    kiosk.wait_delivered("filing", filing)
    last = kiosk.get(f"/v1/filings/{filing}")
    assert last["number"] == filing_row(central, filing)[0]
    assert first["number"] in (last["number"], last["provisional"])


def test_silent_server_gets_a_provisional_number_in_time(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "hang", "match": "PUT /v1/filings"})
    kiosk.start_in_thread()
    filing = kiosk.make_filing()
    started = time.monotonic()
    answer = kiosk.request("POST", f"/v1/filings/{filing}/register")[1]
    assert time.monotonic() - started < 5
    assert answer["state"] == "provisional"
    central.set_faults()
    central.kill()
    central.start()
    kiosk.wait_delivered("filing", filing)
    known = kiosk.get(f"/v1/filings/{filing}")
    assert (known["state"], known["provisional"]) == ("registered", answer["number"])
    assert filing_row(central, filing)[1] == answer["number"]


def test_server_dies_at_each_step_of_an_exchange(own_central: Central, own_kiosk: Kiosk) -> None:
    central, kiosk = own_central, own_kiosk
    central.start()
    kiosk.start_in_thread()
    for step in STEPS:
        central.set_faults({"fault": "die", "step": step, "times": 1})
        filing = kiosk.make_filing(2000)
        report = kiosk.make_report()
        process = central.running
        assert process is not None
        assert process.wait(20) == -signal.SIGKILL, step
        central.set_faults()
        central.running = None
        central.start()
        kiosk.request("POST", "/v1/deliver")
        kiosk.wait_delivered("filing", filing)
        kiosk.wait_delivered("report", report)
    count = len(STEPS)
    assert central.query("SELECT count(*), count(DISTINCT number) FROM filings") == [(count, count)]


def test_killed_on_either_side_resumes_where_it_was(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "drip", "match": "PATCH", "rate": 2_000_000})
    hearing = kiosk.make_hearing(video=3_000_000, files=1)
    kiosk.start()
    sending = "/v1/hearings/" + hearing
    for victim in (kiosk, central):
        wait_bytes(kiosk, hearing, kiosk.get(sending).get("bytes_done", 0) + 100_000)
        victim.kill()
        victim.start()
        kiosk.request("POST", "/v1/deliver")
    central.set_faults()
    kiosk.wait_delivered("hearing", hearing)
    assert count_uploads(central, hearing, "complete") == len(receipt_files(kiosk, hearing))
    assert count_uploads(central, hearing, "receiving") == 0


def test_frozen_server_is_noticed_and_delivery_goes_on_later(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.start_in_thread()
    wait_problem(kiosk, None)
    assert central.running is not None
    os.kill(central.running.pid, signal.SIGSTOP)
    try:
        hearing = kiosk.make_hearing(video=10_000, files=1)
        wait_for(lambda: kiosk.state()["link"]["state"] == "down", "the link down")
        assert kiosk.state()["link"]["problem"] == "central_timeout"
    finally:
        os.kill(central.running.pid, signal.SIGCONT)
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)


def test_a_filing_does_not_wait_behind_a_recording(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "drip", "match": "PATCH", "rate": 300_000})
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(video=6_000_000, files=1)
    wait_for(
        lambda: (now := kiosk.state()["delivering"]) and now["kind"] == "hearing", "the recording"
    )
    wait_bytes(kiosk, hearing, 300_000)
    filing = kiosk.make_filing(100_000)
    assert kiosk.request("POST", f"/v1/filings/{filing}/register")[1]["state"] == "registered"
    kiosk.wait_delivered("filing", filing)
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "sending"
    assert "kiosk_preemptions_total" in kiosk.get("/metrics")
    central.set_faults()
    kiosk.wait_delivered("hearing", hearing)


def test_heads_of_a_running_hearing_leave_once(central: Central, kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    query = f"SELECT part, lines FROM heads WHERE hearing = '{hearing}' ORDER BY part, lines"
    wait_for(lambda: central.query(query) == [(1, 1), (2, 1)], "two heads")
    kiosk.add_head(hearing, 2)
    wait_for(lambda: central.query(query) == [(1, 1), (2, 1), (2, 3)], "a third head")
    kiosk.stop()
    kiosk.start_in_thread()
    kiosk.add_head(hearing, 2)
    wait_for(lambda: (2, 5) in central.query(query), "a fourth head")
    assert len(central.query(query)) == 4
    assert kiosk.state()["queue"]["hearings"] == 0
