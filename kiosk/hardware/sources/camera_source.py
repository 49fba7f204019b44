"""The camera as a source: supervises its child process and dispatches its packets."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from typing import Any

from kiosk.api.recorder import Device
from kiosk.api.states import CameraState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.camera.back_end import CameraConfig
from kiosk.hardware.camera.encoder_monitor import EncoderMonitor
from kiosk.hardware.camera.packet import VideoPacket, unpack_video
from kiosk.hardware.child_process.protocol import STATUS, VIDEO
from kiosk.hardware.child_process.supervisor import ProcessSupervisor
from kiosk.hardware.sources.listener import SourceListener

FREEZE_NS = NS_PER_S
CHILD_TIMEOUT_NS = 4 * NS_PER_S
"""A child that sends no message for this long hangs."""
CAMERA_START_TIMEOUT_NS = 20 * NS_PER_S
"""libcamera and picamera2 take seconds to start on a Pi 4, longer on a busy one."""


class CameraSource:
    """The camera: always on with a live picture, encoding during a recording."""

    name = "camera"

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._listener_by_session: dict[int, SourceListener] = {}
        self._listener: SourceListener | None = None
        self._session = 0
        self._is_encoding = False
        self._library_info: dict[str, str] = {}
        self._state = CameraState.STARTING
        self._last_message_ns = recording_ns()
        self._last_picture_ns = self._last_message_ns
        self._picture_count = 0
        self._has_answered = False
        self._frames = self._dropped = 0
        self._encoder = EncoderMonitor(config.fps)
        self._child = ProcessSupervisor(
            self.name,
            "kiosk.hardware.sources.camera_child",
            asdict(config),
            self._on_message,
            self._find_problem,
            self._on_start,
            self._on_stop,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child."""
        return self._child.pid

    @property
    def state(self) -> CameraState:
        """State of the camera; frozen: it was there and gives no pictures."""
        return self._state

    @property
    def fps(self) -> int:
        """Configured pictures a second."""
        return self._config.fps

    @property
    def size(self) -> tuple[int, int]:
        """Configured width and height."""
        return self._config.width, self._config.height

    @property
    def frames(self) -> int:
        """Encoded pictures of this or the last recording."""
        return self._frames

    @property
    def dropped(self) -> int:
        """Pictures missing in this or the last recording, by the gaps between their times."""
        return self._dropped

    @property
    def is_encoder_slow(self) -> bool:
        """Whether the encoder is too slow now: it skips pictures or delivers them late."""
        return self._is_encoding and self._encoder.is_slow

    def open(self) -> None:
        """Start the child."""
        self._child.start()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def attach(self, listener: SourceListener) -> None:
        """Start the encoder and give ``listener`` its packets."""
        with self._lock:
            self._frames = self._dropped = 0
            self._encoder.reset()
            self._listener = listener  # the previous one still gets its own session's packets
            self._is_encoding = True
        self._start_encoder()

    def stop_encoder(self) -> None:
        """Stop the encoder; packets under way still arrive."""
        with self._lock:
            self._is_encoding = False
        self._child.send_command(encode=0)

    def detach(self, listener: SourceListener) -> None:
        """Stop dispatching to ``listener``."""
        with self._lock:
            self._remove_listener(listener)
            if self._listener is listener:
                self._listener = None

    def _remove_listener(self, listener: SourceListener) -> None:
        """Remove ``listener`` from all sessions. Lock is held."""
        self._listener_by_session = {
            session: other
            for session, other in self._listener_by_session.items()
            if other is not listener
        }

    def _start_encoder(self) -> None:
        """Make the child encode in a new session."""
        with self._lock:
            if not self._is_encoding:
                return
            self._session += 1
            if (listener := self._listener) is not None:
                self._remove_listener(listener)
                self._listener_by_session[self._session] = listener
            self._child.send_command(encode=self._session)  # in the lock: never out of order

    # -- called in the supervisor's thread -----------------------------------------------------
    def _on_start(self, _session: int) -> None:
        self._last_message_ns = self._last_picture_ns = recording_ns()
        self._has_answered = False

    def _on_stop(self, _reason: str) -> None:
        if self._state is CameraState.OK:
            self._state = CameraState.FROZEN

    def _on_message(self, kind: int, payload: bytes) -> None:
        self._last_message_ns = recording_ns()
        self._has_answered = True
        if kind == VIDEO:
            self._on_packet(unpack_video(payload))
        elif kind == STATUS:
            self._on_status(json.loads(payload))

    def _on_status(self, values: dict[str, Any]) -> None:
        if "absent" in values:
            self._state = CameraState.ABSENT
        elif "library" in values:
            self._library_info = {key: values[key] for key in ("library", "version", "back_end")}
            self._picture_count = 0
            self._start_encoder()
        if values.get("frames", self._picture_count) != self._picture_count:
            self._picture_count = values["frames"]
            self._last_picture_ns = recording_ns()
            self._state = CameraState.OK

    def _on_packet(self, packet: VideoPacket) -> None:
        self._last_picture_ns = recording_ns()
        with self._lock:
            listener = self._listener_by_session.get(packet.session)
            if listener is None:
                return
            if packet.session != self._session:
                listener.video(packet)
                return
            self._dropped += self._encoder.push(packet.captured_ns, self._last_picture_ns)
            self._frames += 1
            listener.video(packet)

    def _find_problem(self) -> str | None:
        now = recording_ns()
        if self._state is CameraState.OK and now - self._last_picture_ns > FREEZE_NS:
            return "gives no pictures"
        limit = CHILD_TIMEOUT_NS if self._has_answered else CAMERA_START_TIMEOUT_NS
        if now - self._last_message_ns > limit:
            return "does not answer"
        return None

    def describe(self) -> Device:
        """Return the camera as one of the devices in use."""
        library = {"back_end": self._config.back_end, **self._library_info}
        virtual = self._config.back_end == "virtual"
        return Device(name=self.name, **library, virtual=virtual, real_time=None, opened=None)
