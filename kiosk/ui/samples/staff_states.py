"""States of the application for samples of the staff's screens."""

from __future__ import annotations

from typing import Any

from kiosk.api.published import Schedule
from kiosk.api.recorder import RecorderState
from kiosk.api.sync import Delivery, SyncState
from kiosk.ui.actions.side_panel_actions import Panel
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import StaffPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare, prepare_staff
from kiosk.ui.screen_chrome import Notice


def staff_at(
    place: StaffPlace,
    recorder: dict[str, Any] | None = None,
    *,
    who: dict[str, Any] = service_states.SECRETARY,
    sync: dict[str, Any] | None = None,
    schedule: dict[str, Any] | None = None,
    deliveries: dict[str, Delivery] | None = None,
    is_up: bool = True,
) -> Prepare:
    """Return what signs ``who`` in and leads to ``place``; no hearing runs.

    Args:
        recorder, sync, schedule: states of the services, where they are not the usual ones.
        deliveries: of ended hearings.
        is_up: the recorder answers.
    """

    def prepare(app: AppState) -> None:
        prepare_staff(app, who, **(recorder or service_states.recorder()))
        app.secretary.place = place
        if schedule:
            app.secretary.schedule = Schedule.model_validate(schedule)
        if sync:
            app.sync_state = SyncState.model_validate(sync)
        app.secretary.deliveries = deliveries or {}
        app.recorder_connection.is_up = is_up

    return prepare


def people_speak(prepare: Prepare, kept_seconds: float = 0) -> Prepare:
    """Return ``prepare`` and then speech in the idle room, at the hour of a hearing.

    Args:
        kept_seconds: of sound before that hearing that the recorder keeps.
    """

    def speaking(app: AppState) -> None:
        prepare(app)
        listed = [service_states.hearing(1, scheduled_at=service_states.at(9, 50))]
        app.secretary.schedule = Schedule.model_validate(service_states.schedule(listed))
        heard = {"judge": {"heard": service_states.ago(0.5)}}
        kept = {"hearing_id": listed[0]["id"], "seconds": kept_seconds} if kept_seconds else None
        state = service_states.recorder(
            microphones=service_states.microphones(**heard), kept_before=kept
        )
        app.recorder_state = RecorderState.model_validate(state)
        for second in range(8):
            app.reminder_desk.take(app.recorder_state, app.now() - second)

    return speaking


def hearing_runs(
    phase: str = "recording",
    *,
    is_signed_in: bool = True,
    is_up: bool = True,
    notice: str = "",
    panel: Panel | None = None,
    is_end_asked: bool = False,
    **changes: Any,
) -> Prepare:
    """Return what opens a hearing in ``phase``; ``changes`` replaces parts of the State.

    Args:
        is_signed_in: the secretary is signed in.
        is_up: the recorder answers.
        notice: code of the notice that is shown.
        panel: the side panel that is open.
        is_end_asked: whether to end is being asked.
    """

    def prepare(app: AppState) -> None:
        prepare_staff(app, **{**service_states.recording(**changes), "phase": phase})
        app.staff = app.staff if is_signed_in else None
        app.recorder_connection.is_up = is_up
        app.secretary.is_end_asked = is_end_asked
        app.secretary.side_panel.panel = panel
        if notice:
            app.notices.passing = Notice(notice, until=1e9)

    return prepare
