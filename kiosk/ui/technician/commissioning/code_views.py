"""What is typed or read from a stick: enrolment, the court's keys, a room's profile (no Kivy)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.alarms import alarm_of
from kiosk.api.room import StickProfile
from kiosk.locale import N_
from kiosk.ui.actions.commissioning_codes import ALPHABET, LENGTHS
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.theme import Tone

Line = tuple[str, Tone]
PROMPTS = {
    "enrol": N_("Type the code that the court’s IT has sent for this kiosk."),
    "court_key": N_("Type the 16 characters that the key holder has read out."),
}
NOT_REGISTERED = ("not_enrolled", "certificate_invalid", "identity_invalid")


def code_view(app: AppState, base: StepView) -> StepView:
    """Return the code as typed so far, and the keys."""
    _, state = app.translate.gettext, app.commissioning.codes.state
    shown = state.typed.ljust(LENGTHS[state.purpose], "·")
    groups = " ".join(shown[start : start + 4] for start in range(0, len(shown), 4))
    lines: list[Line] = [(groups, "accent")]
    text = _("The code is being checked…") if state.is_sent else _(PROMPTS[state.purpose])
    if state.problem:  # the keys need the space of a third line
        alarm = alarm_of(state.problem)
        lines.append((alarm.say(app.translate), "fault"))
        text = alarm.remedy(app.translate, staff=True) or text
    keys = [Choice(f"key:{letter}", letter) for letter in ALPHABET]
    return replace(
        base,
        text=text,
        lines=tuple(lines),
        choices=(*keys, Choice("key:", "←")),
        columns=11,
        primary=_("Check the code"),
        primary_tap="send" if state.is_complete and not state.is_sent else "",
        can_skip=False,
        can_go_back=not state.is_sent,
    )


def network_extras(app: AppState) -> tuple[list[Line], list[Choice]]:
    """Return whether the kiosk is registered, and how it gets so."""
    _, enrolled = app.translate.gettext, app.commissioning.codes.state.enrolled
    if enrolled is not None:
        return [(_("Registered as {kiosk}.", kiosk=enrolled.kiosk), "good")], []
    alarms = {alarm.code for alarm in app.shown_recorder_state.alarms}
    problem = app.sync_state.link.problem if app.sync_state else None
    if alarms.isdisjoint(NOT_REGISTERED) and problem not in NOT_REGISTERED:
        return [], []
    line: Line = (_("This kiosk is not registered with the court’s system yet."), "caution")
    return [line], [Choice("type:enrol", _("Register with a code"))]


def key_extras(app: AppState) -> tuple[list[Line], list[Choice]]:
    """Return which keys are proven, and how they are."""
    _, state = app.translate.gettext, app.commissioning.codes.state
    keys, lines = state.keys, problem_lines(app, state.problem)
    if keys is None or not keys.is_pinned:
        return lines, []
    named = ((_("The court"), keys.court), (_("Its escrow"), keys.escrow))
    for name, proven_at in named:
        words = _("has shown that it can open closed parts") if proven_at else _("not shown yet")
        lines.append((f"{name}: {words}", "good" if proven_at else "caution"))
    if state.files:
        lines.append((_("On the stick: {files}", files=", ".join(state.files)), "plain"))
    return lines, [
        Choice("challenge", _("Write the texts"), _("onto a stick, for the key holders")),
        Choice("type:court_key", _("Type an answer")),
    ]


def stick_view(app: AppState, base: StepView) -> StepView:
    """Return the profiles on the stick."""
    _, profiles = app.translate.gettext, app.commissioning.stick.state.profiles or ()
    text = _("Which room is this one like? Its number is not taken over.")
    if not profiles:
        text = _("No room’s profile is on the stick: a file such as room-12.toml.")
    return replace(
        base,
        text=text,
        choices=tuple(_profile(app, row) for row in profiles),
        columns=3 if len(profiles) > 4 else 2,
        can_skip=False,
    )


def _profile(app: AppState, row: StickProfile) -> Choice:
    _ = app.translate.gettext
    if row.problem:
        return Choice(f"take:{row.file}", row.file, row.problem, "fault", is_enabled=False)
    count = _("microphones: {n}", n=row.microphones)
    return Choice(f"take:{row.file}", _("Room {room}", room=row.room or "–"), count)


def stick_lines(app: AppState) -> list[Line]:
    """Return what came of the stick at the step of the room."""
    _, state = app.translate.gettext, app.commissioning.stick.state
    lines = problem_lines(app, state.problem)[:1]
    if state.is_busy:
        lines.append((_("The stick is being read…"), "accent"))
    elif state.taken is not None and not lines:
        taken = _("Taken over: room {room}. Type the number of this room.", room=state.taken.room)
        lines.append((taken, "good"))
    return lines


def saved_lines(app: AppState) -> list[Line]:
    """Return what came of saving this room's profile."""
    _, state = app.translate.gettext, app.commissioning.stick.state
    if state.saved:
        return [(_("On the stick: {files}", files=state.saved), "good")]
    return problem_lines(app, state.problem)


def problem_lines(app: AppState, code: str) -> list[Line]:
    """Return consequence and remedy of ``code``; none for an empty one."""
    if not code:
        return []
    alarm = alarm_of(code)
    said, remedy = alarm.say(app.translate), alarm.remedy(app.translate, staff=True)
    lines: list[Line] = [(said, "fault")]
    return [*lines, (remedy, "plain")] if remedy else lines
