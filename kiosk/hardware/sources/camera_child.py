"""The camera's child process: runs one back end, reads commands, sends packets and status.

:class:`kiosk.hardware.child_process.supervisor.ProcessSupervisor` runs it.
``KIOSK_CAMERA_ALLOCATOR=module:Class`` gives picamera2 another buffer allocator, which tests with
libcamera's virtual pipeline need.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import os
import threading
import time
from typing import Any, NoReturn

from kiosk.errors import HardwareError
from kiosk.hardware.camera.back_end import CameraAbsentError, CameraBackEnd, CameraConfig
from kiosk.hardware.camera.packet import VideoPacket, pack_video
from kiosk.hardware.camera.picture import Picture
from kiosk.hardware.child_process.child import MessageWriter, read_commands, set_up_child
from kiosk.hardware.child_process.malloc import return_free_memory
from kiosk.hardware.child_process.protocol import VIDEO

HEARTBEAT_S = 0.4
RETRY_S = 2.0
ALLOCATOR_VARIABLE = "KIOSK_CAMERA_ALLOCATOR"


def _allocator() -> Any:
    """Return the allocator that the environment names, or None for picamera2's own."""
    name = os.environ.get(ALLOCATOR_VARIABLE)
    if not name:
        return None
    module, _, member = name.partition(":")
    return getattr(importlib.import_module(module), member)()


def make_back_end(config: CameraConfig) -> CameraBackEnd:
    """Return the back end of ``config``: a virtual camera only if it says so.

    Raises:
        CameraAbsentError: picamera2 is not installed.
    """
    if config.back_end == "virtual":
        from kiosk.hardware.virtual.camera import VirtualCamera

        return VirtualCamera(config)
    if importlib.util.find_spec("picamera2") is None:
        raise CameraAbsentError("picamera2 is not installed")
    from kiosk.hardware.camera.picamera2_camera import Picamera2Camera

    return Picamera2Camera(config, _allocator())


class _CameraProcess:
    """The camera and its connection to the parent."""

    def __init__(self, writer: MessageWriter, config: CameraConfig) -> None:
        self._writer = writer
        self._config = config
        self._camera: CameraBackEnd | None = None
        self._lock = threading.Lock()
        self._encoder_session = 0  # 0: not encoding

    def run(self) -> None:
        """Open the camera, retrying while it is absent; then send heartbeats."""
        picture = self._config.picture
        while (camera := self._open_camera()) is None:
            time.sleep(RETRY_S)
        return_free_memory()
        with self._lock:
            self._camera = camera
            if self._config.picture != picture:  # another one came while it was opened
                camera.set_picture(self._config.picture)
            if self._encoder_session:
                self._start_encoder(camera, self._encoder_session)
        while True:
            counts = {"changes": camera.preview.changes, "repeats": camera.preview.repeats}
            holds = camera.holds.as_json()
            self._writer.send_status(frames=camera.frames, holds=holds, **counts)
            time.sleep(HEARTBEAT_S)

    def _open_camera(self) -> CameraBackEnd | None:
        try:
            camera = make_back_end(self._config)
            facts = camera.open()
        except CameraAbsentError as error:
            self._writer.send_status(absent=str(error))
            return None
        except HardwareError as error:
            self._fail(error)
        self._writer.send_status(
            library=facts.library,
            version=facts.version,
            back_end=facts.back_end,
            opened={"name": facts.camera, "card": facts.model},
            cannot=facts.cannot,
            frames=0,
        )
        return camera

    def _fail(self, error: Exception) -> NoReturn:
        """Tell the parent, and end: it starts another child."""
        self._writer.send_status(failed=f"{type(error).__name__}: {error}")
        os._exit(1)

    def set_encoder_session(self, session: int) -> None:
        """Start (session from 1) or stop (0) the encoder, now or once the camera is open."""
        with self._lock:
            if self._camera is not None and self._encoder_session:
                self._camera.stop_encoder()
            self._encoder_session = session
            if self._camera is not None and session:
                self._start_encoder(self._camera, session)

    def set_picture(self, picture: Picture) -> None:
        """Take the next pictures so."""
        with self._lock:
            if picture == self._config.picture:
                return
            self._config = dataclasses.replace(self._config, picture=picture)
            if self._camera is not None:
                self._camera.set_picture(picture)

    def watch(self, seconds: float) -> None:
        """Make as many live pictures as during a recording, for so long."""
        with self._lock:
            if self._camera is not None:
                self._camera.preview.watch(seconds)

    def focus_once(self) -> None:
        """Focus now."""
        with self._lock:
            if self._camera is not None:
                self._camera.focus_once()

    def _start_encoder(self, camera: CameraBackEnd, session: int) -> None:
        def emit(captured_ns: int, key: bool, data: bytes) -> None:
            packet = VideoPacket(captured_ns, session, key, data)
            self._writer.send(VIDEO, pack_video(packet))

        try:
            camera.start_encoder(emit)
        except Exception as error:  # whatever the library raises: without an encoder, no packet
            self._fail(error)

    def close(self) -> None:
        """Close the camera (it may hang)."""
        if self._camera is not None:
            self._camera.close()


def main() -> None:
    """Run until the parent closes the pipe."""
    writer, values = set_up_child()
    child = _CameraProcess(writer, CameraConfig.from_json(values))
    threading.Thread(target=child.run, daemon=True).start()
    for command in read_commands():
        match command:
            case {"encode": session}:
                child.set_encoder_session(int(session))
            case {"picture": values}:
                child.set_picture(Picture(**values))
            case {"watch": seconds}:
                child.watch(float(seconds))
            case {"focus": _}:
                child.focus_once()
    closing = threading.Thread(target=child.close, daemon=True)
    closing.start()
    closing.join(0.4)
    os._exit(0)


if __name__ == "__main__":
    main()
