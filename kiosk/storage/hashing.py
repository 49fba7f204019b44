"""SHA-256 of files, without filling the page cache."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kiosk.errors import StorageError


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    The pages read are dropped from the page cache afterwards: a hearing is many times larger than
    the memory that the recorder needs at the same time.

    Raises:
        StorageError: the file cannot be read (``file_unreadable``).
    """
    try:
        with path.open("rb", buffering=0) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be read: {error.strerror}", code="file_unreadable"
        ) from error
    return digest
