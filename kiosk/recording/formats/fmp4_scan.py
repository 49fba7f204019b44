"""Finds the complete fragments at the end of media files after a crash.

A media file is a sequence of fragments, each some boxes that end with ``mdat`` (ISO/IEC 14496-12).
The writer syncs each fragment before it reports it; what follows the last complete one is torn.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.clocks import NS_PER_S
from kiosk.recording.formats.age_tar import iter_members
from kiosk.recording.formats.records import FragmentRecord, Track
from kiosk.recording.formats.torn_end import has_hole
from kiosk.storage.hearing_folder import CLOSED_SUFFIX, INIT

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"}


@dataclass(frozen=True)
class Box:
    """One box: its path of types (``moof/traf/tfdt``) and its body."""

    path: str
    body: bytes


_MAX_BLOCK_SIZE = 14
"""From the name of a ``dfLa`` box to the largest block of its STREAMINFO (RFC 9639)."""


def _iter_boxes(data: bytes, path: str = "") -> Iterator[Box]:
    """Yield all boxes in ``data``, inner ones after their container."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if size < 8 or position + size > len(data):
            return
        name = f"{path}/{kind.decode('latin-1')}".lstrip("/")
        body = data[position + 8 : position + size]
        yield Box(name, body)
        if kind in _CONTAINERS:
            yield from _iter_boxes(body, name)
        position += size


@dataclass(frozen=True)
class TrackTable:
    """Timescale and name of each track number, from a run's init file.

    Attributes:
        frame_ns: length of a whole FLAC frame, of tracks that have them.
    """

    timescales: dict[int, int]
    names: dict[int, str]
    frame_ns: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, init: Path) -> TrackTable:
        """Read ``init``; one that is missing or damaged has no tracks."""
        timescales: dict[int, int] = {}
        names: dict[int, str] = {}
        frame_ns: dict[int, int] = {}
        number = 0
        for box in _iter_boxes(init.read_bytes()) if init.exists() else ():
            if box.path == "moov/trak/tkhd":
                number = struct.unpack_from(">I", box.body, 20 if box.body[0] else 12)[0]
            elif box.path == "moov/trak/mdia/mdhd":
                timescales[number] = struct.unpack_from(">I", box.body, 20 if box.body[0] else 12)[
                    0
                ]
            elif box.path == "moov/trak/mdia/hdlr":
                names[number] = box.body[24:].rstrip(b"\x00").decode("utf-8", "replace")
            elif box.path.endswith("/stsd") and (place := box.body.find(b"dfLa")) >= 0:
                samples = struct.unpack_from(">H", box.body, place + _MAX_BLOCK_SIZE)[0]
                frame_ns[number] = samples * NS_PER_S // timescales[number]
        return cls(timescales, names, frame_ns)


def fragment_ends(path: Path, start: int) -> list[tuple[int, int]]:
    """Return ``(offset, length)`` of each complete fragment in ``path`` from byte ``start`` on."""
    found: list[tuple[int, int]] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = position = start
        while position + 8 <= size:
            file.seek(position)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length < 8 or position + length > size or not kind.isalnum():
                break
            position += length
            if kind == b"mdat":
                found.append((begin, position - begin))
                begin = position
    return found


def begin_ns(path: Path, tracks: TrackTable) -> int | None:
    """Return the media time at which the first fragment of ``path`` begins; None: it has none."""
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", header)
            if length < 8:
                break
            body = file.read(length - 8)
            if kind == b"moof":
                return _media_span(header + body, tracks)[0] if len(body) == length - 8 else None
    return None


def complete_fragments(part: Path, name: str, start: int, tap_ns: int) -> list[FragmentRecord]:
    """Return the records of the complete fragments of file ``name`` from byte ``start`` on.

    They end before one that lacks bytes although its length is there.

    Args:
        part: the part's folder; ``name`` is relative to it.
        tap_ns: recording clock at which the part's media time is zero.

    Raises:
        OSError, LookupError, ArithmeticError, struct.error: it cannot be read, or is damaged.
    """
    if name.endswith(CLOSED_SUFFIX):
        return _complete_members(part, name, start)
    path = part / name
    tracks = TrackTable.read(path.parent / INIT)
    kind: Track = "main" if name.startswith("main/") else "channels"
    records = []
    for offset, length in fragment_ends(path, start):
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        if has_hole(data, offset):
            break
        begin, end, numbers = _media_span(data, tracks)
        if tap_ns + end >= 1 << 63:
            raise OverflowError("no time that a journal can hold")
        sources = tuple(sorted(filter(None, (tracks.names.get(number) for number in numbers))))
        digest = hashlib.sha256(data).hexdigest()
        records.append(
            FragmentRecord(
                name, offset, length, digest, tap_ns + begin, tap_ns + end, sources, kind
            )
        )
    return records


def _complete_members(part: Path, name: str, start: int) -> list[FragmentRecord]:
    """Return the records of the complete members of a tar, from the members' metadata."""
    kind: Track = "main" if name.startswith("main/") else "channels"
    records = []
    with (part / name).open("rb") as file:
        for member in iter_members(part / name, start, verify=True):
            file.seek(member.offset)
            digest = hashlib.sha256(file.read(member.length)).hexdigest()
            metadata = member.metadata
            records.append(
                FragmentRecord(
                    name,
                    member.offset,
                    member.length,
                    digest,
                    metadata.start_ns,
                    metadata.end_ns,
                    metadata.sources,
                    kind,
                    metadata.plain_length,
                    metadata.plain_sha256,
                )
            )
    return records


def _media_span(data: bytes, tracks: TrackTable) -> tuple[int, int, list[int]]:
    """Return first and last media time of a fragment in ns, and its track numbers."""
    times: list[tuple[int, int]] = []
    numbers: list[int] = []
    decode_time = scale = 0
    for box in _iter_boxes(data):
        if box.path == "moof/traf/tfhd":
            numbers.append(struct.unpack_from(">I", box.body, 4)[0])
            scale = tracks.timescales.get(numbers[-1], 0)
        elif box.path == "moof/traf/tfdt":
            decode_time = struct.unpack_from(">Q" if box.body[0] else ">I", box.body, 4)[0]
        elif box.path == "moof/traf/trun" and scale:
            end = decode_time + sum(_trun_durations(box.body))
            times.append((decode_time * NS_PER_S // scale, end * NS_PER_S // scale))
    if not times:
        return 0, 0, numbers
    return min(time[0] for time in times), max(time[1] for time in times), numbers


def _trun_durations(trun: bytes) -> list[int]:
    """Return the ticks of each sample in a ``trun`` body (none if durations are defaults)."""
    flags, count = struct.unpack(">I", trun[:4])[0] & 0xFFFFFF, struct.unpack(">I", trun[4:8])[0]
    if not flags & 0x100:
        return []
    width = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    first = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    return [struct.unpack_from(">I", trun, first + place * width)[0] for place in range(count)]


def sample_times(
    path: Path, start: int, tap_ns: int, stop: float = math.inf
) -> dict[str, list[int]]:
    """Return the recording clock of each picture or sound frame of a plain media file, by source.

    Args:
        start: first byte of a fragment; the samples of the fragment before it come first.
        tap_ns: recording clock at which the part's media time is zero.
        stop: fragments that begin there or later are left out.
    """
    tracks = TrackTable.read(path.parent / INIT)
    pieces = fragment_ends(path, 0)
    first = max((offset for offset, _ in pieces if offset < start), default=0)
    times: dict[str, list[int]] = {}
    number = at = 0
    with path.open("rb") as file:
        for offset, length in pieces:
            file.seek(offset)
            for box in _iter_boxes(file.read(length)) if first <= offset < stop else ():
                if box.path == "moof/traf/tfhd":
                    number = struct.unpack_from(">I", box.body, 4)[0]
                elif box.path == "moof/traf/tfdt":
                    at = struct.unpack_from(">Q" if box.body[0] else ">I", box.body, 4)[0]
                elif box.path == "moof/traf/trun" and number in tracks.names:
                    found = times.setdefault(tracks.names[number], [])
                    for duration in _trun_durations(box.body):
                        found.append(tap_ns + at * NS_PER_S // tracks.timescales[number])
                        at += duration
    return times
