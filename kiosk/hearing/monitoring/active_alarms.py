"""Derives the active alarms from the state of sources, storage, clock and read-back check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kiosk.api.recorder import Alarm, AlarmKey, RecorderState
from kiosk.api.states import (
    CameraState,
    ClockState,
    CourtKeyState,
    EncoderState,
    MicrophoneState,
    Phase,
    ProofState,
    RtcState,
)
from kiosk.clocks import format_wall
from kiosk.hearing.room.storage_monitor import storage_alarms

CAMERA: Mapping[str, str] = {
    CameraState.ABSENT: "camera_absent",
    CameraState.FROZEN: "camera_frozen",
}
CLOCK: Mapping[str, str] = {
    ClockState.UNSET: "clock_unset",
    ClockState.UNSYNCHRONISED: "clock_unsynchronised",
}
RTC: Mapping[str, str] = {
    RtcState.UNKEPT: "rtc_unkept",
    RtcState.DIFFERS: "rtc_differs",
}
"""The second is told in readiness and self-test only: a clock that was just set may pass there."""
COURT_KEYS: Mapping[str, str] = {
    CourtKeyState.MISSING: "court_key_missing",
    CourtKeyState.UNPROVEN: "court_key_unproven",
}
"""They count only on days with a closed hearing, or while one is recorded."""
NO_DEVICE = (MicrophoneState.ABSENT, MicrophoneState.DEAD)
"""All microphones at once in these states: the sound server has failed."""


def active_alarms(state: RecorderState) -> Iterator[AlarmKey]:
    """Yield the alarms that follow from a State alone; the one that all is lost comes first."""
    if state.storage.volatile == "yes":
        yield "data_volatile", "storage"
    yield from _device_alarms(state)


def _device_alarms(state: RecorderState) -> Iterator[AlarmKey]:
    """Yield the alarms of devices, storages, keys, clock and read-back check."""
    recording = state.phase == Phase.RECORDING
    if code := CAMERA.get(state.camera.state):
        yield code, "camera"
    if state.camera.encoder == EncoderState.SLOW:
        yield "encoder_slow", "camera"
    lost = [microphone.state in NO_DEVICE for microphone in state.microphones]
    if len(lost) > 1 and all(lost):
        yield "sound_server_down", "sound"
    for microphone in state.microphones:
        if microphone.state.is_broken or (recording and microphone.state.is_failing):
            is_meant = microphone.switched_off and microphone.state is MicrophoneState.MUTED
            yield "microphone_switched_off" if is_meant else microphone.state.alarm, microphone.name
        elif recording and microphone.unclear is not None:
            yield microphone.unclear.alarm, microphone.name
    yield from storage_alarms(state)
    if state.court_keys.needed and (code := COURT_KEYS.get(state.court_keys.state)):
        yield code, "recorder"
    yield from _clock_alarms(state)
    if recording and _has_readback_failed(state):
        yield "proof_failed", state.proof.source or "storage"
    if state.recovered is not None:
        yield "recorder_recovered", "recorder"


def _clock_alarms(state: RecorderState) -> Iterator[AlarmKey]:
    if code := CLOCK.get(state.clock.state):
        yield code, "clock"
    if state.clock.rtc is RtcState.UNKEPT:
        yield RTC[RtcState.UNKEPT], "clock"


def _has_readback_failed(state: RecorderState) -> bool:
    """Return whether media could not be read back, and nothing else tells it.

    That nothing of a source is there is no such failure: its own state tells it, and an invariant
    if it is shown as working (:mod:`.invariants`).
    """
    proof = state.proof
    is_bad = proof.state == ProofState.BAD and not proof.missing
    return is_bad and proof.source not in _lost_sources(state)


def _lost_sources(state: RecorderState) -> set[str]:
    """Return the sources of which an alarm of their own says that they give nothing."""
    lost = {microphone.name for microphone in state.microphones if microphone.state.is_broken}
    return lost | ({"camera"} if state.camera.state in CAMERA else set())


class AlarmHistory:
    """Remembers since when each alarm is active."""

    def __init__(self) -> None:
        self._since: dict[AlarmKey, str] = {}

    def update(self, found: list[AlarmKey]) -> tuple[Alarm, ...]:
        """Return ``alarms`` of State for the alarms that are active now."""
        self._since = {key: self._since.get(key) or format_wall() for key in found}
        return tuple(
            Alarm(code=code, source=source, since=since)
            for (code, source), since in self._since.items()
        )
