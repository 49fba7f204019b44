"""A tar (POSIX.1-2001 pax) of age files, which stock ``tar`` and ``age`` open.

A member is an extended header, the file's header, one complete age file, and padding. It is
appended in one piece, so that the tar is valid up to its last complete member at any time. The
end-of-archive blocks are appended when the file is closed; tar accepts files without them.

The extended header's ``comment``, which tar ignores, holds what recovery and verification need
without any key: times, sources, and the SHA-256 of the age file and of the plain media in it.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = tarfile.BLOCKSIZE
END_OF_ARCHIVE = bytes(2 * BLOCK)
"""End-of-archive: two blocks of zeros."""
_AGE_MAGIC = b"age-encryption.org/v1\n"
_COMMENT_KEY = "comment"
_MAX_EXTENSION_BYTES = 64 << 10


@dataclass(frozen=True)
class MemberMetadata:
    """Metadata of a member about the plain media in it.

    Attributes:
        start_ns, end_ns: recording clock, as in a fragment's record.
        sources: as in a fragment's record.
        plain_length, plain_sha256: of the media before they were encrypted.
        age_sha256: of the age file itself.
    """

    start_ns: int
    end_ns: int
    sources: tuple[str, ...]
    plain_length: int
    plain_sha256: str
    age_sha256: str

    def to_json(self) -> str:
        """Return the metadata as one line of JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> MemberMetadata:
        """Return the metadata in ``text``.

        Raises:
            ValueError, KeyError, TypeError: ``text`` is something else.
        """
        value: dict[str, Any] = json.loads(text)
        return cls(
            start_ns=int(value["start_ns"]),
            end_ns=int(value["end_ns"]),
            sources=tuple(str(source) for source in value["sources"]),
            plain_length=int(value["plain_length"]),
            plain_sha256=str(value["plain_sha256"]),
            age_sha256=str(value["age_sha256"]),
        )

    @classmethod
    def from_member(cls, data: bytes) -> MemberMetadata:
        """Return the metadata in the bytes of a member.

        Raises:
            ValueError: ``data`` is no complete member.
        """
        try:
            extension = tarfile.TarInfo.frombuf(data[:BLOCK], "utf-8", "surrogateescape")
            return cls.from_json(_find_comment(data[BLOCK : BLOCK + extension.size]))
        except (tarfile.HeaderError, KeyError, TypeError) as error:
            raise ValueError(f"no tar member: {error}") from error


@dataclass(frozen=True)
class Member:
    """A complete member as found in a tar.

    Attributes:
        name: of the age file.
        offset, length: of everything, from the extended header to the end of the padding.
        data_offset, data_length: of the age file.
    """

    name: str
    offset: int
    length: int
    data_offset: int
    data_length: int
    metadata: MemberMetadata


def _padded(length: int) -> int:
    return -(-length // BLOCK) * BLOCK


def encode_member(name: str, age_file: bytes, metadata: MemberMetadata) -> bytes:
    """Return one member: headers, the age file, padding."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(age_file), 0o440, int(time.time())
    info.pax_headers = {_COMMENT_KEY: metadata.to_json()}
    head = info.tobuf(format=tarfile.PAX_FORMAT)
    return head + age_file + bytes(_padded(len(age_file)) - len(age_file))


def iter_members(path: Path, start: int = 0, *, verify: bool = False) -> Iterator[Member]:
    """Yield the complete members in ``path`` from byte ``start`` up to the first incomplete one.

    Args:
        verify: also compare the hash of the age file: a power cut can leave a file of the right
            length with zeros in it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        while (found := _read_member(file, start, size)) is not None:
            if verify and not _is_intact(file, found):
                return
            yield found
            start = found.offset + found.length


def _is_intact(file: BinaryIO, found: Member) -> bool:
    file.seek(found.data_offset)
    data = file.read(found.data_length)
    return hashlib.sha256(data).hexdigest() == found.metadata.age_sha256


def _read_header(file: BinaryIO, position: int) -> tarfile.TarInfo | None:
    """Return the header block at ``position``, or None if there is none."""
    file.seek(position)
    try:
        return tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None


def _read_member(file: BinaryIO, start: int, size: int) -> Member | None:
    extension = _read_header(file, start)
    if extension is None or extension.type != tarfile.XHDTYPE:
        return None
    if not 0 <= extension.size <= _MAX_EXTENSION_BYTES:
        return None
    text = file.read(extension.size)
    position = start + BLOCK + _padded(extension.size)
    info = _read_header(file, position)
    if info is None or info.type != tarfile.REGTYPE:
        return None
    data = position + BLOCK
    end = data + _padded(info.size)
    if end > size:
        return None
    try:
        metadata = MemberMetadata.from_json(_find_comment(text))
    except (ValueError, KeyError, TypeError):
        return None
    return Member(info.name, start, end - start, data, info.size, metadata)


def _find_comment(records: bytes) -> str:
    """Return the comment in the records of an extended header.

    A record is ``<length> <key>=<value>`` and a line feed.

    Raises:
        ValueError: there is none.
    """
    while records:
        length_text, _, rest = records.partition(b" ")
        length = int(length_text)
        if length <= len(length_text) + 1 or length > len(records):
            raise ValueError("a malformed record")
        key, _, value = rest[: length - len(length_text) - 2].partition(b"=")
        if key == _COMMENT_KEY.encode():
            return value.decode("utf-8")
        records = records[length:]
    raise ValueError("no comment")


def extract_age(data: bytes) -> bytes:
    """Return the age file in the bytes of one member.

    Raises:
        ValueError: ``data`` is no complete member.
    """
    begin, length = _age_place(data)
    if begin + length > len(data):
        raise ValueError("the member is cut off")
    return data[begin : begin + length]


def is_age_member(data: bytes) -> bool:
    """Return whether ``data`` begins with a member that holds an age file, by its bytes."""
    try:
        begin, _ = _age_place(data)
    except ValueError:
        return False
    return data.startswith(_AGE_MAGIC, begin)


def _age_place(data: bytes) -> tuple[int, int]:
    """Return offset and length of the age file in the bytes of a member.

    Raises:
        ValueError: ``data`` is no member.
    """
    try:
        extension = tarfile.TarInfo.frombuf(data[:BLOCK], "utf-8", "surrogateescape")
        position = BLOCK + _padded(extension.size)
        info = tarfile.TarInfo.frombuf(
            data[position : position + BLOCK], "utf-8", "surrogateescape"
        )
    except tarfile.HeaderError as error:
        raise ValueError(f"no tar member: {error}") from error
    return position + BLOCK, info.size
