"""Detects interruptions: which source lost data, and from when to when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.recording.formats.records import Interruption

CAMERA = "camera"
STORAGE = "storage"
MIRROR = "mirror"
AUDIO_GAP_NS = 20_000_000
"""A shorter gap is a clock correction, not a loss."""
MICROPHONE_TIMEOUT_NS = 700_000_000
CAMERA_TIMEOUT_NS = 1_200_000_000
_PICTURE_GAP_NS = NS_PER_S // 2
"""A longer gap between pictures is an interruption; in a shorter one they are only counted."""
_RESTART_GAP_PICTURES = 3
"""After the camera failed, a gap of more pictures than this is an interruption, however short."""


class InterruptionDetector:
    """Compares the times of received samples and pictures with the clock.

    Args:
        start_ns: recording clock of the tap.
        microphones: their names.
        camera: whether a camera is fitted.
        on_interruption: called when an interruption begins and when it ends.
    """

    def __init__(
        self,
        start_ns: int,
        microphones: tuple[str, ...],
        camera: bool,
        on_interruption: Callable[[Interruption], None],
    ) -> None:
        self._on_interruption = on_interruption
        self._last_number = 0
        self._open: dict[tuple[str, str], Interruption] = {}
        self._lost_ns = 0
        self._lost_before_ns: dict[str, int] = {}
        self._received_until_ns = dict.fromkeys(microphones, start_ns)
        if camera:
            self._received_until_ns[CAMERA] = start_ns
        self._skipped_pictures = self._skipped_before_encoder = 0  # pictures
        self._has_picture = False
        self._has_camera_failed = False  # since the last picture

    # -- received ------------------------------------------------------------------------------
    def add_audio(self, name: str, start_ns: int, end_ns: int) -> None:
        """Record that samples of a microphone were received."""
        self._record_received(name, start_ns, end_ns, "gap", AUDIO_GAP_NS)

    def add_video(self, captured_ns: int, period_ns: int) -> None:
        """Record that a picture was received."""
        gap_ns = captured_ns - self._received_until_ns[CAMERA]
        self._skipped_pictures += max(0, round(gap_ns / period_ns))
        hole_ns, kind = _PICTURE_GAP_NS, "dropped"
        if self._has_camera_failed:
            hole_ns, kind = _RESTART_GAP_PICTURES * period_ns, "frozen"
        self._record_received(CAMERA, captured_ns, captured_ns + period_ns, kind, hole_ns)
        self._has_camera_failed = False
        self._has_picture = True

    def _record_received(
        self, source: str, start_ns: int, end_ns: int, kind: str, hole_ns: int
    ) -> None:
        if (source, "lost") in self._open:
            self._close_interruption((source, "lost"), start_ns)
        elif start_ns - self._received_until_ns[source] > hole_ns:
            self._open_interruption((source, "lost"), kind, self._received_until_ns[source])
            self._close_interruption((source, "lost"), start_ns)
        self._received_until_ns[source] = max(self._received_until_ns[source], end_ns)

    # -- missing -------------------------------------------------------------------------------
    def tick(
        self,
        now_ns: int,
        camera: str,
        microphones: Mapping[str, tuple[MicrophoneState, int | None]],
    ) -> None:
        """Check the states of the sources, and how long each has delivered nothing.

        Args:
            now_ns: recording clock.
            camera: its state; ``slow``: its encoder is too slow.
            microphones: state, and recording time since which it gives no sound, by name.
        """
        if CAMERA in self._received_until_ns:
            self._check_silent(CAMERA, now_ns, CAMERA_TIMEOUT_NS, camera, "frozen")
            self._check_encoder(now_ns, camera == "slow")
            self._has_camera_failed |= self._has_picture and camera not in ("ok", "slow")
        for name, (state, since_ns) in microphones.items():
            self._check_silent(name, now_ns, MICROPHONE_TIMEOUT_NS, state, MicrophoneState.DEAD)
            self._check_soundless(name, now_ns, state, now_ns if since_ns is None else since_ns)

    def _check_soundless(
        self, name: str, now_ns: int, state: MicrophoneState, since_ns: int
    ) -> None:
        key = (name, "soundless")
        if not state.is_soundless:
            if key in self._open:
                self._close_interruption(key, min(now_ns, self._received_until_ns[name]))
        elif key in self._open:
            self._open[key] = replace(self._open[key], kind=state)
        else:
            self._open_interruption(key, state, since_ns)

    def _check_encoder(self, now_ns: int, slow: bool) -> None:
        key = (CAMERA, "encoder")
        if slow and key not in self._open:
            self._open_interruption(key, "encoder", now_ns)
            self._skipped_before_encoder = self._skipped_pictures
        elif not slow and key in self._open:
            self._close_interruption(key, now_ns)

    def _check_silent(self, source: str, now_ns: int, limit_ns: int, state: str, kind: str) -> None:
        if state in (MicrophoneState.ABSENT, MicrophoneState.REFUSED):
            kind = state
        key = (source, "lost")
        last = self._received_until_ns[source]
        if key not in self._open and now_ns - last > limit_ns:
            self._open_interruption(key, kind, last)
        elif key in self._open and self._open[key].kind == MicrophoneState.DEAD:
            self._open[key] = replace(self._open[key], kind=kind)  # it turned out to be unplugged

    def update_storage(self, problems: Mapping[str, str], now_ns: int, lost_ns: int) -> None:
        """Record which storages fail or have recovered.

        Args:
            problems: kind of problem by storage (``storage``, ``mirror``).
            lost_ns: media lost so far because neither a storage nor the memory accepted them.
        """
        self._lost_ns = lost_ns
        for source in (STORAGE, MIRROR):
            key, kind = (source, "storage"), problems.get(source)
            if key in self._open and self._open[key].kind != kind:
                self._close_interruption(key, now_ns)
            if kind is not None and key not in self._open:
                self._lost_before_ns[source] = lost_ns
                self._open_interruption(key, kind, now_ns)

    def finish(self, stop_ns: int) -> None:
        """Close all open interruptions: the part is over."""
        for key in list(self._open):
            self._close_interruption(key, stop_ns)

    def _open_interruption(self, key: tuple[str, str], kind: str, start_ns: int) -> None:
        self._last_number += 1
        self._open[key] = Interruption(self._last_number, key[0], kind, start_ns)
        self._on_interruption(self._open[key])

    def _close_interruption(self, key: tuple[str, str], end_ns: int) -> None:
        interruption = self._open.pop(key)
        end_ns = max(interruption.start_ns, end_ns)
        pictures = (
            self._skipped_pictures - self._skipped_before_encoder
            if interruption.kind == "encoder"
            else None
        )
        lost_ns = None
        if key[1] == "storage":
            is_primary = (
                interruption.source == STORAGE
            )  # without its copy the record itself loses nothing
            lost_ns = self._lost_ns - self._lost_before_ns[interruption.source] if is_primary else 0
        self._on_interruption(
            replace(interruption, end_ns=end_ns, pictures=pictures, lost_ns=lost_ns)
        )
