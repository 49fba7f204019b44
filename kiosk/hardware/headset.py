"""The secretary's headset: an output of PortAudio, and none but the one that the settings name.

It is used only inside a child process, because a driver may hang.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyaudio  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.portaudio import find_portaudio_device

RATE = 48_000
BLOCK_FRAMES = RATE // 10


class HeadsetAbsentError(DeviceAbsentError):
    """The settings name no headset, or it is absent."""

    code = "headset_absent"


class Headset:
    """An open headset (a context manager).

    Args:
        name: as in ``[headset] device``.

    Raises:
        HeadsetAbsentError: it is absent or cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self._audio = pyaudio.PyAudio()
        self._channels = 1
        try:
            found = find_portaudio_device(self._audio, name, "output")
        except (DeviceAbsentError, ValueError) as error:
            raise HeadsetAbsentError(str(error)) from error
        try:
            self._stream = self._open(found.index)
        except OSError:  # some accept stereo only
            self._channels = 2
            try:
                self._stream = self._open(found.index)
            except OSError as error:
                raise HeadsetAbsentError(f"“{name}” refuses: {error}") from error

    def _open(self, index: int) -> Any:
        return self._audio.open(
            format=pyaudio.paInt16,
            channels=self._channels,
            rate=RATE,
            output=True,
            output_device_index=index,
            frames_per_buffer=BLOCK_FRAMES,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()
        self._audio.terminate()

    def play(self, samples: NDArray[np.int16]) -> None:
        """Play mono samples at :data:`RATE`; return when they are queued.

        Raises:
            OSError: the headset is gone.
        """
        for at in range(0, len(samples), BLOCK_FRAMES):
            block = samples[at : at + BLOCK_FRAMES]
            self._stream.write(np.repeat(block, self._channels).tobytes())

    @property
    def latency_s(self) -> float:
        """Seconds from :meth:`play` to the ear."""
        return float(self._stream.get_output_latency())
