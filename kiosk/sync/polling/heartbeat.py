"""The heartbeat: how this kiosk is, for the court's IT. No names, no case numbers."""

from __future__ import annotations

import platform
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import kiosk
from kiosk.clocks import boot_id, wall_text
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.manifest import courier_only
from kiosk.sync.outbox.outbox import COURIER, NETWORK
from kiosk.sync.transport.link_type import bearer
from kiosk.sync.transport.pacing import BYTES_PER_MBIT

RECORDING_PHASES = frozenset({"recording", "recess", "retired", "sealing"})
HEALTHY = frozenset({"ok", "quiet", "clipping", "humming", "starting"})


def queue_of(room: SyncRoom) -> dict[str, int]:
    """Return ``State.queue``: what waits for delivery."""
    waiting = room.outbox.undelivered()
    kinds = {"filings": "filing", "hearings": "hearing", "reports": "report"}
    counts = {name: sum(item.kind == kind for item in waiting) for name, kind in kinds.items()}
    left = sum(max(0, i.bytes_total - i.bytes_done) for i in waiting if i.route == NETWORK)
    courier = sum(item.route == COURIER for item in waiting)
    return {"items": len(waiting), "bytes": left, **counts, "courier": courier}


def device_state(room: SyncRoom, recorder: dict[str, Any] | None) -> dict[str, Any]:
    """Return the heartbeat.

    Args:
        room: what sync knows.
        recorder: the recorder's state, or None while it does not answer.
    """
    usage = shutil.disk_usage(room.layout.data)
    alarms = room.alarms.listed() + list((recorder or {}).get("alarms", ()))
    if recorder is None:
        alarms.append({"code": "recorder_down"})
    state: dict[str, Any] = {
        "kiosk_time": wall_text(),
        "version": kiosk.__version__,
        "boot_id": boot_id(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "bearer": bearer(),
        "alarms": [_alarm(alarm) for alarm in alarms],
        "queue": queue_of(room),
        "storage": {"free_bytes": usage.free, "total_bytes": usage.total},
        "recording": _recording(recorder, room.layout.hearings),
    }
    ahead = room.forecast
    if ahead is not None:
        state["queue"] |= {"empty_at": _text(ahead.empty_at), "endless": ahead.endless}
        state["storage"]["full_at"] = _text(ahead.full_at)
    check = room.last_link_check()
    if check is not None:
        state["link"] = {key: check[key] for key in check if key != "sentence"}
    return state


def uploads_of(room: SyncRoom) -> dict[str, Any]:
    """Return ``State.uploads``: whether recordings may be sent now, and how fast."""
    allowed = room.permit
    rate = allowed.rate / BYTES_PER_MBIT if allowed.rate else None
    return {"state": allowed.state, "rate_mbit": rate, "until": _text(allowed.until)}


def forecast_of(room: SyncRoom) -> dict[str, Any] | None:
    """Return ``State.forecast``; None until the first look ahead."""
    ahead = room.forecast
    if ahead is None:
        return None
    return {
        "empty_at": _text(ahead.empty_at),
        "endless": ahead.endless,
        "full_at": _text(ahead.full_at),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else wall_text(moment)


def _alarm(alarm: dict[str, Any]) -> dict[str, Any]:
    return {key: alarm[key] for key in ("code", "source", "since") if alarm.get(key)}


def _recording(recorder: dict[str, Any] | None, hearings: Path) -> dict[str, Any] | None:
    """Return what is recorded now: ids and devices, nothing of the case.

    Of a hearing that must not leave by network not even the id is told.
    """
    hearing = (recorder or {}).get("hearing")
    if recorder is None or recorder.get("phase") not in RECORDING_PHASES or not hearing:
        return None
    missing = [
        str(microphone.get("name"))
        for microphone in recorder.get("microphones", ())
        if microphone.get("state") not in HEALTHY
    ]
    if recorder.get("camera", {}).get("state") in ("absent", "frozen"):
        missing.append("camera")
    return {
        "hearing": None if courier_only(hearings / hearing["id"]) else hearing["id"],
        "phase": recorder["phase"],
        "part": int(hearing.get("part", 0)),
        "sources_missing": missing,
    }
