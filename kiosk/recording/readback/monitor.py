"""Checks that the recording works: reads the latest media back from the disk and decodes them.

It checks the bytes on the disk. Their hash must be the one reported, a picture must decode from
``main`` and samples of every source from ``channels``, and both must match what was captured. The
check fails if a source that was heard is silent on the disk, if channels are swapped, or if the
picture of a bright room is black.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.api.states import ProofState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import CAMERA, FragmentRecord
from kiosk.recording.readback.capture_reference import SAMPLE_EVERY_S, CaptureReference
from kiosk.recording.readback.comparison import compare_channels, compare_main
from kiosk.recording.readback.decoded_media import DecodedMedia, decode
from kiosk.recording.readback.fragment_reader import ReadbackError, read_fragments

log = logging.getLogger(__name__)
CHECK_EVERY_S = 4.0
CHANNELS_SPAN_NS = NS_PER_S
CHANNELS_GONE_NS = 5 * NS_PER_S
"""No track of a microphone for so long, while ``main`` goes on: none gives anything."""
STOP_WAIT_S = 0.2
STALE_S = 6.0
"""Nothing newer on the disk for this long means that the recording has stopped."""


@dataclass(frozen=True)
class ReadbackState:
    """Result of the last read-back check.

    Attributes:
        state: ``none``: nothing checked yet.
        verified_until_ns: end of the media last found good (recording clock).
        detail: why it is bad.
        source: the source that is bad.
        missing: sources of which the latest fragments have nothing.
    """

    state: ProofState = ProofState.NONE
    verified_until_ns: int | None = None
    detail: str = ""
    source: str = ""
    missing: tuple[str, ...] = ()

    def age_seconds(self) -> float | None:
        """Return the age of the latest verified media in seconds; None if there are none."""
        if self.verified_until_ns is None:
            return None
        return round(max(0, recording_ns() - self.verified_until_ns) / NS_PER_S, 1)


class RecentFragments:
    """The latest fragments of both tracks of the running part, as far as a check needs them.

    Args:
        span_ns: how much of ``main`` is kept: more than the time between two key pictures.
            Of ``channels`` it is :data:`CHANNELS_SPAN_NS`.
        expected: every source that should be in them: ``camera`` and microphones.
    """

    def __init__(self, span_ns: int, expected: Sequence[str] = ()) -> None:
        self._expected = expected
        self._span_ns = span_ns
        self._lock = threading.Lock()
        self._records: dict[str, deque[FragmentRecord]] = {"main": deque(), "channels": deque()}

    def add(self, record: FragmentRecord) -> None:
        """Add a durable fragment."""
        span_ns = self._span_ns if record.track == "main" else CHANNELS_SPAN_NS
        with self._lock:
            kept = self._records[record.track]
            if kept and Path(kept[-1].file).parent != Path(record.file).parent:
                kept.clear()  # a new run has another init file
            kept.append(record)
            channels = self._records["channels"]
            until_ns = max((one.end_ns for one in channels), default=record.end_ns)
            if until_ns < record.end_ns - CHANNELS_GONE_NS:
                channels.clear()
            while len(kept) > 1 and kept[1].start_ns < record.end_ns - span_ns:
                kept.popleft()

    def of_track(self, track: str) -> list[FragmentRecord]:
        """Return the kept fragments of ``track``, oldest first."""
        with self._lock:
            return list(self._records[track])

    def missing(self) -> tuple[str, ...]:
        """Return the expected sources of which nothing is in the kept fragments.

        A microphone must be in its own track: that it was in the mix says nothing of that.
        """
        with self._lock:
            found = {name for kept in self._records["channels"] for name in kept.sources}
            if any(CAMERA in kept.sources for kept in self._records["main"]):
                found.add(CAMERA)
        return tuple(name for name in self._expected if name not in found)


def verify_recent(
    part: Path,
    recent: RecentFragments,
    codec: FragmentCodec = PLAIN_CODEC,
    reference: CaptureReference | None = None,
) -> int:
    """Read back and decode the latest media of both tracks; return until when they are verified.

    Args:
        reference: what was captured; without it nothing is compared.

    Raises:
        ReadbackError: media are missing, cannot be decoded, or differ from what was reported or
            captured; or a source is missing.
    """
    ends = []
    for track in ("main", "channels"):
        records = recent.of_track(track)
        if not records:
            continue
        decoded = decode(read_fragments(part, records, codec))
        _require_all_streams(track, decoded, records)
        if reference is not None and decoded.first_ns is not None:
            tap_ns = records[0].start_ns - decoded.first_ns
            sources = {name for record in records for name in record.sources}
            if track == "main":
                compare_main(decoded, tap_ns, sources, reference)
            else:
                compare_channels(decoded, tap_ns, reference)
        ends.append(max(record.end_ns for record in records))
    if not ends:
        raise ReadbackError("no media on the disk")
    return min(ends)


def _require_all_streams(track: str, decoded: DecodedMedia, records: list[FragmentRecord]) -> None:
    """Check that every stream that should have media decodes to something.

    Raises:
        ReadbackError: a stream is empty.
    """
    if track == "main":
        if not decoded.pictures and not any(
            track_found.sample_count for track_found in decoded.tracks
        ):
            raise ReadbackError(f"{track}: nothing in {', '.join(decoded.empty_streams()) or 'it'}")
        return
    full = {track_found.name for track_found in decoded.tracks if track_found.sample_count}
    for name in records[-1].sources:
        if name not in full:
            raise ReadbackError(f"{track}: nothing in {name}", name)


class ReadbackMonitor:
    """Checks the running part every few seconds, in a thread.

    Args:
        part: the part's folder.
        recent: filled by the receiver of durable fragments.
        on_change: called after each check, from the thread.
        every_s: seconds between two checks.
        codec: decodes fragments; discards the keys of those that have been verified.
        reference: what was captured; closed at the end.
        locate: returns where the latest bytes of the part are to be read.
    """

    def __init__(
        self,
        part: Path,
        recent: RecentFragments,
        every_s: float = CHECK_EVERY_S,
        on_change: Callable[[ReadbackState], None] = lambda _: None,
        codec: FragmentCodec = PLAIN_CODEC,
        reference: CaptureReference | None = None,
        locate: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        self._codec = codec
        self._reference = reference
        self._locate = locate
        self._was_doubtful = False
        self._part = part
        self._recent = recent
        self._every_s = every_s
        self._on_change = on_change
        self._state = ReadbackState()
        self._verified: list[FragmentRecord] = []
        self._started_ns = recording_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proof", daemon=True)

    @property
    def state(self) -> ReadbackState:
        """Result of the last check; ``bad`` if it is too old."""
        now = recording_ns()
        state = self._state
        since = max(self._started_ns, state.verified_until_ns or 0)
        limit_s = STALE_S + self._every_s
        if state.state != ProofState.BAD and now - since > limit_s * NS_PER_S:
            return ReadbackState(
                ProofState.BAD, state.verified_until_ns, "nothing new on the disk", "storage"
            )
        return state

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread after the check in progress; a disk that hangs holds up only that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_WAIT_S)
        elif self._reference is not None:
            self._reference.close()

    def _run(self) -> None:
        try:
            self._check_periodically()
        finally:
            if self._reference is not None:
                self._reference.close()

    def _check_periodically(self) -> None:
        due = time.monotonic()
        while True:
            due += min(1.5, self._every_s) if self._is_first() else self._every_s
            while (left := due - time.monotonic()) > 0:
                if self._reference is not None:
                    self._reference.sample()
                if self._stop.wait(min(left, SAMPLE_EVERY_S)):
                    return
            if self._stop.is_set():
                return
            if (
                self._is_first()
                and not self._recent.of_track("main")
                and not self._recent.of_track("channels")
            ):
                continue
            self._check_once()
            due = max(due, time.monotonic() - self._every_s)

    def _is_first(self) -> bool:
        """Return whether nothing has been verified yet; the first check comes soon."""
        return self._state.state == ProofState.NONE

    def _discard_old_keys(self) -> None:
        """Discard the keys of verified fragments that no later check will read."""
        newest = [*self._recent.of_track("main"), *self._recent.of_track("channels")]
        self._codec.discard_keys([record for record in self._verified if record not in newest])
        self._verified = newest

    def _check_once(self) -> None:
        before = self._state
        try:
            located = self._locate(self._part)
            verified_until_ns = verify_recent(located, self._recent, self._codec, self._reference)
        except ReadbackError as error:
            if not error.is_doubtful or self._was_doubtful:
                self._state = ReadbackState(
                    ProofState.BAD, before.verified_until_ns, str(error), error.source
                )
            self._was_doubtful = error.is_doubtful
        except Exception as error:  # any error here means that nothing is verified
            log.exception("the read-back check failed")
            self._state = ReadbackState(
                ProofState.BAD, before.verified_until_ns, repr(error), "storage"
            )
        else:
            self._was_doubtful = False
            self._discard_old_keys()
            if before.verified_until_ns != verified_until_ns:
                missing = self._recent.missing()
                self._state = ReadbackState(ProofState.GOOD, verified_until_ns, missing=missing)
        self._on_change(self._state)
