"""Setting up the room: the view of each step, and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.alarms import alarm_of
from kiosk.commissioning.labels import STATES, STEP_NAMES, state_word
from kiosk.commissioning.record import CHECKS_OF_STEP, SKIP_REASONS, STEPS
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.check_steps import check_view, report_view
from kiosk.ui.technician.commissioning.code_views import code_view, stick_lines, stick_view
from kiosk.ui.technician.commissioning.device_views import devices_view
from kiosk.ui.technician.commissioning.labels import REPLACEMENTS
from kiosk.ui.technician.commissioning.microphone_steps import microphones_view, walk_view
from kiosk.ui.technician.commissioning.samples import SAMPLES
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.theme import Tone

__all__ = ["SAMPLES", "StepView", "view"]
LANGUAGES = (("kk", "Қазақша"), ("ru", "Русский"), ("en", "English"))


def view(app: AppState) -> StepView:
    """Return what the screen shows."""
    state, _ = app.commissioning.state, app.translate.gettext
    if not state.step:
        return _list_view(app)
    number, total = state.record.number(state.step)
    base = StepView(
        step=state.step,
        title=_(
            "{number} of {total}: {step}",
            number=number,
            total=total,
            step=_(STEP_NAMES[state.step]),
        ),
        text="",
        can_skip=not state.running,
        can_go_back=not state.running,
    )
    if state.is_skip_asked:
        return _skip_view(app, base)
    if app.commissioning.codes.state.purpose:
        return code_view(app, base)
    if app.commissioning.stick.state.profiles is not None:
        return stick_view(app, base)
    if app.commissioning.devices.state.kind:
        return devices_view(app, base)
    shown = _step_view(app, base)
    lines = (*_problem(app), *shown.lines)
    if state.running == "restart":
        words = _("The recorder takes the new settings…")
        return replace(base, lines=((words, "accent"),))
    return replace(shown, lines=lines, text="" if state.detail else shown.text)


def _step_view(app: AppState, base: StepView) -> StepView:
    match base.step:
        case "language":
            return _language_view(app, base)
        case "room":
            return _room_view(app, base)
        case "microphones":
            return microphones_view(app, base)
        case "walk":
            return walk_view(app, base)
        case step if step in CHECKS_OF_STEP:
            return check_view(app, base)
        case _:
            return report_view(app, base)


def _problem(app: AppState) -> tuple[tuple[str, Tone], ...]:
    """Return what did not work, and what the recorder said of it."""
    state = app.commissioning.state
    if not state.problem:
        return ()
    if state.detail:
        return ((app.translate.gettext("This cannot be kept:"), "fault"), (state.detail, "plain"))
    alarm = alarm_of(state.problem)
    remedy = alarm.remedy(app.translate, staff=True)
    return (alarm.say(app.translate), "fault"), *(((remedy, "plain"),) if remedy else ())


def _list_view(app: AppState) -> StepView:
    """Return all steps with their states, and where to go on."""
    state, _ = app.commissioning.state, app.translate.gettext
    record = state.record
    has_begun = bool(record.started)
    choices = [_step_choice(app, step, has_begun) for step in STEPS]
    is_complete = has_begun and record.next_step is None
    if is_complete:
        choices += [
            Choice(f"begin:{what}", _(name), _("Only these steps"))
            for what, name in REPLACEMENTS.items()
        ]
    text, primary, tap = (
        _("Nothing is set up yet. It takes about ten minutes."),
        _("Begin"),
        "begin",
    )
    if is_complete:
        text = _("The room is set up.")
        if record.unfinished:
            text = _("The room is set up, but for what is marked. Tap it when it can be done.")
        primary, tap = _("Set up everything again"), "begin"
        if app.commissioning.settings() != app.settings:
            primary, tap = _("Start the screen with these settings"), "close"
    elif has_begun:
        text, primary, tap = _("It goes on where it was left."), _("Go on"), "go_on"
    return StepView(
        step="",
        title=_("The room, step by step"),
        text=text,
        choices=tuple(choices),
        lines=_problem(app),
        primary=primary,
        primary_tap=tap if state.room else "",
        can_go_back=False,
    )


def _step_choice(app: AppState, step: str, has_begun: bool) -> Choice:
    _, record = app.translate.gettext, app.commissioning.state.record
    result = record.result(step)
    word = result.reason if result.state == "skipped" else result.state
    tones: dict[str, Tone] = {"done": "good", "failed": "fault", "later": "caution"}
    tone = tones.get(word, "caution" if word == "not_there" else "plain")
    can_show = has_begun and (step in record.plan or step in record.unfinished)
    name = f"{STEPS.index(step) + 1}. {_(STEP_NAMES[step])}"
    return Choice(
        f"show:{step}", name, _(state_word(result.state, result.reason)), tone, is_enabled=can_show
    )


def _skip_view(app: AppState, base: StepView) -> StepView:
    _ = app.translate.gettext
    return replace(
        base,
        text=_("Why is this step skipped? It stays visible until it is done."),
        choices=tuple(Choice(f"reason:{name}", _(STATES[name])) for name in SKIP_REASONS),
        can_skip=False,
    )


def _language_view(app: AppState, base: StepView) -> StepView:
    _ = app.translate.gettext
    language = app.display_settings.language
    return replace(
        base,
        text=_("The kiosk greets its visitors in this language."),
        choices=tuple(
            Choice(f"language:{code}", name, is_marked=code == language) for code, name in LANGUAGES
        ),
    )


def _room_view(app: AppState, base: StepView) -> StepView:
    _, actions = app.translate.gettext, app.commissioning
    number = actions.room_number
    digits = [Choice(f"digit:{digit}", digit) for digit in "1234567890"]
    return replace(
        base,
        text=_("Room {room}", room=number or "…"),
        lines=tuple(stick_lines(app)),
        choices=(*digits, Choice("digit:", _("Delete")), Choice("stick", _("From a stick"))),
        columns=4,
        primary=_("Next"),
        primary_tap="keep_room" if number else "",
    )
