"""View of the lock screen of a running hearing (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.secretary.hearing.recording import ProofView, proof_view
from kiosk.ui.service_models import (
    RecorderState,
)
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class LockView:
    """A hearing runs and nobody is signed in: what everybody may see."""

    recording: bool
    state: str
    text: str
    proof: ProofView | None


def lock_view(context: ViewContext, recorder: RecorderState, *, stale: bool) -> LockView:
    """Return the view of a running hearing while nobody is signed in."""
    _ = context.translate.gettext
    match recorder.phase:
        case "recording":
            state, recording = _("Recording"), True
        case "recess":
            state, recording = _("Recess"), False
        case "retired":
            state, recording = _("The court has retired"), False
        case _:
            state, recording = _("The recording is being sealed…"), False
    return LockView(
        recording=recording,
        state=state,
        text=_("Secretary: hold your badge to the reader."),
        proof=proof_view(context, recorder, stale=stale) if recording else None,
    )
