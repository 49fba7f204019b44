"""The link check before each hearing: when, what is kept, what the recorder makes of it.

Requirements: R30, R70.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.api.hearing import Hearing
from kiosk.api.states import Phase
from kiosk.api.sync import LinkCheckResult
from kiosk.clocks import boot_seconds, format_wall, wall_time
from kiosk.errors import CentralUnreachableError
from kiosk.hearing.room.link_check import recent_link_check
from kiosk.storage.age_stamp import age_stamp
from kiosk.storage.ages import Ages
from kiosk.sync.link_check.link_check import CancelledError, LinkCheckRunningError, Slot
from kiosk.sync.link_check.scheduled_checks import ScheduledLinkChecks, next_check
from tests.support.delivery_rig import Central, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

SCHEDULED = "kiosk.sync.link_check.scheduled_checks"
TEN = timedelta(minutes=10)


class FakeLinkCheck:
    """A link check that answers at once."""

    def __init__(
        self,
        problem: str | None = None,
        error: Exception | None = None,
        start_in_s: float | None = 0.0,
    ) -> None:
        self.runs = 0
        self.start_in_s = start_in_s
        self.slots: list[Slot | None] = []
        self.problem = problem
        self.error = error

    def reserve(self) -> Slot:
        """Give the slot that was set; None: the central system does not answer."""
        if self.start_in_s is None:
            raise CentralUnreachableError("no")
        return Slot({"token": "00"}, self.start_in_s)

    def run(self, _report_progress: object, slot: Slot | None = None) -> LinkCheckResult:
        """Count."""
        self.runs += 1
        self.slots.append(slot)
        if self.error is not None:
            raise self.error
        return LinkCheckResult(at=format_wall(), verdict="good", problem=self.problem)


def hearing_in(minutes: float) -> Hearing:
    """Return a hearing of the list."""
    at = wall_time() + timedelta(minutes=minutes)
    return Hearing(id=str(uuid.uuid4()), scheduled_at=format_wall(at))


def run_if_due(
    checks: ScheduledLinkChecks, listed: list[Hearing], *, is_hearing_open: bool = False
) -> None:
    """Run the check of the list that is due."""
    checks.run_if_due(listed, lambda _: None, is_hearing_open=is_hearing_open)


def checks_in(folder: Path, check: FakeLinkCheck) -> ScheduledLinkChecks:
    """Return checks ten minutes before each hearing."""
    ages = Ages(folder.parent / f"{folder.name}-ages.json")
    return ScheduledLinkChecks(check, folder, TEN, ages)  # type: ignore[arg-type]


def test_the_next_hearing_is_chosen() -> None:
    past, near, far = hearing_in(-5), hearing_in(9), hearing_in(60)
    odd = [Hearing(id="x", scheduled_at=near.scheduled_at), Hearing(id=str(uuid.uuid4()))]
    now = wall_time()
    due = next_check([far, past, near, *odd], TEN, now, set())
    assert due is not None
    assert due.hearing_id == near.id
    assert due.at < now
    later = next_check([far, near], TEN, now, {near.id})
    assert later is not None
    assert later.hearing_id == far.id
    assert next_check([far, near], timedelta(0), now, set()) is None


def test_hearings_of_all_rooms_at_one_hour_are_checked_one_after_the_other() -> None:
    hour = wall_time() + timedelta(hours=2)
    moments = []
    for room in range(300):
        hearing = Hearing(id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(room))))
        listed = hearing.model_copy(update={"scheduled_at": format_wall(hour)})
        due, again = (next_check([listed], TEN, wall_time(), set()) for _ in range(2))
        assert due == again, "the same after a restart"
        assert due is not None
        moments.append((due.scheduled_at - due.at) / timedelta(minutes=1))
    assert min(moments) >= 10
    assert max(moments) <= 20
    in_minutes = Counter(int(moment) for moment in moments)
    assert all(15 <= in_minutes[minute] <= 50 for minute in range(10, 20)), in_minutes


def test_once_before_a_hearing_also_after_a_restart(tmp_path: Path) -> None:
    check, listed = FakeLinkCheck(), [hearing_in(9), hearing_in(30)]
    for _ in range(2):
        checks = checks_in(tmp_path, check)
        for _ in range(3):
            run_if_due(checks, listed)
    assert check.runs == 1
    kept = json.loads((tmp_path / f"{listed[0].id}.json").read_text())
    assert (kept["verdict"], kept["hearing"]) == ("good", listed[0].id)
    ahead = checks_in(tmp_path, check).next(listed)
    assert ahead is not None
    assert ahead.hearing == listed[1].id


@pytest.mark.parametrize("phase", ["recording", "recess", "retired"])
def test_never_while_a_hearing_runs(tmp_path: Path, phase: str) -> None:
    check = FakeLinkCheck()
    is_open = Phase(phase).is_open
    run_if_due(checks_in(tmp_path, check), [hearing_in(9)], is_hearing_open=is_open)
    assert check.runs == 0


def test_one_that_reached_nobody_is_made_again_near_the_hearing(tmp_path: Path) -> None:
    check, far, near = FakeLinkCheck("dns_failed"), [hearing_in(9)], [hearing_in(1)]
    run_if_due(checks_in(tmp_path, check), far)
    assert not list(tmp_path.glob("*.json"))
    run_if_due(checks_in(tmp_path, check), near)
    assert (tmp_path / f"{near[0].id}.json").exists()


def test_it_begins_when_the_central_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, listed = FakeLinkCheck(start_in_s=90), [hearing_in(9)]
    checks = checks_in(tmp_path, check)
    for _ in range(3):
        run_if_due(checks, listed)
    assert check.runs == 0
    later = boot_seconds() + 91
    monkeypatch.setattr(f"{SCHEDULED}.boot_seconds", lambda: later)
    run_if_due(checks, listed)
    assert check.slots == [Slot({"token": "00"}, 90)]


def test_a_slot_that_passed_while_a_hearing_was_open_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, listed = FakeLinkCheck(start_in_s=20), [hearing_in(9)]
    checks, later = checks_in(tmp_path, check), boot_seconds()
    run_if_due(checks, listed)
    monkeypatch.setattr(f"{SCHEDULED}.boot_seconds", lambda: later + 130)
    run_if_due(checks, listed, is_hearing_open=True)
    run_if_due(checks, listed)
    assert check.runs == 0, "its token is over, and others have their slots now"
    monkeypatch.setattr(f"{SCHEDULED}.boot_seconds", lambda: later + 155)
    run_if_due(checks, listed)
    assert check.runs == 1


def test_a_slot_that_is_too_late_or_that_nobody_gives_holds_no_check_up(tmp_path: Path) -> None:
    check = FakeLinkCheck(start_in_s=3000)
    run_if_due(checks_in(tmp_path, check), [hearing_in(1)])
    assert check.runs == 1
    alone = FakeLinkCheck(start_in_s=None)
    run_if_due(checks_in(tmp_path / "other", alone), [hearing_in(9)])
    assert alone.slots == [None]


def test_one_that_a_person_cancelled_is_not_made_again(tmp_path: Path) -> None:
    check, listed = FakeLinkCheck(error=CancelledError("no")), [hearing_in(9)]
    checks = checks_in(tmp_path, check)
    for _ in range(2):
        run_if_due(checks, listed)
    assert check.runs == 1
    busy = FakeLinkCheck(error=LinkCheckRunningError("running"))
    checks = checks_in(tmp_path, busy)
    for _ in range(2):
        run_if_due(checks, listed)
    assert busy.runs == 2


def test_one_that_fails_oddly_does_not_fill_the_line_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, listed = FakeLinkCheck(error=TypeError("odd")), [hearing_in(9)]
    checks = checks_in(tmp_path, check)
    with pytest.raises(TypeError):
        run_if_due(checks, listed)
    run_if_due(checks, listed)
    assert check.runs == 1
    later = boot_seconds() + 121
    monkeypatch.setattr(f"{SCHEDULED}.boot_seconds", lambda: later)
    check.error = None
    run_if_due(checks, listed)
    assert check.runs == 2
    assert (tmp_path / f"{listed[0].id}.json").exists()


def test_the_recorder_takes_the_newest_fresh_result(tmp_path: Path) -> None:
    hearing = str(uuid.uuid4())
    assert recent_link_check(tmp_path, hearing) is None
    (tmp_path / "last.json").write_text("{torn")
    assert recent_link_check(tmp_path, hearing) is None

    def write(name: str, minutes: float, verdict: str) -> None:
        measured = {**age_stamp(), "uptime": boot_seconds() - minutes * 60}
        result = {"at": format_wall(), "verdict": verdict, "sentence": {}, "measured": measured}
        (tmp_path / name).write_text(json.dumps(result))

    write(f"{hearing}.json", 9, "good")
    write("last.json", 2, "below")
    found = recent_link_check(tmp_path, hearing)
    assert found is not None
    assert found["verdict"] == "below"
    assert "sentence" not in found
    write("last.json", 20, "below")
    assert (recent_link_check(tmp_path, hearing) or {})["verdict"] == "good"
    write(f"{hearing}.json", 90, "good")
    write("last.json", -90, "below")  # nobody measures in the future
    assert recent_link_check(tmp_path, hearing) is None
    (tmp_path / "last.json").write_text(json.dumps({"at": format_wall(), "verdict": "good"}))
    assert recent_link_check(tmp_path, hearing) is None, "nobody can tell how old it is"


@pytest.mark.parametrize("weeks", [-3, 3])
def test_a_clock_that_is_set_right_makes_no_result_old_and_deletes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weeks: int
) -> None:
    listed = hearing_in(9)
    checks = checks_in(tmp_path, FakeLinkCheck())
    run_if_due(checks, [listed])
    right = wall_time() + timedelta(weeks=weeks)
    for module in ("kiosk.storage.ages", "kiosk.storage.age_stamp", SCHEDULED):
        monkeypatch.setattr(f"{module}.wall_time", lambda: right)
    checks.publish(FakeLinkCheck().run(None))
    assert (tmp_path / f"{listed.id}.json").exists()
    (tmp_path / "last.json").unlink()
    assert (recent_link_check(tmp_path, listed.id) or {})["verdict"] == "good"


def test_results_of_three_days_ago_are_deleted(tmp_path: Path) -> None:
    checks, listed = checks_in(tmp_path, FakeLinkCheck()), hearing_in(9)
    run_if_due(checks, [listed])
    later = boot_seconds() + 3 * 86_400
    ages = Ages(tmp_path.parent / f"{tmp_path.name}-ages.json", uptime=lambda: later)
    old = ScheduledLinkChecks(FakeLinkCheck(), tmp_path, TEN, ages)  # type: ignore[arg-type]
    old.publish(FakeLinkCheck().run(None))
    assert [path.name for path in tmp_path.glob("*.json")] == ["last.json"]


def test_it_runs_by_itself_and_is_shown(central: Central, kiosk: Kiosk) -> None:
    listed = hearing_in(9)
    kiosk.paths.schedule.parent.mkdir(parents=True)
    known = {"pulled_at": format_wall(), "days": 7, "hearings": [listed.to_json()]}
    kiosk.paths.schedule.write_text(json.dumps(known))
    central.set_faults({"fault": "status", "match": "GET /v1/schedule"})  # the list stays this one
    kiosk.start_in_thread()
    path = kiosk.paths.link_checks / f"{listed.id}.json"
    result = wait_for(lambda: path.exists() and json.loads(path.read_text()), "the result")
    assert (result["verdict"], result["call"]) == ("good", "heard")
    assert result["sentence"]["en"] == "In a video call you will be heard well."
    assert result["rate_sentence"]["en"] == "At least 1 Mbit/s in both directions."
    for name in ("sentence", "rate_sentence"):
        assert all(result[name][language] for language in ("kk", "ru"))
    check = kiosk.state()["link_check"]
    assert check["last"]["at"] == result["at"]
    assert check["next"] is None
