"""Tells the torn end of a media file from bytes that are damaged."""

from __future__ import annotations

import struct
import tarfile
from itertools import pairwise
from pathlib import Path

from kiosk.recording.formats.age_tar import BLOCK
from kiosk.storage.hearing_folder import CLOSED_SUFFIX

MAX_TORN_BYTES = 2 << 20
"""A fragment is smaller: more bytes after the last whole one are no torn end."""

_SECTOR_BYTES = 512
_MIN_HOLE_BYTES = 16


def has_hole(fragment: bytes, offset: int) -> bool:
    """Return whether ``fragment``, at ``offset`` of its file, lacks a sector of the disk.

    A power cut may leave the length of what was not synced without all its bytes: zeros. No
    encoder writes so many: H.264 escapes them, FLAC and AAC need a few bytes for silence.
    """
    limits = [0, *range(-offset % _SECTOR_BYTES or _SECTOR_BYTES, len(fragment), _SECTOR_BYTES)]
    return any(
        end - begin >= _MIN_HOLE_BYTES and not any(fragment[begin:end])
        for begin, end in pairwise([*limits, len(fragment)])
    )


def is_torn_end(path: Path, start: int) -> bool:
    """Return whether ``path`` holds from byte ``start`` on only the beginning of a fragment.

    So do zeros, which a power cut leaves, and no bytes at all.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(start)
        rest = file.read(MAX_TORN_BYTES + 1)
    if not any(rest):
        return True
    is_begun = _is_begun_member if path.name.endswith(CLOSED_SUFFIX) else _is_begun_fragment
    return len(rest) <= MAX_TORN_BYTES and is_begun(rest)


def _is_begun_fragment(rest: bytes) -> bool:
    """Return whether ``rest`` is some boxes (ISO/IEC 14496-12), cut off before their media end."""
    at = 0
    while at + 8 <= len(rest):
        length, kind = struct.unpack_from(">I4s", rest, at)
        at += length
        if length < 8 or not kind.isalnum() or (kind == b"mdat" and at <= len(rest)):
            return False
    return True


def _is_begun_member(rest: bytes) -> bool:
    """Return whether ``rest`` is the beginning of a member of a tar, cut off."""
    at = 0
    while at + BLOCK <= len(rest):
        try:
            info = tarfile.TarInfo.frombuf(rest[at : at + BLOCK], "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return not any(rest[at:])  # a length without bytes, as a power cut leaves it
        at += BLOCK + -(-info.size // BLOCK) * BLOCK
    return at != len(rest)
