"""The headset of the desk: an output of PortAudio, found by its name and by nothing else.

Only used inside a child process, because a driver may hang.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
import pyaudio  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kiosk.errors import DeviceAbsentError

RATE = 48_000
BLOCK_FRAMES = RATE // 10


class HeadsetAbsentError(DeviceAbsentError):
    """No headset is fitted, or the one in the settings is not there."""

    code = "headset_absent"


def find_output(audio: pyaudio.PyAudio, name: str) -> Mapping[str, Any] | None:
    """Return the output named ``name`` (exactly, else as a part of the name), or None.

    There is no default: whatever else makes sound here may be the room's loudspeaker.
    """
    outputs = [
        info
        for index in range(audio.get_device_count())
        if int((info := audio.get_device_info_by_index(index))["maxOutputChannels"]) > 0
    ]
    exact = [info for info in outputs if info["name"] == name]
    partial = [info for info in outputs if name and name in str(info["name"])]
    return next(iter(exact + partial), None)


class Headset:
    """An opened headset (a context manager).

    Args:
        name: as in ``[headset] device``.

    Raises:
        HeadsetAbsentError: it is not there or refuses.
    """

    def __init__(self, name: str) -> None:
        self._audio = pyaudio.PyAudio()
        self._channels = 1
        info = find_output(self._audio, name)
        if info is None:
            raise HeadsetAbsentError(f"no output “{name}”")
        try:
            self._stream = self._open(int(info["index"]))
        except OSError:  # some take stereo only
            self._channels = 2
            try:
                self._stream = self._open(int(info["index"]))
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

    def __enter__(self) -> Headset:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._audio.terminate()

    def play(self, samples: NDArray[np.int16]) -> None:
        """Play mono samples at :data:`RATE`; returns when they are on their way.

        Raises:
            OSError: the headset is gone.
        """
        self._stream.write(np.repeat(samples, self._channels).tobytes())

    @property
    def latency_s(self) -> float:
        """Seconds from :meth:`play` to the ear."""
        return float(self._stream.get_output_latency())
