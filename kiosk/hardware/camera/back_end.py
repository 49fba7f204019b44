"""Interface of a camera back end, and its configuration.

Back ends: :mod:`kiosk.hardware.camera.picamera2_camera` (the real one) and
:mod:`kiosk.hardware.virtual.camera`. Both always run with a live picture. The encoder starts with
the recording, so that the first packet is a key frame with its parameter sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kiosk.errors import DeviceAbsentError, HardwareError
from kiosk.hardware.camera.picture import Picture, PictureHolds
from kiosk.hardware.camera.preview import PreviewWriter

ONE_THREAD_PIXELS = 1280 * 720 * 30
"""Pixels a second that one thread encodes on any Raspberry Pi without an encoder of its own."""
IDLE_PREVIEW_FPS = 2
"""Live pictures a second while nothing is recorded and no screen shows them."""


class CameraAbsentError(DeviceAbsentError):
    """No camera is connected, or the back end is not installed."""

    code = "camera_absent"


class CameraFailedError(HardwareError):
    """The camera is connected but does not start or stops working."""

    code = "camera_failed"


@dataclass(frozen=True)
class CameraConfig:
    """Configuration of the camera's child (plain values: it is sent as JSON).

    Attributes:
        back_end: ``auto``, ``picamera2``, ``virtual``.
        width, height, fps, bitrate: of the recording; bitrate in bit/s.
        keyframe_seconds: at most this long between two key frames.
        preview_fps: live pictures a second for the touch screen, during a recording.
        preview: path of the shared-memory file.
        scene: of the virtual camera: ``courtroom``, ``flash`` or a folder of PNGs.
        id: libcamera's id of the camera; empty: the first one.
        picture: focus, exposure, crop and the like.
    """

    back_end: str
    width: int
    height: int
    fps: int
    bitrate: int
    keyframe_seconds: float
    preview_fps: int
    preview: str
    scene: str = "courtroom"
    id: str = ""
    picture: Picture = field(default_factory=Picture)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CameraConfig:
        """Return the configuration that ``dataclasses.asdict`` made."""
        return cls(**values | {"picture": Picture(**values["picture"])})

    @property
    def keyframe_interval(self) -> int:
        """Pictures from one key frame to the next."""
        return max(1, round(self.fps * self.keyframe_seconds))

    @property
    def encoder_threads(self) -> int:
        """Threads of a software encoder: one where one is fast enough, else 0 (libav decides).

        More threads take more processor time and memory for the same pictures.
        """
        pixels_a_second = self.width * self.height * self.fps
        return 1 if pixels_a_second <= ONE_THREAD_PIXELS else 0

    def preview_rate(self, *, is_shown: bool) -> int:
        """Return the live pictures a second: a recording or a technician shows them, or nobody."""
        return self.preview_fps if is_shown else min(self.preview_fps, IDLE_PREVIEW_FPS)


@dataclass(frozen=True)
class BackEndFacts:
    """Library, encoder and camera that are really in use, for ``GET /v1/devices``.

    Attributes:
        camera, model: libcamera's id of the camera, which has its socket, and its model.
        cannot: what this camera cannot do (:data:`kiosk.hardware.camera.picture.ABILITIES`).
    """

    library: str
    version: str
    back_end: str
    camera: str
    model: str = ""
    cannot: tuple[str, ...] = ()


PacketCallback = Callable[[int, bool, bytes], None]
"""Receives (recording ns, key frame, Annex B) of each encoded picture, from any thread."""


class CameraBackEnd(Protocol):
    """A running camera, inside its child process.

    Attributes:
        preview: writer of the live picture, which counts the pictures that differ.
    """

    preview: PreviewWriter

    def open(self) -> BackEndFacts:
        """Start the camera with its live picture.

        Raises:
            CameraAbsentError, CameraFailedError
        """

    @property
    def frames(self) -> int:
        """Pictures since the camera was opened; the count stops when it is frozen."""

    @property
    def holds(self) -> PictureHolds:
        """What holds for the newest live picture."""

    def set_picture(self, picture: Picture) -> None:
        """Take the next pictures so, as far as the camera can; its rotation stays."""

    def focus_once(self) -> None:
        """Focus now and hold it, if the camera can."""

    def start_encoder(self, emit: PacketCallback) -> None:
        """Encode from the next picture on, beginning with a key frame."""

    def stop_encoder(self) -> None:
        """Stop encoding; the camera keeps running."""

    def close(self) -> None:
        """Stop the camera; may hang if it is broken: the caller ends the process anyway."""
