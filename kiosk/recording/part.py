"""One part of a hearing, from the warm sources to durable fragments on the disk.

Usage (all methods may be called from any thread; the callbacks come from the writer's thread)::

    with SourceSet(settings, layout.preview) as sources:      # opened once, at recorder start
        part = PartRecorder(folder, settings, sources,
                            on_fragment=..., on_fault=..., on_file_closed=...)
        part.start(recording_ns())       # returns at once
        ...                              # part.first_durable_ms, part.seconds, part.video_frames
        summary = part.stop()            # capture ends at once; blocks (under 1 s) for the rest
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kiosk.config import Settings
from kiosk.hardware.source import SourceSet
from kiosk.recording.fragments import FileRecord, FragmentRecord, PartSummary, SourceFault


class PartRecorder:
    """Records one part.

    Args:
        folder: the part's folder (``hearings/<uuid>/part-01``); ``main/`` and ``channels/`` are
            made in it. It exists already.
        settings: all of them (camera, microphones, recording).
        sources: the warm sources.
        on_fragment: called after each fragment has been fsynced.
        on_fault: called when an interruption begins and again when it is over (same number).
        on_file_closed: called for each file that will not change any more.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sources: SourceSet,
        on_fragment: Callable[[FragmentRecord], None],
        on_fault: Callable[[SourceFault], None],
        on_file_closed: Callable[[FileRecord], None],
    ) -> None:
        raise NotImplementedError

    def start(self, tap_ns: int) -> None:
        """Begin with everything captured from ``tap_ns`` (recording clock) on; return at once."""
        raise NotImplementedError

    def stop(self) -> PartSummary:
        """End the capture now, write what was captured until now, and return the counts."""
        raise NotImplementedError

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source, or None."""
        raise NotImplementedError

    @property
    def seconds(self) -> float:
        """Seconds since the tap (until the stop)."""
        raise NotImplementedError

    @property
    def video_frames(self) -> int:
        """Pictures written so far."""
        raise NotImplementedError
