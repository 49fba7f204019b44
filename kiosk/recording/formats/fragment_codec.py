"""What stands between a fragment and the disk: nothing for plain parts, age for closed ones.

An envelope turns the plain bytes of a fragment (or of an initialisation segment) into those that
are appended to a file. Closed parts: each fragment becomes a complete age file, as a member of a
tar, before it reaches any disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kiosk.recording.formats.records import FragmentRecord


class FragmentCodec(Protocol):
    """How fragments lie on the disk.

    Attributes:
        encrypted: nobody without a key can read them there.
        suffix: of a media file's name, ``init`` the name of an initialisation segment's file.
        end: bytes appended to a file when it is closed.
    """

    is_encrypted: bool
    media_suffix: str
    init_name: str
    file_trailer: bytes

    def encode(
        self, name: str, plain: bytes, start_ns: int, end_ns: int, sources: Sequence[str]
    ) -> bytes:
        """Return the bytes to append.

        Args:
            name: what the piece is called within its file (``000001-0001.m4s``).
            start_ns, end_ns, sources: as in its record.
        """

    def decode(self, record: FragmentRecord, data: bytes) -> bytes:
        """Return the plain bytes of ``data``, which lie on the disk (for the proof).

        Raises:
            ValueError: they cannot be opened (any more).
        """

    def decode_init(self, file: str, data: bytes) -> bytes:
        """Return the plain initialisation segment in the file ``file``, whose bytes are ``data``.

        Raises:
            ValueError: it cannot be opened (any more).
        """

    def discard_keys(self, records: Sequence[FragmentRecord]) -> None:
        """Wipe what opens ``records``: they have been proven."""

    def close(self) -> None:
        """Wipe all that opens anything: the part is over."""


class PlainFragmentCodec:
    """None at all."""

    is_encrypted = False
    media_suffix = ".m4s"
    init_name = "init.mp4"
    file_trailer = b""

    def encode(
        self, name: str, plain: bytes, start_ns: int, end_ns: int, sources: Sequence[str]
    ) -> bytes:
        """Return ``plain``."""
        del name, start_ns, end_ns, sources
        return plain

    def decode(self, record: FragmentRecord, data: bytes) -> bytes:
        """Return ``data``."""
        del record
        return data

    def decode_init(self, file: str, data: bytes) -> bytes:
        """Return ``data``."""
        del file
        return data

    def discard_keys(self, records: Sequence[FragmentRecord]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


PLAIN_CODEC = PlainFragmentCodec()


def drop_empty_plain_fields(record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a record without those that only closed parts have, where unset."""
    return {
        key: value for key, value in record.items() if not (key.startswith("plain_") and not value)
    }
