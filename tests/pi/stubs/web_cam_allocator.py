"""Makes libcamera's virtual camera like a web cam: no control of the rate (with ``camshim.c``).

With ``CAMSHIM_ONE_STREAM`` the shim gives it one stream. What picamera2 then does is its own: its
``start_encoder`` asks each camera for the control that is missing.
"""

from __future__ import annotations

from typing import Any

from picamera2 import Picamera2
from virtual_allocator import VirtualAllocator  # type: ignore[import-not-found]


class WebCamAllocator(VirtualAllocator):  # type: ignore[misc]
    """``Picamera2(allocator=WebCamAllocator())``."""


class _WithoutRate(dict[str, Any]):
    """Controls of a camera, of which one is left out."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "FrameDurationLimits":
            super().__setitem__(name, value)


def _offer(camera: Any, _values: dict[str, Any]) -> None:
    """Begin a new list of controls, as picamera2 does when it configures a camera."""
    camera.__dict__["offered"] = _WithoutRate()


Picamera2.camera_ctrl_info = property(lambda camera: camera.__dict__["offered"], _offer)
