"""Cameras above the desk: picamera2's, and a folder of pictures in its place."""

from __future__ import annotations

import contextlib
import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, UnidentifiedImageError

from kiosk.hardware.scanner.errors import ScannerAbsentError, ScannerLostError
from kiosk.hardware.scanner.overhead_job import OverheadJob
from kiosk.hardware.scanner.page_finder import LOOK_WIDTH, reduced

#: Seconds between two looks.
LOOK_SECONDS = 0.2
#: Seconds that a picture may take before the camera is taken for lost.
_PICTURE_SECONDS = 5.0
#: Looks that the virtual camera holds a picture beyond the time in which it counts as still.
_LOOKS_MORE = 6
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


class OverheadCamera(Protocol):
    """A camera that looks down on the desk. Both pictures show the same part of it."""

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""

    def look(self) -> Image.Image:
        """Return the desk now, grey and reduced; raises ScannerLostError."""

    def still(self) -> Image.Image:
        """Return the desk now at full resolution (RGB); raises ScannerLostError."""

    def close(self) -> None:
        """Let go of the camera."""


class Picamera2Overhead:
    """A camera of libcamera, by picamera2.

    Raises:
        ScannerAbsentError: picamera2 is not installed.
        ScannerLostError: there is no such camera, or it does not start.
    """

    def __init__(self, number: int) -> None:
        if importlib.util.find_spec("picamera2") is None:
            raise ScannerAbsentError("picamera2 is not installed")
        from picamera2 import Picamera2

        if number >= len(Picamera2.global_camera_info()):
            raise ScannerLostError(f"libcamera finds no camera {number}")
        try:
            self._camera = Picamera2(number)
            self._size: tuple[int, int] = tuple(self._camera.sensor_resolution)
            height = round(self._size[1] * LOOK_WIDTH / self._size[0] / 2) * 2
            # picamera2 names formats by the word, not by the bytes: BGR888 is red first.
            self._camera.configure(
                self._camera.create_still_configuration(
                    main={"size": self._size, "format": "BGR888"},
                    lores={"size": (LOOK_WIDTH, height), "format": "YUV420"},
                    buffer_count=2,
                )
            )
            self._look = (LOOK_WIDTH, height)
            if "AfMode" in self._camera.camera_controls:
                from libcamera import controls

                self._camera.set_controls({"AfMode": controls.AfModeEnum.Continuous})
            self._camera.start()
        except (RuntimeError, OSError, IndexError, KeyError) as error:
            raise ScannerLostError(f"the camera does not start: {error}") from error

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""
        width, height = self._size
        return {
            "library": "picamera2",
            "version": version("picamera2"),
            "width": width,
            "height": height,
        }

    def look(self) -> Image.Image:
        """Return the desk now, grey and reduced."""
        width, height = self._look
        # Of YUV420 the first rows are the brightness; rows may be padded.
        return Image.fromarray(self._array("lores")[:height, :width].copy(), "L")

    def still(self) -> Image.Image:
        """Return the desk now at full resolution."""
        return Image.fromarray(self._array("main"), "RGB")

    def _array(self, stream: str) -> Any:
        try:
            job = self._camera.capture_array(stream, wait=False)
            return self._camera.wait(job, timeout=_PICTURE_SECONDS)
        except (TimeoutError, RuntimeError, OSError) as error:
            raise ScannerLostError(f"the camera gives no picture: {error}") from error

    def close(self) -> None:
        """Stop the camera; the process ends anyway."""
        with contextlib.suppress(Exception):
            self._camera.close()


class PlayedPictures:
    """A folder of photographs, one after the other by name; the last one stays.

    Counted in looks and not in seconds, so that a busy machine misses none.

    Raises:
        ScannerLostError: the folder is not there or holds no picture.
    """

    def __init__(self, folder: Path, still_seconds: float) -> None:
        self._folder = folder
        self._hold = int(still_seconds / LOOK_SECONDS) + _LOOKS_MORE
        self._looks = 0
        self._shown: tuple[Path, Image.Image, Image.Image] | None = None
        self.still()

    def _picture(self) -> tuple[Path, Image.Image, Image.Image]:
        try:
            names = [path for path in self._folder.iterdir() if path.suffix.lower() in _SUFFIXES]
            if not names:
                raise ScannerLostError("no picture")
            path = sorted(names)[min(self._looks // self._hold, len(names) - 1)]
            if self._shown is None or self._shown[0] != path:
                with Image.open(path) as image:
                    still = image.convert("RGB")
                self._shown = (path, still, reduced(still))
        except (OSError, UnidentifiedImageError) as error:
            raise ScannerLostError(f"no picture: {type(error).__name__}") from error
        return self._shown

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""
        width, height = self._picture()[1].size
        return {
            "library": "Pillow",
            "version": version("pillow"),
            "width": width,
            "height": height,
        }

    def look(self) -> Image.Image:
        """Return the picture that is on, reduced."""
        grey = self._picture()[2]
        self._looks += 1
        return grey

    def still(self) -> Image.Image:
        """Return the picture that is on."""
        return self._picture()[1]

    def close(self) -> None:
        """Nothing is held."""


def open_camera(job: OverheadJob) -> OverheadCamera:
    """Return the camera of ``job``; never a virtual one unless it was asked for."""
    if job.back_end == "virtual":
        if not job.pictures:
            raise ScannerAbsentError("no folder of pictures is configured")
        return PlayedPictures(Path(job.pictures), job.still_seconds)
    return Picamera2Overhead(job.camera)
