"""The secretary's views and steps, without a window."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.alarms import ALARMS, is_known
from kiosk.api.hearing import Hearing
from kiosk.api.published import Schedule, read_hearings, read_schedule
from kiosk.api.recorder import RecorderState, RunningHearing
from kiosk.api.states import MicrophoneState, Phase
from kiosk.api.sync import Delivery, SyncState
from kiosk.export.texts import LOSSES
from kiosk.hearing.session.hearing_state import FAILURE_KINDS
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.ui.actions.secretary_actions import SecretaryActions, read_published_schedule
from kiosk.ui.formatting import shift_date
from kiosk.ui.registry import AdHocPlace, DatePlace, DeliveryPlace, TodayPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.schedule_age import schedule_age
from kiosk.ui.secretary.lock import lock_view
from kiosk.ui.secretary.running_hearing.questions import build_question
from kiosk.ui.secretary.running_hearing.recording import RecordingView, recording_view
from kiosk.ui.secretary.running_hearing.sources import proof_view
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, readiness
from kiosk.ui.secretary.schedule.today import next_hearing, today_view
from kiosk.ui.secretary.sealed_hearing.delivery import delivery_view
from kiosk.ui.view_context import ViewContext
from tests.ui.fake_services import FakeRecorder, FakeSync

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), sample_data.NOW
)
HEARINGS = Schedule.model_validate(sample_data.schedule()).hearings


def recorder_of(**changes: Any) -> RecorderState:
    """Return a recorder's state."""
    return RecorderState.model_validate(sample_data.recorder(**changes))


def recording_of(**changes: Any) -> RecordingView:
    """Return the view of a running hearing; ``hidden_oath``: mark of the oath that is hidden."""
    hidden_oath = changes.pop("hidden_oath", 0)
    state = RecorderState.model_validate(sample_data.recording(**changes))
    return recording_view(
        CONTEXT,
        state,
        stale=False,
        schedule=None,
        postponed=frozenset(),
        hidden_oath=hidden_oath,
    )


def ready(recorder: RecorderState | None, sync: SyncState | None) -> dict[str, ReadinessLine]:
    """Return the lines of readiness by item."""
    return {line.item: line for line in readiness(CONTEXT, recorder, sync)}


def test_data_that_is_gone_at_power_off_comes_first() -> None:
    """As a fault, before and during a hearing; a test bench only says it."""
    volatile = {"storage": {"state": "ok", "hours_left": 40.0, "volatile": "yes"}}
    alarms = [{"code": "microphone_absent", "source": "judge"}]
    lines = readiness(CONTEXT, recorder_of(**volatile), None)
    assert (lines[0].item, lines[0].tone) == ("durability", "fault")
    assert lines[0].text.startswith("Everything that is recorded is lost")
    shown = recording_of(**volatile, alarms=[{"code": "data_volatile"}, *alarms]).alarm
    assert shown is not None
    assert (shown.code, shown.tone, shown.more) == ("data_volatile", "fault", 1)

    volatile["storage"]["volatile"] = "accepted"
    line = readiness(CONTEXT, recorder_of(**volatile), None)[0]
    assert (line.item, line.tone) == ("durability", "plain")
    assert "durability" not in ready(recorder_of(), None)


def test_filings_that_are_not_protected_are_said_before_a_hearing_only() -> None:
    """During a hearing nobody can act on it."""
    alarms = {"alarms": [{"code": "filing_unprotected", "source": "recorder"}]}
    assert ready(recorder_of(**alarms), None)["filings"].tone == "caution"
    assert recording_of(**alarms).alarm is None


def test_the_next_hearing_is_chosen_by_itself() -> None:
    """The earliest one that was not held and is not long past."""
    assert next_hearing(HEARINGS, sample_data.NOW, set()) == HEARINGS[0]
    assert next_hearing(HEARINGS, sample_data.NOW, {HEARINGS[0].id}) == HEARINGS[1]
    noon = sample_data.NOW + timedelta(hours=3)
    assert next_hearing(HEARINGS, noon, set()) == HEARINGS[2]
    assert next_hearing((), sample_data.NOW, set()) is None


def test_a_closed_hearings_title_is_hidden() -> None:
    """Title hidden, also from the secretary's list that others may see."""
    view = today_view(
        CONTEXT, Schedule.model_validate(sample_data.schedule()), None, recorder_of(), None, {}
    )
    assert "Ахметов" in view.rows[0].title
    assert "Ахметов" not in view.rows[1].title
    assert view.start_case == "7514-26-00-2/4511"


@pytest.mark.parametrize("publicity", [None, 17, ["open"], {}, "", "opened", "\ud800", "x" * 200])
def test_a_title_is_hidden_unless_the_hearing_is_clearly_open(publicity: object) -> None:
    listed = copy.deepcopy(sample_data.schedule())
    listed["hearings"][0]["publicity"] = publicity
    schedule = read_schedule(listed, CONTEXT.zone)
    (first, *_) = today_view(CONTEXT, schedule, None, recorder_of(), None, {}).rows
    assert "Ахметов" not in first.title
    assert first.publicity == "Not known whether closed"
    assert not first.closed, "it is recorded as an open one"
    expected = [] if publicity in ("", "opened", "\ud800") else ["publicity"]
    problems = read_hearings(listed, CONTEXT.zone).problems
    assert [problem.field for problem in problems] == expected


def test_a_hearing_closed_here_is_closed_in_the_list() -> None:
    schedule = Schedule.model_validate(sample_data.schedule())
    recorder = RecorderState(phase=Phase.IDLE, closed_hearings=(schedule.hearings[0].id,))
    (first, *_) = today_view(CONTEXT, schedule, None, recorder, None, {}).rows
    assert ("Ахметов" in first.title, first.publicity, first.closed) == (False, "Closed", True)


def test_a_state_secret_is_closed_in_the_list() -> None:
    listed = copy.deepcopy(sample_data.schedule())
    listed["hearings"][0]["state_secret"] = True
    schedule = read_schedule(listed, CONTEXT.zone)
    (first, *_) = today_view(CONTEXT, schedule, None, recorder_of(), None, {}).rows
    assert ("Ахметов" in first.title, first.closed) == (False, True)


def test_readiness_in_sentences() -> None:
    """Each microphone says when it was heard; nothing is a mere tick."""
    quiet = sample_data.microphones(
        witness={"heard": None}, defendant={"state": "absent"}, plaintiff={"state": "quiet"}
    )
    lines = ready(recorder_of(microphones=quiet), SyncState.model_validate(sample_data.sync()))
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


@pytest.mark.parametrize(
    ("clock", "tone", "text"),
    [
        ({"state": "ok", "rtc": "kept"}, "good", "The clock is right, and a battery keeps it"),
        (
            {"state": "ok", "rtc": "absent"},
            "plain",
            "The clock is right; no battery keeps it when the power is cut",
        ),
        ({"state": "ok", "rtc": "unkept"}, "caution", ALARMS["rtc_unkept"].sentence),
        ({"state": "ok", "rtc": "differs"}, "caution", ALARMS["rtc_differs"].sentence),
        ({"state": "ok"}, "good", "The clock is right"),
        (
            {"state": "unsynchronised", "rtc": "kept"},
            "caution",
            f"{ALARMS['clock_unsynchronised'].sentence} A battery keeps it.",
        ),
        (
            {"state": "unsynchronised", "rtc": "unkept"},
            "caution",
            ALARMS["clock_unsynchronised"].sentence,
        ),
        ({"state": "unset", "rtc": "unkept"}, "caution", ALARMS["clock_unset"].sentence),
    ],
)
def test_readiness_names_the_clock_and_its_battery(
    clock: dict[str, str], tone: str, text: str
) -> None:
    line = ready(recorder_of(clock=clock), None)["clock"]
    assert (line.tone, line.text) == (tone, text)
    assert bool(line.remedy) is (tone == "caution")


@pytest.mark.parametrize("state", ["ok", "starting", "absent", "frozen", "off"])
def test_every_camera_state_has_words(state: str) -> None:
    """A state without words would be an empty line."""
    assert ready(recorder_of(camera={"state": state}), None)["camera"].text


def test_only_a_fresh_proof_is_green() -> None:
    """Good from the recorder; never when it has ceased to answer."""
    good = RecorderState.model_validate(sample_data.recording())
    assert proof_view(CONTEXT, good, stale=False).tone == "good"
    assert proof_view(CONTEXT, good, stale=True).tone != "good"
    bad = RecorderState.model_validate(sample_data.recording(proof={"state": "bad"}))
    assert proof_view(CONTEXT, bad, stale=False).tone == "fault"


def test_a_lost_microphone_says_since_when_and_what_to_do() -> None:
    """Level row, alarm with its remedy, line in the course."""
    view = recording_of(
        microphones=sample_data.microphones(
            defendant={"state": "absent", "since": sample_data.ago(6)}
        ),
        alarms=[{"code": "microphone_absent", "source": "defendant"}],
        hearing={
            "interruptions": [
                {
                    "source": "defendant",
                    "kind": "lost",
                    "at": sample_data.at(9, 42),
                    "seconds": 14.0,
                }
            ]
        },
    )
    row = next(level for level in view.microphones if level.name == "defendant")
    assert (row.tone, row.text) == ("fault", "not connected · 6 s")
    assert view.alarm is not None
    assert "Defendant" in view.alarm.sentence
    assert view.alarm.remedy
    assert view.event_log[0].fault
    assert view.event_log[0].text == "Defendant: not recorded · 14 s"


@pytest.mark.parametrize("state", MicrophoneState)
def test_every_microphone_state_has_words_an_alarm_and_a_remedy(state: MicrophoneState) -> None:
    """A state that a screen does not know would look like a microphone that works."""
    microphones = sample_data.microphones(defendant={"state": state, "since": sample_data.ago(6)})
    line = ready(recorder_of(microphones=microphones), None)["mic.defendant"]
    row = next(
        r for r in recording_of(microphones=microphones).microphones if r.name == "defendant"
    )
    assert is_known(state.alarm) is state.is_failing
    assert bool(line.remedy) is state.is_failing
    assert (row.tone == "fault") is state.is_lost
    assert (line.tone == "fault") is state.is_lost
    assert (state in LOSSES) is state.is_lost, "the minutes and the copies name it"
    assert (state in FAILURE_KINDS) is state.is_lost
    if state.is_broken:
        assert state.is_lost


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ({"reason": "rate", "offered": [44100]}, "offers 44100 Hz only"),
        ({"reason": "channels", "offered": [1]}, "has only this many channels: 1"),
        ({"reason": "busy", "detail": "Device unavailable"}, "another program uses it"),
        ({"reason": "other", "detail": "Unanticipated host error"}, "Unanticipated host error"),
    ],
)
def test_a_refusal_says_what_the_device_offers(refusal: dict[str, Any], words: str) -> None:
    """In the row, before the hearing, and where the court chooses a remedy."""
    microphones = sample_data.microphones(defendant={"state": "refused", "refusal": refusal})
    line = ready(recorder_of(microphones=microphones), None)["mic.defendant"]
    assert line.text.endswith(f"as the settings say. {words[0].upper()}{words[1:]}.")
    row = next(
        r for r in recording_of(microphones=microphones).microphones if r.name == "defendant"
    )
    assert (row.tone, row.text) == ("fault", words)


def test_the_gravest_alarm_is_shown_and_the_others_counted() -> None:
    """A fault goes before a warning."""
    codes = [{"code": "disk_low"}, {"code": "camera_absent"}, {"code": "mirror_absent"}]
    alarm = recording_of(alarms=codes).alarm
    assert alarm is not None
    assert (alarm.code, alarm.tone, alarm.more) == ("camera_absent", "fault", 2)


def test_an_alarm_of_the_camera_has_the_word_for_it() -> None:
    """The camera has no role; its name in the settings is no word for a person."""
    alarm = recording_of(alarms=[{"code": "source_unrecorded", "source": "camera"}]).alarm
    assert alarm is not None
    assert "“Camera”" in alarm.sentence


def test_withdrawn_marks_leave_the_course() -> None:
    """A mark that was taken back is not shown, and cannot be taken back again."""
    mark = {"id": 1, "type": "oath", "at": sample_data.at(9, 30), "withdrawn": True}
    view = recording_of(hearing={"marks": [mark]})
    assert view.event_log == ()
    assert not view.undoable


def test_the_mark_that_can_be_taken_back_is_the_newest_by_hand() -> None:
    types = ("opening", "oath", "closed_declared", "recess", "questioning")
    marks = [
        {"id": number, "type": name, "at": sample_data.at(9, 30), "withdrawn": number == 5}
        for number, name in enumerate(types, 1)
    ]
    assert recording_of(hearing={"marks": marks}).undoable == 2
    assert recording_of(hearing={"marks": marks[2:]}).undoable == 0, "the recorder would refuse"


def test_banner_after_a_power_cut_and_overrun() -> None:
    """The gap's length, or that it is not known; longer than planned."""
    known = recording_of(recovered={"hearing_id": "h", "gap_seconds": 12.0})
    assert "12 s" in known.banner
    unknown = recording_of(recovered={"hearing_id": "h", "gap_seconds": None})
    assert "not known" in unknown.banner
    assert recording_of(hearing={"scheduled_at": sample_data.at(7, 30)}).banner
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
        "left_out:rights_explained",
        "left_out:oath:p3",
    ],
)
def test_every_question_can_be_answered_by_a_tap(subject: str) -> None:
    """A sentence and at least one answer, no answer twice."""
    hearing = RunningHearing.model_validate(sample_data.running(kind="civil"))
    question = build_question(CONTEXT, subject, hearing)
    values = [value for value, _label in question.choices]
    assert question.text
    assert values
    assert len(values) == len(set(values))


def test_what_is_due_next_is_offered_with_the_name_and_marked_of_that_person() -> None:
    view = recording_of()
    assert [button.of for button in view.due] == ["p3", "p3"]
    assert view.due[0].label.endswith(": Ержан Т.")
    assert view.due[0].id not in {button.id for button in view.others}
    unnamed = recording_of(hearing={"due": [{"event": "opening", "of": ""}]})
    assert unnamed.due[0].label == "Opening"


def test_a_hearing_offers_the_events_of_its_kind_only() -> None:
    civil = {button.id for button in recording_of(hearing={"kind": "civil"}).all_events}
    assert not {"oath", "last_word", "charge_presented"} & civil
    assert "claim_presented" in civil
    criminal = {button.id for button in recording_of(hearing={"kind": "criminal"}).all_events}
    assert {"oath", "last_word", "charge_presented"} <= criminal


def test_what_was_left_out_is_said_at_once_and_asked_after_the_next_mark() -> None:
    mark = {"id": 1, "type": "questioning", "at": sample_data.at(9, 30)}
    left_out = {**mark, "left_out": ["oath:p3", "witnesses_leave"]}
    asked = {"open_questions": ["left_out:oath:p3", "left_out:witnesses_leave"]}
    now = recording_of(hearing={"marks": [left_out], **asked})
    assert now.hint == "Not marked before this: Witness's oath (Ержан Т.), Witnesses leave"
    assert now.question is None
    following = {**mark, "id": 2, "type": "documents_examined"}
    later = recording_of(hearing={"marks": [left_out, following], **asked})
    assert later.hint == ""
    assert later.question is not None
    assert later.question.subject == "left_out:oath:p3"
    assert "Ержан Т." in later.question.text


SWEARS = {
    "id": 4,
    "type": "oath",
    "at": sample_data.at(9, 30),
    "of": {"id": "p3", "role": "witness", "name": "Ержан Т."},
}


def test_the_oath_is_shown_in_the_language_of_the_case_until_it_ends() -> None:
    """R50, УПК 370(2)."""
    hearing = {"kind": "criminal", "marks": [SWEARS]}
    kazakh = recording_of(hearing={**hearing, "language": "kk"}).oath
    assert kazakh is not None
    assert kazakh.text.startswith("Сотқа іс бойынша")
    assert (kazakh.mark, kazakh.name, kazakh.norm) == (4, "Ержан Т.", "ҚПК 370(2)")
    russian = recording_of(hearing={**hearing, "language": "ru"}).oath
    assert russian is not None
    assert russian.text.startswith("Я клянусь суду")
    english = recording_of(hearing=hearing).oath
    assert english is not None
    assert english.language == "kk", "there is no English oath"
    ended = {**SWEARS, "ended": sample_data.at(9, 31)}
    assert recording_of(hearing={**hearing, "marks": [ended]}).oath is None
    left = {**SWEARS, "id": 5, "type": "questioning"}
    assert recording_of(hearing={**hearing, "marks": [SWEARS, left]}).oath is None
    assert recording_of(hidden_oath=4, hearing=hearing).oath is None
    withdrawn = {**SWEARS, "withdrawn": True}
    assert recording_of(hearing={**hearing, "marks": [withdrawn]}).oath is None


def test_an_oath_that_nobody_heard_is_said_and_nothing_more() -> None:
    ended = {**SWEARS, "ended": sample_data.at(9, 31)}
    for heard, is_said in ((False, True), (True, False), (None, False)):
        view = recording_of(hearing={"marks": [{**ended, "heard": heard}]})
        assert ("Nobody was heard" in view.hint) is is_said
        assert view.due, "and it goes on"


def test_how_far_an_announcement_is_open_is_said_when_it_is_due() -> None:
    """R57, S14."""
    due = {"due": [{"event": "announcement", "of": ""}]}
    part = {**due, "announced_part": "introductory_and_operative"}
    assert "introductory and the operative part only" in recording_of(hearing=part).hint
    assert recording_of(hearing=due).hint == ""
    early = {"announced_part": "operative"}
    assert recording_of(hearing=early).hint == ""


def test_a_hearing_without_minutes_offers_no_events() -> None:
    """АПК 179(7), 281(4)."""
    view = recording_of(hearing={"keeps_minutes": False, "due": []})
    assert (view.due, view.others) == ((), ())
    assert "No minutes are kept" in view.hint


def test_questions_that_were_put_off_wait() -> None:
    """Later: the next one is asked; with all put off none is."""
    state = RecorderState.model_validate(
        sample_data.recording(hearing={"open_questions": ["format", "legal_basis"]})
    )
    for postponed, subject in (
        (frozenset[str](), "format"),
        (frozenset({"format"}), "legal_basis"),
    ):
        view = recording_view(CONTEXT, state, stale=False, schedule=None, postponed=postponed)
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
    view = delivery_view(CONTEXT, "1", "h1", delivery, online=True)
    assert view.delivery_tone == tone
    assert view.delivery_text


def test_waiting_without_a_line_is_said() -> None:
    """Offline: it goes by itself later."""
    view = delivery_view(CONTEXT, "1", "h1", Delivery(), online=False)
    assert view.delivery_tone == "caution"


@pytest.mark.parametrize("phase", ["recording", "recess", "retired", "sealing"])
def test_locked_screen_for_every_phase(phase: str) -> None:
    """Everybody sees whether something is recorded; nothing about the case."""
    state = RecorderState.model_validate({**sample_data.recording(), "phase": phase})
    view = lock_view(CONTEXT, state, stale=False)
    assert view.recording is (phase == "recording")
    assert "4511" not in repr(view)


def test_the_age_of_the_list_is_said() -> None:
    """Fresh, old, none."""
    fresh = Schedule.model_validate(sample_data.schedule(age=20))
    old = Schedule.model_validate(sample_data.schedule(age=26 * 3600))
    assert schedule_age(CONTEXT, fresh)[1] == "plain"
    assert schedule_age(CONTEXT, old)[1] == "caution"
    assert schedule_age(CONTEXT, Schedule())[1] == "caution"


def test_the_age_of_the_list_is_no_difference_of_two_wall_times() -> None:
    """A clock that a time server sets makes no list old; where nobody can tell, its time stands."""
    fresh = Schedule.model_validate(sample_data.schedule(age=20))
    later = replace(CONTEXT, now=CONTEXT.now + timedelta(weeks=3))
    assert schedule_age(later, fresh) == schedule_age(CONTEXT, fresh)
    unknown = fresh.model_copy(update={"pulled": {"boot": "another", "uptime": 5.0, "wall": None}})
    text, tone = schedule_age(CONTEXT, unknown)
    assert text == "List received 23.11. 09:51 (clock not checked)"
    assert tone == "caution"


def test_dials_keep_to_real_days() -> None:
    """The last day of a month, leap years, turns of the year."""
    assert shift_date(date(2026, 1, 31), "month", 1) == date(2026, 2, 28)
    assert shift_date(date(2028, 2, 29), "year", 1) == date(2029, 2, 28)
    assert shift_date(date(2026, 12, 31), "day", 1) == date(2027, 1, 1)
    assert shift_date(date(2026, 1, 15), "month", -1) == date(2025, 12, 15)


# -- steps -------------------------------------------------------------------------------------


class Rig:
    """An office over the stand-in services."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[str] = []
        recorder = LocalClient(folder / "run" / "recorder" / "recorder.sock")
        sync = LocalClient(folder / "run" / "sync" / "sync.sock")
        self.clients = (recorder, sync)
        self.secretary = SecretaryActions(
            recorder,
            sync,
            folder / "schedule.json",
            lambda: None,
            self.errors.append,
            ZoneInfo("Asia/Almaty"),
        )

    async def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            await client.close()


async def _start_twice(rig: Rig) -> None:
    await rig.secretary.start_hearing(HEARINGS[0])
    await rig.secretary.start_hearing(HEARINGS[1])
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
        await rig.secretary.start_hearing(HEARINGS[0])
        await rig.close()

    run(steps())
    assert rig.errors == ["recorder_down"]


def test_a_hearing_without_the_list(folder: Path, recorder: FakeRecorder) -> None:
    """Ad hoc with number and kind; the day is the secretary's when the clock is not set."""
    rig = Rig(folder)

    async def steps() -> None:
        rig.secretary.open_adhoc(True, date(2026, 11, 23))
        assert str(rig.secretary.place) == str(DatePlace(date(2026, 11, 23)))
        rig.secretary.enter_date(date(2026, 11, 24))
        for key in ("7", "5", "x", ""):
            rig.secretary.type_case_number(key)
        rig.secretary.choose_kind("criminal")
        assert rig.secretary.place == AdHocPlace("75", "criminal", date(2026, 11, 24))
        await rig.secretary.start_adhoc_hearing()
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
        await rig.secretary.start_hearing(HEARINGS[0])
        await rig.secretary.end_hearing(HEARINGS[0].id, "7514")
        assert rig.secretary.place == DeliveryPlace(HEARINGS[0].id, "7514")
        await rig.secretary.load_deliveries()
        await rig.secretary.load_deliveries()
        await rig.close()

    run(steps())
    assert rig.secretary.deliveries[HEARINGS[0].id].state == "delivered"
    assert sync.paths().count(f"/v1/hearings/{HEARINGS[0].id}") == 1
    assert recorder.state["phase"] == "idle"


def test_the_list_comes_from_the_file_while_sync_is_down(folder: Path) -> None:
    """Offline the last pulled list is used, only the day's hearings."""
    other = sample_data.hearing(9, scheduled_at="2026-11-25T05:00:00.000Z")
    published = {
        "pulled_at": sample_data.ago(60),
        "days": 7,
        "hearings": [*sample_data.LIST, other],
    }
    make_folder(folder)
    write_json(folder / "schedule.json", published)
    rig = Rig(folder)

    async def steps() -> None:
        await rig.secretary.load_schedule(date(2026, 11, 23))
        await rig.close()

    run(steps())
    assert rig.secretary.schedule is not None
    assert [h.id for h in rig.secretary.schedule.hearings] == [h["id"] for h in sample_data.LIST]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"hearings": 7}'])
def test_a_corrupt_list_is_no_list(text: str, tmp_path: Path) -> None:
    """No crash, no hearing."""
    (tmp_path / "schedule.json").write_text(text, encoding="utf-8")
    zone = ZoneInfo("Asia/Almaty")
    assert (
        read_published_schedule(tmp_path / "schedule.json", date(2026, 11, 23), zone) == Schedule()
    )


def test_hearings_without_begin_are_on_every_day(tmp_path: Path) -> None:
    """A hearing whose time is not known is not lost."""
    hearing = sample_data.hearing(1, scheduled_at=None)
    write_json(tmp_path / "s.json", {"pulled_at": None, "hearings": [hearing]})
    found = read_published_schedule(tmp_path / "s.json", date(2026, 1, 1), ZoneInfo("Asia/Almaty"))
    assert [h.id for h in found.hearings] == [hearing["id"]]
    assert isinstance(found.hearings[0], Hearing)
    assert replace(CONTEXT, now=sample_data.NOW).clock_text(found.hearings[0].starts_at) == ""


@pytest.mark.parametrize(
    ("fields", "keeps"),
    [
        ({"kind": "civil", "session": "conciliation"}, False),
        ({"kind": "civil", "case_number": "6003-25-00-4к/1454"}, False),
        ({"kind": "civil", "session": "preliminary"}, True),
        ({"kind": "criminal", "case_number": "6003-25-00-4к/1454"}, True),
    ],
    ids=["mediation", "cassation", "preliminary", "criminal cassation"],
)
def test_a_session_without_minutes_does_not_start_by_one_tap(
    fields: dict[str, str], keeps: bool
) -> None:
    """АПК 179(7), 281(4): it is not offered; the judge decides."""
    row = sample_data.hearing(1, **fields)
    listed = Schedule.model_validate(sample_data.schedule([row]))
    view = today_view(CONTEXT, listed, None, recorder_of(), None, {})
    assert view.keeps_minutes is keeps


@pytest.mark.parametrize("refused", [False, True], ids=["started", "refused"])
def test_that_the_judge_decided_to_record_it_is_said_once_it_runs(
    folder: Path, recorder: FakeRecorder, refused: bool
) -> None:
    rig = Rig(folder)
    rig.secretary.place = TodayPlace(asks=True)

    async def steps() -> None:
        if refused:
            await rig.secretary.start_hearing(HEARINGS[1])
            rig.secretary.place = TodayPlace(asks=True)
        await rig.secretary.start_without_minutes(HEARINGS[0])
        await rig.close()

    run(steps())
    said = [body for path, body in recorder.calls if path == "/v1/hearing/statements"]
    answer = {"subject": "without_minutes", "value": "yes"}
    assert said == ([] if refused else [answer])


@pytest.mark.parametrize(
    ("subject", "value", "offers_end"),
    [
        ("without_minutes", "no", True),
        ("without_minutes", "yes", False),
        ("nobody_came", "written", True),
        ("nobody_came", "none", True),
        ("nobody_came", "recorded", False),
        ("recess_reason", "rest", False),
    ],
)
@pytest.mark.parametrize("refused", [False, True], ids=["accepted", "refused"])
def test_whoever_says_that_nothing_is_recorded_is_asked_whether_to_end(
    folder: Path, recorder: FakeRecorder, subject: str, value: str, offers_end: bool, refused: bool
) -> None:
    """АПК 179(7), 281(1): the answer by itself ends nothing, and one tap more does."""
    rig = Rig(folder)

    async def steps() -> None:
        if not refused:
            await rig.secretary.start_hearing(HEARINGS[0])
        await rig.secretary.answer_question(subject, value)
        await rig.close()

    run(steps())
    assert rig.secretary.is_end_asked is (offers_end and not refused)
    assert "/v1/hearing/end" not in recorder.paths()
