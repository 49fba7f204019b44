"""Derives the active alarms from the state of sources, storage, clock and read-back check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiosk.clocks import format_wall
from kiosk.hearing.room.storage_monitor import storage_alarms

AlarmKey = tuple[str, str]
"""``(code, source)``; codes are those of :mod:`kiosk.alarms`."""

CAMERA = {"absent": "camera_absent", "frozen": "camera_frozen"}
MICROPHONE = {"absent": "microphone_absent", "dead": "microphone_dead"}
MICROPHONE_RECORDING = {
    "muted": "microphone_muted",
    "quiet": "microphone_quiet",
    "clipping": "microphone_clipping",
    "humming": "microphone_humming",
}
"""An empty room is quiet: these matter only while a hearing is recorded."""
COURT_KEYS = {"missing": "court_key_missing", "unproven": "court_key_unproven"}
"""They matter while something is, or will be today, for the court alone."""
CLOCK = {"unset": "clock_unset", "unsynchronised": "clock_unsynchronised"}


def active_alarms(state: Mapping[str, Any]) -> Iterator[AlarmKey]:
    """Yield the alarms that follow from a State (see docs/interfaces.md) alone."""
    recording = state["phase"] == "recording"
    if code := CAMERA.get(state["camera"]["state"]):
        yield code, "camera"
    if state["camera"].get("encoder") == "slow":
        yield "encoder_slow", "camera"
    lost = [microphone["state"] in MICROPHONE for microphone in state["microphones"]]
    if len(lost) > 1 and all(lost):
        yield "sound_server_down", "sound"
    for microphone in state["microphones"]:
        table = MICROPHONE | (MICROPHONE_RECORDING if recording else {})
        if code := table.get(microphone["state"]):
            yield code, microphone["name"]
    yield from storage_alarms(state)
    keys = state["court_keys"]
    if keys["needed"] and (code := COURT_KEYS.get(keys["state"])):
        yield code, "recorder"
    if code := CLOCK.get(state["clock"]["state"]):
        yield code, "clock"
    if recording and state["proof"]["state"] == "bad":
        yield "proof_failed", state["proof"].get("source") or "storage"
    if state["recovered"] is not None:
        yield "recorder_recovered", "recorder"


class AlarmHistory:
    """Remembers since when each alarm is on."""

    def __init__(self) -> None:
        self._since: dict[AlarmKey, str] = {}

    def update(self, found: list[AlarmKey]) -> list[dict[str, str]]:
        """Return ``alarms`` of State for what is on now."""
        self._since = {key: self._since.get(key) or format_wall() for key in found}
        return [
            {"code": code, "source": source, "since": since}
            for (code, source), since in self._since.items()
        ]
