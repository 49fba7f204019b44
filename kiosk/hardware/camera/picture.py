"""How the camera takes its picture: what is wanted, what this camera can, and what really holds.

Names and numbers of controls are libcamera's (``control_ids_core.yaml``). Nothing is assumed of a
camera: what it offers is asked (``Picamera2.camera_controls``), what holds is read from the
metadata of its pictures. A web cam through libcamera offers exposure at most: no focus, no flicker
control, no ``ScalerCrop``, no flip, no frame rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Controls = dict[str, Any]
"""Values by libcamera's names of controls."""
Offered = Mapping[str, tuple[Any, Any, Any]]
"""Smallest, largest and default value by libcamera's names of controls."""
Rectangle = tuple[int, int, int, int]

AF_MANUAL, AF_AUTO, AF_CONTINUOUS, AF_START = 0, 1, 2, 0
FLICKER_OFF, FLICKER_MANUAL = 0, 1
AUTOMATIC, MANUAL = 0, 1
"""Of ``ExposureTimeMode`` and ``AnalogueGainMode``."""
EXPOSURE_NORMAL, EXPOSURE_SHORT = 0, 1
FOCUS_STATES = ("idle", "scanning", "focused", "failed")
"""Names of ``AfState``, by its number."""
FOCUS_FAILED = FOCUS_STATES.index("failed")
ABILITIES = ("focus", "flicker", "exposure", "zoom", "rotation", "rate")


@dataclass(frozen=True)
class Picture:
    """What is wanted of the picture (plain values: sent as JSON to the camera's child).

    The fields are those of :class:`kiosk.api.camera.CameraPicture`.
    """

    focus: str = "auto"
    focus_dioptres: float = 0.0
    flicker_hz: int = 50
    rotation: int = 0
    mirror: bool = False
    exposure: str = "auto"
    exposure_ms: float = 10.0
    gain: float = 1.0
    brightness_ev: float = 0.0
    zoom: float = 1.0
    centre_x: float = 0.5
    centre_y: float = 0.5

    @property
    def transform(self) -> tuple[int, bool]:
        """Rotation and mirror: to change them, the camera restarts."""
        return self.rotation, self.mirror

    @property
    def flips(self) -> tuple[bool, bool]:
        """Whether it is flipped horizontally, and vertically."""
        is_turned = self.rotation == 180
        return is_turned != self.mirror, is_turned

    def abilities(self) -> set[str]:
        """Return what the camera must be able to do, beyond leaving everything as it is.

        The mains' frequency is not among them: it is a default, and many cameras choose their own.
        """
        needed = {
            "focus": self.focus != "auto",
            "exposure": self.exposure != "auto" or self.brightness_ev != 0,
            "zoom": self.zoom > 1,
            "rotation": self.transform != (0, False),
        }
        return {name for name, is_needed in needed.items() if is_needed}


@dataclass(frozen=True)
class PictureHolds:
    """What holds for the newest picture, by its metadata; None: the camera does not say."""

    focus: str | None = None
    focus_dioptres: float | None = None
    exposure_ms: float | None = None
    gain: float | None = None
    fps: float | None = None
    zoom: float | None = None
    centre_x: float | None = None
    centre_y: float | None = None
    rotation: int | None = None
    mirror: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return its fields."""
        return asdict(self)


def missing_abilities(offered: Offered, *, can_rotate: bool) -> tuple[str, ...]:
    """Return what a camera cannot do, as names of :data:`ABILITIES`."""
    has = {
        "focus": "AfMode" in offered,
        "flicker": "AeFlickerMode" in offered,
        "exposure": "ExposureTime" in offered,
        "zoom": "ScalerCrop" in offered,
        "rotation": can_rotate,
        "rate": "FrameDurationLimits" in offered,
    }
    return tuple(name for name in ABILITIES if not has[name])


def wanted_controls(picture: Picture, offered: Offered, streams: int = 1) -> Controls:
    """Return the controls for ``picture``: only those that the camera offers, in its limits.

    All of them can change while the camera runs.

    Args:
        streams: pictures of different size that the camera makes; all are cropped alike.
    """
    controls: Controls = {**_focus(picture), **_flicker(picture), **_exposure(picture)}
    if crop := _crop(picture, offered):
        # Where both are offered, picamera2 sets this one, and libcamera prefers it.
        if "ScalerCrops" in offered:
            controls["ScalerCrops"] = [crop] * streams
        else:
            controls["ScalerCrop"] = crop
    return {
        name: _limited(value, offered[name]) for name, value in controls.items() if name in offered
    }


def focus_once(offered: Offered) -> Controls:
    """Return the controls that focus now and hold it; empty: this camera cannot."""
    return {"AfMode": AF_AUTO, "AfTrigger": AF_START} if "AfMode" in offered else {}


def _focus(picture: Picture) -> Controls:
    match picture.focus:
        case "auto":
            return {"AfMode": AF_CONTINUOUS}
        case "once":
            return {"AfMode": AF_AUTO, "AfTrigger": AF_START}
        case _:
            return {"AfMode": AF_MANUAL, "LensPosition": picture.focus_dioptres}


def _flicker(picture: Picture) -> Controls:
    """Lamps are bright twice in each period of the mains."""
    if not picture.flicker_hz:
        return {"AeFlickerMode": FLICKER_OFF}
    period_us = round(1_000_000 / (2 * picture.flicker_hz))
    return {"AeFlickerMode": FLICKER_MANUAL, "AeFlickerPeriod": period_us}


def _exposure(picture: Picture) -> Controls:
    if picture.exposure == "fixed":
        return {
            "ExposureTimeMode": MANUAL,
            "ExposureTime": round(picture.exposure_ms * 1000),
            "AnalogueGainMode": MANUAL,
            "AnalogueGain": picture.gain,
        }
    return {
        "ExposureTimeMode": AUTOMATIC,
        "AnalogueGainMode": AUTOMATIC,
        "AeExposureMode": EXPOSURE_SHORT if picture.exposure == "short" else EXPOSURE_NORMAL,
        "ExposureValue": picture.brightness_ev,
    }


def _limited(value: Any, limits: tuple[Any, Any, Any]) -> Any:
    """Return a number in the limits of its control; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    least, most = limits[:2]
    if least is not None:
        value = max(value, type(value)(least))
    return value if most is None else min(value, type(value)(most))


def whole_view(offered: Offered) -> Rectangle | None:
    """Return the part of the sensor that fits the picture's shape; None: no crop is possible."""
    if "ScalerCrop" not in offered:
        return None
    _, most, default = offered["ScalerCrop"]
    view = next((row for row in (default, most) if row and row[2] and row[3]), None)
    return None if view is None else (view[0], view[1], view[2], view[3])


def _crop(picture: Picture, offered: Offered) -> Rectangle | None:
    """Return the part of the sensor that is shown: of the picture's shape, inside the view."""
    view = whole_view(offered)
    if view is None:
        return None
    left, top, across, down = view
    width, height = round(across / picture.zoom), round(down / picture.zoom)

    def begin(start: int, size: int, part: int, centre: float) -> int:
        return start + max(0, min(size - part, round(size * centre - part / 2)))

    x = begin(left, across, width, picture.centre_x)
    return x, begin(top, down, height, picture.centre_y), width, height


def holds_of(
    metadata: Mapping[str, Any], offered: Offered, transform: tuple[int, bool] | None
) -> PictureHolds:
    """Return what holds for a picture.

    Args:
        metadata: of its request.
        transform: rotation and mirror that the camera has accepted.
    """
    duration, exposure = metadata.get("FrameDuration"), metadata.get("ExposureTime")
    state = metadata.get("AfState")
    zoom, centre_x, centre_y = _zoom_of(metadata.get("ScalerCrop"), whole_view(offered))
    return PictureHolds(
        focus=None if state is None else FOCUS_STATES[int(state)],
        focus_dioptres=_rounded(metadata.get("LensPosition"), 2),
        exposure_ms=None if exposure is None else round(exposure / 1000, 2),
        gain=_rounded(metadata.get("AnalogueGain"), 2),
        fps=round(1_000_000 / duration, 1) if duration else None,
        zoom=zoom,
        centre_x=centre_x,
        centre_y=centre_y,
        rotation=None if transform is None else transform[0],
        mirror=None if transform is None else transform[1],
    )


def _rounded(value: Any, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def _zoom_of(
    crop: Rectangle | None, view: Rectangle | None
) -> tuple[float, float, float] | tuple[None, None, None]:
    if crop is None or view is None or not crop[2]:
        return None, None, None
    x = (crop[0] + crop[2] / 2 - view[0]) / view[2]
    y = (crop[1] + crop[3] / 2 - view[1]) / view[3]
    return round(view[2] / crop[2], 2), round(x, 3), round(y, 3)
