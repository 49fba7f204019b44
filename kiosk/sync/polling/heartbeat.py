"""The heartbeat: state of this kiosk for the court's IT. No names, no case numbers."""

from __future__ import annotations

import platform
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import kiosk
from kiosk.api.recorder import Alarm, RecorderState
from kiosk.api.states import CameraState, Phase
from kiosk.api.sync import DeliveryQueue, ForecastState, UploadState
from kiosk.clocks import boot_id, format_wall
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.outbox.outbox import COURIER, NETWORK
from kiosk.sync.transport.link_type import detect_link_type
from kiosk.sync.transport.pacing import BYTES_PER_MBIT


def queue_state(context: SyncContext) -> DeliveryQueue:
    """Return ``State.queue``: items waiting for delivery."""
    waiting = context.outbox.undelivered_items()
    kinds = {"filings": "filing", "hearings": "hearing", "reports": "report"}
    counts = {name: sum(item.kind == kind for item in waiting) for name, kind in kinds.items()}
    left = sum(max(0, i.bytes_total - i.bytes_done) for i in waiting if i.route == NETWORK)
    courier = sum(item.route == COURIER for item in waiting)
    return DeliveryQueue(items=len(waiting), bytes=left, **counts, courier=courier)


def uploads_state(context: SyncContext) -> UploadState:
    """Return ``State.uploads``: whether recordings may be sent now, and how fast."""
    policy = context.upload_policy
    rate = policy.rate / BYTES_PER_MBIT if policy.rate else None
    return UploadState(state=policy.state, rate_mbit=rate, until=_time_text(policy.until))


def forecast_state(context: SyncContext) -> ForecastState | None:
    """Return ``State.forecast``; None until the first forecast."""
    forecast = context.forecast
    if forecast is None:
        return None
    return ForecastState(
        empty_at=_time_text(forecast.empty_at),
        endless=forecast.is_endless,
        full_at=_time_text(forecast.full_at),
    )


def build_heartbeat(context: SyncContext, recorder: RecorderState | None) -> dict[str, Any]:
    """Return the heartbeat.

    Args:
        context: shared state of sync.
        recorder: state of the recorder, or None while it does not answer.
    """
    usage = shutil.disk_usage(context.paths.data)
    alarms = (*context.alarms.active(), *(recorder.alarms if recorder else ()))
    if recorder is None:
        alarms = (*alarms, Alarm(code="recorder_down"))
    state: dict[str, Any] = {
        "kiosk_time": format_wall(),
        "version": kiosk.__version__,
        "boot_id": boot_id(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "bearer": detect_link_type(),
        "alarms": [_alarm_fields(alarm) for alarm in alarms],
        "lists": [report.to_json() for report in context.lists.active()],
        "queue": queue_state(context).to_json(),
        "storage": {"free_bytes": usage.free, "total_bytes": usage.total},
        "recording": _recording_state(recorder, context.paths.hearings),
        **context.reports.read(),
    }
    if context.rules_pack is not None:
        state["rules_pack"] = context.rules_pack.to_json()
    forecast = forecast_state(context)
    if forecast is not None:
        state["queue"] |= {"empty_at": forecast.empty_at, "endless": forecast.endless}
        state["storage"]["full_at"] = forecast.full_at
    link_check = context.last_link_check()
    if link_check is not None:
        state["link"] = link_check.model_dump(mode="json", exclude={"sentence"})
    return state


def _time_text(moment: datetime | None) -> str | None:
    return None if moment is None else format_wall(moment)


def _alarm_fields(alarm: Alarm) -> dict[str, str]:
    return {key: value for key, value in alarm.to_json().items() if value}


def _recording_state(recorder: RecorderState | None, hearings: Path) -> dict[str, Any] | None:
    """Return the running recording: ids and devices, nothing of the case.

    Of a hearing that must not leave by network not even the id is sent.
    """
    if recorder is None or recorder.phase is Phase.IDLE or recorder.hearing is None:
        return None
    hearing = recorder.hearing
    missing = [microphone.name for microphone in recorder.microphones if microphone.state.is_lost]
    if recorder.camera.state in (CameraState.ABSENT, CameraState.FROZEN):
        missing.append("camera")
    return {
        "hearing": None if is_courier_only(hearings / hearing.id) else hearing.id,
        "phase": str(recorder.phase),
        "part": hearing.part,
        "sources_missing": missing,
    }
