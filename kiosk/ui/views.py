"""Makes the view of each screen from the application's state, without Kivy."""

from __future__ import annotations

from typing import Any

from kiosk.ui.app_state import AppState
from kiosk.ui.recorder_reader import RECORDER_DOWN
from kiosk.ui.secretary.hearing.lock import lock_view
from kiosk.ui.secretary.hearing.recess import recess_view
from kiosk.ui.secretary.hearing.recording import recording_view
from kiosk.ui.secretary.schedule.readiness import role_of
from kiosk.ui.secretary.schedule.today import today_view
from kiosk.ui.secretary.sealed_hearing.delivery import DeliveryView, delivery_view
from kiosk.ui.secretary.sealed_hearing.export import export_view
from kiosk.ui.secretary.unfinished_filings import unfinished_filings_view
from kiosk.ui.service_models import RecorderState
from kiosk.ui.technician.self_test import self_test_view


def view_of(name: str, app: AppState) -> Any:
    """Return what the screen ``name`` shows."""
    context, secretary = app.view_context(), app.secretary
    recorder = app.shown_recorder_state
    match name:
        case "secretary.today":
            chosen = getattr(secretary.place, "chosen", None)
            live_recorder = None if app.is_recorder_stale else app.recorder_state
            sync = app.sync_state if app.sync_connection.is_up else None
            return today_view(
                context,
                secretary.schedule,
                chosen,
                live_recorder,
                sync,
                secretary.deliveries,
                app.recorder_problem or RECORDER_DOWN,
            )
        case "secretary.recording":
            return recording_view(
                context,
                recorder,
                stale=app.is_recorder_stale,
                schedule=secretary.schedule,
                postponed=secretary.postponed,
                panel=secretary.side_panel.panel,
            )
        case "secretary.recess":
            return recess_view(context, recorder, secretary.postponed)
        case "secretary.sealing" | "secretary.delivery":
            return _delivery_view(app, recorder)
        case "secretary.lock":
            return lock_view(context, recorder, stale=app.is_recorder_stale)
        case "secretary.adhoc" | "secretary.date":
            return secretary.place
        case "secretary.export":
            return export_view(context, secretary.export.state)
        case "secretary.unfinished_filings":
            return unfinished_filings_view(context, app.unfinished_filings.state)
        case "staff.pin":
            return app.pin
        case "technician.self_test":
            microphones = tuple((m.name, role_of(context, m)) for m in recorder.microphones)
            chosen = getattr(secretary.place, "chosen", None)
            return self_test_view(context, app.self_test.state, chosen, microphones)
        case _:
            raise KeyError(name)


def _delivery_view(app: AppState, recorder: RecorderState) -> DeliveryView:
    sealing = recorder.phase == "sealing"
    hearing = recorder.hearing
    place = app.secretary.place
    hearing_id = getattr(place, "hearing_id", None) or (hearing.id if hearing else "")
    number = getattr(place, "case_number", "") or (hearing and hearing.case_number) or ""
    return delivery_view(
        app.view_context(),
        number,
        sealing=sealing,
        delivery=app.secretary.deliveries.get(hearing_id),
        hearing_id=hearing_id,
        online=bool(app.sync_state and app.sync_state.link.state == "up"),
    )
