"""Plays some sound on the loudspeaker, in a process of its own: a driver may hang."""

from __future__ import annotations

import asyncio

from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.block import Samples
from kiosk.hardware.audio.outputs import alsa_output
from kiosk.hardware.headset import RATE
from kiosk.hardware.headset_player import SETTLE_S, WhilePlaying, end_player
from kiosk.selftest.tone_player import BEGIN_S, SpeakerAbsentError


async def play_on_loudspeaker(device: str, samples: Samples, while_playing: WhilePlaying) -> None:
    """Play ``samples`` to their end on the loudspeaker ``device`` of the settings, by ``aplay``.

    Args:
        while_playing: as of :func:`~kiosk.hardware.headset_player.play_in_headset`.

    Raises:
        SpeakerAbsentError: it is not there, another program uses it, or it hangs.
    """
    form = ("-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE))
    try:
        process = await asyncio.create_subprocess_exec(
            *("aplay", "-q", "-D", alsa_output(device), *form, "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except (DeviceAbsentError, OSError) as error:
        raise SpeakerAbsentError(str(error)) from error
    fed = asyncio.ensure_future(process.communicate(samples.tobytes()))
    try:
        await asyncio.wait({fed}, timeout=BEGIN_S / 2)
        if not fed.done():
            async with while_playing(), asyncio.timeout(len(samples) / RATE + SETTLE_S):
                await asyncio.shield(fed)
    except TimeoutError:
        raise SpeakerAbsentError(f"“{device}” hangs") from None
    finally:
        await end_player(process, fed)
    if process.returncode:
        raise SpeakerAbsentError(fed.result()[1].decode(errors="replace").strip()[:200])
