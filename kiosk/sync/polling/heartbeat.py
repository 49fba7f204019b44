"""The heartbeat: state of this kiosk for the court's IT. No names, no case numbers."""

from __future__ import annotations

import platform
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import kiosk
from kiosk.clocks import boot_id, format_wall
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.outbox.outbox import COURIER, NETWORK
from kiosk.sync.transport.link_type import detect_link_type
from kiosk.sync.transport.pacing import BYTES_PER_MBIT

RECORDING_PHASES = frozenset({"recording", "recess", "retired", "sealing"})
HEALTHY = frozenset({"ok", "quiet", "clipping", "humming", "starting"})


def queue_state(context: SyncContext) -> dict[str, int]:
    """Return ``State.queue``: items waiting for delivery."""
    waiting = context.outbox.undelivered_items()
    kinds = {"filings": "filing", "hearings": "hearing", "reports": "report"}
    counts = {name: sum(item.kind == kind for item in waiting) for name, kind in kinds.items()}
    left = sum(max(0, i.bytes_total - i.bytes_done) for i in waiting if i.route == NETWORK)
    courier = sum(item.route == COURIER for item in waiting)
    return {"items": len(waiting), "bytes": left, **counts, "courier": courier}


def build_heartbeat(context: SyncContext, recorder_state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the heartbeat.

    Args:
        context: shared state of sync.
        recorder_state: state of the recorder, or None while it does not answer.
    """
    usage = shutil.disk_usage(context.paths.data)
    alarms = context.alarms.as_json() + list((recorder_state or {}).get("alarms", ()))
    if recorder_state is None:
        alarms.append({"code": "recorder_down"})
    state: dict[str, Any] = {
        "kiosk_time": format_wall(),
        "version": kiosk.__version__,
        "boot_id": boot_id(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "bearer": detect_link_type(),
        "alarms": [_alarm_fields(alarm) for alarm in alarms],
        "queue": queue_state(context),
        "storage": {"free_bytes": usage.free, "total_bytes": usage.total},
        "recording": _recording_state(recorder_state, context.paths.hearings),
    }
    forecast = context.forecast
    if forecast is not None:
        state["queue"] |= {
            "empty_at": _time_text(forecast.empty_at),
            "endless": forecast.is_endless,
        }
        state["storage"]["full_at"] = _time_text(forecast.full_at)
    link_check = context.last_link_check()
    if link_check is not None:
        state["link"] = {key: link_check[key] for key in link_check if key != "sentence"}
    return state


def uploads_state(context: SyncContext) -> dict[str, Any]:
    """Return ``State.uploads``: whether recordings may be sent now, and how fast."""
    policy = context.upload_policy
    rate = policy.rate / BYTES_PER_MBIT if policy.rate else None
    return {"state": policy.state, "rate_mbit": rate, "until": _time_text(policy.until)}


def forecast_state(context: SyncContext) -> dict[str, Any] | None:
    """Return ``State.forecast``; None until the first forecast."""
    forecast = context.forecast
    if forecast is None:
        return None
    return {
        "empty_at": _time_text(forecast.empty_at),
        "endless": forecast.is_endless,
        "full_at": _time_text(forecast.full_at),
    }


def _time_text(moment: datetime | None) -> str | None:
    return None if moment is None else format_wall(moment)


def _alarm_fields(alarm: dict[str, Any]) -> dict[str, Any]:
    return {key: alarm[key] for key in ("code", "source", "since") if alarm.get(key)}


def _recording_state(
    recorder_state: dict[str, Any] | None, hearings: Path
) -> dict[str, Any] | None:
    """Return the running recording: ids and devices, nothing of the case.

    Of a hearing that must not leave by network not even the id is sent.
    """
    hearing = (recorder_state or {}).get("hearing")
    if recorder_state is None or recorder_state.get("phase") not in RECORDING_PHASES or not hearing:
        return None
    missing = [
        str(microphone.get("name"))
        for microphone in recorder_state.get("microphones", ())
        if microphone.get("state") not in HEALTHY
    ]
    if recorder_state.get("camera", {}).get("state") in ("absent", "frozen"):
        missing.append("camera")
    return {
        "hearing": None if is_courier_only(hearings / hearing["id"]) else hearing["id"],
        "phase": recorder_state["phase"],
        "part": int(hearing.get("part", 0)),
        "sources_missing": missing,
    }
