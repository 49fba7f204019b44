"""Odd rows of the central system's lists: what sync, screen and court IT make of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.hearing import Hearing
from kiosk.api.rows import ListReport
from kiosk.api.sync import SyncState
from kiosk.central.admin.findings import FleetSnapshot, KioskStatus, collect_findings
from kiosk.central.admin.texts import AdminTexts
from kiosk.errors import CentralUnreachableError
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.sync.transport.central_client import CentralClient
from kiosk.ui.actions.secretary_actions import SecretaryActions
from tests.support.delivery_rig import Central, Kiosk, temporary_kiosk
from tests.support.odd_lists import FIRST, LAST, ODD_ROWS, TODAY, ZONE, listed
from tests.support.staff_lists import signed_list
from tests.support.waiting import wait_for


class Lists:
    """The lists that the central system gives from now on, and the kiosk that pulls them."""

    def __init__(self, kiosk: Kiosk) -> None:
        self.kiosk = kiosk
        self.hearings: list[Any] = [FIRST, LAST]
        self.staff: list[Any] = []

    def pulled(self) -> None:
        """Wait until sync has published the lists."""

        def is_published() -> bool:
            paths = self.kiosk.paths
            if not (paths.schedule.exists() and paths.staff.exists()):
                return False
            hearings = json.loads(paths.schedule.read_text(encoding="utf-8"))["hearings"]
            staff = json.loads(paths.staff.read_text(encoding="utf-8"))["staff"]
            return (hearings, staff) == (self.hearings, self.staff)

        wait_for(is_published, "the published lists")

    def reports(self) -> dict[str, ListReport]:
        """Return State.lists by name."""
        return {row.list: row for row in SyncState.model_validate(self.kiosk.state()).lists}


@pytest.fixture(scope="module")
def lists(template: Path, shared_central: Central) -> Iterator[Lists]:
    """A running kiosk whose lists are replaced on the way; all else is the real central system."""
    with (
        pytest.MonkeyPatch.context() as patch,
        temporary_kiosk(template, shared_central.url) as kiosk,
    ):
        lists = Lists(kiosk)
        patch.setattr(
            CentralClient, "fetch_schedule", lambda *_: ({"hearings": lists.hearings}, None)
        )
        patch.setattr(
            CentralClient,
            "fetch_staff",
            lambda *_: (signed_list(shared_central, lists.staff), None),
        )
        kiosk.change_settings("sync", link_check_minutes=0)
        kiosk.start_in_thread()
        yield lists


def on_the_screen(kiosk: Kiosk) -> tuple[Hearing, ...]:
    """Return the secretary's list of today."""

    async def load() -> tuple[Hearing, ...]:
        sync = LocalClient(kiosk.paths.sync_socket)
        secretary = SecretaryActions(
            sync,
            sync,
            kiosk.paths.schedule,
            lambda: None,
            lambda _: None,
            ZONE,
        )
        await secretary.load_schedule(TODAY)
        await sync.close()
        assert secretary.schedule is not None
        return secretary.schedule.hearings

    return asyncio.run(load())


def reported(lists: Lists) -> tuple[int, int, list[tuple[int, str, str]]] | None:
    """Return what the kiosk reports of its list of hearings: rows unreadable, of how many, why."""
    report = lists.reports().get("hearings")
    if report is None:
        return None
    problems = [(problem.row, problem.field, str(problem.expected)) for problem in report.problems]
    return report.unreadable, report.rows, problems


@pytest.mark.parametrize("name", ODD_ROWS)
def test_the_other_hearings_are_on_the_screen(lists: Lists, name: str) -> None:
    row, problems, fields = ODD_ROWS[name]
    lists.hearings = [FIRST, row, LAST]
    lists.pulled()
    count = 2 if fields is None else 3  # sync serves a list a moment after the file is there
    wait_for(lambda: len(on_the_screen(lists.kiosk)) == count, "the list on the screen")
    shown = on_the_screen(lists.kiosk)
    assert [h.id for h in shown if h.id in (FIRST["id"], LAST["id"])] == [FIRST["id"], LAST["id"]]
    if not problems:
        wait_for(lambda: "hearings" not in lists.reports(), "a list without a problem")
        return
    expected = (1, 3, [(2, *problem) for problem in problems])
    wait_for(lambda: reported(lists) == expected, f"the report {expected}")  # not that before
    wait_for(lambda: "hearings_unreadable" in lists.kiosk.alarms(), "the alarm")


def test_court_it_hears_how_many_rows_and_why_and_no_more(
    lists: Lists, shared_central: Central
) -> None:
    """Row, field and expectation leave the kiosk; what the row holds does not."""
    lists.hearings = [FIRST, listed(10, judge=None, duration_minutes="confidential"), LAST, None]
    lists.staff = [{"person": "p-1", "name": 7, "roles": ["secretary"], "badge": "aa"}]
    lists.pulled()
    wait_for(lambda: {"hearings", "staff"} <= set(lists.reports()), "both reports")
    alarms = {(alarm["code"], alarm["source"]) for alarm in lists.kiosk.state()["alarms"]}
    assert {("hearings_unreadable", "2/4"), ("staff_unreadable", "1/1")} <= alarms

    def heartbeat() -> dict[str, Any]:
        rows = shared_central.query("SELECT state FROM kiosks WHERE id = 'kiosk-0001'")
        return dict(json.loads(rows[0][0] or "{}"))

    wait_for(lambda: len(heartbeat().get("lists", ())) == 2, "the heartbeat")
    found = heartbeat()
    assert [report["unreadable"] for report in found["lists"]] == [2, 1]
    assert found["lists"][0]["problems"][0] == {"row": 2, "field": "duration_minutes"} | {
        "expected": "whole number"
    }
    assert "confidential" not in json.dumps(found)
    kiosk = KioskStatus("k", "c", "1", ZONE, state=found)
    now = datetime.now(UTC)
    findings = {row.code: row for row in collect_findings(FleetSnapshot((kiosk,)), now)}
    page = AdminTexts(Translator("en"), ZONE, now).finding(findings["hearings_unreadable"])
    assert page["sentence"].startswith("2 of 4 hearings")
    assert "row 2, duration_minutes: a whole number is expected; " in page["reasons"]
    assert "row 4: an object is expected" in page["reasons"]
    lists.hearings, lists.staff = [FIRST], []
    lists.pulled()
    wait_for(lambda: not lists.reports(), "lists without a problem")
    assert not {"hearings_unreadable", "staff_unreadable"} & lists.kiosk.alarms()


def test_a_list_read_before_the_start_is_reported_while_the_central_system_is_away(
    template: Path,
) -> None:
    with temporary_kiosk(template, "https://localhost:9") as kiosk:
        kiosk.paths.schedule.parent.mkdir(parents=True)
        rows = [listed(9), listed(10, scheduled_at="9999-12-31T23:59:59Z")]
        kiosk.paths.schedule.write_text(json.dumps({"pulled_at": None, "hearings": rows}))
        kiosk.start_in_thread()
        assert kiosk.state()["lists"][0]["unreadable"] == 1
        assert len(kiosk.get(f"/v1/schedule?date={TODAY}")["hearings"]) == 2


ODD_ANSWERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "state is null": lambda answer: answer | {"state": None},
    "state is a number": lambda answer: answer | {"state": 7},
    "number is null": lambda answer: answer | {"number": None},
    "time is of year 1": lambda answer: answer | {"registered_at": "0001-01-01T00:00:00"},
    "reason is a list": lambda answer: answer | {"reason": ["x"]},
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_odd_state_of_a_filing_changes_nothing_and_holds_up_no_other(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kiosk.start_in_thread()
    odd, good = kiosk.make_filing(), kiosk.make_filing()
    for filing in (odd, good):
        assert kiosk.request("POST", f"/v1/filings/{filing}/register")[1]["state"] == "registered"
        kiosk.wait_delivered("filing", filing)
    known = kiosk.get(f"/v1/filings/{odd}")
    item_status = CentralClient.item_status

    def shaped(client: CentralClient, kind: str, item_id: str, *rest: Any) -> dict[str, Any]:
        answer = item_status(client, kind, item_id, *rest)
        if item_id == good:
            return answer | {"state": "accepted"}
        return dict(ODD_ANSWERS[name](answer))

    monkeypatch.setattr(CentralClient, "item_status", shaped)
    wait_for(
        lambda: kiosk.get(f"/v1/filings/{good}")["state"] == "accepted", "the other filing's state"
    )
    now = kiosk.get(f"/v1/filings/{odd}")
    assert {**now, "as_of": None} == {**known, "as_of": None}
    assert kiosk.state()["link"]["state"] == "up"


def test_a_filing_whose_state_fails_holds_up_no_other(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.start_in_thread()
    failing, good = kiosk.make_filing(), kiosk.make_filing()
    for filing in (failing, good):
        kiosk.wait_delivered("filing", filing)
    item_status = CentralClient.item_status

    def shaped(client: CentralClient, kind: str, item_id: str, *rest: Any) -> dict[str, Any]:
        if item_id == failing:
            raise CentralUnreachableError("500", code="central_fault")
        return item_status(client, kind, item_id, *rest) | {"state": "accepted"}

    monkeypatch.setattr(CentralClient, "item_status", shaped)
    wait_for(lambda: kiosk.get(f"/v1/filings/{good}")["state"] == "accepted", "the other state")
    assert kiosk.state()["link"]["state"] == "up"


ODD_CASES: dict[str, tuple[dict[str, Any], int, Any]] = {
    "exists is text": ({"exists": "yes", "number": "7"}, 200, {"exists": True, "number": "7"}),
    "number is a number": ({"exists": True, "number": 7}, 200, {"number": "7"}),
    "court is a list": ({"exists": True, "number": "7", "court": []}, 200, {"court": None}),
    "nothing": ({}, 409, {"code": "central_fault"}),
}


@pytest.mark.parametrize("name", ODD_CASES)
def test_an_odd_case_is_read_as_far_as_it_can_be(
    lists: Lists, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    answer, status, fields = ODD_CASES[name]
    monkeypatch.setattr(CentralClient, "find_case", lambda *_: answer)
    found, body = lists.kiosk.request("POST", "/v1/cases", {"number": "7"})
    assert (found, {key: body[key] for key in fields}) == (status, fields)
    assert lists.reports()["cases"].unreadable == 1
    monkeypatch.setattr(
        CentralClient,
        "find_case",
        lambda *_: {"exists": False, "number": "", "kind": None, "court": None, "as_of": None},
    )
    assert lists.kiosk.request("POST", "/v1/cases", {"number": "7"})[0] == 200
    assert "cases" not in lists.reports()


def test_a_row_nested_too_deeply_to_be_written_costs_only_itself(lists: Lists) -> None:
    """Such a row can be read, but not be written as JSON: each poll ended there."""
    nested: list[Any] = []
    for _ in range(500):
        nested = [nested]
    lists.hearings = [FIRST, listed(10, extra=nested), LAST]
    wait_for(lambda: "hearings" in lists.reports(), "the report")
    report = lists.reports()["hearings"]
    assert (report.rows, report.unreadable) == (3, 1)
    published = json.loads(lists.kiosk.paths.schedule.read_text(encoding="utf-8"))
    assert published["hearings"] == [FIRST, None, LAST]
