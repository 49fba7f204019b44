"""Hears what comes out of the virtual headset."""

from __future__ import annotations

import threading
import wave
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from kiosk.hardware.virtual.microphones import RATE, VirtualMicrophones

WINDOW = RATE // 10


def write_beep(path: Path, tone: float, seconds: float = 0.5) -> Path:
    """Write a WAV file of a tone in Hz; return ``path``."""
    turns = np.arange(round(RATE * seconds)) * 2 * np.pi * tone / RATE
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.sin(turns) * 9000).astype("<i2").tobytes())
    return path


class HeadsetListener:
    """Listens until it is closed (a context manager)."""

    def __init__(self, microphones: VirtualMicrophones) -> None:
        self._received = bytearray()
        self._process = microphones.record_headset()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(4096):  # type: ignore[attr-defined]
            self._received += data

    def hears(self, tone: float) -> bool:
        """Return whether the tone was heard for a tenth of a second and more."""
        whole = len(self._received) // 2 * 2
        samples = np.frombuffer(bytes(self._received[:whole]), "<i2").astype(float)
        windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
        place = np.exp(-2j * np.pi * tone * np.arange(WINDOW) / RATE) / WINDOW
        return int((np.abs(windows @ place) > 1000).sum()) >= 2

    def close(self) -> None:
        """Stop hearing."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
