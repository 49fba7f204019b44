"""Reminders: what is due is a function of State, list and clock (R70, S16)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.hearing import Hearing
from kiosk.api.published import Schedule
from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_calls import StaffSession
from kiosk.clocks import format_wall
from kiosk.config import HearingSettings
from kiosk.ui.actions.reminders import ReminderInputs, reminders
from kiosk.ui.actions.speech_watch import SPOKEN_S, SpeechWatch
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.screen_sample import alarm
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.recess import offered_ends
from tests.ui.app_without_services import Clock, app_in

NOW = sample_data.NOW
SETTINGS = HearingSettings()


def listed(minutes: float, number: int = 1, **fields: Any) -> Hearing:
    """Return a hearing that begins in ``minutes``."""
    starts = format_wall(NOW + timedelta(minutes=minutes))
    return Hearing.model_validate(sample_data.hearing(number, scheduled_at=starts, **fields))


def inputs(*hearings: Hearing, **fields: Any) -> ReminderInputs:
    base = ReminderInputs(
        recorder=RecorderState.model_validate(sample_data.recorder()),
        listed=hearings,
        done=(),
        is_speaking=False,
        now=NOW,
        zone=sample_data.ZONE,
    )
    return replace(base, **fields)


def codes(given: ReminderInputs, **settings: Any) -> list[str]:
    return [r.code for r in reminders(given, SETTINGS.model_copy(update=settings))]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(10.01, []), (10, ["hearing_soon"]), (0.5, ["hearing_soon"]), (0, []), (-5, [])],
)
def test_ten_minutes_before_and_no_longer_than_its_hour(
    minutes: float, expected: list[str]
) -> None:
    assert codes(inputs(listed(minutes))) == expected
    assert codes(inputs(listed(minutes)), remind_before_minutes=0) == []
    assert codes(inputs(listed(minutes), done=(listed(0).id,))) == []


def test_it_names_the_time_and_never_the_case() -> None:
    (reminder,) = reminders(inputs(listed(8)), SETTINGS)
    assert reminder.source == "10:00"


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(2, []), (1, ["start_forgotten"]), (-30, ["start_forgotten"]), (-60, []), (-600, [])],
)
def test_speech_at_the_hour_of_a_hearing(minutes: float, expected: list[str]) -> None:
    """S16: the secretary records; between its minute before and its end, and only with speech."""
    given = inputs(listed(minutes), is_speaking=True)
    assert [c for c in codes(given) if c == "start_forgotten"] == expected
    assert "start_forgotten" not in codes(replace(given, is_speaking=False))
    assert "start_forgotten" not in codes(given, remind_forgotten_start=False)
    assert "start_forgotten" not in codes(replace(given, done=(listed(0).id,)))


def test_the_second_of_one_hour_is_said_once_the_first_is_dismissed() -> None:
    first = listed(0)
    second = first.model_copy(update={"id": "the-second"})
    given = replace(inputs(first, is_speaking=True), listed=(first, second))
    found = [row for row in reminders(given, SETTINGS) if row.code == "start_forgotten"]
    assert [row.hearing_id for row in found] == [first.id, "the-second"]
    assert not found[0].keys & found[1].keys, "each is dismissed by itself"


def test_nothing_is_said_while_nobody_knows() -> None:
    """Without a recorder's State or a clock, silence and no false reminder."""
    given = inputs(listed(5), is_speaking=True)
    assert codes(replace(given, recorder=None)) == []
    unset = sample_data.recorder(clock={"state": "unset"})
    assert codes(replace(given, recorder=RecorderState.model_validate(unset))) == []
    untimed = Hearing.model_validate(sample_data.hearing(scheduled_at=None))
    assert codes(inputs(untimed, is_speaking=True)) == []


def in_phase(phase: str, **hearing: Any) -> RecorderState:
    value = {**sample_data.recording(hearing=hearing), "phase": phase}
    return RecorderState.model_validate(value)


PERSONS = [
    {"id": "p1", "role": "plaintiff", "name": "A", "attendance": "hall"},
    {"id": "p2", "role": "witness", "name": "B", "attendance": "absent"},
    {"id": "p3", "role": "expert", "name": "", "attendance": ""},
    {"id": "p4", "role": "witness", "name": "C", "left": sample_data.at(9, 20)},
]


def test_who_is_not_noted_as_come_after_five_minutes() -> None:
    early = in_phase("recording", persons=PERSONS, started=sample_data.at(9, 48))
    assert codes(inputs(recorder=early)) == []
    late = in_phase("recording", persons=PERSONS, started=sample_data.at(9, 40))
    (reminder,) = reminders(inputs(recorder=late), SETTINGS)
    assert (reminder.code, reminder.source) == ("persons_missing", "expert"), "B is noted as absent"
    assert codes(inputs(recorder=late), remind_missing_minutes=0) == []
    come = [person | {"attendance": "online"} for person in PERSONS]
    assert codes(inputs(recorder=in_phase("recording", persons=come))) == []
    assert codes(inputs(recorder=in_phase("recording", persons=[]))) == []
    many = [{"id": f"p{n}", "role": "witness", "name": f"N{n}"} for n in range(9)]
    (reminder,) = reminders(inputs(recorder=in_phase("recording", persons=many)), SETTINGS)
    assert reminder.source == "N0, N1, N2 +6"


@pytest.mark.parametrize("phase", ["recess", "retired"])
def test_the_end_of_a_recess(phase: str) -> None:
    over = in_phase(phase, recess_until=sample_data.at(9, 52))
    (reminder,) = reminders(inputs(recorder=over), SETTINGS)
    assert (reminder.code, reminder.source) == ("recess_over", "09:52")
    assert codes(inputs(recorder=in_phase(phase, recess_until=sample_data.at(9, 53)))) == []
    assert codes(inputs(recorder=in_phase(phase))) == []
    assert (
        codes(inputs(recorder=in_phase("recording", recess_until=sample_data.at(9, 5), persons=[])))
        == []
    )


def test_offered_ends_are_round_and_lie_ahead() -> None:
    now = datetime(2026, 11, 23, 23, 58, 31, tzinfo=sample_data.ZONE)
    times = [text for _moment, text in offered_ends(now, sample_data.ZONE)]
    assert times == ["00:10", "00:20", "00:30", "01:00"]


# -- speech ------------------------------------------------------------------------------------
def spoken(ago: float = 0.5, **microphone: Any) -> RecorderState:
    rows = {"judge": {"heard": sample_data.ago(ago), **microphone}}
    value = sample_data.recorder(microphones=sample_data.microphones(**rows))
    return RecorderState.model_validate(value)


def test_some_seconds_of_speech_are_a_conversation() -> None:
    watch = SpeechWatch()
    for second in range(SPOKEN_S - 1):
        watch.take(spoken(), 100.0 + second)
        watch.take(spoken(), 100.5 + second)  # State on a change: the same second
    assert not watch.is_speaking(104.0)
    watch.take(spoken(), 104.0)
    assert watch.is_speaking(104.5)
    assert not watch.is_speaking(130.0), "it was long ago"


@pytest.mark.parametrize(
    "state",
    [spoken(60), spoken(roles=[]), spoken(heard=None), spoken(heard="odd")],
    ids=["old", "spare", "never", "odd"],
)
def test_what_is_no_speech_now(state: RecorderState) -> None:
    watch = SpeechWatch()
    for second in range(30):
        watch.take(state, 100.0 + second)
    assert not watch.is_speaking(130.0)


# -- on the screen -----------------------------------------------------------------------------
@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(folder: Path, clock: Clock) -> AppState:
    app = app_in(folder, clock)
    rows = [sample_data.hearing(1, scheduled_at=sample_data.at(9, 50))]
    app.secretary.schedule = Schedule.model_validate(sample_data.schedule(rows))
    app.recorder_connection.is_up = True
    return app


def talk(app: AppState, clock: Clock, seconds: int, **fields: object) -> None:
    """Let the recorder report speech for so many seconds; ``fields``: what else State has."""
    for _second in range(seconds):
        clock.seconds += 1
        app.handle_recorder_event("state", spoken().to_json() | fields)


def test_speech_is_said_within_half_a_minute_with_one_button(app: AppState, clock: Clock) -> None:
    """Nobody is signed in: the button asks for that; then it starts the hearing of the hour."""

    async def steps() -> None:
        talk(app, clock, 3)
        assert app.screen_chrome().notice == ""
        talk(app, clock, 10)
        public = app.screen_chrome()
        assert "nothing is recorded" in public.notice
        assert public.notice_action == app.translate("Sign in")
        app.notices.act()
        assert app.sign_in.place is not None
        app.staff = StaffSession.model_validate(sample_data.SECRETARY)
        assert app.screen_chrome().notice_action == app.translate("Start hearing")
        started: list[str] = []

        async def start(hearing: Hearing, *, with_minute_before: bool = False) -> None:
            assert not with_minute_before
            started.append(hearing.id)

        app.secretary.start_hearing = start  # type: ignore[method-assign]
        app.notices.act()
        await asyncio.sleep(0)
        assert started == [sample_data.hearing(1)["id"]]
        await app.close()

    app.translate.switch_language("en")
    asyncio.run(steps())


def test_a_tap_is_meant_for_the_notice_that_stood_under_the_finger(
    app: AppState, clock: Clock
) -> None:
    """Nothing is redrawn under a finger: meanwhile a call may end, and a reminder come."""

    async def steps() -> None:
        app.staff = StaffSession.model_validate(sample_data.SECRETARY)
        talk(app, clock, 10)
        taps: list[str] = []

        async def start(hearing: Hearing, *, with_minute_before: bool = False) -> None:
            taps.append(f"start {hearing.id} {with_minute_before}")

        async def decline(hearing_id: str) -> None:
            taps.append(f"decline {hearing_id}")

        app.secretary.start_hearing = start  # type: ignore[method-assign]
        app.secretary.decline_minute = decline  # type: ignore[method-assign]
        rows = [alarm("secretary_called", "panel")]
        app.handle_recorder_event("state", spoken().to_json() | {"alarms": rows})
        called = app.screen_chrome()
        assert called.notice_action == app.translate("I am coming")
        kept_chrome(app, clock)
        reminded = app.screen_chrome()
        assert reminded.notice_action == app.translate("Start hearing")
        app.notices.act(called.notice_about)
        app.notices.start_with_minute_before(called.notice_about)
        app.notices.dismiss(called.notice_about)
        other = sample_data.hearing(2)["id"]
        assert reminded.notice_about is not None
        code, _, action = reminded.notice_about
        app.notices.act((code, other, action))
        await asyncio.sleep(0)
        assert not taps, "no hearing is started that nobody has tapped, and nothing overwritten"
        assert app.screen_chrome().notice == reminded.notice
        app.notices.act(reminded.notice_about)
        await asyncio.sleep(0)
        assert taps == [f"start {sample_data.hearing(1)['id']} False"]
        await app.close()

    app.translate.switch_language("en")
    asyncio.run(steps())


KEPT = {"hearing_id": sample_data.hearing(1)["id"], "seconds": 43.4}


def kept_chrome(app: AppState, clock: Clock, **kept: object) -> ScreenChrome:
    """Return what is shown as people speak and the recorder keeps what comes before."""
    talk(app, clock, 10, kept_before=KEPT | kept)
    return app.screen_chrome()


def test_a_second_button_starts_with_the_minute_before(app: AppState, clock: Clock) -> None:
    """Only where the recorder says that it keeps sound of that hearing, and to staff alone."""

    async def steps() -> None:
        assert kept_chrome(app, clock).notice_second_action == "", "nobody is signed in"
        app.staff = StaffSession.model_validate(sample_data.SECRETARY)
        assert kept_chrome(app, clock, seconds=9).notice_second_action == ""
        assert kept_chrome(app, clock, hearing_id="another").notice_second_action == ""
        assert kept_chrome(app, clock).notice_second_action == "Start with the 40 s before"
        sent: list[tuple[str, bool]] = []

        async def start(hearing: Hearing, *, with_minute_before: bool = False) -> None:
            sent.append((hearing.id, with_minute_before))

        async def decline(hearing_id: str) -> None:
            sent.append((f"decline {hearing_id}", False))

        app.secretary.start_hearing = start  # type: ignore[method-assign]
        app.secretary.decline_minute = decline  # type: ignore[method-assign]
        app.notices.start_with_minute_before()
        app.notices.act()
        app.notices.dismiss()
        await asyncio.sleep(0)
        name = KEPT["hearing_id"]
        assert sent == [(name, True), (name, False), (f"decline {name}", False)]
        await app.close()

    app.translate.switch_language("en")
    asyncio.run(steps())


def test_a_visitor_who_removes_the_sentence_declines_nothing(app: AppState, clock: Clock) -> None:
    sent: list[object] = []
    app.spawn = sent.append  # type: ignore[assignment]
    assert kept_chrome(app, clock).notice
    app.notices.dismiss()
    assert sent == []


def test_a_sentence_that_lasts_hides_the_reminder_and_takes_no_tap_for_it(
    app: AppState, clock: Clock
) -> None:
    """The kept minute and the reminder would be gone, by a cross that removes nothing."""
    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    sent: list[object] = []
    app.spawn = sent.append  # type: ignore[assignment]
    reminded = kept_chrome(app, clock)
    assert reminded.notice
    assert not reminded.is_notice_lasting
    state = spoken().to_json() | {"kept_before": KEPT}
    app.handle_recorder_event("state", state | {"storage": {**state["storage"], "volatile": "yes"}})
    shown = app.screen_chrome()
    assert shown.notice_about is not None
    assert (shown.notice_about[0], shown.is_notice_lasting) == ("data_volatile", True)
    app.notices.dismiss(shown.notice_about)
    assert sent == []
    app.handle_recorder_event("state", state)
    assert app.screen_chrome().notice == reminded.notice


def test_no_sentence_of_the_staff_outlives_their_sign_in(app: AppState) -> None:
    for code, is_left in (("receipt_scanned_already", False), ("recorder_down", True)):
        app.staff = StaffSession.model_validate(sample_data.SECRETARY)
        app.show_notice(code)
        app.sign_out()
        assert bool(app.screen_chrome().notice) == is_left


def test_dismissed_it_does_not_come_again(app: AppState, clock: Clock) -> None:
    talk(app, clock, 10)
    assert app.screen_chrome().notice
    app.notices.dismiss()
    talk(app, clock, 10)
    assert app.screen_chrome().notice == ""
    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    assert app.screen_chrome().notice, "a visitor has not taken it from the secretary"
    app.notices.dismiss()
    assert app.screen_chrome().notice == ""
    app.staff = None
    assert app.screen_chrome().notice == ""


def test_who_was_dismissed_is_not_named_again_as_others_come(app: AppState) -> None:
    def report(**attendance: str) -> None:
        rows = [
            {"id": name, "role": "witness", "name": name, "attendance": attendance.get(name, "")}
            for name in ("A", "B", "C")
            if name != "C" or "C" in attendance
        ]
        fields = {"persons": rows, "started": sample_data.at(9, 0)}
        app.handle_recorder_event("state", sample_data.recording(hearing=fields))

    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    report()
    due = app.reminder_desk.due()
    assert due is not None
    assert due.source == "A, B"
    app.notices.dismiss()
    report(B="hall")
    assert app.reminder_desk.due() is None, "A was dismissed with B"
    report(B="hall", C="")
    due = app.reminder_desk.due()
    assert due is not None
    assert due.source == "A, C", "somebody new is missing"


def test_a_call_stays_until_the_secretary_is_coming(app: AppState) -> None:
    async def steps() -> None:
        rows = [alarm("secretary_called", "panel")]
        for state in (sample_data.recorder(alarms=rows), sample_data.recording(alarms=rows)):
            app.staff = None
            app.handle_recorder_event("state", state)
            chrome = app.screen_chrome()
            assert "called into the courtroom" in chrome.notice
            assert chrome.notice_action == app.translate("Sign in")
            app.notices.dismiss()
            assert app.screen_chrome().notice == chrome.notice, "a tap beside it ends nothing"
            app.staff = StaffSession.model_validate(sample_data.TECHNICIAN)
            assert app.screen_chrome().notice_action == "", "only the court's people may answer"
            app.staff = StaffSession.model_validate(sample_data.SECRETARY)
            assert app.screen_chrome().notice_action == app.translate("I am coming")
            answered: list[int] = []
            app.secretary.answer_call = partial(_note_call, answered)  # type: ignore[method-assign]
            app.notices.act()
            await asyncio.sleep(0)
            assert answered == [1]
        app.handle_recorder_event("state", sample_data.recorder())
        assert app.screen_chrome().notice == ""
        await app.close()

    async def _note_call(into: list[int]) -> None:
        into.append(1)

    app.translate.switch_language("en")
    asyncio.run(steps())


def test_visitors_are_told_of_no_person_and_of_no_recess(app: AppState) -> None:
    over = sample_data.recording(hearing={"recess_until": sample_data.at(9, 50)})
    app.handle_recorder_event("state", {**over, "phase": "recess"})
    assert app.screen_chrome().notice == ""
    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    assert "09:50" in app.screen_chrome().notice


def test_an_alarm_of_the_running_hearing_goes_before_a_reminder(app: AppState) -> None:
    """The reminder is the calm banner there: the alarm bar has its place."""
    from kiosk.ui.secretary.running_hearing.recording import view

    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    fields = {"persons": PERSONS, "started": sample_data.at(9, 0)}
    app.handle_recorder_event("state", sample_data.recording(hearing=fields))
    assert app.screen_chrome().notice == ""
    shown = view(app)
    assert (shown.is_reminder, "expert" in shown.banner) == (True, True)
    asked = {**fields, "open_questions": ["format"]}
    app.handle_recorder_event("state", sample_data.recording(hearing=asked))
    assert view(app).banner == "", "a question needs the room: the reminder comes after it"
    app.handle_recorder_event("state", sample_data.recording(hearing=fields))
    assert view(app).is_reminder
    app.notices.dismiss()
    assert (view(app).is_reminder, view(app).banner) == (False, "")
