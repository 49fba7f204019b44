"""Secrets that live in locked memory only: never swapped, never in a core dump, soon wiped.

What can be promised in Python, honestly: the secret rests in pages that are ``mlock``-ed, left out
of core dumps and not handed to child processes, and is overwritten there when it is wiped. While a
key is made or used (microseconds), copies stand in the ordinary memory of this process: a text
that is overwritten right afterwards, and the age library's own key, which Rust overwrites when it
is dropped. No copy is written anywhere; the process may not be dumped or traced
(``PR_SET_DUMPABLE``), and the unit forbids it to swap.
"""

from __future__ import annotations

import ctypes
import logging
import mmap
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyrage

log = logging.getLogger(__name__)
SLOT = 128
SLOTS = 192
KEEP_S = 15.0
"""A key that no proof has asked for is wiped after this long."""
_PR_SET_DUMPABLE = 4


class LockedMemoryError(OSError):
    """Memory cannot be locked here (RLIMIT_MEMLOCK)."""


def forbid_dumps() -> None:
    """Make this process impossible to dump or to trace by its own user."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("the process stays dumpable: error %d", ctypes.get_errno())


def wipe_text(text: str) -> None:
    """Overwrite an ASCII text in place. Nobody else may hold it; elsewhere than in CPython nothing
    is done."""
    if sys.implementation.name != "cpython" or not text.isascii():
        return
    header = sys.getsizeof(text) - len(text) - 1  # a compact ASCII string: header, bytes, NUL
    ctypes.memset(id(text) + header, 0, len(text))


class LockedPages:
    """Anonymous memory that is never swapped, dumped or inherited.

    Raises:
        LockedMemoryError: it cannot be locked.
    """

    def __init__(self, size: int) -> None:
        self._map = mmap.mmap(-1, size)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._size = size
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mlock(ctypes.c_void_p(self._address), ctypes.c_size_t(size)) != 0:
            raise LockedMemoryError(ctypes.get_errno(), "memory cannot be locked")
        self._map.madvise(mmap.MADV_DONTDUMP)
        self._map.madvise(mmap.MADV_DONTFORK)

    def put(self, offset: int, text: str) -> None:
        """Copy an ASCII text there without another copy of it."""
        header = sys.getsizeof(text) - len(text) - 1
        ctypes.memmove(self._address + offset, id(text) + header, len(text))

    def get(self, offset: int, length: int) -> str:
        """Return the text there; the caller wipes it (:func:`wipe_text`)."""
        buffer = (ctypes.c_char * length).from_address(self._address + offset)
        return str(memoryview(buffer), "ascii")

    def wipe(self, offset: int, length: int) -> None:
        """Overwrite with zeros."""
        ctypes.memset(self._address + offset, 0, length)

    def wipe_all(self) -> None:
        """Overwrite everything with zeros."""
        self.wipe(0, self._size)


@dataclass(frozen=True)
class _Slot:
    number: int
    length: int
    made: float
    lasting: bool


class MemoryKeys:
    """One age key pair per piece, each wiped when its piece has been proven, or soon anyway.

    Args:
        clock: seconds; for the age of a key.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        forbid_dumps()
        self._pages = LockedPages(SLOTS * SLOT)
        self._clock = clock
        self._lock = threading.Lock()
        self._free = list(range(SLOTS))
        self._kept: dict[str, _Slot] = {}  # by the plain piece's hash, oldest first

    @property
    def count(self) -> int:
        """Keys that are still there."""
        return len(self._kept)

    def recipient(self, piece: str, *, lasting: bool = False) -> pyrage.x25519.Recipient:
        """Return a fresh recipient for ``piece``.

        Args:
            piece: what it is asked for by in :meth:`open` (a hash).
            lasting: keep it until :meth:`close`.
        """
        identity = pyrage.x25519.Identity.generate()
        secret = str(identity)
        with self._lock:
            self._make_room(piece)
            slot = _Slot(self._free.pop(), len(secret), self._clock(), lasting)
            self._pages.put(slot.number * SLOT, secret)
            self._kept[piece] = slot
        wipe_text(secret)
        return identity.to_public()

    def _make_room(self, piece: str) -> None:
        """Wipe the key made before for ``piece``, old ones, and the oldest if it is full."""
        self._wipe(piece)
        limit = self._clock() - KEEP_S
        passing = [key for key, slot in self._kept.items() if not slot.lasting]
        for key in passing:
            if self._kept[key].made < limit:
                self._wipe(key)
        if not self._free:
            self._wipe(next(iter(self._kept)))

    def _wipe(self, piece: str) -> None:
        slot = self._kept.pop(piece, None)
        if slot is not None:
            self._pages.wipe(slot.number * SLOT, SLOT)
            self._free.append(slot.number)

    def open(self, piece: str, age_file: bytes) -> bytes:
        """Return the plain bytes of ``age_file``, encrypted to the recipient of ``piece``.

        Raises:
            ValueError: its key was wiped, or the file is not what was encrypted.
        """
        with self._lock:
            slot = self._kept.get(piece)
            if slot is None:
                raise ValueError("its key was wiped")
            secret = self._pages.get(slot.number * SLOT, slot.length)
        try:
            identity = pyrage.x25519.Identity.from_str(secret)
            return bytes(pyrage.decrypt(age_file, [identity]))
        except (pyrage.DecryptError, pyrage.IdentityError) as error:
            raise ValueError(f"not what was encrypted: {error}") from error
        finally:
            wipe_text(secret)

    def forget(self, piece: str) -> None:
        """Wipe the key of ``piece``, unless it is a lasting one."""
        with self._lock:
            slot = self._kept.get(piece)
            if slot is not None and not slot.lasting:
                self._wipe(piece)

    def close(self) -> None:
        """Wipe all keys."""
        with self._lock:
            for piece in list(self._kept):
                self._wipe(piece)
            self._pages.wipe_all()
