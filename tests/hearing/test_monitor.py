"""Clock, remote link, reminder, remedies: noticed, written down, undone, known after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk.api.recorder import Microphone
from kiosk.api.recorder_calls import ApplyRemedy
from kiosk.api.states import MicrophoneKind, MicrophoneState, Phase
from kiosk.clocks import NS_PER_S, boot_id, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.hearing.monitoring.clock_steps import ClockStepDetector
from kiosk.hearing.monitoring.remote_link import RemoteLinkMonitor
from kiosk.hearing.monitoring.resume_reminder import ResumeReminder
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session.microphone_remedies import NoSpareError, RemedyImpossibleError
from kiosk.recording.formats.records import Interruption
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings
from tests.support.waiting import wait_for

MICROPHONES = tuple(
    MicrophoneSettings(name=name, role=role, device=f"mic_{name}")
    for name, role in (
        ("judge", "presiding"),
        ("witness", "witness"),
        ("extra", "spare"),
        ("line", "remote"),
    )
)


class MonitoredRig(CourtroomRig):
    """A courtroom with microphones whose state a test sets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, courtroom_settings(folder, MICROPHONES))
        for name in ("judge", "witness", "extra", "line"):
            self.put(name, "ok")

    def put(self, name: str, state: str) -> None:
        """Set the state of microphone ``name``."""
        next(mic for mic in self.sources.microphones if mic.name == name).set_state(
            MicrophoneState(state)
        )

    def microphone(self, name: str) -> dict[str, Any]:
        """Return a microphone of State."""
        return next(dict(row) for row in self.state()["microphones"] if row["name"] == name)

    def alarms(self) -> set[tuple[str, str]]:
        """Return code and source of the alarms."""
        return {(alarm["code"], alarm["source"]) for alarm in self.state()["alarms"]}

    def remedy(self, source: str, remedy: str, **more: str) -> dict[str, Any]:
        """Ask for a remedy."""
        request = ApplyRemedy.model_validate({"source": source, "remedy": remedy, **more})
        return self.courtroom.apply_remedy(request, "p1").to_json()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MonitoredRig]:
    made = MonitoredRig(tmp_path)
    yield made
    made.crash()


# -- remedies ----------------------------------------------------------------------------------
def test_a_spare_takes_over_and_hands_back(rig: MonitoredRig) -> None:
    assert rig.microphone("witness")["remedies"] == [], "nothing is open"
    hearing_id = rig.begin(format="offline")
    assert rig.microphone("witness")["remedies"] == []
    rig.put("witness", "dead")
    assert ("microphone_dead", "witness") in rig.alarms()
    shown = rig.microphone("witness")
    assert shown["remedies"] == ["spare", "move", "without"]
    assert shown["remedy_targets"] == {"spare": ["extra"], "move": ["judge"]}
    answer = rig.remedy("witness", "spare")
    assert answer["roles"] == {
        "judge": ["presiding"],
        "witness": [],
        "extra": ["witness"],
        "line": ["remote"],
    }
    assert rig.microphone("extra")["role"] == "witness"
    assert (rig.microphone("witness")["role"], rig.microphone("witness")["roles"]) == ("spare", [])
    assert ("microphone_dead", "witness") not in rig.alarms(), "nobody needs it now"
    (line,) = rig.lines(hearing_id, "role_moved")
    moved = {key: line[key] for key in ("source", "to", "role", "remedy", "person")}
    assert moved == {
        "source": "witness",
        "to": "extra",
        "role": "witness",
        "remedy": "spare",
        "person": "p1",
    }
    with pytest.raises(RemedyImpossibleError):
        rig.remedy("witness", "spare")
    rig.put("witness", "ok")
    assert rig.microphone("witness")["remedies"] == ["back"]
    rig.remedy("witness", "back")
    assert rig.microphone("witness")["role"] == "witness"
    assert rig.microphone("extra")["role"] == "spare"
    with pytest.raises(RemedyImpossibleError):
        rig.remedy("witness", "back")


def test_a_role_moves_to_another_microphone_and_back(rig: MonitoredRig) -> None:
    rig.begin()
    rig.put("judge", "muted")
    rig.remedy("judge", "move", to="witness")
    assert rig.microphone("witness")["roles"] == ["witness", "presiding"]
    rig.put("judge", "ok")
    rig.remedy("witness", "move", to="judge")
    assert rig.microphone("judge")["roles"] == ["presiding"]
    assert rig.microphone("witness")["roles"] == ["witness"]


def test_without_it_the_alarm_is_quiet_and_the_ledger_is_not(rig: MonitoredRig) -> None:
    hearing_id = rig.begin(format="offline")
    rig.put("judge", "absent")
    assert ("microphone_absent", "judge") in rig.alarms()
    rig.remedy("judge", "without")
    assert ("microphone_absent", "judge") not in rig.alarms()
    rig.parts[0].add_interruption(Interruption(1, "judge", "absent", recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    assert "failure_reason" not in rig.hearing()["open_questions"], "somebody has decided"
    rig.crash()
    rig.courtroom = rig.start()
    for name in ("witness", "extra", "line"):
        rig.put(name, "ok")
    rig.put("judge", "absent")
    assert rig.microphone("judge")["without"] is True
    assert rig.microphone("judge")["remedies"] == ["back"]
    rig.remedy("judge", "back")
    assert ("microphone_absent", "judge") in rig.alarms()
    assert [line["source"] for line in rig.lines(hearing_id, "taken_back")] == ["judge"]


def test_remedies_that_do_not_fit(rig: MonitoredRig) -> None:
    with pytest.raises(StepRefusedError):
        rig.remedy("judge", "without")
    rig.begin()
    rig.put("judge", "dead")
    rig.put("extra", "absent")
    rig.put("witness", "dead")
    assert rig.microphone("judge")["remedies"] == ["without"]
    with pytest.raises(NoSpareError):
        rig.remedy("judge", "spare")
    with pytest.raises(RemedyImpossibleError):
        rig.remedy("judge", "move", to="witness")
    with pytest.raises(RemedyImpossibleError):
        rig.remedy("line", "spare")
    with pytest.raises(BadRequestError, match="source"):
        rig.remedy("nobody", "move")
    with pytest.raises(ValidationError):
        rig.remedy("judge", "hope")
    with pytest.raises(BadRequestError, match="to"):
        rig.remedy("judge", "move", to="nobody")
    with pytest.raises(BadRequestError, match="to"):
        rig.remedy("judge", "move")
    assert rig.microphone("judge")["roles"] == ["presiding"]


def test_a_spare_that_is_away_is_no_alarm_and_no_question(rig: MonitoredRig) -> None:
    rig.put("extra", "absent")
    rig.begin(format="offline", publicity="open")
    assert "extra" not in rig.hearing()["not_ready"]
    assert ("microphone_absent", "extra") not in rig.alarms()
    rig.parts[0].add_interruption(Interruption(1, "extra", "absent", recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    assert "failure_reason" not in rig.hearing()["open_questions"]


# -- remote link -------------------------------------------------------------------------------
def test_a_lost_link_is_marked_and_alarmed_once_somebody_was_there(rig: MonitoredRig) -> None:
    rig.begin(format="offline")
    rig.courtroom.poll()
    rig.put("line", "muted")
    rig.courtroom.poll()
    assert ("remote_link_lost", "line") in rig.alarms()
    assert ("microphone_muted", "line") not in rig.alarms()
    rig.put("line", "ok")
    rig.courtroom.poll()
    assert ("remote_link_lost", "line") not in rig.alarms()
    marks = [(mark["type"], mark["role"]) for mark in rig.hearing()["marks"]]
    assert marks == [("link_lost", "remote"), ("link_restored", "remote")]
    with pytest.raises(StepRefusedError):
        rig.courtroom.undo_mark("p1")  # the kiosk's own marks stay
    assert rig.microphone("line")["kind"] == "remote"


def test_a_conference_set_that_nobody_uses_is_not_lost() -> None:
    line = Microphone(name="line", kind=MicrophoneKind.REMOTE, state=MicrophoneState.MUTED)
    link, silent = RemoteLinkMonitor(), [line]
    assert link.poll({"id": "1", "format": "offline"}, silent) == []
    assert link.poll({"id": "2", "format": "mixed"}, silent) == [("link_lost", "line")]
    assert link.poll({"id": "2", "format": "mixed"}, silent) == []
    assert link.poll(None, silent) == []
    assert not link.lost


# -- wall clock --------------------------------------------------------------------------------
class Clocks:
    """A wall clock and a recording clock that a test moves."""

    def __init__(self) -> None:
        self.wall_ns, self.now_ns = 1_790_000_000 * NS_PER_S, 5 * NS_PER_S

    def wall(self) -> int:
        return self.wall_ns

    def clock(self) -> int:
        return self.now_ns

    def go(self, seconds: float, wall: float | None = None) -> None:
        """Let time pass; on the wall clock ``wall`` seconds, if given."""
        self.now_ns += round(seconds * NS_PER_S)
        self.wall_ns += round((seconds if wall is None else wall) * NS_PER_S)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 0.5, -0.5])
def test_a_step_of_the_clock_is_noticed_once(step: float) -> None:
    clocks = Clocks()
    watch = ClockStepDetector(clocks.wall, clocks.clock)
    clocks.go(0.25, wall=0.2501)  # slewed
    assert watch.poll() is None
    clocks.go(0.25, wall=0.25 + step)
    assert watch.poll() == pytest.approx(step, abs=0.01)
    assert watch.has_stepped
    clocks.go(0.25)
    assert watch.poll() is None
    clocks.go(301)
    assert watch.poll() is None
    assert not watch.has_stepped


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
def test_a_step_while_recording_is_written_down_and_moves_no_media(
    rig: MonitoredRig, step: float
) -> None:
    clocks = Clocks()
    rig.courtroom.monitor.clock_steps = ClockStepDetector(clocks.wall, clocks.clock)
    hearing_id = rig.begin()
    before = rig.hearing()["part_seconds"]
    clocks.go(0.25, wall=0.25 + step)
    rig.courtroom.poll()
    assert [line["seconds"] for line in rig.lines(hearing_id, "clock_stepped")] == [step]
    assert ("clock_stepped", "clock") in rig.alarms()
    assert 0 <= rig.hearing()["part_seconds"] - before < 60
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


# -- reminder ----------------------------------------------------------------------------------
def test_reminders_come_again_and_again_until_somebody_resumes() -> None:
    clocks = Clocks()
    reminder = ResumeReminder(15, clocks.clock)
    stopped = "2999-01-01T00:00:00.000Z"  # a wall clock that runs ahead changes nothing
    assert not reminder.poll(Phase.RECORDING, "")
    assert not reminder.poll(Phase.RECESS, stopped)
    clocks.go(14.9 * 60)
    assert not reminder.poll(Phase.RECESS, stopped)
    clocks.go(12)
    assert reminder.poll(Phase.RECESS, stopped)
    assert not reminder.poll(Phase.RECESS, stopped)
    clocks.go(15 * 60)
    assert reminder.poll(Phase.RECESS, stopped)
    assert reminder.count == 2
    assert reminder.minutes == pytest.approx(30.1)
    assert not reminder.poll(Phase.RECORDING, stopped)
    assert reminder.count == 0
    assert not reminder.poll(Phase.RETIRED, "2999-01-02T00:00:00.000Z"), "the next starts at zero"
    long_ago = "2020-01-01T00:00:00.000Z"
    assert not reminder.poll(Phase.RECESS, long_ago), "a wall clock that ran behind is no hour"


def test_a_restart_of_the_recorder_goes_on_with_the_count_and_one_of_the_machine_begins() -> None:
    clocks = Clocks()
    stopped, stopped_ns = "2026-11-28T09:00:00.000Z", clocks.clock()
    clocks.go(20 * 60)
    same, other = (ResumeReminder(15, clocks.clock) for _ in range(2))
    assert same.poll(Phase.RECESS, stopped, stopped_ns, boot_id())
    assert same.minutes == pytest.approx(20)
    assert not other.poll(Phase.RECESS, stopped, stopped_ns, "another boot")
    clocks.go(15 * 60)
    assert other.poll(Phase.RECESS, stopped, stopped_ns, "another boot")


def test_a_reminder_is_in_state_and_in_the_journal(rig: MonitoredRig) -> None:
    hearing_id = rig.begin()
    assert rig.state()["reminder"] is None
    rig.courtroom.retire("p1")
    rig.courtroom.monitor.reminder = ResumeReminder(0.00001)
    rig.courtroom.poll()

    def reminded() -> bool:
        rig.courtroom.poll()
        return rig.state()["reminder"] is not None

    wait_for(reminded, "a reminder")
    assert ("resume_reminder", "recorder") in rig.alarms()
    assert rig.lines(hearing_id, "reminder")[0]["count"] >= 1
    rig.courtroom.resume("p1")
    rig.courtroom.poll()
    assert rig.state()["reminder"] is None
    assert ("resume_reminder", "recorder") not in rig.alarms()


def test_between_retirement_and_announcement_nothing_is_captured(rig: MonitoredRig) -> None:
    hearing_id = rig.begin()
    recorder = rig.parts[0]
    assert rig.courtroom.is_capturing
    rig.courtroom.retire("p1")
    assert not rig.courtroom.is_capturing
    assert recorder.stop_ns is not None
    assert rig.courtroom.seal_queue.wait_idle(10)

    def media() -> dict[Path, int]:
        folder = rig.folder(hearing_id)
        return {path: path.stat().st_size for path in folder.rglob("*.m4s")}

    before = media()
    rig.courtroom.add_mark("postponed", "p1")
    rig.courtroom.poll()
    assert (media(), len(rig.parts)) == (before, 1)
    rig.courtroom.resume("p1")
    rig.courtroom.add_mark("announcement", "p1")
    assert len(rig.parts) == 2
    announcement = rig.hearing()["marks"][-1]
    assert (announcement["type"], announcement["part"]) == ("announcement", 2)
