"""Lets a person hear and see themselves before a hearing (R29, R35): the recorder's part.

The sound of some seconds is in memory alone and overwritten at the end, however it ends. A hearing
that begins ends the rehearsal, and so does a caller that goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Literal

from kiosk.api.base import Model
from kiosk.api.rehearsal import (
    REHEARSE,
    BeginRehearsal,
    PlaybackOutput,
    Rehearsal,
    RehearsalProgress,
)
from kiosk.config import Settings
from kiosk.errors import DeviceAbsentError, RequestError
from kiosk.hardware.audio.block import Samples
from kiosk.hardware.headset import RATE
from kiosk.hardware.headset_player import WhilePlaying, play_in_headset
from kiosk.hardware.sources.rehearsed_sound import RehearsedSound
from kiosk.hardware.sources.sources import Sources
from kiosk.ipc import EventStream
from kiosk.services.device_turn import DeviceTurn
from kiosk.services.local_api import Call, Route
from kiosk.services.loudspeaker_player import play_on_loudspeaker

log = logging.getLogger(__name__)
BLOCKS_LATE_S, JUDGED_LATE_S, LOOK_S = 1.0, 2.0, 0.05
"""So late may be the last blocks, and what tells speech from noise; seconds between two looks."""


class RehearsalService:
    """Takes some seconds of sound, says who was heard, and plays them.

    Args:
        turn: with the devices.
    """

    def __init__(
        self, settings: Settings, sources: Sources, events: EventStream, turn: DeviceTurn
    ) -> None:
        self._settings, self._sources = settings, sources
        self._events, self._turn = events, turn
        self._running = 0

    @property
    def is_running(self) -> bool:
        """Whether somebody rehearses."""
        return self._running > 0

    def routes(self) -> list[Route]:
        """Return the call with its handler."""
        return [(REHEARSE, self._rehearse)]

    async def _rehearse(self, call: Call) -> Model:
        request = await call.read(BeginRehearsal)
        names = [microphone.name for microphone in self._sources.microphones]
        if request.source is not None and request.source not in names:
            raise RequestError(f"source: no microphone “{request.source}”")
        return await self._turn.run(call, lambda: self.rehearse(request))

    async def rehearse(self, request: BeginRehearsal) -> Rehearsal:
        """Make one rehearsal; it may be cancelled at any moment."""
        if not self._sources.microphones:
            return Rehearsal(seconds=0.0, problem="not_fitted")
        self._running += 1  # one that is broken off may end after the next has begun
        try:
            with RehearsedSound(self._sources.microphones, request.seconds) as sound:
                async with self._reporting("speak", request.seconds):
                    await asyncio.sleep(request.seconds)
                    await _wait_for(sound.is_complete, BLOCKS_LATE_S)
                sound.stop()
                played, problem = await self._play(sound, request.source)
                await _wait_for(sound.is_judged, JUDGED_LATE_S)
                return Rehearsal(
                    seconds=round(sound.seconds, 1),
                    microphones=sound.describe(),
                    played=played,
                    problem=problem,
                )
        finally:
            self._running -= 1
            if not self.is_running:
                self._report("over", 0.0, 0.0)

    async def _play(
        self, sound: RehearsedSound, source: str | None
    ) -> tuple[PlaybackOutput | None, str | None]:
        """Play it where it can be heard; return where, and why not (there)."""
        mixing = asyncio.ensure_future(asyncio.to_thread(sound.mix, source))
        try:
            return await self._play_samples(await asyncio.shield(mixing))
        finally:
            mixing.add_done_callback(_overwrite)  # broken off meanwhile, it is mixed to the end

    async def _play_samples(self, samples: Samples) -> tuple[PlaybackOutput | None, str | None]:
        if not samples.any():
            return None, None  # the microphones say why
        headset, voice = self._settings.headset.device, self._settings.voice
        loudspeaker = voice.loudspeaker if voice.enabled else ""
        problem = None if headset or loudspeaker else "headset_absent"
        while_playing: WhilePlaying = partial(self._reporting, "listen", len(samples) / RATE)
        outputs: list[tuple[PlaybackOutput, str]] = [
            ("headset", headset),
            ("loudspeaker", loudspeaker),
        ]
        for output, device in outputs:
            play = play_in_headset if output == "headset" else play_on_loudspeaker
            try:
                if device:
                    await play(device, samples, while_playing)
                    return output, problem
            except DeviceAbsentError as error:
                log.warning("the rehearsal is not heard: %s", error)
                problem = problem or error.code
        return None, problem

    @contextlib.asynccontextmanager
    async def _reporting(
        self, phase: Literal["speak", "listen"], of_seconds: float
    ) -> AsyncIterator[None]:
        """Report each second meanwhile how far the phase is."""

        async def report() -> None:
            for second in itertools.count():
                self._report(phase, min(float(second), of_seconds), of_seconds)
                await asyncio.sleep(1.0)

        reporting = asyncio.create_task(report())
        try:
            yield
        finally:
            reporting.cancel()

    def _report(
        self, phase: Literal["speak", "listen", "over"], seconds: float, of_seconds: float
    ) -> None:
        progress = RehearsalProgress(phase=phase, seconds=seconds, of_seconds=round(of_seconds, 1))
        self._events.send("rehearsal", progress.to_json())


def _overwrite(mixing: asyncio.Future[Samples]) -> None:
    """Overwrite what was mixed."""
    if not mixing.cancelled() and mixing.exception() is None:
        mixing.result()[:] = 0


async def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until ``condition`` holds, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(LOOK_S)
