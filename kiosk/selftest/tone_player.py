"""Plays a tone or a sweep on the loudspeaker or the headphones, by ``aplay``."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.outputs import alsa_output
from kiosk.hardware.audio.sound_devices import AmbiguousDeviceError
from kiosk.hardware.tone import HERTZ, tone_wav
from kiosk.selftest.verdict import cancel_task

BEGIN_S = 0.8
"""A USB sound card plays after this time at the latest."""
_SETTLE_S = 1.5
BUSY = "Device or resource busy"
"""What ``aplay`` says of a card that another program plays on."""


class SpeakerAbsentError(DeviceAbsentError):
    """The loudspeaker or the headphones cannot be played on."""

    code = "speaker_absent"


class SpeakerBusyError(SpeakerAbsentError):
    """Something else is playing on it, as the kiosk's own voice for a visitor."""


@contextlib.asynccontextmanager
async def playing_tone(
    device: str, seconds: float, volume: int, hertz: float = HERTZ
) -> AsyncIterator[None]:
    """Play the tone on an ALSA device meanwhile.

    Raises:
        SpeakerAbsentError: it is not there, another program uses it, or there is no ``aplay``.
    """
    async with _playing(device, tone_wav(seconds, volume, hertz)):
        yield


async def play_to_end(device: str, wav: bytes, seconds: float) -> None:
    """Play ``wav``, for which ``seconds`` are enough, to its end on an ALSA device.

    What hangs then is ended: the microphones tell whether anything was heard.

    Raises:
        SpeakerAbsentError: as of :func:`playing_tone`, or it broke off.
    """
    async with _playing(device, wav) as (process, fed):
        await asyncio.wait({fed}, timeout=seconds)
        if fed.done() and process.returncode:
            raise _refusal(fed)


@contextlib.asynccontextmanager
async def _playing(
    device: str, wav: bytes
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.Future[tuple[bytes, bytes]]]]:
    sound = asyncio.subprocess.PIPE
    try:
        command = ("aplay", "-q", "-D", alsa_output(device), "-")
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=sound,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=sound,
            env={**os.environ, "LC_ALL": "C"},  # its reason is read
        )
    except AmbiguousDeviceError:
        raise
    except DeviceAbsentError as error:
        raise SpeakerAbsentError(str(error)) from error
    except OSError as error:
        raise SpeakerAbsentError(f"aplay: {error.strerror}") from error
    fed = asyncio.ensure_future(process.communicate(wav))
    try:
        await asyncio.wait({fed}, timeout=BEGIN_S / 2)
        if fed.done() and process.returncode:
            raise _refusal(fed)
        yield process, fed
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.wait({fed}, timeout=_SETTLE_S)
        await cancel_task(fed)


def _refusal(fed: asyncio.Future[tuple[bytes, bytes]]) -> SpeakerAbsentError:
    reason = fed.result()[1].decode(errors="replace").strip()[:200]
    return SpeakerBusyError(reason) if BUSY in reason else SpeakerAbsentError(reason)
