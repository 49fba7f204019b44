"""The technician's camera: its picture, how it is taken, what of it is kept (no Kivy)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.api.base import read_leniently
from kiosk.api.camera import CameraDetails, CameraPicture
from kiosk.api.camera_calls import FOCUS_CAMERA, GET_CAMERA, SET_CAMERA
from kiosk.api.room import GET_ROOM
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.ui.actions.recorder_actions import RecorderActions
from kiosk.ui.registry import CameraPlace, StaffPlace

POLL_SECONDS = 1.0
ZOOMS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
MOVE = 0.1
"""Part of what is seen by which it moves at a tap."""
BRIGHTER_EV, MOST_EV = 0.5, 3.0
FLICKERS = (50, 60, 0)


@dataclass(frozen=True)
class CameraScreenState:
    """What the screen of the camera shows.

    Attributes:
        details: of the camera; None: not known yet.
        kept: how the picture is taken after the next start; None: not known.
        is_down: the recorder does not answer.
    """

    details: CameraDetails | None = None
    kept: CameraPicture | None = None
    is_down: bool = False

    @property
    def is_changed(self) -> bool:
        """Whether something holds that is not kept."""
        details, kept = self.details, self.kept
        return details is not None and kept is not None and details.picture != kept


class CameraActions(RecorderActions):
    """What a tap on the camera's screen does; each change is seen at once in the live picture.

    Args:
        recorder: its client, which holds the technician's token.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self.state = CameraScreenState()

    async def poll(self, place: Callable[[], StaffPlace | None]) -> None:
        """Ask the recorder while the screen of the camera is shown."""
        while True:
            if isinstance(place(), CameraPlace):
                await self.refresh()
            elif self.state != CameraScreenState():
                self.state = CameraScreenState()
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Ask the recorder once."""
        try:
            details = _details(await self._recorder.get(GET_CAMERA.path))
            kept = self.state.kept or await self._read_kept()
        except (KioskError, ValueError):
            self._set(CameraScreenState(is_down=True))
            return
        self._set(CameraScreenState(details, kept))

    async def _read_kept(self) -> CameraPicture:
        """Return how the picture is taken after the next start."""
        settings = (await self._recorder.get(GET_ROOM.path))["settings"]
        return read_leniently(CameraPicture, settings.get("camera", {}).get("picture", {}))[0]

    async def change(self, **values: Any) -> None:
        """Take the picture otherwise from now on."""
        if (details := self.state.details) is not None:
            await self._put(details.picture.model_copy(update=values))

    async def _put(self, picture: CameraPicture, *, keep: bool = False) -> bool:
        """Return whether the recorder has taken it."""
        body = {"picture": picture.to_json(), "keep": keep}
        return await self._ask(lambda: self._recorder.call("PUT", SET_CAMERA.path, body))

    async def focus_once(self) -> None:
        """Focus now and hold it."""
        await self._ask(lambda: self._recorder.post(FOCUS_CAMERA.path, {}))

    async def hold_focus(self) -> None:
        """Hold the focus where it is now, for good."""
        details = self.state.details
        if details is not None and (dioptres := details.holds.focus_dioptres) is not None:
            await self.change(focus="fixed", focus_dioptres=dioptres)

    async def zoom(self, steps: int) -> None:
        """Show less of the room (steps above 0) or more."""
        if (details := self.state.details) is None:
            return
        number = sum(zoom <= details.picture.zoom for zoom in ZOOMS) - 1 + steps
        zoom = ZOOMS[max(0, min(len(ZOOMS) - 1, number))]
        await self._show(details.picture, zoom, 0, 0)

    async def move(self, right: int, down: int) -> None:
        """Show what lies more to the right (or left, below 0) or further down."""
        if (details := self.state.details) is not None:
            picture = details.picture
            await self._show(picture, picture.zoom, right * MOVE, down * MOVE)

    async def _show(self, picture: CameraPicture, zoom: float, right: float, down: float) -> None:
        """Show a part of the view that lies inside it."""
        half = 0.5 / zoom

        def inside(centre: float) -> float:
            return round(max(half, min(1 - half, centre)), 3)

        x, y = picture.centre_x + right / zoom, picture.centre_y + down / zoom
        await self.change(zoom=zoom, centre_x=inside(x), centre_y=inside(y))

    async def brighten(self, steps: int) -> None:
        """Make the automatic exposure brighter or darker."""
        if (details := self.state.details) is not None:
            wanted = details.picture.brightness_ev + steps * BRIGHTER_EV
            await self.change(brightness_ev=max(-MOST_EV, min(MOST_EV, wanted)))

    async def next_flicker(self) -> None:
        """Go to the next frequency of the mains."""
        if (details := self.state.details) is not None:
            number = FLICKERS.index(details.picture.flicker_hz)
            await self.change(flicker_hz=FLICKERS[(number + 1) % len(FLICKERS)])

    async def keep(self) -> None:
        """Keep how the picture is taken now, for the next start, too."""
        if (details := self.state.details) is None:
            return
        if await self._put(details.picture, keep=True):
            self._set(replace(self.state, kept=details.picture))

    async def take_back(self) -> None:
        """Take the picture as it is kept."""
        if self.state.kept is not None:
            await self._put(self.state.kept)

    async def _ask(self, call: Callable[[], Any]) -> bool:
        """Make a call that answers with the camera; report why it did not."""
        try:
            details = _details(await call())
        except ServiceRefusedError as error:
            self._report_error(error.code)
            return False
        except (KioskError, ValueError):
            self._report_error("recorder_down")
            return False
        self._set(replace(self.state, details=details, is_down=False))
        return True

    def _set(self, state: CameraScreenState) -> None:
        self.state = state
        self._notify_change()


def _details(answer: Any) -> CameraDetails:
    return read_leniently(CameraDetails, answer)[0]
