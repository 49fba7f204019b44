"""Codecs of fragments: unchanged in plain parts, encrypted with age in closed parts.

A codec turns the plain bytes of a fragment (or of an initialisation segment) into those that are
appended to a file. In closed parts each fragment becomes a complete age file, as a member of a
tar, before it reaches any disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kiosk.recording.formats.records import FragmentRecord
from kiosk.storage.hearing_folder import INIT, MEDIA_SUFFIX


class FragmentCodec(Protocol):
    """Encodes fragments for the disk and decodes them again.

    Attributes:
        is_encrypted: whether a key is needed to read them.
        media_suffix: suffix of a media file's name.
        init_name: name of an initialisation segment's file.
        file_trailer: bytes appended to a file when it is closed.
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
            name: of the fragment within its file (``000001-0001.m4s``).
            start_ns, end_ns, sources: as in its record.
        """

    def decode(self, record: FragmentRecord, data: bytes) -> bytes:
        """Return the plain bytes of ``data``, read from the disk (for the read-back check).

        Raises:
            ValueError: they cannot be decoded (any more).
        """

    def decode_init(self, file: str, data: bytes) -> bytes:
        """Return the plain initialisation segment in the file ``file``, whose bytes are ``data``.

        Raises:
            ValueError: it cannot be decoded (any more).
        """

    def discard_keys(self, records: Sequence[FragmentRecord]) -> None:
        """Discard the keys of ``records``, which have been verified."""

    def close(self) -> None:
        """Discard all keys; the part is over."""


class PlainFragmentCodec:
    """Stores fragments unchanged."""

    is_encrypted = False
    media_suffix = MEDIA_SUFFIX
    init_name = INIT
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
