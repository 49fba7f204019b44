"""The camera's picture compared with commissioning, and what the camera says of itself.

The baseline is in the signed reports: the newest commissioning in which the camera passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.api.reports import Limit
from kiosk.config import CameraSettings
from kiosk.hardware.camera.picture import ABILITIES, FOCUS_STATES, Picture
from kiosk.hardware.camera.sharpness import LEAST_SHARE, Luma, measure_sharpness
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.selftest.report import read_reports
from kiosk.storage.paths import Paths


@dataclass(frozen=True)
class CameraBaseline:
    """The picture at commissioning.

    Attributes:
        sharpness: in percent.
        view: what was seen (:func:`view_of`): only the same can be compared.
    """

    sharpness: float
    view: str

    @property
    def limit(self) -> float:
        """Sharpness below which the picture has become unsharp."""
        return round(self.sharpness * LEAST_SHARE, 1)


def load_camera_baseline(paths: Paths) -> CameraBaseline | None:
    """Return the baseline of the newest commissioning in which the camera passed, or None."""
    for report in read_reports(paths):
        for row in report["results"] if report.get("commissioning") else ():
            if (row["check"], row["state"]) != ("camera", "passed"):
                continue
            match row["measured"]:
                case {"sharpness": int() | float() as sharpness, "view": str() as view}:
                    return CameraBaseline(float(sharpness), view)
    return None


def view_of(camera: CameraSettings, picture: Picture) -> str:
    """Return what is seen, for a comparison: size, part of the view, rotation."""
    part = f"{picture.zoom:g} {picture.centre_x:g} {picture.centre_y:g}"
    turned = f"{picture.rotation}{' mirrored' if picture.mirror else ''}"
    return f"{camera.width}x{camera.height} {part} {turned}"


def measure_view(
    settings: CameraSettings,
    camera: CameraSource | None,
    pictures: Sequence[Luma],
    baseline: CameraBaseline | None,
) -> tuple[str | None, dict[str, Any], dict[str, Limit]]:
    """Return the code of what is wrong with the picture, what was measured, and the limits.

    Args:
        baseline: to compare with; None: there is none, or it is being made.
    """
    if camera is None:
        return None, {}, {}
    holds, view = camera.holds, view_of(settings, camera.picture)
    sharpness = measure_sharpness(pictures)
    measured: dict[str, Any] = {
        "sharpness": sharpness,
        "focus": holds.focus,
        "focus_dioptres": holds.focus_dioptres,
        "exposure_ms": holds.exposure_ms,
        "gain": holds.gain,
        "zoom": holds.zoom,
        "can": {name: name not in camera.cannot for name in ABILITIES},
        "view": view,
    }
    measured = {name: value for name, value in measured.items() if value is not None}
    limits = {}
    if baseline is not None and baseline.view == view:
        limits["sharpness"] = Limit(least=baseline.limit)
    if camera.unmet:
        return "camera_cannot", measured, limits
    limit = limits.get("sharpness")
    if limit is not None and sharpness is not None and not limit.holds(sharpness):
        return "camera_unsharp", measured, limits
    has_failed = holds.focus == FOCUS_STATES[-1] and camera.picture.focus != "fixed"
    return "camera_unfocused" if has_failed else None, measured, limits
