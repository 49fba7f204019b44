"""Proof that the record is being made: the newest media are read back from the disk and decoded.

Not what was meant to be written is looked at, but what lies on the disk: its hash must be the one
reported, a picture must come out of ``main`` and samples of every source out of ``channels``.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.envelope import PLAIN, Envelope
from kiosk.recording.fragments import FragmentRecord

log = logging.getLogger(__name__)
EVERY_S = 4.0
STALE_S = 6.0
"""Nothing newer on the disk for so long: the recording has stopped, whoever says otherwise."""


class ProofError(Exception):
    """What lies on the disk is not what was recorded; the message says what."""


@dataclass(frozen=True)
class ProofState:
    """``none`` (nothing to prove yet), ``good`` or ``bad``; ``proven_ns`` is the end of the media
    last proven good (recording clock), ``detail`` why it is bad."""

    state: Literal["none", "good", "bad"] = "none"
    proven_ns: int | None = None
    detail: str = ""

    def age_seconds(self) -> float | None:
        """Return how old the newest proven media are, or None where nothing is proven."""
        if self.proven_ns is None:
            return None
        return round(max(0, recording_ns() - self.proven_ns) / NS_PER_S, 1)


class RecentFragments:
    """The newest fragments of both tracks of the running part, as far as a proof needs them.

    Args:
        span_ns: how much of ``main`` is kept: more than the time between two key pictures.
    """

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._lock = threading.Lock()
        self._kept: dict[str, deque[FragmentRecord]] = {"main": deque(), "channels": deque()}

    def add(self, record: FragmentRecord) -> None:
        """Take one durable fragment."""
        span_ns = self._span_ns if record.track == "main" else 0
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


def read_back(part: Path, records: list[FragmentRecord], envelope: Envelope = PLAIN) -> bytes:
    """Return the fragments' plain bytes from the disk, after their run's init file.

    Args:
        envelope: opens what lies on the disk, as long as it can.

    Raises:
        ProofError: they are not there or not what was reported.
    """
    try:
        init = (part / records[0].file).with_name(envelope.init)
        data = envelope.open_init(init.name, init.read_bytes())
        for record in records:
            with (part / record.file).open("rb", buffering=0) as file:
                os.posix_fadvise(
                    file.fileno(), record.offset, record.length, os.POSIX_FADV_DONTNEED
                )
                found = os.pread(file.fileno(), record.length, record.offset)
            if hashlib.sha256(found).hexdigest() != record.sha256:
                raise ProofError(f"{record.file}: other bytes at {record.offset} than reported")
            data += envelope.open(record, found)
    except ValueError as error:
        raise ProofError(f"{records[0].file}: cannot be opened: {error}") from error
    except OSError as error:
        raise ProofError(f"{records[0].file}: {error.strerror}") from error
    return data


def decode(data: bytes) -> dict[str, int]:
    """Decode an init file and fragments; return pictures and samples by kind of stream.

    Only key pictures are decoded: one proves its fragment, and it costs little.

    Raises:
        ProofError: the bytes cannot be decoded.
    """
    found: dict[str, int] = {}
    try:
        with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
            for video in container.streams.video:
                video.codec_context.skip_frame = "NONKEY"
            for stream in (*container.streams.video, *container.streams.audio):
                found[f"{stream.type}-{stream.index}"] = 0
            for packet in container.demux():
                if packet.size == 0:
                    continue
                name = f"{packet.stream.type}-{packet.stream.index}"
                for frame in packet.decode():
                    if isinstance(frame, VideoFrame):
                        found[name] += 1
                    elif isinstance(frame, AudioFrame):
                        found[name] += frame.samples
    except (FFmpegError, AttributeError) as error:  # PyAV: a codec it does not know is None
        raise ProofError(f"not decodable: {error}") from error
    return found


def prove(part: Path, recent: RecentFragments, envelope: Envelope = PLAIN) -> int:
    """Read back and decode the newest media of both tracks; return the end of what is proven.

    Raises:
        ProofError: it is not there, not what was reported, not decodable, or a source lacks.
    """
    ends = []
    for track in ("main", "channels"):
        records = recent.of(track)
        if not records:
            continue
        found = decode(read_back(part, records, envelope))
        empty = [name for name, number in found.items() if number == 0]
        wanted = len(records[-1].sources) if track == "channels" else 1
        if sum(number > 0 for number in found.values()) < wanted:
            raise ProofError(f"{track}: nothing in {', '.join(empty) or 'it'}")
        ends.append(records[-1].end_ns)
    if not ends:
        raise ProofError("no media on the disk")
    return min(ends)


class Prover:
    """Proves the running part every few seconds, in a thread.

    Args:
        part: the part's folder.
        recent: filled by whoever hears of durable fragments.
        on_change: called after each proof, from the thread.
        envelope: opens what lies on the disk; told to forget what has been proven.
    """

    def __init__(
        self,
        part: Path,
        recent: RecentFragments,
        every_s: float = EVERY_S,
        on_change: Callable[[ProofState], None] = lambda _: None,
        envelope: Envelope = PLAIN,
    ) -> None:
        self._envelope = envelope
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
            return ProofState("bad", state.proven_ns, "nothing new on the disk")
        return state

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a proof that is being made is waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(min(1.5, self._every_s) if self._waiting() else self._every_s):
            if self._waiting() and not self._recent.of("main") and not self._recent.of("channels"):
                continue
            self._once()

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
            proven_ns = prove(self._part, self._recent, self._envelope)
        except ProofError as error:
            self._state = ProofState("bad", before.proven_ns, str(error))
        except Exception as error:  # whatever goes wrong here, nothing is proven
            log.exception("the proof failed")
            self._state = ProofState("bad", before.proven_ns, repr(error))
        else:
            self._forget_older()
            if before.proven_ns != proven_ns:
                self._state = ProofState("good", proven_ns)
        self._on_change(self._state)
