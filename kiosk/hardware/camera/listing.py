"""Lists the cameras that libcamera finds, by picamera2."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

from kiosk.hardware.camera.back_end import CameraAbsentError


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
