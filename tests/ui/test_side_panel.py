"""Closing, listening back and microphones' remedies: what is said, and what taps call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import Microphone, RecorderState
from kiosk.api.states import MicrophoneState, UnclearSpeech
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.actions.side_panel_actions import (
    ClosedSincePanel,
    DecisionPanel,
    ListenPanel,
    Panel,
    RemedyPanel,
)
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.running_hearing.recording import (
    BUTTON,
    CLOSED,
    REMOTE,
    SICK,
    SPARE,
    WITHOUT,
    RecordingView,
    recording_view,
)
from kiosk.ui.secretary.running_hearing.side_panel import panel_view
from kiosk.ui.secretary.running_hearing.sources import microphone_row
from kiosk.ui.view_context import ViewContext
from tests.ui.fake_services import FakeRecorder

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), sample_data.NOW
)


def view_of(
    panel: Panel | None = None, postponed: frozenset[str] = frozenset(), **changes: Any
) -> RecordingView:
    """Return the view of a running hearing."""
    state = RecorderState.model_validate(sample_data.recording(**changes))
    return recording_view(
        CONTEXT, state, stale=False, schedule=None, postponed=postponed, panel=panel
    )


def choices_of(panel: Panel, **changes: Any) -> dict[str, str]:
    """Return what can be chosen in ``panel``."""
    state = RecorderState.model_validate(sample_data.recording(**changes))
    view = panel_view(CONTEXT, state, panel)
    assert view is not None
    return {choice.id: choice.label for choice in view.choices}


# -- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", list(UnclearSpeech))
def test_a_microphone_whose_words_are_hard_to_make_out_says_so(cause: UnclearSpeech) -> None:
    microphone = Microphone(name="judge", role="presiding", state=MicrophoneState.OK)
    unclear = microphone.model_copy(update={"unclear": cause, "roles": ("presiding",)})
    row = microphone_row(CONTEXT, unclear)
    assert (row.text, row.tone) == ("hard to make out", "caution")


def test_a_closed_part_is_said_in_words() -> None:
    """Its state, since when, and that it is neither played nor copied here."""
    view = view_of(hearing=CLOSED)
    assert view.state == "Closed part is recorded"
    assert view.closed is not None
    assert view.closed.short == "Closed since 09:41"
    assert "not played" in view.closed.text
    assert view_of().closed is None
    assert view_of().state == "Recording"


def test_a_closed_part_is_not_played() -> None:
    """No choice, and the reason."""
    state = RecorderState.model_validate(sample_data.recording(hearing=CLOSED))
    view = panel_view(CONTEXT, state, ListenPanel())
    assert view is not None
    assert view.choices == ()
    assert "closed" in view.text


def test_the_last_words_of_who_spoke_last_are_offered_first() -> None:
    """Of this part only; from a moment before the first word."""
    found = choices_of(ListenPanel(), hearing={"part": 2, "speech": SPEECH})
    assert list(found)[:2] == ["said:witness:39.50:7.70", "said:judge:30.50:3.50"]
    assert found["said:witness:39.50:7.70"] == "Again: Witness"
    assert not any("defendant" in choice for choice in found), "it spoke in another part"


def test_the_ground_is_asked_afterwards_from_the_rules() -> None:
    """All grounds of the case kind, by touch."""
    view = view_of(hearing={**CLOSED, "open_questions": ["closure_ground"]})
    assert view.question is not None
    assert len(view.question.choices) > 3
    assert "state_secret" in dict(view.question.choices)


def test_closed_since_can_be_a_mark_or_some_minutes_and_is_confirmed() -> None:
    """Nothing longer ago than the hearing; the confirmation says that it cannot be undone."""
    found = choices_of(ClosedSincePanel(), hearing={**CLOSED, "seconds": 400.0})
    assert "minutes:5" in found
    assert "minutes:10" not in found
    assert found["mark:4"].startswith("09:33:05 ")
    state = RecorderState.model_validate(sample_data.recording(hearing=CLOSED))
    view = panel_view(CONTEXT, state, ClosedSincePanel("mark:4"))
    assert view is not None
    assert "09:33:05" in view.title
    assert "cannot be undone" in view.text


def test_filming_is_not_allowed_by_default_and_not_in_a_closed_hearing() -> None:
    """R59-R65: each kind with its state; in a criminal case the consent of all is said (S15)."""
    found = choices_of(DecisionPanel(), hearing={"allowed": ["radio_tv"]})
    assert found["about:format"] == "Format: Offline"
    assert found["about:film_photo"] == "Filming and photography: not allowed"
    assert found["about:radio_tv"] == "Live radio/TV: allowed"
    assert list(choices_of(DecisionPanel(), hearing=CLOSED)) == ["about:format", "about:session"]
    for kind, is_said in (("criminal", True), ("civil", False)):
        state = RecorderState.model_validate(sample_data.recording(hearing={"kind": kind}))
        view = panel_view(CONTEXT, state, DecisionPanel("web_stream"))
        assert view is not None
        assert ("all must agree" in view.text) is is_said
        decided = panel_view(CONTEXT, state, DecisionPanel("web_stream", "objected"))
        assert decided is not None
        assert ("Not all agree" in decided.text) is is_said
        assert [row.id for row in decided.choices] == ["permission:refuse", "permission:allow"]


@pytest.mark.parametrize("subject", ["format_application", "closure_act", "closure_text"])
def test_numbers_and_circumstances_are_typed(subject: str) -> None:
    view = view_of(hearing={"open_questions": [subject]})
    assert view.question is not None
    assert (view.question.typed, view.question.choices) == (True, ())
    assert view.question.letters is (subject == "closure_text"), "R77: a sentence needs letters"


def test_remedies_of_an_ill_microphone() -> None:
    """The spare first, each microphone that could take it, without; its sentence."""
    panel = RemedyPanel("defendant")
    found = choices_of(panel, microphones=[*SICK, SPARE])
    assert list(found) == ["spare:extra", "move:judge", "move:witness", "without:", "which:"]
    assert found["move:judge"] == "Take it with: Presiding judge"
    state = RecorderState.model_validate(sample_data.recording(microphones=[*SICK, SPARE]))
    view = panel_view(CONTEXT, state, panel)
    assert view is not None
    assert "Defendant" in view.text
    assert choices_of(RemedyPanel(), microphones=[*SICK, SPARE]).keys() == {
        "source:defendant",
        "source:plaintiff",
    }
    assert list(choices_of(panel, microphones=WITHOUT)) == ["back:"]


def test_an_alarm_of_a_microphone_leads_to_its_remedies() -> None:
    """One tap from the alarm; alarms of other things have none."""
    ill = view_of(microphones=SICK, alarms=[{"code": "microphone_absent", "source": "defendant"}])
    assert ill.alarm is not None
    assert ill.alarm.repairable == "defendant"
    assert set(ill.repairable) == {"defendant", "plaintiff"}
    other = view_of(microphones=SICK, alarms=[{"code": "disk_low", "source": None}])
    assert other.alarm is not None
    assert other.alarm.repairable == ""


def test_remote_spare_and_given_up_microphones_have_words() -> None:
    """A remote source is shown as what it is; a spare is no fault."""
    rows = {r.name: r for r in view_of(microphones=[*WITHOUT, SPARE, REMOTE]).microphones}
    assert rows["remote"].label == "Remote participants"
    assert rows["remote"].text == "nothing comes · 20 s"
    assert (rows["extra"].text, rows["extra"].tone) == ("spare", "plain")
    assert rows["defendant"].text == "the hearing goes on without it"


@pytest.mark.parametrize("source", ["mix", "camera", "storage", "witness", ""])
def test_a_bad_proof_says_what_is_bad(source: str) -> None:
    """By name, never a code."""
    view = view_of(proof={"state": "bad", "age_seconds": 5.0, "source": source})
    assert view.proof.tone == "fault"
    assert "witness" not in view.proof.text
    assert view.proof.text


def test_a_press_of_the_button_is_named_by_the_secretary() -> None:
    """It has a label, is asked about with the events as answers, and may wait."""
    view = view_of(hearing={"marks": [BUTTON]})
    assert "Moment marked with the button" in view.event_log[0].text
    assert view.question is not None
    assert view.question.subject == "mark:9"
    assert "09:50:02" in view.question.text
    assert "questioning" in dict(view.question.choices)
    later = frozenset({"mark:9"})
    assert view_of(postponed=later, hearing={"marks": [BUTTON]}).question is None


# -- what taps call ----------------------------------------------------------------------------


SPEECH = [
    {
        "source": source,
        "turns": 3,
        "seconds": 20.0,
        "unclear_seconds": 0.0,
        "latest": {"part": part, "part_seconds": begin, "seconds": seconds},
    }
    for source, part, begin, seconds in (
        ("judge", 2, 31.0, 2.0),
        ("witness", 2, 40.0, 6.2),
        ("defendant", 1, 500.0, 4.0),
    )
]


def with_office(
    recorder: FakeRecorder, steps: Callable[[SecretaryActions], Coroutine[Any, Any, None]]
) -> list[str]:
    """Run ``steps`` with an office; return the codes that were shown."""
    codes: list[str] = []

    async def run() -> None:
        client = LocalClient(recorder.socket)
        secretary = SecretaryActions(
            client, client, Path(), lambda: None, codes.append, CONTEXT.zone
        )
        await steps(secretary)
        await client.close()

    asyncio.run(run())
    return codes


def last(recorder: FakeRecorder) -> tuple[str, dict[str, Any]]:
    """Return the last call."""
    return recorder.calls[-1]


def test_closing_and_opening_are_one_tap(recorder: FakeRecorder) -> None:
    """No question before."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        await secretary.side_panel.close_hearing()
        assert recorder.state["hearing"]["closed"]
        await secretary.side_panel.reopen_hearing()
        assert recorder.state["hearing"]["closed"] is None

    assert with_office(recorder, steps) == []


def test_closed_since_is_told_after_the_confirmation_only(recorder: FakeRecorder) -> None:
    """By mark, or by a time that is fixed when it is chosen."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        side_panel = secretary.side_panel
        side_panel.show(ClosedSincePanel())
        await side_panel.choose("mark:4")
        assert "/v1/hearing/close-since" not in recorder.paths()
        await side_panel.choose("confirm:")
        assert last(recorder) == ("/v1/hearing/close-since", {"mark": 4})
        assert side_panel.panel is None
        side_panel.show(ClosedSincePanel())
        await side_panel.choose("minutes:5")
        assert isinstance(side_panel.panel, ClosedSincePanel)
        since = side_panel.panel.since
        await side_panel.choose("cancel:")
        assert side_panel.panel == ClosedSincePanel()
        await side_panel.choose("minutes:5")
        await side_panel.choose("confirm:")
        assert last(recorder)[1]["since"] >= since

    assert with_office(recorder, steps) == []


def test_a_decision_is_two_or_three_taps_and_tells_the_recorder(recorder: FakeRecorder) -> None:
    """Format: panel, format. Filming: what was said, then the decision."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        side_panel = secretary.side_panel
        side_panel.show(DecisionPanel())
        await side_panel.choose("about:format")
        await side_panel.choose("format:online")
        said = {"subject": "format", "value": "online"}
        assert last(recorder) == ("/v1/hearing/statements", said)
        assert side_panel.panel is None
        side_panel.show(DecisionPanel("film_photo"))
        await side_panel.choose("permission:allow")
        assert last(recorder)[1] == said, "not before what was said is known"
        await side_panel.choose("opinions:agreed")
        await side_panel.choose("permission:allow")
        value = {"kind": "film_photo", "opinions": "agreed", "allowed": True}
        assert last(recorder)[1] == {"subject": "permission", "value": value}

    assert with_office(recorder, steps) == []


def test_listening_asks_for_seconds_and_source(recorder: FakeRecorder) -> None:
    """Everything, or one microphone; a refusal leaves the panel open and is said."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        side_panel = secretary.side_panel
        side_panel.show(ListenPanel())
        await side_panel.choose("seconds:30")
        assert last(recorder) == ("/v1/hearing/listen", {"seconds": 30})
        side_panel.show(ListenPanel())
        await side_panel.choose("said:witness:39.50:7.70")
        said = {"source": "witness", "part_seconds": 39.5, "seconds": 7.7}
        assert last(recorder) == ("/v1/hearing/listen", said)
        side_panel.show(ListenPanel())
        await side_panel.choose("one:")
        await side_panel.choose("source:witness")
        await side_panel.choose("seconds:300")
        assert last(recorder)[1] == {"seconds": 300, "source": "witness"}
        await side_panel.stop_listening()
        assert recorder.state["listening"] is None
        recorder.refusals["/v1/hearing/listen"] = "headset_absent"
        side_panel.show(ListenPanel())
        await side_panel.choose("seconds:60")
        assert side_panel.panel is not None

    assert with_office(recorder, steps) == ["headset_absent"]


def test_remedies_are_two_taps(recorder: FakeRecorder) -> None:
    """The panel from the alarm, then the remedy."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        secretary.side_panel.show(RemedyPanel("defendant"))
        await secretary.side_panel.choose("move:judge")
        sent = {"source": "defendant", "remedy": "move", "to": "judge"}
        assert last(recorder) == ("/v1/hearing/remedies", sent)
        secretary.side_panel.show(RemedyPanel())
        await secretary.side_panel.choose("source:plaintiff")
        await secretary.side_panel.choose("without:")
        assert last(recorder)[1] == {"source": "plaintiff", "remedy": "without"}

    assert with_office(recorder, steps) == []


def test_a_press_is_named_by_a_statement(recorder: FakeRecorder) -> None:
    """The mark's number and the event."""
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        await secretary.answer_question("mark:9", "oath")

    assert with_office(recorder, steps) == []
    sent = {"subject": "mark", "value": {"mark": 9, "type": "oath"}}
    assert last(recorder) == ("/v1/hearing/statements", sent)


def test_an_oath_is_marked_of_the_person_and_ended(recorder: FakeRecorder) -> None:
    recorder.publish(**sample_data.recording())

    async def steps(secretary: SecretaryActions) -> None:
        await secretary.mark_event("oath", "p3")
        assert last(recorder) == ("/v1/hearing/marks", {"type": "oath", "of": "p3"})
        await secretary.choose_oath_language("ru")
        spoken = {"subject": "language", "value": "ru"}
        assert last(recorder) == ("/v1/hearing/statements", spoken)
        await secretary.end_oath(6)
        assert last(recorder) == ("/v1/hearing/oath/end", {"mark": 6})

    assert with_office(recorder, steps) == []
