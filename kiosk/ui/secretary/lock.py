"""A hearing runs and nobody is signed in: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder import RecorderState
from kiosk.ui.app_state import AppState
from kiosk.ui.samples.screen_sample import Prepare, alarm
from kiosk.ui.samples.staff_states import hearing_runs
from kiosk.ui.secretary.running_hearing.sources import ProofView, proof_view
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class LockView:
    """What everybody may see of a running hearing."""

    recording: bool
    state: str
    text: str
    proof: ProofView | None


def view(app: AppState) -> LockView:
    """Return what the screen shows."""
    return lock_view(app.view_context(), app.shown_recorder_state, stale=app.is_recorder_stale)


def lock_view(context: ViewContext, recorder: RecorderState, *, stale: bool) -> LockView:
    """Return the view of a running hearing while nobody is signed in."""
    _ = context.translate.gettext
    match recorder.phase:
        case "recording":
            state = _("Recording")
        case "recess":
            state = _("Recess")
        case "retired":
            state = _("The court has retired")
        case _:
            state = _("The recording is being sealed…")
    recording = recorder.phase == "recording"
    proof = proof_view(context, recorder, stale=stale) if recording else None
    return LockView(recording, state, _("Secretary: hold your badge to the reader."), proof)


SAMPLES: dict[str, Prepare] = {
    "lock": hearing_runs(is_signed_in=False),
    "lock-called": hearing_runs(alarms=[alarm("secretary_called", "panel")], is_signed_in=False),
    "lock-recess": hearing_runs("recess", is_signed_in=False),
}
