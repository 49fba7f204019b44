"""Lists the cameras that libcamera finds, by picamera2, and takes a picture of each."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

from kiosk.hardware.camera.back_end import CameraAbsentError, CameraFailedError


class ListedCamera(NamedTuple):
    """A camera that is there now.

    Attributes:
        id: what the settings name it, which names its socket.
        model: the sensor, or the name of a web cam.
    """

    id: str
    model: str


def list_cameras() -> tuple[ListedCamera, ...]:
    """Return the cameras in the order in which picamera2 counts them.

    Raises:
        CameraAbsentError: picamera2 is not installed.
    """
    if importlib.util.find_spec("picamera2") is None:
        raise CameraAbsentError("picamera2 is not installed: no camera can be listed")
    from picamera2 import Picamera2

    rows = Picamera2.global_camera_info()
    return tuple(ListedCamera(str(row["Id"]), str(row.get("Model", ""))) for row in rows)


def take_picture(camera: ListedCamera, path: Path) -> None:
    """Write one picture of ``camera`` to ``path``, a JPEG.

    Raises:
        CameraAbsentError: it is not there any more.
        CameraFailedError: it does not start, as while the recorder uses it.
    """
    cameras = list_cameras()
    if camera not in cameras:
        raise CameraAbsentError(f"libcamera does not find {camera.id}")
    from picamera2 import Picamera2

    try:
        with Picamera2(cameras.index(camera)) as opened:
            opened.configure(opened.create_still_configuration())
            opened.start()
            opened.capture_file(str(path), format="jpeg")
    except (RuntimeError, OSError, IndexError, KeyError, ValueError) as error:
        raise CameraFailedError(f"the camera does not start: {error}") from error
