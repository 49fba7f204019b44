"""The calls about the camera: what a technician sees of it and changes, with the live picture."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import asdict
from pathlib import Path

from kiosk.api.base import Model
from kiosk.api.camera import CameraDetails, CameraPicture, HeldPicture
from kiosk.api.camera_calls import FOCUS_CAMERA, GET_CAMERA, SET_CAMERA, SetCamera
from kiosk.config import CameraSettings
from kiosk.errors import KioskError
from kiosk.hardware.camera.picture import Picture
from kiosk.hardware.camera.preview import PreviewReader
from kiosk.hardware.camera.sharpness import Luma, luma_of, measure_sharpness
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.selftest.camera_checks import CameraBaseline, load_camera_baseline, view_of
from kiosk.services.local_api import Call, Route
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.room import RoomService
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
COMPARED_PICTURES = 4
"""Live pictures of the sharpness that is shown: two seconds while nothing is recorded."""


class NoCameraError(KioskError):
    """The settings name no camera."""

    code = "camera_absent"
    status = 404


class CameraCannotError(KioskError):
    """This camera has no such control."""

    code = "camera_cannot"
    status = 409


class CameraService:
    """The calls about the camera.

    Args:
        room: keeps the room's profile.
    """

    def __init__(self, core: RecorderCore, room: RoomService) -> None:
        self._core, self._room = core, room
        self._sharpness = LiveSharpness(core.paths.preview)
        self._baseline = KeptBaseline(core.paths)
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (GET_CAMERA, self._get_camera),
            (SET_CAMERA, self._set_camera),
            (FOCUS_CAMERA, self._focus),
        ]

    def _camera(self) -> CameraSource:
        """Return the camera.

        Raises:
            NoCameraError: there is none.
        """
        camera = self._core.sources.camera
        if camera is None:
            raise NoCameraError("[camera] back_end is “none”")
        return camera

    async def _get_camera(self, _call: Call) -> Model:
        self._camera().watch()
        return await self._describe()

    async def _describe(self) -> CameraDetails:
        return await asyncio.to_thread(
            describe_camera,
            self._camera(),
            self._core.settings.camera,
            self._baseline,
            self._sharpness,
        )

    async def _set_camera(self, call: Call) -> Model:
        request = await call.read(SetCamera)
        camera, picture = self._camera(), Picture(**request.picture.model_dump())
        async with self._lock:
            restarts = picture.transform != camera.picture.transform
            open_hearing = self._core.courtroom.open_hearing_id
            if open_hearing is not None and (restarts or request.keep):
                raise AlreadyRecordingError(open_hearing)
            if request.keep:
                await self._room.keep_camera_picture(request.picture)
            open_hearing = self._core.courtroom.open_hearing_id
            if restarts and open_hearing is not None:  # it began while the picture was kept
                if request.keep:
                    before = CameraPicture(**asdict(camera.picture))
                    await self._room.keep_camera_picture(before, may_be_open=True)
                raise AlreadyRecordingError(open_hearing)
            if picture != camera.picture:
                camera.set_picture(picture)
                self._sharpness.forget()
        log.info("%s changes the camera's picture", call.person.id)
        return await self._describe()

    async def _focus(self, _call: Call) -> Model:
        camera = self._camera()
        if "focus" in camera.cannot:
            raise CameraCannotError("this camera cannot focus")
        camera.focus_once()
        self._sharpness.forget()
        return await self._describe()


class LiveSharpness:
    """Measures the sharpness of the newest live pictures, as often as somebody asks.

    Args:
        preview: file of the live picture.
    """

    def __init__(self, preview: Path) -> None:
        self._reader = PreviewReader(preview)
        self._pictures: deque[Luma] = deque(maxlen=COMPARED_PICTURES)
        self._number = 0

    def forget(self) -> None:
        """Forget the pictures: they are taken otherwise now."""
        self._pictures.clear()

    def measure(self) -> float | None:
        """Return the sharpness in percent, once two pictures have come; None: not yet."""
        frame = self._reader.read()
        if frame is not None and frame.number != self._number:
            if frame.number < self._number:
                self.forget()  # another process of the camera
            self._number = frame.number
            self._pictures.append(luma_of(frame.rgb, frame.width, frame.height))
        return measure_sharpness(list(self._pictures))


class KeptBaseline:
    """The baseline, read again only when there is another report: a screen asks each second."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._changed_ns = -1
        self._baseline: CameraBaseline | None = None

    def load(self) -> CameraBaseline | None:
        """Return the baseline of commissioning, or None."""
        try:
            changed_ns = self._paths.reports.stat().st_mtime_ns
        except OSError:
            changed_ns = 0
        if changed_ns != self._changed_ns:
            self._baseline = load_camera_baseline(self._paths)
            self._changed_ns = changed_ns
        return self._baseline


def describe_camera(
    camera: CameraSource,
    settings: CameraSettings,
    kept: KeptBaseline,
    sharpness: LiveSharpness,
) -> CameraDetails:
    """Return the camera for the technician."""
    baseline = kept.load()
    is_same = baseline is not None and baseline.view == view_of(settings, camera.picture)
    return CameraDetails.model_validate(
        {
            "state": camera.state,
            "picture": CameraPicture(**asdict(camera.picture)),
            "holds": HeldPicture(**camera.holds.as_json()),
            "cannot": camera.cannot,
            "unmet": camera.unmet,
            "sharpness": sharpness.measure(),
            "sharpness_then": baseline.sharpness if baseline and is_same else None,
            "sharpness_limit": baseline.limit if baseline and is_same else None,
        }
    )
