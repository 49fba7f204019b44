"""A room between the loudspeaker and a virtual microphone: convolves what is played."""

from __future__ import annotations

import subprocess
import threading
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.virtual.microphones import RATE, VirtualMicrophones

Response = NDArray[np.float64]
HALL = "hall"
BLOCK = RATE // 20
_FORM = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=1")
DRY: Response = np.ones(1)
"""Of a room without an echo."""


def decaying(decay_s: float, seconds: float = 1.5) -> Response:
    """Return the impulse response of a room with this reverberation time, of energy 1.

    Noise that decays exponentially, as in every textbook.
    """
    times = np.arange(round(seconds * RATE)) / RATE
    tail = np.random.default_rng(3).standard_normal(len(times)) * 10 ** (-3 * times / decay_s)
    return np.asarray(tail / np.sqrt(np.sum(tail**2)), np.float64)


class ReverberantRoom:
    """Plays what is played into its hall at a microphone's place (a context manager).

    Attributes:
        response: impulse response from the loudspeaker to the microphone; may be changed.
    """

    def __init__(self, microphones: VirtualMicrophones, microphone: str) -> None:
        self.response = DRY
        microphones.pactl(
            "load-module", "module-null-sink", f"sink_name={HALL}",
            "format=s16le", f"rate={RATE}", "channels=1", "channel_map=mono",
        )  # fmt: skip
        environment = microphones.pulse_environment
        self._ear = subprocess.Popen(
            ["parec", "-d", f"{HALL}.monitor", *_FORM, "--latency-msec=50"],
            env=environment,
            stdout=subprocess.PIPE,
        )
        self._mouth = subprocess.Popen(
            ["pacat", "-d", microphone, *_FORM, "--latency-msec=400"],
            env=environment,
            stdin=subprocess.PIPE,
        )
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        assert self._ear.stdout is not None
        assert self._mouth.stdin is not None
        tail: Response = np.zeros(0)
        while len(data := self._ear.stdout.read(2 * BLOCK)) == 2 * BLOCK:
            samples, response = np.frombuffer(data, "<i2").astype(np.float64), self.response
            length = BLOCK + len(response) - 1
            size = 1 << (length - 1).bit_length()
            spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
            sound = np.zeros(max(length, len(tail)))
            sound[:length] = np.fft.irfft(spectrum, size)[:length]
            sound[: len(tail)] += tail
            tail = sound[BLOCK:]
            heard = np.clip(np.round(sound[:BLOCK]), -32768, 32767).astype("<i2")
            try:
                self._mouth.stdin.write(heard.tobytes())
                self._mouth.stdin.flush()
            except BrokenPipeError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for process in (self._ear, self._mouth):
            process.kill()
        self._thread.join(10)
        for process in (self._ear, self._mouth):
            process.wait(10)
