"""The central system is absent, ill, or somebody answers in its place: nothing lost or doubled."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from kiosk.central import steps
from tests.sync.rig import KIOSK, Central, Kiosk
from tests.waiting import wait_for

Both = tuple[Central, Kiosk]


def wait_problem(kiosk: Kiosk, problem: str | None) -> None:
    """Wait until the link has this problem (None: it is up)."""

    def there() -> bool:
        link = kiosk.state()["link"]
        return link["problem"] == problem and (problem is not None or link["state"] == "up")

    wait_for(there, f"link problem {problem}", 20)


def test_absent_all_day_then_everything_is_delivered_once(stopped: Both) -> None:
    central, kiosk = stopped
    kiosk.layout.schedule.parent.mkdir(parents=True)
    last = {"pulled_at": "2026-01-05T00:00:00.000Z", "days": 7, "hearings": [{"id": "x"}]}
    kiosk.layout.schedule.write_text(json.dumps(last))
    kiosk.start()
    wait_problem(kiosk, "central_unreachable")
    assert "central_unreachable" in kiosk.alarms()
    assert kiosk.get("/v1/schedule")["hearings"] == [{"id": "x"}]
    filings = [kiosk.make_filing() for _ in range(2)]
    hearing = kiosk.make_hearing()
    numbers = []
    for filing in filings:
        begun = time.monotonic()
        status, answer = kiosk.ask("POST", f"/v1/filings/{filing}/register")
        assert status == 200
        assert time.monotonic() - begun < 3.5
        assert answer["state"] == "provisional"
        numbers.append(answer["number"])
    assert all(re.fullmatch(rf"{KIOSK}-\d{{6}}-\d{{3}}", number) for number in numbers)
    assert [number[-3:] for number in numbers] == ["001", "002"]
    again = kiosk.ask("POST", f"/v1/filings/{filings[0]}/register")[1]
    assert again["number"] == numbers[0]
    kiosk.kill()
    kiosk.start()
    filings.append(kiosk.make_filing())
    third = kiosk.ask("POST", f"/v1/filings/{filings[2]}/register")[1]["number"]
    assert third.endswith("-003")
    assert kiosk.state()["queue"]["filings"] == 3
    central.start()
    wait_problem(kiosk, None)
    assert "central_unreachable" not in kiosk.alarms()
    for filing, provisional in zip(filings, [*numbers, third], strict=True):
        kiosk.wait_delivered("filing", filing)
        known = kiosk.get(f"/v1/filings/{filing}")
        assert known["state"] == "registered"
        assert known["number"] != known["provisional"] == provisional
    kiosk.wait_delivered("hearing", hearing)
    found = central.rows("SELECT id, provisional FROM filings ORDER BY provisional")
    assert found == list(zip(filings, [*numbers, third], strict=True))


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"fault": "captive"}, "captive_portal"),
        ({"fault": "status", "status": 503}, "central_fault"),
        ({"fault": "status", "status": 401}, "certificate_invalid"),
        ({"fault": "full"}, "central_full"),
        ({"fault": "contract"}, "central_contract_unknown"),
    ],
    ids=["captive", "503", "401", "full", "contract"],
)
def test_the_problem_is_named_and_heals(
    stopped: Both, fault: dict[str, object], problem: str
) -> None:
    central, kiosk = stopped
    central.faults(fault)
    central.start()
    hearing = kiosk.make_hearing(video=10_000)
    kiosk.start()
    wait_problem(kiosk, problem)
    assert not central.rows("SELECT * FROM uploads WHERE state = 'complete'")
    central.faults()
    kiosk.ask("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    wait_problem(kiosk, None)
    assert kiosk.alarms() == set()


def test_revoked_certificate_delivers_nothing_and_loses_nothing(running: Both) -> None:
    central, kiosk = running
    wait_problem(kiosk, None)
    central.task("revoke", KIOSK)
    filing = kiosk.make_filing()
    wait_problem(kiosk, "certificate_invalid")
    assert "certificate_invalid" in kiosk.alarms()
    assert kiosk.ask("POST", f"/v1/filings/{filing}/register")[1]["state"] == "provisional"
    assert (kiosk.layout.filings / filing / "document.pdf").exists()


def test_wrong_hash_is_an_alarm_and_a_fresh_upload(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "corrupt", "match": "PATCH", "times": 1})
    central.start()
    hearing = kiosk.make_hearing()
    kiosk.start()
    seen: set[str] = set()
    wait_for(
        lambda: (
            seen.update(kiosk.alarms())
            or kiosk.get(f"/v1/hearings/{hearing}").get("state") == "delivered"
        ),
        "the hearing delivered",
        20,
    )
    log = kiosk.log.read_text()
    assert "hash_mismatch" in seen or "disagrees" in log
    assert "disagrees" in log
    assert kiosk.get(f"/v1/hearings/{hearing}")["central_sha256_match"] is True
    assert kiosk.alarms() == set()
    assert central.rows("SELECT count(*) FROM uploads WHERE state = 'mismatch'") == [(1,)]


def test_hash_that_always_disagrees_never_deletes(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "corrupt", "match": "PATCH"})
    central.start()
    hearing = kiosk.make_hearing(files=1)
    kiosk.start()
    wait_for(lambda: "hash_mismatch" in kiosk.alarms(), "the alarm", 20)
    kiosk.wait_state("hearing", hearing, "failed")
    assert not (kiosk.layout.receipts / f"{hearing}.json").exists()
    assert (kiosk.layout.hearings / hearing / "part-01/main/run-01/000000.m4s").exists()
    central.faults()
    kiosk.ask("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)


@pytest.mark.parametrize("after", [0, 100_000])
def test_connection_cut_in_a_patch_resumes(stopped: Both, after: int) -> None:
    central, kiosk = stopped
    central.faults({"fault": "cut", "match": "PATCH", "after": after, "times": 3})
    central.start()
    hearing = kiosk.make_hearing()
    kiosk.start()
    for _ in range(4):
        kiosk.ask("POST", "/v1/deliver")
        time.sleep(0.3)
    kiosk.wait_delivered("hearing", hearing, 30)


def test_lost_answers_register_once(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "forget", "match": "PUT /v1/filings", "times": 2})
    central.start()
    kiosk.start()
    filing = kiosk.make_filing()
    first = kiosk.ask("POST", f"/v1/filings/{filing}/register")[1]
    kiosk.wait_delivered("filing", filing)
    assert central.rows("SELECT count(*) FROM filings") == [(1,)]
    last = kiosk.get(f"/v1/filings/{filing}")
    assert last["number"] == central.rows("SELECT number FROM filings")[0][0]
    assert first["number"] in (last["number"], last["provisional"])


def test_silent_server_gets_a_provisional_number_in_time(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "hang", "match": "PUT /v1/filings"})
    central.start()
    kiosk.start()
    filing = kiosk.make_filing()
    begun = time.monotonic()
    answer = kiosk.ask("POST", f"/v1/filings/{filing}/register")[1]
    assert time.monotonic() - begun < 3.5
    assert answer["state"] == "provisional"
    central.faults()
    central.kill()
    central.start()
    kiosk.wait_delivered("filing", filing, 40)
    known = kiosk.get(f"/v1/filings/{filing}")
    assert (known["state"], known["provisional"]) == ("registered", answer["number"])
    assert central.rows("SELECT provisional FROM filings") == [(answer["number"],)]


def test_server_dies_at_each_step_of_an_exchange(stopped: Both) -> None:
    central, kiosk = stopped
    central.start()
    kiosk.start()
    for step in steps.ALL:
        central.faults({"fault": "die", "step": step, "times": 1})
        filing = kiosk.make_filing(2000)
        report = kiosk.make_report()
        process = central.running
        assert process is not None
        wait_for(lambda process=process: process.poll() is not None, f"death at {step}", 20)
        central.faults()
        central.running = None
        central.start()
        kiosk.ask("POST", "/v1/deliver")
        kiosk.wait_delivered("filing", filing, 30)
        kiosk.wait_delivered("report", report, 30)
    count = len(steps.ALL)
    assert central.rows("SELECT count(*), count(DISTINCT number) FROM filings") == [(count, count)]


def test_killed_on_either_side_resumes_where_it_was(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "drip", "match": "PATCH", "rate": 2_000_000})
    central.start()
    hearing = kiosk.make_hearing(video=3_000_000, files=1)
    kiosk.start()
    sending = "/v1/hearings/" + hearing
    for victim in (kiosk, central, kiosk):
        before = kiosk.get(sending).get("bytes_done", 0)
        wait_for(
            lambda before=before: kiosk.get(sending).get("bytes_done", 0) > before + 100_000,
            "bytes sent",
            20,
        )
        victim.kill()
        victim.start()
        kiosk.ask("POST", "/v1/deliver")
    central.faults()
    kiosk.wait_delivered("hearing", hearing, 30)
    assert central.rows("SELECT count(*) FROM uploads WHERE state != 'complete'") == [(0,)]


def test_frozen_server_is_noticed_and_delivery_goes_on_later(stopped: Both) -> None:
    central, kiosk = stopped
    central.start()
    kiosk.start()
    wait_problem(kiosk, None)
    assert central.running is not None
    os.kill(central.running.pid, signal.SIGSTOP)
    try:
        hearing = kiosk.make_hearing(video=10_000, files=1)
        wait_for(lambda: kiosk.state()["link"]["state"] == "down", "the link down", 40)
        assert kiosk.state()["link"]["problem"] == "central_timeout"
    finally:
        os.kill(central.running.pid, signal.SIGCONT)
    kiosk.ask("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing, 60)


def test_a_filing_does_not_wait_behind_a_recording(stopped: Both) -> None:
    central, kiosk = stopped
    central.faults({"fault": "drip", "match": "PATCH", "rate": 300_000})
    central.start()
    kiosk.start()
    hearing = kiosk.make_hearing(video=6_000_000, files=1)
    wait_for(
        lambda: (now := kiosk.state()["delivering"]) and now["kind"] == "hearing", "the recording"
    )
    wait_for(lambda: kiosk.get(f"/v1/hearings/{hearing}")["bytes_done"] > 300_000, "bytes")
    begun = time.monotonic()
    filing = kiosk.make_filing(100_000)
    assert kiosk.ask("POST", f"/v1/filings/{filing}/register")[1]["state"] == "registered"
    kiosk.wait_delivered("filing", filing)
    took = time.monotonic() - begun
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "sending"
    assert took < 5, took  # the recording alone takes 40 s
    assert "kiosk_preemptions_total" in kiosk.get("/metrics")
    central.faults()
    kiosk.wait_delivered("hearing", hearing, 60)


def test_heads_of_a_running_hearing_leave_once(running: Both) -> None:
    central, kiosk = running
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    query = "SELECT part, count FROM heads ORDER BY part, count"
    wait_for(lambda: central.rows(query) == [(1, 1), (2, 1)], "two heads", 20)
    kiosk.add_head(hearing, 2)
    wait_for(lambda: central.rows(query) == [(1, 1), (2, 1), (2, 3)], "a third head", 20)
    kiosk.kill()
    kiosk.start()
    kiosk.add_head(hearing, 2)
    wait_for(lambda: (2, 5) in central.rows(query), "a fourth head", 20)
    assert central.rows("SELECT count(*) FROM heads") == [(4,)]
    assert kiosk.state()["queue"]["hearings"] == 0
