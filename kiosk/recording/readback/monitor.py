"""Proof that the record is being made: the newest media are read back from the disk and decoded.

Not what was meant to be written is looked at, but what lies on the disk: its hash must be the one
reported, a picture must come out of ``main`` and samples of every source out of ``channels``, and
both must be what was captured: a source that spoke and is silent on the disk, swapped channels, a
black picture of a bright room are no proof.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.recording.formats.records import FragmentRecord
from kiosk.recording.readback.capture_reference import LOOK_S, Witness
from kiosk.recording.readback.comparison import compare_channels, compare_main
from kiosk.recording.readback.decoded_media import Decoded, decode
from kiosk.recording.readback.read_back import ProofError, read_back

log = logging.getLogger(__name__)
EVERY_S = 4.0
CHANNELS_NS = NS_PER_S
STALE_S = 6.0
"""Nothing newer on the disk for so long: the recording has stopped, whoever says otherwise."""


@dataclass(frozen=True)
class ProofState:
    """``none`` (nothing to prove yet), ``good`` or ``bad``; ``proven_ns`` is the end of the media
    last proven good (recording clock), ``detail`` why it is bad and ``source`` which one."""

    state: Literal["none", "good", "bad"] = "none"
    proven_ns: int | None = None
    detail: str = ""
    source: str = ""

    def age_seconds(self) -> float | None:
        """Return how old the newest proven media are, or None where nothing is proven."""
        if self.proven_ns is None:
            return None
        return round(max(0, recording_ns() - self.proven_ns) / NS_PER_S, 1)


class RecentFragments:
    """The newest fragments of both tracks of the running part, as far as a proof needs them.

    Args:
        span_ns: how much of ``main`` is kept: more than the time between two key pictures.
            Of ``channels`` it is :data:`CHANNELS_NS`.
    """

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._lock = threading.Lock()
        self._kept: dict[str, deque[FragmentRecord]] = {"main": deque(), "channels": deque()}

    def add(self, record: FragmentRecord) -> None:
        """Take one durable fragment."""
        span_ns = self._span_ns if record.track == "main" else CHANNELS_NS
        with self._lock:
            kept = self._kept[record.track]
            if kept and Path(kept[-1].file).parent != Path(record.file).parent:
                kept.clear()  # a new run has another init file
            kept.append(record)
            while len(kept) > 1 and kept[1].start_ns < record.end_ns - span_ns:
                kept.popleft()

    def of(self, track: str) -> list[FragmentRecord]:
        """Return the kept fragments of ``track``, oldest first."""
        with self._lock:
            return list(self._kept[track])


def prove(
    part: Path,
    recent: RecentFragments,
    envelope: Envelope = PLAIN,
    witness: Witness | None = None,
) -> int:
    """Read back and decode the newest media of both tracks; return the end of what is proven.

    Args:
        witness: knows what was captured; without it nothing is compared.

    Raises:
        ProofError: it is not there, not what was reported, not decodable, not what was captured,
            or a source lacks.
    """
    ends = []
    for track in ("main", "channels"):
        records = recent.of(track)
        if not records:
            continue
        decoded = decode(read_back(part, records, envelope))
        _complete(track, decoded, records)
        if witness is not None and decoded.first_ns is not None:
            tap_ns = records[0].start_ns - decoded.first_ns
            sources = {name for record in records for name in record.sources}
            if track == "main":
                compare_main(decoded, tap_ns, sources, witness)
            else:
                compare_channels(decoded, tap_ns, witness)
        ends.append(records[-1].end_ns)
    if not ends:
        raise ProofError("no media on the disk")
    return min(ends)


def _complete(track: str, decoded: Decoded, records: list[FragmentRecord]) -> None:
    """Check that something came out of every stream that has something.

    Raises:
        ProofError: nothing did.
    """
    if track == "main":
        if not decoded.pictures and not any(one.count for one in decoded.tracks):
            raise ProofError(f"{track}: nothing in {', '.join(decoded.empty()) or 'it'}")
        return
    full = {one.name for one in decoded.tracks if one.count}
    for name in records[-1].sources:
        if name not in full:
            raise ProofError(f"{track}: nothing in {name}", name)


class Prover:
    """Proves the running part every few seconds, in a thread.

    Args:
        part: the part's folder.
        recent: filled by whoever hears of durable fragments.
        on_change: called after each proof, from the thread.
        envelope: opens what lies on the disk; told to forget what has been proven.
        witness: knows what was captured; it is closed at the end.
        locate: says on which storage the newest bytes of the part are to be read.
    """

    def __init__(
        self,
        part: Path,
        recent: RecentFragments,
        every_s: float = EVERY_S,
        on_change: Callable[[ProofState], None] = lambda _: None,
        envelope: Envelope = PLAIN,
        witness: Witness | None = None,
        locate: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        self._envelope = envelope
        self._witness = witness
        self._locate = locate
        self._doubted = False
        self._part = part
        self._recent = recent
        self._every_s = every_s
        self._on_change = on_change
        self._state = ProofState()
        self._proven: list[FragmentRecord] = []
        self._begun_ns = recording_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proof", daemon=True)

    @property
    def state(self) -> ProofState:
        """The last proof; bad when it has become too old."""
        now = recording_ns()
        state = self._state
        since = max(self._begun_ns, state.proven_ns or 0)
        limit_s = STALE_S + self._every_s
        if state.state != "bad" and now - since > limit_s * NS_PER_S:
            return ProofState("bad", state.proven_ns, "nothing new on the disk", "storage")
        return state

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a proof that is being made is waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        if self._witness is not None:
            self._witness.close()

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            due += min(1.5, self._every_s) if self._waiting() else self._every_s
            while (left := due - time.monotonic()) > 0:
                if self._witness is not None:
                    self._witness.look()
                if self._stop.wait(min(left, LOOK_S)):
                    return
            if self._stop.is_set():
                return
            if self._waiting() and not self._recent.of("main") and not self._recent.of("channels"):
                continue
            self._once()
            due = max(due, time.monotonic() - self._every_s)

    def _waiting(self) -> bool:
        """Say whether nothing has been proven yet: the first proof comes soon."""
        return self._state.state == "none"

    def _forget_older(self) -> None:
        """Have wiped what opens fragments that were proven and that no later proof will read."""
        newest = [*self._recent.of("main"), *self._recent.of("channels")]
        self._envelope.forget([record for record in self._proven if record not in newest])
        self._proven = newest

    def _once(self) -> None:
        before = self._state
        try:
            place = self._locate(self._part)
            proven_ns = prove(place, self._recent, self._envelope, self._witness)
        except ProofError as error:
            if not error.doubtful or self._doubted:
                self._state = ProofState("bad", before.proven_ns, str(error), error.source)
            self._doubted = error.doubtful
        except Exception as error:  # whatever goes wrong here, nothing is proven
            log.exception("the proof failed")
            self._state = ProofState("bad", before.proven_ns, repr(error), "storage")
        else:
            self._doubted = False
            self._forget_older()
            if before.proven_ns != proven_ns:
                self._state = ProofState("good", proven_ns)
        self._on_change(self._state)
