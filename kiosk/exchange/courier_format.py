"""Format of a courier's medium: packs of items, each a tar inside an age file, cut into pieces.

::

    kiosk-courier/<kiosk id>/<pack uuid>/
      0001-001.age, 0001-002.age, …   item 1 in pieces of at most 2 GiB (FAT32 takes 4 GiB)
      pack.json                       written last: pieces with their SHA-256, signed by the device
      receipt.json                    the court's answer, signed by the central system

The tar of an item begins with ``item.json`` (kind, id, registration); its files are under
``files/``. Names and sizes fit FAT32. Nothing on a medium can be read without the court's key.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError
from kiosk.storage.atomic_io import read_json, sync_folder

ROOT = "kiosk-courier"
PACK, RECEIPT, ITEM, FILES = "pack.json", "receipt.json", "item.json", "files/"
FORMAT = 1
PIECE_BYTES = 2 << 30
Json = dict[str, Any]


class CourierError(KioskError):
    """A courier's medium or its content is unusable; ``code`` says why."""

    code = "courier_medium"


def list_packs(medium: Path) -> list[Path]:
    """Return the folders of the packs on a medium, sorted by kiosk and name.

    Raises:
        CourierError: the medium cannot be read (``courier_medium``) or has no pack
            (``courier_nothing``).
    """
    if not medium.is_dir():
        raise CourierError(f"{medium}: no such folder. Is the medium plugged in and mounted?")
    try:
        found = sorted(path for path in (medium / ROOT).glob("*/*") if path.is_dir())
    except OSError as error:
        raise CourierError(f"{medium}: {error.strerror}") from error
    if not found:
        raise CourierError(f"{medium}: nothing of a courier on this medium", code="courier_nothing")
    return found


def read_courier_json(path: Path) -> Json | None:
    """Return a JSON object of a medium, or None if the file is absent.

    Raises:
        CourierError: the file is damaged (``courier_damaged``) or cannot be read
            (``courier_medium``).
    """
    try:
        return read_json(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CourierError(f"{path}: damaged", code="courier_damaged") from error
    except OSError as error:
        raise CourierError(f"{path}: {error.strerror}") from error


class PieceWriter:
    """Writes one stream into pieces ``<stem>-001.age`` …, each durable and hashed.

    Args:
        folder: the pack's folder.
        stem: start of the pieces' names.
        piece_bytes: largest size of a piece.

    Attributes:
        pieces: name, size and SHA-256 of each finished piece, as in ``pack.json``.
        error: why the medium refused a write.
    """

    def __init__(self, folder: Path, stem: str, piece_bytes: int = PIECE_BYTES) -> None:
        self._folder = folder
        self._stem = stem
        self._piece_bytes = piece_bytes
        self._file: Any = None
        self._hash = hashlib.sha256()
        self._size = 0
        self.pieces: list[Json] = []
        self.error: OSError | None = None

    def write(self, block: bytes) -> int:
        """Write ``block``.

        Raises:
            OSError: the medium is full or gone; :attr:`error` keeps the error.
        """
        try:
            self._write(memoryview(block))
        except OSError as error:
            self.error = error
            raise
        return len(block)

    def _write(self, view: memoryview) -> None:
        while view:
            if self._file is None:
                name = f"{self._stem}-{len(self.pieces) + 1:03d}.age"
                self._file = (self._folder / name).open("xb")
                self._hash, self._size = hashlib.sha256(), 0
            chunk = view[: self._piece_bytes - self._size]
            self._file.write(chunk)
            self._hash.update(chunk)
            self._size += len(chunk)
            view = view[len(chunk) :]
            if self._size == self._piece_bytes:
                self._finish_piece()

    def _finish_piece(self) -> None:
        file, self._file = self._file, None
        name = Path(file.name).name
        with file:
            file.flush()
            os.fsync(file.fileno())
        self.pieces.append({"name": name, "size": self._size, "sha256": self._hash.hexdigest()})

    def flush(self) -> None:
        """Do nothing: pieces are synced as they end."""

    def close(self) -> None:
        """End the last piece."""
        if self._file is not None:
            self._finish_piece()
        sync_folder(self._folder)

    def discard(self) -> None:
        """Delete the pieces of this stream, if the medium still works."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.close()
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"{self._stem}-*.age"):
                path.unlink()


class PieceReader:
    """Reads pieces as one stream and checks the SHA-256 of each at its end.

    Args:
        folder: the pack's folder.
        pieces: as in ``pack.json``.

    Attributes:
        error: why a piece could not be read.
    """

    def __init__(self, folder: Path, pieces: Sequence[Json]) -> None:
        self._blocks = _read_blocks(folder, pieces)
        self._buffer = b""
        self.error: CourierError | None = None

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            CourierError: a piece is damaged, or the medium is gone; :attr:`error` keeps the error.
        """
        try:
            while size < 0 or not self._buffer:
                block = next(self._blocks, b"")
                if not block:
                    break
                self._buffer += block
        except CourierError as error:
            self.error = error
            raise
        chunk = self._buffer if size < 0 else self._buffer[:size]
        self._buffer = self._buffer[len(chunk) :]
        return chunk


def _read_blocks(folder: Path, pieces: Sequence[Json]) -> Iterator[bytes]:
    for piece in pieces:
        name, digest = str(piece["name"]), hashlib.sha256()
        if Path(name).name != name:
            raise CourierError(f"{folder}: damaged", code="courier_damaged")
        try:
            with (folder / name).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while block := file.read(1 << 20):
                    digest.update(block)
                    yield block
        except OSError as error:
            raise CourierError(f"{folder / name}: {error.strerror}") from error
        if digest.hexdigest() != piece["sha256"]:
            raise CourierError(f"{folder / name}: damaged", code="courier_damaged")
