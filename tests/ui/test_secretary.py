"""The secretary's views and steps, without a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.ui.catalogue import canned
from kiosk.ui.facts import Delivery, Hearing, Recorder, Schedule, Sync
from kiosk.ui.here import Here
from kiosk.ui.places import AdHoc, AskingDate, Sealed
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.secretary.office import Office, read_published
from kiosk.ui.secretary.questions import question_of
from kiosk.ui.secretary.readiness import ReadyLine, readiness
from kiosk.ui.secretary.recording_views import RecordingView, proof_view, recording_view
from kiosk.ui.secretary.stopped_views import locked_view, sealed_view
from kiosk.ui.secretary.today_views import next_hearing, schedule_age, today_view
from kiosk.ui.words import turned
from tests.ui.doubles import FakeRecorder, FakeSync

SAY = Translator("en")
HERE = Here(SAY, RuleLabels(SAY, load_rules()), ZoneInfo("Asia/Almaty"), canned.NOW)
HEARINGS = Schedule.model_validate(canned.schedule()).hearings


def recorder_of(**changes: Any) -> Recorder:
    """Return a recorder's state."""
    return Recorder.model_validate(canned.recorder(**changes))


def recording_of(**changes: Any) -> RecordingView:
    """Return the view of a running hearing."""
    state = Recorder.model_validate(canned.recording(**changes))
    return recording_view(HERE, state, stale=False, schedule=None, put_off=frozenset())


def ready(recorder: Recorder | None, sync: Sync | None) -> dict[str, ReadyLine]:
    """Return the lines of readiness by item."""
    return {line.item: line for line in readiness(HERE, recorder, sync)}


def test_the_next_hearing_is_chosen_by_itself() -> None:
    """The earliest one that was not held and is not long past."""
    assert next_hearing(HEARINGS, canned.NOW, set()) == HEARINGS[0]
    assert next_hearing(HEARINGS, canned.NOW, {HEARINGS[0].id}) == HEARINGS[1]
    noon = canned.NOW + timedelta(hours=3)
    assert next_hearing(HEARINGS, noon, set()) == HEARINGS[2]
    assert next_hearing((), canned.NOW, set()) is None


def test_a_closed_hearings_title_is_hidden() -> None:
    """Title hidden, also from the secretary's list that others may see."""
    view = today_view(
        HERE, Schedule.model_validate(canned.schedule()), None, recorder_of(), None, {}
    )
    assert "Ахметов" in view.rows[0].title
    assert "Ахметов" not in view.rows[1].title
    assert view.start_case == "7514-26-00-2/4511"


def test_readiness_in_sentences() -> None:
    """Each microphone says when it was heard; nothing is a mere tick."""
    quiet = canned.microphones(
        witness={"heard": None}, defendant={"state": "absent"}, plaintiff={"state": "quiet"}
    )
    lines = ready(recorder_of(microphones=quiet), Sync.model_validate(canned.sync()))
    assert lines["mic.judge"].text == "Presiding judge: heard 09:03"
    assert lines["mic.witness"].text == "Witness: not yet heard"
    assert (lines["mic.defendant"].tone, lines["mic.plaintiff"].tone) == ("fault", "caution")
    assert lines["mic.defendant"].remedy
    assert lines["link"].tone == "good"


def test_readiness_of_broken_things_has_remedies() -> None:
    """Every fault says what to do; services that are gone are said."""
    broken = recorder_of(
        camera={"state": "absent"}, storage={"state": "full"}, clock={"state": "unset"}
    )
    lines = ready(broken, None)
    for item in ("camera", "disk", "clock", "link"):
        assert lines[item].tone in ("fault", "caution")
        assert lines[item].remedy
    assert ready(None, None)["recorder"].tone == "fault"
    assert ready(recorder_of(microphones=[]), None)["mic"].tone == "fault"


@pytest.mark.parametrize("state", ["ok", "starting", "absent", "frozen", "off"])
def test_every_camera_state_has_words(state: str) -> None:
    """A state without words would be an empty line."""
    assert ready(recorder_of(camera={"state": state}), None)["camera"].text


def test_only_a_fresh_proof_is_green() -> None:
    """Good from the recorder; never when it has ceased to answer."""
    good = Recorder.model_validate(canned.recording())
    assert proof_view(HERE, good, stale=False).tone == "good"
    assert proof_view(HERE, good, stale=True).tone != "good"
    bad = Recorder.model_validate(canned.recording(proof={"state": "bad"}))
    assert proof_view(HERE, bad, stale=False).tone == "fault"


def test_a_lost_microphone_says_since_when_and_what_to_do() -> None:
    """Level row, alarm with its remedy, line in the course."""
    view = recording_of(
        microphones=canned.microphones(defendant={"state": "absent", "since": canned.ago(6)}),
        alarms=[{"code": "microphone_absent", "source": "defendant"}],
        hearing={
            "interruptions": [
                {"source": "defendant", "kind": "lost", "at": canned.at(9, 42), "seconds": 14.0}
            ]
        },
    )
    row = next(level for level in view.levels if level.name == "defendant")
    assert (row.tone, row.word) == ("fault", "not connected · 6 s")
    assert view.alarm is not None
    assert "Defendant" in view.alarm.sentence
    assert view.alarm.remedy
    assert view.course[0].fault
    assert view.course[0].text == "Defendant: not recorded · 14 s"


def test_the_gravest_alarm_is_shown_and_the_others_counted() -> None:
    """A fault goes before a warning."""
    codes = [{"code": "disk_low"}, {"code": "camera_absent"}, {"code": "mirror_absent"}]
    alarm = recording_of(alarms=codes).alarm
    assert alarm is not None
    assert (alarm.code, alarm.tone, alarm.more) == ("camera_absent", "fault", 2)


def test_withdrawn_marks_leave_the_course() -> None:
    """A mark that was taken back is not shown, and cannot be taken back again."""
    mark = {"id": 1, "type": "oath", "at": canned.at(9, 30), "withdrawn": True}
    view = recording_of(hearing={"marks": [mark]})
    assert view.course == ()
    assert not view.can_undo


def test_banner_after_a_power_cut_and_overrun() -> None:
    """The gap's length, or that it is not known; longer than planned."""
    known = recording_of(recovered={"hearing_id": "h", "gap_seconds": 12.0})
    assert "12 s" in known.banner
    unknown = recording_of(recovered={"hearing_id": "h", "gap_seconds": None})
    assert "not known" in unknown.banner
    assert recording_of(hearing={"scheduled_at": canned.at(7, 30)}).banner
    assert not recording_of().banner


@pytest.mark.parametrize(
    "subject",
    [
        "format",
        "format_decided_by",
        "legal_basis",
        "closure_ground",
        "kind",
        "override",
        "failure_reason",
        "recess_reason",
        "recovered",
    ],
)
def test_every_question_can_be_answered_by_a_tap(subject: str) -> None:
    """A sentence and at least one answer, no answer twice."""
    question = question_of(HERE, subject, "civil")
    values = [value for value, _label in question.choices]
    assert question.text
    assert values
    assert len(values) == len(set(values))


def test_questions_that_were_put_off_wait() -> None:
    """Later: the next one is asked; with all put off none is."""
    state = Recorder.model_validate(
        canned.recording(hearing={"open_questions": ["format", "legal_basis"]})
    )
    for put_off, subject in ((frozenset[str](), "format"), (frozenset({"format"}), "legal_basis")):
        view = recording_view(HERE, state, stale=False, schedule=None, put_off=put_off)
        assert view.question is not None
        assert view.question.subject == subject


@pytest.mark.parametrize(
    ("delivery", "tone"),
    [
        (Delivery(state="delivered", central_sha256_match=True), "good"),
        (Delivery(state="delivered", central_sha256_match=False), "fault"),
        (Delivery(state="failed"), "caution"),
        (Delivery(state="sending", bytes_done=1, bytes_total=4), "plain"),
        (Delivery(), "plain"),
    ],
)
def test_what_is_said_of_a_delivery(delivery: Delivery, tone: str) -> None:
    """Green only when the central system's own hash matches."""
    view = sealed_view(HERE, "1", sealing=False, delivery=delivery, online=True)
    assert view.delivery_tone == tone
    assert view.delivery_text


def test_waiting_without_a_line_is_said() -> None:
    """Offline: it goes by itself later."""
    view = sealed_view(HERE, "1", sealing=False, delivery=None, online=False)
    assert view.delivery_tone == "caution"


@pytest.mark.parametrize("phase", ["recording", "recess", "retired", "sealing"])
def test_locked_screen_for_every_phase(phase: str) -> None:
    """Everybody sees whether something is recorded; nothing about the case."""
    state = Recorder.model_validate({**canned.recording(), "phase": phase})
    view = locked_view(HERE, state, stale=False)
    assert view.recording is (phase == "recording")
    assert "4511" not in repr(view)


def test_the_age_of_the_list_is_said() -> None:
    """Fresh, old, none."""
    fresh = Schedule.model_validate(canned.schedule(age=20))
    old = Schedule.model_validate(canned.schedule(age=26 * 3600))
    assert schedule_age(HERE, fresh)[1] == "plain"
    assert schedule_age(HERE, old)[1] == "caution"
    assert schedule_age(HERE, Schedule())[1] == "caution"


def test_dials_keep_to_real_days() -> None:
    """The last day of a month, leap years, turns of the year."""
    assert turned(date(2026, 1, 31), "month", 1) == date(2026, 2, 28)
    assert turned(date(2028, 2, 29), "year", 1) == date(2029, 2, 28)
    assert turned(date(2026, 12, 31), "day", 1) == date(2027, 1, 1)
    assert turned(date(2026, 1, 15), "month", -1) == date(2025, 12, 15)


# -- steps -------------------------------------------------------------------------------------


class Rig:
    """An office over the stand-in services."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[str] = []
        recorder = LocalClient(folder / "run" / "recorder.sock")
        sync = LocalClient(folder / "run" / "sync.sock")
        self.clients = (recorder, sync)
        self.office = Office(
            recorder,
            sync,
            folder / "schedule.json",
            lambda: None,
            self.errors.append,
            self._do,
            ZoneInfo("Asia/Almaty"),
        )

    def _do(self, step: Any) -> None:
        step.close()

    async def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            await client.close()


async def _start_twice(rig: Rig) -> None:
    await rig.office.start(HEARINGS[0])
    await rig.office.start(HEARINGS[1])
    await rig.close()


def run(step: Any) -> None:
    """Run ``step`` to its end."""
    import asyncio

    asyncio.run(step)


def test_a_second_start_is_refused_in_words(folder: Path, recorder: FakeRecorder) -> None:
    """The running hearing goes on."""
    rig = Rig(folder)
    run(_start_twice(rig))
    assert rig.errors == ["already_recording"]
    assert recorder.state["hearing"]["id"] == HEARINGS[0].id


def test_a_recorder_that_is_gone_is_said(folder: Path) -> None:
    """No exception reaches the screen."""
    rig = Rig(folder)

    async def steps() -> None:
        await rig.office.start(HEARINGS[0])
        await rig.close()

    run(steps())
    assert rig.errors == ["recorder_down"]


def test_a_hearing_without_the_list(folder: Path, recorder: FakeRecorder) -> None:
    """Ad hoc with number and kind; the day is the secretary's when the clock is not set."""
    rig = Rig(folder)

    async def steps() -> None:
        rig.office.ask_adhoc(True, date(2026, 11, 23))
        assert str(rig.office.place) == str(AskingDate(date(2026, 11, 23)))
        rig.office.set_day(date(2026, 11, 24))
        for key in ("7", "5", "x", ""):
            rig.office.type_key(key)
        rig.office.choose_kind("criminal")
        assert rig.office.place == AdHoc("75", "criminal", date(2026, 11, 24))
        await rig.office.start_adhoc()
        await rig.close()

    run(steps())
    started = recorder.state["hearing"]
    assert (started["case_number"], started["kind"], started["adhoc"]) == ("75", "criminal", True)
    assert started["scheduled_at"].startswith("2026-11-24")


def test_end_leads_to_sealing_and_delivery(
    folder: Path, recorder: FakeRecorder, sync: FakeSync
) -> None:
    """The delivery of what was ended is asked until it has arrived."""
    rig = Rig(folder)

    async def steps() -> None:
        await rig.office.start(HEARINGS[0])
        await rig.office.end(HEARINGS[0].id, "7514")
        assert rig.office.place == Sealed(HEARINGS[0].id, "7514")
        await rig.office.load_deliveries()
        await rig.office.load_deliveries()
        await rig.close()

    run(steps())
    assert rig.office.deliveries[HEARINGS[0].id].state == "delivered"
    assert sync.paths().count(f"/v1/hearings/{HEARINGS[0].id}") == 1
    assert recorder.state["phase"] == "idle"


def test_the_list_comes_from_the_file_while_sync_is_down(folder: Path) -> None:
    """Offline the last pulled list is used, only the day's hearings."""
    other = canned.hearing(9, scheduled_at="2026-11-25T05:00:00.000Z")
    published = {"pulled_at": canned.ago(60), "days": 7, "hearings": [*canned.LIST, other]}
    make_folder(folder)
    write_json(folder / "schedule.json", published)
    rig = Rig(folder)

    async def steps() -> None:
        await rig.office.load_list(date(2026, 11, 23))
        await rig.close()

    run(steps())
    assert rig.office.schedule is not None
    assert [h.id for h in rig.office.schedule.hearings] == [h["id"] for h in canned.LIST]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"hearings": 7}'])
def test_a_corrupt_list_is_no_list(text: str, tmp_path: Path) -> None:
    """No crash, no hearing."""
    (tmp_path / "schedule.json").write_text(text, encoding="utf-8")
    zone = ZoneInfo("Asia/Almaty")
    assert read_published(tmp_path / "schedule.json", date(2026, 11, 23), zone) == Schedule()


def test_hearings_without_begin_are_on_every_day(tmp_path: Path) -> None:
    """A hearing whose time is not known is not lost."""
    hearing = canned.hearing(1, scheduled_at=None)
    write_json(tmp_path / "s.json", {"pulled_at": None, "hearings": [hearing]})
    found = read_published(tmp_path / "s.json", date(2026, 1, 1), ZoneInfo("Asia/Almaty"))
    assert [h.id for h in found.hearings] == [hearing["id"]]
    assert isinstance(found.hearings[0], Hearing)
    assert replace(HERE, now=canned.NOW).time(found.hearings[0].begins) == ""
