"""What the central system decides: an upload without a verdict, a receipt held back."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from kiosk.central.deliveries.head_check import Problem
from kiosk.evidence.journal_file import JournalFile
from kiosk.sync.delivery import item_backoff
from tests.support.court_proxy import court_proxy
from tests.support.delivery_rig import Central, Kiosk, temporary_kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def undecided(upload: str = "") -> dict[str, Any]:
    """Return the fault of a central system that decides nothing about an upload (or any)."""
    value = {"state": "verifying", "server_sha256": None}
    return {"fault": "answer", "value": value, "match": f"GET /v1/uploads/{upload}"}


def sources(kiosk: Kiosk, code: str) -> set[str]:
    """Return the sources of an alarm."""
    return {alarm["source"] for alarm in kiosk.state()["alarms"] if alarm["code"] == code}


def wait_received(central: Central, owner: str) -> str:
    """Wait until all of a filing has arrived; return its upload."""
    query = f"SELECT id FROM uploads WHERE owner = '{owner}' AND state = 'complete'"
    return str(wait_for(lambda: central.query(query), "the upload")[0][0])


def test_a_file_without_a_verdict_is_asked_about_less_and_less_and_the_others_go(
    central: Central, template: Any
) -> None:
    central.set_faults(undecided())
    with (
        court_proxy(central, template / "identity") as proxy,
        temporary_kiosk(template, proxy.url) as kiosk,
    ):
        stuck = kiosk.make_filing()
        kiosk.start_in_thread()
        upload = wait_received(central, stuck)
        central.set_faults(undecided(upload))
        filing, hearing = kiosk.make_filing(), kiosk.make_hearing()
        kiosk.wait_delivered("filing", filing)
        kiosk.wait_delivered("hearing", hearing)
        asked = [path for _, path, *_ in proxy.requests if f"/v1/uploads/{upload}" in path]
        assert 1 <= len(asked) < 20
        assert sources(kiosk, "verdict_missing") == set()
        central.set_faults()
        kiosk.request("POST", "/v1/deliver")
        kiosk.wait_delivered("filing", stuck)


def test_a_verdict_that_does_not_come_for_long_is_an_alarm(
    central: Central, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_backoff, "VERDICT_SECONDS", 0.0)
    central.set_faults(undecided())
    stuck = kiosk.make_filing()
    kiosk.start_in_thread()
    wait_for(lambda: sources(kiosk, "verdict_missing") == {stuck}, "the alarm")
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("filing", stuck)
    wait_for(lambda: not kiosk.alarms(), "no alarm")


@pytest.mark.parametrize(
    ("problem", "alarm"),
    [*((code, code) for code in get_args(Problem)), ("a reason of a later release", "held_back")],
)
def test_each_reason_to_hold_a_recording_back_has_its_alarm(
    central: Central, kiosk: Kiosk, problem: str, alarm: str
) -> None:
    hearing, other = kiosk.make_hearing(files=1), kiosk.make_hearing(files=1)
    value = {"problem": problem, "receipt": None}
    matched = f"GET /v1/hearings/{hearing}"
    central.set_faults({"fault": "answer", "value": value, "match": matched})
    kiosk.start_in_thread()
    wait_for(lambda: sources(kiosk, alarm) == {hearing}, "the alarm")
    kiosk.wait_delivered("hearing", other)
    assert kiosk.alarms() == {alarm}
    assert kiosk.get(f"/v1/hearings/{hearing}")["problem"] == alarm
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    wait_for(lambda: not kiosk.alarms(), "no alarm")


@pytest.mark.parametrize("code", ["other_room", "foreign"])
def test_a_hearing_of_another_room_is_an_alarm_of_its_own(
    central: Central, kiosk: Kiosk, code: str
) -> None:
    hearing = kiosk.make_hearing(files=1)
    matched = f"PUT /v1/hearings/{hearing}"
    central.set_faults({"fault": "status", "status": 403, "code": code, "match": matched})
    kiosk.start_in_thread()
    wait_for(lambda: sources(kiosk, "other_room") == {hearing}, "the alarm")
    assert kiosk.alarms() == {"other_room"}


def test_a_closing_without_proof_is_an_alarm_of_its_own(central: Central, kiosk: Kiosk) -> None:
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    refusal = {"fault": "status", "status": 409, "code": "closure_unproven"}
    central.set_faults({**refusal, "match": f"POST /v1/hearings/{hearing}/closures"})
    chain = JournalFile.create(kiosk.paths.hearings / hearing / "journal.jsonl")
    by = {"by": "main.tar", "by_sha256": "1" * 64}
    replaced = [{"part": 1, "file": "main/run-01/000000.m4s", "sha256": "0" * 64, **by}]
    chain.append("closed_since", {"replaced": replaced})
    chain.close()
    kiosk.start_in_thread()
    wait_for(lambda: sources(kiosk, "closure_unproven") == {hearing}, "the alarm")
    assert kiosk.alarms() == {"closure_unproven"}
