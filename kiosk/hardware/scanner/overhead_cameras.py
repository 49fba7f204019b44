"""Cameras above the desk: picamera2's, and a folder of pictures in its place."""

from __future__ import annotations

import contextlib
import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, UnidentifiedImageError

from kiosk.hardware.scanner.errors import ScannerAbsentError, ScannerLostError
from kiosk.hardware.scanner.jobs import OverheadJob
from kiosk.hardware.scanner.page_finder import PREVIEW_WIDTH, to_preview

#: Seconds between two previews.
PREVIEW_INTERVAL_S = 0.2
#: Seconds that a picture may take before the camera counts as lost.
_PICTURE_TIMEOUT_S = 5.0
#: Previews for which the folder camera shows a picture after it counts as still.
_EXTRA_PREVIEWS = 6
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


class OverheadCamera(Protocol):
    """A camera above the desk. Preview and capture show the same part of it."""

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""

    def preview(self) -> Image.Image:
        """Return a small grey picture of the desk; raises ScannerLostError."""

    def capture(self) -> Image.Image:
        """Return the desk at full resolution (RGB); raises ScannerLostError."""

    def close(self) -> None:
        """Release the camera."""


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
            self._capture_size: tuple[int, int] = tuple(self._camera.sensor_resolution)
            height = round(self._capture_size[1] * PREVIEW_WIDTH / self._capture_size[0] / 2) * 2
            # picamera2 names formats by the word, not by the bytes: in BGR888 red comes first.
            self._camera.configure(
                self._camera.create_still_configuration(
                    main={"size": self._capture_size, "format": "BGR888"},
                    lores={"size": (PREVIEW_WIDTH, height), "format": "YUV420"},
                    buffer_count=2,
                )
            )
            self._preview_size = (PREVIEW_WIDTH, height)
            if "AfMode" in self._camera.camera_controls:
                from libcamera import controls

                self._camera.set_controls({"AfMode": controls.AfModeEnum.Continuous})
            self._camera.start()
        except (RuntimeError, OSError, IndexError, KeyError) as error:
            raise ScannerLostError(f"the camera does not start: {error}") from error

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""
        width, height = self._capture_size
        return {
            "library": "picamera2",
            "version": version("picamera2"),
            "width": width,
            "height": height,
        }

    def preview(self) -> Image.Image:
        """Return a small grey picture of the desk."""
        width, height = self._preview_size
        # The first rows of YUV420 are the brightness; rows may be padded.
        return Image.fromarray(self._capture_array("lores")[:height, :width].copy(), "L")

    def capture(self) -> Image.Image:
        """Return the desk at full resolution."""
        return Image.fromarray(self._capture_array("main"), "RGB")

    def _capture_array(self, stream: str) -> Any:
        try:
            job = self._camera.capture_array(stream, wait=False)
            return self._camera.wait(job, timeout=_PICTURE_TIMEOUT_S)
        except (TimeoutError, RuntimeError, OSError) as error:
            raise ScannerLostError(f"the camera gives no picture: {error}") from error

    def close(self) -> None:
        """Stop the camera; the process ends in any case."""
        with contextlib.suppress(Exception):
            self._camera.close()


class FolderCamera:
    """A folder of photographs, shown in the order of their names; the last one stays.

    Each is shown for a number of previews, not of seconds, so that a busy machine misses none.

    Raises:
        ScannerLostError: the folder is absent or holds no picture.
    """

    def __init__(self, folder: Path, still_seconds: float) -> None:
        self._folder = folder
        self._previews_per_picture = int(still_seconds / PREVIEW_INTERVAL_S) + _EXTRA_PREVIEWS
        self._preview_count = 0
        self._current: tuple[Path, Image.Image, Image.Image] | None = None
        self.capture()

    def _current_picture(self) -> tuple[Path, Image.Image, Image.Image]:
        try:
            names = [path for path in self._folder.iterdir() if path.suffix.lower() in _SUFFIXES]
            if not names:
                raise ScannerLostError("no picture")
            path = sorted(names)[
                min(self._preview_count // self._previews_per_picture, len(names) - 1)
            ]
            if self._current is None or self._current[0] != path:
                with Image.open(path, formats=("JPEG", "PNG")) as image:
                    picture = image.convert("RGB")
                self._current = (path, picture, to_preview(picture))
        except (OSError, UnidentifiedImageError) as error:
            raise ScannerLostError(f"no picture: {type(error).__name__}") from error
        return self._current

    def facts(self) -> dict[str, Any]:
        """Return library, version, width, height."""
        width, height = self._current_picture()[1].size
        return {
            "library": "Pillow",
            "version": version("pillow"),
            "width": width,
            "height": height,
        }

    def preview(self) -> Image.Image:
        """Return the current picture, small and grey."""
        grey = self._current_picture()[2]
        self._preview_count += 1
        return grey

    def capture(self) -> Image.Image:
        """Return the current picture."""
        return self._current_picture()[1]

    def close(self) -> None:
        """Do nothing: no device is open."""


def open_camera(job: OverheadJob) -> OverheadCamera:
    """Return the camera of ``job``: virtual only if the job says so."""
    if job.back_end == "virtual":
        if not job.pictures:
            raise ScannerAbsentError("no folder of pictures is configured")
        return FolderCamera(Path(job.pictures), job.still_seconds)
    return Picamera2Overhead(job.camera)
