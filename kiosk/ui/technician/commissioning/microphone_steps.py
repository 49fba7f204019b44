"""Steps of the microphones: which is which, and the walk round the room (no Kivy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kiosk.api.room import FoundInput
from kiosk.commissioning.seats import SEATS, absent, seat_of
from kiosk.commissioning.walk import LEAST_DB, MOST_NOISE_DB, Seat
from kiosk.selftest.measurements import TRANSMISSION_QUALITIES
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.check_steps import check_line
from kiosk.ui.technician.commissioning.labels import FURTHER_SEATS
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.theme import Tone

_CLEAR = ("excellent", "good", "fair")
"""Qualities with which a record can be understood."""


def seat_name(app: AppState, role: str) -> str:
    """Return the seat of ``role`` in words."""
    name = FURTHER_SEATS.get(role)
    text = app.translate.gettext(name) if name else app.labels.role(role)
    return text[:1].upper() + text[1:]


def microphones_view(app: AppState, base: StepView) -> StepView:
    """Return the inputs with their levels, or the seats for the one that was tapped."""
    _, state, actions = app.translate.gettext, app.commissioning.state, app.commissioning
    rows, inputs = actions.rows(), state.inputs
    chosen = next((row for row in inputs or () if row.id == state.chosen), None)
    if chosen is not None:
        return _seats_view(app, base, chosen)
    if inputs is None:
        return replace(base, text=_("The microphones are being opened…"))
    missing = ", ".join(seat_name(app, role) for role in absent(rows, inputs))
    lines: tuple[tuple[str, Tone], ...] = ()
    if missing:
        lines = ((_("Chosen, and not connected: {seats}", seats=missing), "fault"),)
    text = _("Speak at a microphone: its card is framed. Tap it, then choose its seat.")
    if not inputs:
        text = _("No microphone is connected. Plug one in: it appears here by itself.")
    return replace(
        base,
        text=text,
        lines=lines,
        choices=tuple(_input(app, row) for row in inputs),
        columns=3 if len(inputs) > 4 else 2,
        primary=_("These are the microphones"),
        primary_tap="keep_microphones" if rows and not state.running else "",
    )


def _input(app: AppState, found: FoundInput) -> Choice:
    """Return an input: its seat, else what its maker calls it and where it is plugged in."""
    _, state = app.translate.gettext, app.commissioning.state
    role = seat_of(app.commissioning.rows(), found)
    place = found.device if not found.channel else f"{found.device} · {found.channel + 1}"
    tone: Tone = "good" if role else "plain"
    detail = place
    if found.refusal is not None:
        detail, tone = found.refusal.text, "fault"
    label = seat_name(app, role) if role else _("Without a seat")
    is_heard = state.heard == found.id
    if is_heard:
        detail, tone = _("You are heard here"), "good"
    return Choice(
        f"input:{found.id}", label, detail, tone,
        level=found.id, is_marked=is_heard,
    )  # fmt: skip


def _seats_view(app: AppState, base: StepView, chosen: FoundInput) -> StepView:
    _, rows = app.translate.gettext, app.commissioning.rows()
    taken = {str(row["role"]) for row in rows}
    own = seat_of(rows, chosen)
    choices = [
        Choice(
            f"seat:{role}",
            seat_name(app, role),
            _("Has another microphone") if role in taken - {own, "spare"} else "",
            is_marked=role == own,
        )
        for role in SEATS
    ]
    if own:
        choices.append(Choice("seat:", _("No seat")))
    text = _("At which seat is this microphone? {device}", device=chosen.device)
    return replace(base, text=text, choices=tuple(choices), columns=3, can_skip=False)


def walk_view(app: AppState, base: StepView) -> StepView:
    """Return the seats with what was heard, and the one that is asked for now."""
    _, state = app.translate.gettext, app.commissioning.state
    if not state.seats:
        return replace(base, text=_("No microphone has a seat yet: go back one step."))
    is_over = state.asked_seat >= len(state.seats)
    text = _("Everybody was asked for. Tap a seat to try it again.")
    if not is_over:
        role = seat_name(app, state.seats[state.asked_seat].role)
        text = _("Go and say a sentence here: {seat}. A rising tone: it is right.", seat=role)
    if state.is_measured:
        text, tone = check_line(app, "speech_transmission")
        if tone == "good":  # each card says its value
            text = _("The room is measured. Tap a seat to try it again, or go on.")
    if state.running:
        text = _("Please be quiet for a moment: the microphones are measured at rest.")
    if state.running == "speech_transmission":
        text = _("Please be quiet for ten seconds: a rising tone comes from the loudspeaker.")
    further: tuple[Choice, ...] = ()
    if not state.running:
        further = (Choice("outputs", _("Choose the loudspeaker")),)
        if state.is_measured:
            further = (Choice("measure_again", _("Measure the room again")), *further)
    return replace(
        base,
        text=text,
        choices=tuple(
            _seat(app, index, seat, not is_over and not state.running and index == state.asked_seat)
            for index, seat in enumerate(state.seats)
        )
        + further,
        columns=2 if len(state.seats) < 5 else 3,
        primary=_("Next"),
        primary_tap="finish_walk" if not state.running else "",
    )


def _seat(app: AppState, index: int, seat: Seat, is_asked: bool) -> Choice:
    detail, tone = _verdict(app, seat)
    is_right = seat.verdict == "right"
    if is_right and app.commissioning.state.is_measured and (said := _transmission(app, seat)):
        detail, tone = said  # its levels were read before the room was measured
    name = seat_name(app, seat.role)
    return Choice(
        f"again:{index}", name, detail, tone, level=seat.name, is_marked=is_asked,
        is_enabled=not app.commissioning.state.running,
    )  # fmt: skip


def _transmission(app: AppState, seat: Seat) -> tuple[str, Tone] | None:
    """Return how clearly the seat's microphone hears the sweep; None: it was not measured."""
    _ = app.translate.gettext
    result = app.commissioning.state.record.checks.get("speech_transmission", {})
    row = result.get("measured", {}).get(seat.name)
    word = row.get("quality") if isinstance(row, Mapping) else None
    if row is None or not isinstance(word, str) or word not in TRANSMISSION_QUALITIES:
        return None
    quality = _(TRANSMISSION_QUALITIES[word])
    if not isinstance(row.get("index"), int | float):
        return f"{quality[:1].upper()}{quality[1:]}", "caution"
    comma = "." if app.translate.language == "en" else ","
    index = f"{row['index']:.2f}".replace(".", comma)
    text = _("Speech transmission {index}: {quality}", index=index, quality=quality)
    return text, "good" if word in _CLEAR else "caution"


def _verdict(app: AppState, seat: Seat) -> tuple[str, Tone]:
    """Return what was heard, with unit and limit."""
    _, seats = app.translate.gettext, app.commissioning.state.seats

    def db(value: float | None) -> str:
        text = "–" if value is None else f"{value:.0f}".replace("-", "−")
        return f"{text} dB"

    level, noise, baseline = db(seat.level_db), db(seat.noise_db), db(seat.baseline_db)
    match seat.verdict:
        case "waiting":
            return _("Not heard yet"), "plain"
        case "other":
            role = next((one.role for one in seats if one.name == seat.heard), seat.heard)
            return _("Heard at another seat: {seat}", seat=seat_name(app, role)), "fault"
        case "quiet":
            least = db(LEAST_DB)
            return _("Too quiet: {level}, at least {least}", level=level, least=least), "fault"
        case "noisy":
            most = db(MOST_NOISE_DB)
            return _("The rest is noisy: {noise}, at most {most}", noise=noise, most=most), "fault"
        case "changed":
            words = _("At rest {noise}, before {baseline}", noise=noise, baseline=baseline)
            return words, "caution"
        case "right":
            return _("Right: {level}, at rest {noise}", level=level, noise=noise), "good"
