"""Help by phone: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.upkeep import SupportBundle
from kiosk.ui.actions.upkeep_actions import UpkeepState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SupportPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class SupportView:
    """What is sent, the code to read out, and whether it has arrived."""

    text: str
    code: str
    state: str
    tone: Tone
    can_send: bool


def view(app: AppState) -> SupportView:
    """Return what the screen shows."""
    state, _ = app.upkeep.state, app.translate.gettext
    text = _(
        "The kiosk’s technical state is sent to the central system: versions, settings, devices, "
        "alarms. No names, no cases."
    )
    if state.is_support_made:
        return SupportView(text, "", _("One moment…"), "plain", False)
    if state.support is None:
        return SupportView(text, "", "", "plain", True)
    text = _("Read this code out to the support:")
    code = f"{state.support.code[:3]} {state.support.code[3:]}"
    if state.is_support_sent:
        return SupportView(text, code, _("The central system has it."), "good", True)
    waits = _("It leaves with the next contact to the central system.")
    if state.support.file:
        waits = _("On the stick: {file}", file=state.support.file) + f". {waits}"
    return SupportView(text, code, waits, "plain", True)


def _state(state: UpkeepState) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(SupportPlace(), who=service_states.TECHNICIAN)(app)
        app.upkeep.state = state

    return prepare


_REPORT = "3fa85f64-0000-4000-8000-000000000000"
_BUNDLE = SupportBundle(code=_REPORT[:6].upper(), report=_REPORT)
SAMPLES: dict[str, Prepare] = {
    "support": _state(UpkeepState()),
    "support-making": _state(UpkeepState(is_support_made=True)),
    "support-waits": _state(
        UpkeepState(support=_BUNDLE.model_copy(update={"file": "kiosk-support-3FA85F.json"}))
    ),
    "support-sent": _state(UpkeepState(support=_BUNDLE, is_support_sent=True)),
}
