"""One sample of a screen, and the states that all samples start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.api.published import Schedule
from kiosk.api.recorder import Preview, RecorderState
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.sync import SyncState
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import documents as sample_documents
from kiosk.ui.samples import service_states as sample_data

Prepare = Callable[[AppState], None]


@dataclass(frozen=True)
class ScreenSample:
    """One state of a screen.

    Attributes:
        name: of the screenshot.
        screen: that must be shown.
        prepare: brings the application into the state.
    """

    name: str
    screen: str
    prepare: Prepare


def prepare_idle(app: AppState) -> None:
    """Set up idle services without any fault."""
    app.recorder_state = RecorderState.model_validate(sample_data.recorder())
    app.sync_state = SyncState.model_validate(sample_data.sync())
    app.recorder_state_at = app.now()
    app.recorder_connection.is_up = app.sync_connection.is_up = True
    app.secretary.schedule = Schedule.model_validate(sample_data.schedule())


def prepare_staff(
    app: AppState, who: dict[str, Any] = sample_data.SECRETARY, **recorder: Any
) -> None:
    """Sign ``who`` in; ``recorder`` replaces the state of the recorder."""
    prepare_idle(app)
    app.staff = StaffSession.model_validate(who)
    if recorder:
        app.recorder_state = RecorderState.model_validate(recorder)
        app.audio_levels = sample_data.LEVELS
        if recorder.get("hearing"):
            picture = sample_documents.draw_courtroom(app.paths.preview)
            preview = Preview(path=str(picture), width=640, height=360)
            app.recorder_state = app.recorder_state.model_copy(update={"preview": preview})


def alarm(code: str, source: str | None = None) -> dict[str, Any]:
    """Return an alarm of the recorder."""
    return {"code": code, "source": source, "since": sample_data.ago(6)}
