"""Reference for the read-back check: levels and pictures taken before anything is written.

Sound levels are measured where the sound leaves the device
(:class:`kiosk.hardware.audio.level_meter.LevelMeter`). Pictures come from the live picture, which
the camera makes separately from its encoder.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Protocol

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.camera.preview import PreviewReader
from kiosk.hardware.sources.captured_sources import CapturedSources
from kiosk.recording.readback.decoded_media import Grid, brightness_grid

SAMPLE_EVERY_S = 0.9
"""Interval of samples of the live picture; not a divisor of a second, because scenes may pulse."""
HISTORY_NS = 20 * NS_PER_S


class CaptureReference(Protocol):
    """Levels and pictures captured in the last seconds."""

    def sample(self) -> None:
        """Sample the live picture; called every :data:`SAMPLE_EVERY_S` seconds."""

    def audio_levels(self, source: str) -> list[tuple[int, int, float]]:
        """Return the levels of microphone ``source``, oldest first.

        Each is start and end (recording clock) of a block and the power of its sound (full
        scale: 1.0), without the mean.
        """

    def pictures(self) -> list[tuple[int, Grid]]:
        """Return recording time and brightness of the live pictures, oldest first."""

    def close(self) -> None:
        """Release everything."""


class LiveReference:
    """Takes levels and pictures from the sources of this courtroom."""

    def __init__(self, sources: CapturedSources, preview: Path) -> None:
        self._meters = {microphone.name: microphone.meter for microphone in sources.microphones}
        self._preview = PreviewReader(preview)
        self._lock = threading.Lock()
        self._pictures: deque[tuple[int, Grid]] = deque()

    def sample(self) -> None:
        """See :class:`CaptureReference`."""
        frame = self._preview.read()
        if frame is None or (self._pictures and self._pictures[-1][0] == frame.captured_ns):
            return
        rgb = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3)
        with self._lock:
            self._pictures.append((frame.captured_ns, brightness_grid(rgb)))
            while frame.captured_ns - self._pictures[0][0] > HISTORY_NS:
                self._pictures.popleft()

    def audio_levels(self, source: str) -> list[tuple[int, int, float]]:
        """See :class:`CaptureReference`."""
        meter = self._meters.get(source)
        return [] if meter is None else meter.energy_history()

    def pictures(self) -> list[tuple[int, Grid]]:
        """See :class:`CaptureReference`."""
        with self._lock:
            return list(self._pictures)

    def close(self) -> None:
        """See :class:`CaptureReference`."""
        self._preview.close()
