"""The camera: what every back end gives, and how it travels from the child to the recorder.

Back ends: :mod:`kiosk.hardware.camera.picamera2_camera` (the real one) and
:mod:`kiosk.hardware.virtual.camera`. Both stay warm with a live picture; the encoder starts at
the tap, so that the first packet of a recording is a key frame with its parameter sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kiosk.errors import DeviceAbsentError, HardwareError


class CameraAbsentError(DeviceAbsentError):
    """No camera is connected, or the back end is not installed."""

    code = "camera_absent"


class CameraFailedError(HardwareError):
    """The camera is there but does not start or does not go on."""

    code = "camera_failed"


@dataclass(frozen=True)
class CameraConfig:
    """What the camera's child is told (plain values: it travels as JSON).

    Attributes:
        back_end: ``auto``, ``picamera2``, ``virtual``.
        width, height, fps, bitrate: of the recording; bit/s.
        keyframe_seconds: a key frame at least this often.
        preview_fps: pictures a second for the touch screen.
        preview: path of the shared-memory file.
        scene: of the virtual camera: ``courtroom``, ``flash`` or a folder of PNGs.
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

    @property
    def keyframe_interval(self) -> int:
        """Pictures from one key frame to the next."""
        return max(1, round(self.fps * self.keyframe_seconds))


@dataclass(frozen=True)
class BackEndFacts:
    """What is truly in use, for ``GET /v1/devices``."""

    library: str
    version: str
    back_end: str


PacketCallback = Callable[[int, bool, bytes], None]
"""Takes (recording ns, key frame, Annex B) of each encoded picture, from any thread."""


class CameraBackEnd(Protocol):
    """A warm camera, inside its child process."""

    def open(self) -> BackEndFacts:
        """Start the camera with its live picture.

        Raises:
            CameraAbsentError, CameraFailedError
        """

    @property
    def frames(self) -> int:
        """Pictures the camera has given since it was opened; it stands still when frozen."""

    def start_encoder(self, emit: PacketCallback) -> None:
        """Encode from the next picture on, beginning with a key frame."""

    def stop_encoder(self) -> None:
        """Stop encoding; the camera stays warm."""

    def close(self) -> None:
        """Stop the camera. May hang on a broken one: the caller ends the process anyway."""
