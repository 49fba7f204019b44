"""Plays some sound in the headset, in a process of its own: a driver may hang."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from kiosk.hardware.audio.block import Samples
from kiosk.hardware.headset import RATE, HeadsetAbsentError
from kiosk.hardware.headset_sound import PLAYING

OPEN_S = 20.0
"""PortAudio asks every device for its name before it opens one."""
SETTLE_S, KILLED_S = 5.0, 0.5
"""So much longer than the sound may playing it last; a killed process ends within this time."""
WhilePlaying = Callable[[], AbstractAsyncContextManager[None]]


async def play_in_headset(
    device: str, samples: Samples, while_playing: WhilePlaying = nullcontext
) -> None:
    """Play ``samples`` to their end in the headset ``device`` of the settings.

    Args:
        while_playing: entered when it begins to sound, left at its end.

    Raises:
        HeadsetAbsentError: it is not there, or hangs.
    """
    command = ("-m", "kiosk.hardware.headset_sound", device, str(os.getpid()))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(OPEN_S):
            process.stdin.write(samples.tobytes())
            await process.stdin.drain()
            process.stdin.close()
            said = (await process.stdout.readline()).decode(errors="replace").strip()
        if said != PLAYING:
            raise HeadsetAbsentError(said[:200] or "the headset does not answer")
        async with while_playing(), asyncio.timeout(len(samples) / RATE + SETTLE_S):
            await process.wait()
    except (TimeoutError, OSError) as error:
        raise HeadsetAbsentError(f"“{device}” does not play: {error!r}") from error
    finally:
        await end_player(process, asyncio.ensure_future(process.wait()))
    if process.returncode:
        raise HeadsetAbsentError(f"“{device}” has gone")


async def end_player(process: asyncio.subprocess.Process, ended: asyncio.Future[Any]) -> None:
    """Kill ``process`` and wait until ``ended`` is done, but not for one that cannot be killed."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    if not (await asyncio.wait({ended}, timeout=KILLED_S))[0]:
        ended.cancel()
