"""Which loudspeaker, and which scanner (no Kivy)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.alarms import alarm_of
from kiosk.hardware.scanner.listing import FoundScanner
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.theme import Tone

MAX_SHOWN = 6


def devices_view(app: AppState, base: StepView) -> StepView:
    """Return the devices of the kind that is being chosen."""
    base = replace(base, can_skip=False, columns=2)
    is_scanner = app.commissioning.devices.state.kind == "scanners"
    return _scanners_view(app, base) if is_scanner else _outputs_view(app, base)


def _outputs_view(app: AppState, base: StepView) -> StepView:
    _, state = app.translate.gettext, app.commissioning.devices.state
    if state.outputs is None:
        return replace(base, text=_("The loudspeakers are being looked for…"))
    if not state.outputs:
        return replace(base, text=_("No loudspeaker is connected."))
    chosen = state.heard or app.commissioning.settings().voice.loudspeaker
    choices = tuple(
        Choice(f"output:{row.address}", row.label, row.address, is_marked=row.address == chosen)
        for row in state.outputs[:MAX_SHOWN]
    )
    return replace(
        base,
        text=_("Tap each one: it says a sentence. Keep the one that the room hears."),
        choices=choices,
        primary=_("Keep this one"),
        primary_tap="keep_output" if state.heard else "",
    )


def _scanners_view(app: AppState, base: StepView) -> StepView:
    _, state = app.translate.gettext, app.commissioning.devices.state
    if state.scanners is None:
        return replace(base, text=_("Scanners are being looked for. This takes half a minute."))
    if state.problem:
        said = alarm_of(state.problem).say(app.translate)
        return replace(base, text="", lines=((said, "fault"),))
    if not state.scanners:
        return replace(base, text=_("No scanner is found. Switch it on, then look again."))
    chosen = app.commissioning.settings().scanner.device
    return replace(
        base,
        text=_("Tap the scanner of this kiosk."),
        choices=tuple(_scanner(app, row, chosen) for row in state.scanners[:MAX_SHOWN]),
    )


def _scanner(app: AppState, row: FoundScanner, chosen: str) -> Choice:
    detail = row.device
    if row.is_ambiguous:
        detail = app.translate.gettext("Two have this name: unplug one.")
    tone: Tone = "fault" if row.is_ambiguous else "plain"
    tap, is_chosen = f"scanner:{row.device}", row.device == chosen
    return Choice(
        tap, row.label, detail, tone, is_marked=is_chosen, is_enabled=not row.is_ambiguous
    )
