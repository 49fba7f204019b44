"""Part of the contract: how the camera takes its picture, what holds, what it cannot do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kiosk.api.base import Model
from kiosk.api.states import CameraState

Ability = Literal["focus", "flicker", "exposure", "zoom", "rotation", "rate"]
"""What a camera may be unable to do; ``rate``: it chooses its pictures a second itself."""


class CameraPicture(Model):
    """How the camera takes its picture: ``[camera.picture]`` of the settings says what each means.

    Another ``rotation`` or ``mirror`` restarts the camera; all else changes while it runs.
    """

    focus: Literal["auto", "once", "fixed"] = "auto"
    focus_dioptres: Annotated[float, Field(ge=0, le=32)] = 0.0
    flicker_hz: Literal[0, 50, 60] = 50
    rotation: Literal[0, 180] = 0
    mirror: bool = False
    exposure: Literal["auto", "short", "fixed"] = "auto"
    exposure_ms: Annotated[float, Field(ge=0.1, le=200)] = 10.0
    gain: Annotated[float, Field(ge=1, le=16)] = 1.0
    brightness_ev: Annotated[float, Field(ge=-4, le=4)] = 0.0
    zoom: Annotated[float, Field(ge=1, le=4)] = 1.0
    centre_x: Annotated[float, Field(ge=0, le=1)] = 0.5
    centre_y: Annotated[float, Field(ge=0, le=1)] = 0.5


class HeldPicture(Model):
    """What holds for the newest picture, by the camera's own word; null: it does not say."""

    focus: Literal["idle", "scanning", "focused", "failed"] | None = None
    focus_dioptres: float | None = None
    exposure_ms: float | None = None
    gain: float | None = None
    fps: float | None = None
    zoom: float | None = None
    centre_x: float | None = None
    centre_y: float | None = None
    rotation: int | None = None
    mirror: bool | None = None


class CameraDetails(Model):
    """The camera, for the technician.

    Attributes:
        picture: what is wanted.
        cannot: what this camera cannot do.
        unmet: what of it is wanted all the same.
        sharpness: of the last second, in percent; null: nothing is there to judge by.
        sharpness_then: at commissioning, of the same part of the view; null: there is none.
        sharpness_limit: below it, the picture has become unsharp.
    """

    state: CameraState
    picture: CameraPicture
    holds: HeldPicture
    cannot: tuple[Ability, ...] = ()
    unmet: tuple[Ability, ...] = ()
    sharpness: float | None = None
    sharpness_then: float | None = None
    sharpness_limit: float | None = None
