"""The last seconds of sound before a hearing, in locked memory alone, until a tap keeps them.

Each microphone has a ring in memory that is never swapped, dumped or inherited
(:mod:`kiosk.recording.encryption.locked_memory`). What is older than the seconds that are kept is
overwritten there, and all of it at :meth:`KeptSound.wipe`. Only a part that attaches gets it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.listener import SourceListener
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.recording.encryption.locked_memory import LockedBuffer, disable_core_dumps

SLACK_S = 2
"""More room than the kept seconds: the end of a ring is left empty where a block does not fit."""
NO_SAMPLES: NDArray[np.int16] = np.zeros(0, np.int16)


class _Ring:
    """The newest blocks of one microphone.

    Args:
        memory: locked; all of it is the ring's.
    """

    def __init__(self, memory: NDArray[np.int16], rate: int, seconds: int) -> None:
        self._memory, self._rate, self._kept_ns = memory, rate, seconds * NS_PER_S
        self._next = 0  # counted on; the place is the rest of the division by the ring's length
        self._rows: deque[tuple[int, int, AudioBlock]] = deque()  # place, count, without samples

    def add(self, block: AudioBlock) -> None:
        """Copy a block into the ring; overwrite what is too old."""
        count, size = len(block.samples), len(self._memory)
        if not 0 < count <= size:
            return
        if self._next % size + count > size:
            self._next += size - self._next % size
        end_ns = self._end_ns(block, count)
        while self._rows and (
            self._rows[0][0] < self._next + count - size
            or self._end_ns(self._rows[0][2], self._rows[0][1]) <= end_ns - self._kept_ns
        ):
            self._forget_oldest()
        place = self._next % size
        self._memory[place : place + count] = block.samples
        self._rows.append((self._next, count, replace(block, samples=NO_SAMPLES)))
        self._next += count

    def _end_ns(self, block: AudioBlock, count: int) -> int:
        return block.start_ns + count * NS_PER_S // self._rate

    def _forget_oldest(self) -> None:
        number, count, _ = self._rows.popleft()
        place = number % len(self._memory)
        self._memory[place : place + count] = 0

    def blocks(self) -> Iterator[AudioBlock]:
        """Yield copies of the blocks, oldest first."""
        for number, count, row in self._rows:
            place = number % len(self._memory)
            yield replace(row, samples=self._memory[place : place + count].copy())

    def span_ns(self) -> tuple[int, int] | None:
        """Return begin and end of what is kept (recording clock), None: nothing is."""
        if not self._rows:
            return None
        _, count, newest = self._rows[-1]
        return self._rows[0][2].start_ns, self._end_ns(newest, count)

    def wipe(self) -> None:
        """Overwrite everything."""
        self._rows.clear()
        self._memory[:] = 0
        self._next = 0


class KeptSound:
    """The last ``seconds`` of sound of ``microphones``; to a part it is its sources.

    Args:
        preview: file in shared memory for the live picture.

    Raises:
        LockedMemoryError: memory cannot be locked.
    """

    camera: CameraSource | None = None

    def __init__(
        self, microphones: tuple[MicrophoneSource, ...], seconds: int, preview: Path
    ) -> None:
        disable_core_dumps()
        self.microphones, self.preview = microphones, preview
        self._seconds = seconds
        sizes = [microphone.rate * (seconds + SLACK_S) for microphone in microphones]
        self._buffer = LockedBuffer(max(1, sum(sizes)) * NO_SAMPLES.itemsize)
        memory, place = self._buffer.as_samples(), 0
        self._rings: dict[str, _Ring] = {}
        for microphone, size in zip(microphones, sizes, strict=True):
            ring = _Ring(memory[place : place + size], microphone.rate, seconds)
            self._rings[microphone.name], place = ring, place + size
        self._lock = threading.Lock()
        self._listener: SourceListener | None = None
        self._is_listening = False

    # -- while a hearing is due ----------------------------------------------------------------
    def listen(self) -> None:
        """Keep what the microphones give from now on."""
        self._is_listening = True
        for microphone in self.microphones:
            microphone.keep_to = partial(self._take, microphone.name)

    def wipe(self) -> None:
        """Listen no longer, and overwrite what is kept; a part that has attached keeps its own."""
        self._is_listening = False
        for microphone in self.microphones:
            microphone.keep_to = None
        with self._lock:
            self._listener = None
            for ring in self._rings.values():
                ring.wipe()

    @property
    def is_listening(self) -> bool:
        """Whether sound is being kept."""
        return self._is_listening

    @property
    def is_attached(self) -> bool:
        """Whether a part is still taking what was kept."""
        return self._listener is not None

    def begin_ns(self, until_ns: int) -> int | None:
        """Return where a part that ends at ``until_ns`` begins; None: nothing before it is kept."""
        with self._lock:
            spans = [span for ring in self._rings.values() if (span := ring.span_ns())]
        begin_ns = min((begin for begin, _ in spans), default=until_ns)
        begin_ns = max(begin_ns, until_ns - self._seconds * NS_PER_S)
        return begin_ns if begin_ns < until_ns else None

    def seconds_until(self, now_ns: int) -> float:
        """Return how many seconds before ``now_ns`` are kept."""
        begin_ns = self.begin_ns(now_ns)
        return 0.0 if begin_ns is None else (now_ns - begin_ns) / NS_PER_S

    def _take(self, name: str, block: AudioBlock) -> None:
        """Keep a block of microphone ``name``, in its device's thread, or pass it to the part."""
        with self._lock:
            if self._listener is not None:
                self._listener.audio(name, block)
            elif self._is_listening:
                self._rings[name].add(block)

    # -- as the sources of a part --------------------------------------------------------------
    def attach(self, listener: SourceListener, since_ns: int) -> None:  # noqa: ARG002 (all is since)
        """Hand everything kept to ``listener`` and overwrite it here; what comes follows."""
        with self._lock:
            for name, ring in self._rings.items():
                for block in ring.blocks():
                    listener.audio(name, block)
                ring.wipe()
            self._listener, self._is_listening = listener, False

    def detach(self, listener: SourceListener) -> None:
        """Hand nothing more to ``listener``, and listen no longer."""
        if self._listener is listener:
            self.wipe()

    def stop_encoder(self) -> None:
        """Do nothing: there is no camera."""
