"""Reads fragments back from the disk, for the read-back check and for playback."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FragmentRecord


class ReadbackError(Exception):
    """The media on the disk are not what was recorded; the message says how they differ.

    Attributes:
        source: ``camera``, a microphone's name, ``mix``, or ``storage``.
        is_doubtful: whether it may be a coincidence; it counts if the next check finds the same.
    """

    def __init__(self, message: str, source: str = "storage", *, is_doubtful: bool = False) -> None:
        super().__init__(message)
        self.source = source
        self.is_doubtful = is_doubtful


def read_fragments(
    part: Path, records: list[FragmentRecord], codec: FragmentCodec = PLAIN_CODEC
) -> bytes:
    """Return the fragments' plain bytes from the disk, after their run's init file.

    Args:
        codec: decodes the stored bytes; keys of older fragments may be gone.

    Raises:
        ReadbackError: they are missing or differ from what was reported.
    """
    try:
        init = (part / records[0].file).with_name(codec.init_name)
        data = codec.decode_init(init.name, init.read_bytes())
        for record in records:
            with (part / record.file).open("rb", buffering=0) as file:
                os.posix_fadvise(
                    file.fileno(), record.offset, record.length, os.POSIX_FADV_DONTNEED
                )
                found = os.pread(file.fileno(), record.length, record.offset)
            if hashlib.sha256(found).hexdigest() != record.sha256:
                raise ReadbackError(f"{record.file}: other bytes at {record.offset} than reported")
            data += codec.decode(record, found)
    except ValueError as error:
        raise ReadbackError(f"{records[0].file}: cannot be opened: {error}") from error
    except OSError as error:
        raise ReadbackError(f"{records[0].file}: {error.strerror}") from error
    return data
