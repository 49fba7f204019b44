"""Merges two copies of a journal: the longest chain that the lines of both make."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from cryptography import x509

from kiosk.evidence.chain import EMPTY_CHAIN, ChainHead, ChainReader, Entry
from kiosk.evidence.signer import is_head_signed_by
from kiosk.storage.atomic_io import write_chunks
from kiosk.storage.hearing_folder import PART_FOLDER_PATTERN
from kiosk.storage.volume import CHUNK_BYTES, StorageVolume

log = logging.getLogger(__name__)
Position = tuple[ChainHead, int]
"""End of a chain, and of its bytes."""
Span = tuple[StorageVolume, int, int]
"""Bytes of a journal that are taken from one copy: ``(volume, begin, end)``."""


def merge_journal(
    primary: StorageVolume,
    mirror: StorageVolume,
    name: str,
    certificate: x509.Certificate | None,
) -> bool:
    """Make a journal of ``primary`` the longest chain; return whether the mirror has given lines.

    A line that is damaged breaks the chain of its copy behind it: there it goes on with the lines
    of the other one. Where both go on, the one that is signed further is taken. Whole lines of
    either copy that are not in the chain are set aside on ``primary`` before it is written.

    Args:
        name: the journal, relative to a storage.
        certificate: whose signatures the heads bear; None: nothing counts as signed.
    """
    if _agreed_length(mirror, name, [(primary, 0, primary.size(name))]) == mirror.size(name):
        return False  # the usual case, without reading a line
    spans = _find_longest_chain((primary, mirror), name, certificate)
    agreed = {volume: _agreed_length(volume, name, spans) for volume in (primary, mirror)}
    is_taken = any(volume is mirror and end > agreed[primary] for volume, _, end in spans)
    for volume in (primary, mirror) if is_taken else (mirror,):
        begin, end = agreed[volume], volume.size(name)
        if has_line(volume, name, begin, end):
            log.error("%s: lines of one copy are set aside", name)
            primary.keep_range(name, begin, end, volume)
    if not is_taken:
        return False
    if agreed[primary] == primary.size(name):
        for at, data in _read_spans(name, spans, agreed[primary]):
            primary.append(name, at, data)
    else:
        write_chunks(primary.root / name, (data for _, data in _read_spans(name, spans)))
    return True


def _find_longest_chain(
    copies: Sequence[StorageVolume], name: str, certificate: x509.Certificate | None
) -> list[Span]:
    """Return the spans whose lines make the longest chain; of two that are as good, the first."""
    spans: list[Span] = []
    start = EMPTY_CHAIN.head, 0
    while True:
        begin = start[1]
        present = [volume for volume in copies if volume.size(name) > begin]
        found = {volume: _read_on(volume, name, start, certificate) for volume in present}
        ends = {volume: (signed[1], end[1]) for volume, (signed, end) in found.items()}
        best = max(present, key=lambda volume: ends[volume], default=None)
        if best is None or ends[best][1] == begin:
            return spans
        start = found[best][0 if ends[best][0] > begin else 1]
        spans.append((best, begin, start[1]))


def _read_on(
    volume: StorageVolume, name: str, start: Position, certificate: x509.Certificate | None
) -> tuple[Position, Position]:
    """Read the chain on in one copy; return up to where it is signed, and its end.

    A signature covers the lines before it. Length -1: nothing is signed.
    """
    reader = ChainReader(volume.root / name, start=start)
    signed, before, last = (start[0], -1), start, Entry()
    entries = iter(reader)
    while True:
        with volume.reading():
            entry = next(entries, None)
        if entry is None:
            break
        if entry["kind"] == "head":
            last, signed = entry, before
        before = reader.head, reader.length
    if not last or certificate is None or not _is_signed(name, last, certificate):
        signed = start[0], -1
    return signed, before


def _is_signed(name: str, entry: Entry, certificate: x509.Certificate) -> bool:
    """Return whether a ``head`` entry is what this device has signed of the lines before it."""
    _, hearing, *folder = name.split("/")[:-1]
    match = PART_FOLDER_PATTERN.fullmatch(folder[0]) if folder else None
    head = ChainHead(int(entry["n"]) - 1, str(entry["prev"]))
    signature = str(entry.get("signature"))
    return is_head_signed_by(certificate, hearing, int(match[1]) if match else 0, head, signature)


def _read_spans(name: str, spans: Sequence[Span], start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield ``(offset, bytes)`` of the chain from byte ``start`` on."""
    for volume, begin, end in spans:
        for at in range(max(begin, start), end, CHUNK_BYTES):
            yield at, volume.read(name, at, min(CHUNK_BYTES, end - at))


def _agreed_length(volume: StorageVolume, name: str, spans: Sequence[Span]) -> int:
    """Return how many bytes at the start of a copy are those of the chain."""
    length = 0
    for at, data in _read_spans(name, spans):
        ours = volume.read(name, at, len(data)) if volume.exists(name) else b""
        if ours != data:
            pairs = zip(ours, data, strict=False)
            return at + next((i for i, (a, b) in enumerate(pairs) if a != b), len(ours))
        length = at + len(data)
    return length


def has_line(volume: StorageVolume, name: str, begin: int, end: int) -> bool:
    """Return whether a range of a journal holds the end of a line: what is torn was not durable."""
    starts = range(begin, end, CHUNK_BYTES)
    return any(b"\n" in volume.read(name, at, min(CHUNK_BYTES, end - at)) for at in starts)
