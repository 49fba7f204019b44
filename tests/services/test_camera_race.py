"""A hearing that begins while the camera's picture is being kept."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.api.camera import CameraPicture
from kiosk.api.camera_calls import SetCamera
from kiosk.hardware.camera.picture import Picture
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.services.camera import CameraService


class Room:
    """A room whose disk is slow: a hearing begins while it writes."""

    def __init__(self, courtroom: SimpleNamespace) -> None:
        self.courtroom = courtroom
        self.kept: list[tuple[bool, bool]] = []

    async def keep_camera_picture(
        self, picture: CameraPicture, *, may_be_open: bool = False
    ) -> None:
        self.kept.append((picture.mirror, may_be_open))
        self.courtroom.open_hearing_id = "a hearing"


def test_a_picture_that_needs_a_restart_is_not_turned_under_a_hearing() -> None:
    """Neither now nor at the next start: what was refused is not kept either."""
    turned: list[Picture] = []
    camera = SimpleNamespace(picture=Picture(), set_picture=turned.append)
    courtroom = SimpleNamespace(open_hearing_id=None)
    room, read = Room(courtroom), SetCamera(picture=CameraPicture(mirror=True), keep=True)
    core: Any = SimpleNamespace(
        sources=SimpleNamespace(camera=camera),
        courtroom=courtroom,
        paths=SimpleNamespace(preview="none"),
        settings=SimpleNamespace(camera=None),
    )

    class Call:
        async def read(self, _model: type[SetCamera]) -> SetCamera:
            return read

    service = CameraService(core, room)  # type: ignore[arg-type]
    handlers = {call.name: handler for call, handler in service.routes()}
    with pytest.raises(AlreadyRecordingError):
        asyncio.run(handlers["setCamera"](Call()))  # type: ignore[arg-type]
    assert turned == []
    assert room.kept == [(True, False), (False, True)]
