"""Whose turn it is with the devices, and that a hearing takes them at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.services.device_turn import AbandonedTestError, DeviceTurn


class Room:
    """A courtroom in which a test sets what begins, and a call that somebody waits for."""

    def __init__(self) -> None:
        self.hearing: str | None = None
        self.turn = DeviceTurn(lambda: self.hearing)
        self.sounding = asyncio.Event()
        self.is_silent = False
        transport = SimpleNamespace(is_closing=lambda: False)
        self.call: Any = cast(Any, SimpleNamespace(http=SimpleNamespace(transport=transport)))

    async def sweep(self) -> None:
        self.sounding.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.is_silent = True


@pytest.mark.parametrize(
    ("hearing", "error"), [("", AlreadyRecordingError), (None, AbandonedTestError)],
    ids=["it starts", "it could not start"],
)  # fmt: skip
def test_a_start_ends_what_sounds_before_its_step_is_done(
    hearing: str | None, error: type[Exception]
) -> None:
    """What is recorded begins with the tap; on a slow disk the hearing is open seconds later."""

    async def steps() -> None:
        room = Room()
        running = asyncio.create_task(room.turn.run(room.call, room.sweep))
        await room.sounding.wait()
        room.hearing = hearing
        room.turn.make_way()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert room.is_silent, "not at the next look at the room"
        with pytest.raises(error):
            await running
        assert not room.turn.is_taken
        room.turn.make_way()  # nothing runs

    asyncio.run(asyncio.wait_for(steps(), 60))
