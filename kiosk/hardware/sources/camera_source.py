"""The camera as a source: supervises its child process and dispatches its packets.

Its state follows from what comes: pictures, live pictures that differ, and, while it encodes,
packets. The child is restarted when one of these stays out.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from typing import Any

from kiosk.api.recorder import Device, OpenedDevice
from kiosk.api.states import CameraState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.camera.back_end import CameraConfig
from kiosk.hardware.camera.encoder_monitor import EncoderMonitor
from kiosk.hardware.camera.packet import VideoPacket, unpack_video
from kiosk.hardware.camera.picture import Picture, PictureHolds
from kiosk.hardware.child_process.protocol import STATUS, VIDEO
from kiosk.hardware.child_process.supervisor import ProcessSupervisor
from kiosk.hardware.sources.listener import SourceListener

log = logging.getLogger(__name__)
FREEZE_NS = NS_PER_S
"""A camera without a picture, or an encoder without a packet, for this long has failed."""
FIRST_PICTURE_NS = 5 * NS_PER_S
FIRST_PACKET_NS = 3 * NS_PER_S
"""Time for the first picture after opening, and for the first packet of an encoder."""
STILL_NS = 5 * NS_PER_S
"""A picture in which nothing at all changes for this long stands still."""
STILL_RETRY_NS = 60 * NS_PER_S
"""Time between two restarts of a camera whose picture stands still: each one costs a gap."""
WATCH_S = 3.0
"""Seconds for which a live picture that a screen has asked about is made often."""
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
        self._opened: OpenedDevice | None = None
        self._holds, self._cannot = PictureHolds(), tuple[str, ...]()
        self._is_turned = False  # the child must start again with another rotation
        self._last_message_ns = recording_ns()
        self._has_answered = self._is_absent = False
        self._is_open = self._gives_pictures = self._gave_pictures = self._has_failed = False
        self._counts: dict[str, int] = {}
        self._picture_due_ns: int | None = None
        self._packet_due_ns: int | None = None
        self._changed_ns: int | None = None  # a live picture differed from the one before
        self._repeated_ns = 0  # it did not
        self._still_restart_ns = 0  # not before
        self._frames = self._dropped = 0
        self._encoder = EncoderMonitor(config.fps)
        self._child = ProcessSupervisor(
            self.name,
            "kiosk.hardware.sources.camera_child",
            dataclasses.asdict(config),
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
        """State of the camera; frozen: it is there and gives nothing, or nothing new."""
        if self._is_absent:
            return CameraState.ABSENT
        now = recording_ns()
        if self._gives_pictures and not (self._find_failure(now) or self._is_still):
            return CameraState.OK
        has_failed = self._gave_pictures or self._has_failed
        return CameraState.FROZEN if has_failed else CameraState.STARTING

    @property
    def still_since_ns(self) -> int | None:
        """Recording clock since which the picture stands still; None: it does not."""
        return self._changed_ns if self._is_still else None

    @property
    def fps(self) -> int:
        """Configured pictures a second."""
        return self._config.fps

    @property
    def size(self) -> tuple[int, int]:
        """Configured width and height."""
        return self._config.width, self._config.height

    @property
    def picture(self) -> Picture:
        """How the pictures are to be taken."""
        return self._config.picture

    @property
    def holds(self) -> PictureHolds:
        """What holds for the newest picture, by the camera's own word."""
        return self._holds

    @property
    def cannot(self) -> tuple[str, ...]:
        """What this camera cannot do (:data:`kiosk.hardware.camera.picture.ABILITIES`)."""
        return self._cannot

    @property
    def unmet(self) -> tuple[str, ...]:
        """What it cannot do and is wanted all the same."""
        wanted = self.picture.abilities()
        return tuple(name for name in self.cannot if name in wanted)

    def set_picture(self, picture: Picture) -> None:
        """Take the pictures so from now on; the child starts again only for another rotation.

        The caller sees to it that nothing is recorded then.
        """
        with self._lock:
            is_turned = picture.transform != self.picture.transform
            self._config = dataclasses.replace(self._config, picture=picture)
            self._child.set_config(dataclasses.asdict(self._config))
            self._is_turned = self._is_turned or is_turned
            if not is_turned:
                self._child.send_command(picture=dataclasses.asdict(picture))

    def watch(self) -> None:
        """Make as many live pictures as during a recording, for some seconds: a screen shows it."""
        self._child.send_command(watch=WATCH_S)

    def focus_once(self) -> None:
        """Focus now and hold it, if the camera can."""
        self._child.send_command(focus=True)

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
            self._packet_due_ns = None
        self._child.send_command(encode=0)

    @property
    def has_listener(self) -> bool:
        """Whether packets are dispatched to anybody."""
        return self._listener is not None or bool(self._listener_by_session)

    def release(self) -> None:
        """Stop dispatching."""
        with self._lock:
            self._listener = None
            self._listener_by_session = {}

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
            if self._is_open:
                self._packet_due_ns = recording_ns() + FIRST_PACKET_NS
            self._child.send_command(encode=self._session)  # in the lock: never out of order

    # -- called in the supervisor's thread -----------------------------------------------------
    def _on_start(self, _session: int) -> None:
        self._last_message_ns = recording_ns()
        self._is_turned, self._holds = False, PictureHolds()
        self._still_restart_ns = max(self._still_restart_ns, self._last_message_ns + STILL_NS)
        self._has_answered = False
        self._counts = {}

    def _on_stop(self, _reason: str) -> None:
        with self._lock:
            self._has_failed = not (self._is_absent or self._is_turned)
            self._gave_pictures = self._gave_pictures and not self._is_turned
            self._is_open = self._gives_pictures = False
            self._picture_due_ns = self._packet_due_ns = None

    def _on_message(self, kind: int, payload: bytes) -> None:
        self._last_message_ns = recording_ns()
        self._has_answered = True
        if kind == VIDEO:
            self._on_packet(unpack_video(payload))
        elif kind == STATUS:
            self._on_status(json.loads(payload))

    def _on_status(self, values: dict[str, Any]) -> None:
        now = self._last_message_ns
        if "failed" in values:
            log.warning("camera: %s", values["failed"])
        elif "absent" in values:
            self._is_absent, self._gave_pictures, self._has_failed = True, False, False
        elif "library" in values:
            self._library_info = {key: values[key] for key in ("library", "version", "back_end")}
            self._opened = OpenedDevice.model_validate(values["opened"])
            self._cannot = tuple(values.get("cannot", ()))
            self._picture_due_ns = now + FIRST_PICTURE_NS
            self._is_absent, self._is_open = False, True
            with self._lock:  # it may have changed just before this child was there
                self._child.send_command(picture=dataclasses.asdict(self.picture))
            self._start_encoder()
        if "holds" in values:
            self._holds = PictureHolds(**values["holds"])
        if self._has_risen("repeats", values):
            self._repeated_ns = now
        if self._has_risen("changes", values):
            self._changed_ns, self._still_restart_ns = now, now + STILL_NS
        if self._has_risen("frames", values):
            self._picture_due_ns = now + FREEZE_NS
            self._changed_ns = self._changed_ns or now
            self._gives_pictures = self._gave_pictures = True

    def _has_risen(self, name: str, values: dict[str, Any]) -> bool:
        """Return whether a count of the child is higher than in its last status."""
        before, self._counts[name] = self._counts.get(name, 0), int(values.get(name, 0))
        return self._counts[name] > before

    def _on_packet(self, packet: VideoPacket) -> None:
        now = self._last_message_ns
        self._picture_due_ns = now + FREEZE_NS
        with self._lock:
            if self._is_encoding and packet.session == self._session:
                self._packet_due_ns = now + FREEZE_NS
                self._dropped += self._encoder.push(packet.captured_ns, now)
                self._frames += 1
            listener = self._listener_by_session.get(packet.session)
            if listener is not None:
                listener.video(packet)

    def _find_failure(self, now_ns: int) -> str | None:
        """Return what a camera that was opened does not give in time, if anything."""
        picture_due_ns, packet_due_ns = self._picture_due_ns, self._packet_due_ns
        if picture_due_ns is not None and now_ns > picture_due_ns:
            return "gives no pictures"
        if packet_due_ns is not None and now_ns > packet_due_ns:
            return "encodes nothing"
        return None

    @property
    def _is_still(self) -> bool:
        """Whether live pictures come, and for a while none differed from the one before."""
        changed_ns = self._changed_ns or self._repeated_ns
        return self._gives_pictures and self._repeated_ns - changed_ns > STILL_NS

    def _find_problem(self) -> str | None:
        """Return why the child must be restarted, or None."""
        now = recording_ns()
        if self._is_turned:
            return "is to turn its picture"
        limit = CHILD_TIMEOUT_NS if self._has_answered else CAMERA_START_TIMEOUT_NS
        if now - self._last_message_ns > limit:
            return "does not answer"
        if self._is_still and now > self._still_restart_ns:
            self._still_restart_ns = now + STILL_RETRY_NS
            return "gives the same picture all the time"
        return self._find_failure(now)

    def describe(self) -> Device:
        """Return the camera as one of the devices in use."""
        library = {"back_end": self._config.back_end, **self._library_info}
        virtual = self._config.back_end == "virtual"
        return Device(
            name=self.name,
            **library,
            virtual=virtual,
            real_time=None,
            setting=f"{self._config.back_end} {self._config.id}".strip(),
            opened=self._opened,
        )
