"""Keeps keys and sound in locked memory: never swapped, never in a core dump, zeroed soon.

Python can guarantee this much: the secret is in pages that are ``mlock``-ed, left out of core dumps
and not inherited by child processes, and it is overwritten there when it is discarded. While a key
is created or used (microseconds), there are copies in the ordinary memory of this process: a text
that is overwritten right afterwards, and the age library's own key, which Rust overwrites when it
drops it. No copy is written anywhere; the process cannot be dumped or traced
(``PR_SET_DUMPABLE``), and its systemd unit forbids swapping.
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

import numpy as np
import pyrage
from numpy.typing import NDArray

log = logging.getLogger(__name__)
SLOT_BYTES = 128
SLOT_COUNT = 192
MAX_KEY_AGE_S = 15.0
"""A key that no read-back check has discarded is zeroed after this long."""
_PR_SET_DUMPABLE = 4


class LockedMemoryError(OSError):
    """Memory cannot be locked here (RLIMIT_MEMLOCK)."""


def disable_core_dumps() -> None:
    """Forbid core dumps and tracing of this process by its own user."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("the process stays dumpable: error %d", ctypes.get_errno())


def zero_text(text: str) -> None:
    """Overwrite an ASCII text in place.

    No other code may hold a reference to it. Only CPython can do this; elsewhere nothing happens.
    """
    if sys.implementation.name != "cpython" or not text.isascii():
        return
    header = sys.getsizeof(text) - len(text) - 1  # a compact ASCII string: header, bytes, NUL
    ctypes.memset(id(text) + header, 0, len(text))


class LockedBuffer:
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

    def write(self, offset: int, text: str) -> None:
        """Copy an ASCII text to ``offset`` without another copy of it."""
        header = sys.getsizeof(text) - len(text) - 1
        ctypes.memmove(self._address + offset, id(text) + header, len(text))

    def read(self, offset: int, length: int) -> str:
        """Return the text at ``offset``; the caller zeroes it (:func:`zero_text`)."""
        buffer = (ctypes.c_char * length).from_address(self._address + offset)
        return str(memoryview(buffer), "ascii")

    def as_samples(self) -> NDArray[np.int16]:
        """Return the memory itself as samples of 16 bit."""
        return np.frombuffer(self._map, np.int16)

    def zero(self, offset: int, length: int) -> None:
        """Overwrite with zeros."""
        ctypes.memset(self._address + offset, 0, length)

    def zero_all(self) -> None:
        """Overwrite everything with zeros."""
        self.zero(0, self._size)


@dataclass(frozen=True)
class _Slot:
    number: int
    length: int
    created_s: float
    is_lasting: bool


class EphemeralKeys:
    """One age key pair per fragment, zeroed when the fragment is verified, or soon anyway.

    Args:
        clock: seconds; for the age of a key.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        disable_core_dumps()
        self._buffer = LockedBuffer(SLOT_COUNT * SLOT_BYTES)
        self._clock = clock
        self._lock = threading.Lock()
        self._free_slots = list(range(SLOT_COUNT))
        self._slots: dict[str, _Slot] = {}  # by the plain fragment's hash, oldest first

    @property
    def count(self) -> int:
        """Number of keys still held."""
        return len(self._slots)

    def create_recipient(self, digest: str, *, is_lasting: bool = False) -> pyrage.x25519.Recipient:
        """Return a new recipient for the fragment with the SHA-256 ``digest``.

        Args:
            digest: names the key in :meth:`decrypt` and :meth:`discard`.
            is_lasting: keep the key until :meth:`close`.
        """
        identity = pyrage.x25519.Identity.generate()
        secret = str(identity)
        with self._lock:
            self._free_slot_for(digest)
            slot = _Slot(self._free_slots.pop(), len(secret), self._clock(), is_lasting)
            self._buffer.write(slot.number * SLOT_BYTES, secret)
            self._slots[digest] = slot
        zero_text(secret)
        return identity.to_public()

    def _free_slot_for(self, digest: str) -> None:
        """Zero an earlier key for ``digest``, old keys, and the oldest one if none is free."""
        self._zero_slot(digest)
        limit = self._clock() - MAX_KEY_AGE_S
        temporary = [key for key, slot in self._slots.items() if not slot.is_lasting]
        for key in temporary:
            if self._slots[key].created_s < limit:
                self._zero_slot(key)
        if not self._free_slots:
            self._zero_slot(next(iter(self._slots)))

    def _zero_slot(self, digest: str) -> None:
        slot = self._slots.pop(digest, None)
        if slot is not None:
            self._buffer.zero(slot.number * SLOT_BYTES, SLOT_BYTES)
            self._free_slots.append(slot.number)

    def decrypt(self, digest: str, age_file: bytes) -> bytes:
        """Return the plain bytes of ``age_file``, encrypted to the recipient of ``digest``.

        Raises:
            ValueError: its key was zeroed, or the file is not what was encrypted.
        """
        with self._lock:
            slot = self._slots.get(digest)
            if slot is None:
                raise ValueError("its key was wiped")
            secret = self._buffer.read(slot.number * SLOT_BYTES, slot.length)
        try:
            identity = pyrage.x25519.Identity.from_str(secret)
            return bytes(pyrage.decrypt(age_file, [identity]))
        except (pyrage.DecryptError, pyrage.IdentityError) as error:
            raise ValueError(f"not what was encrypted: {error}") from error
        finally:
            zero_text(secret)

    def discard(self, digest: str) -> None:
        """Zero the key of ``digest``, unless it is a lasting one."""
        with self._lock:
            slot = self._slots.get(digest)
            if slot is not None and not slot.is_lasting:
                self._zero_slot(digest)

    def close(self) -> None:
        """Zero all keys."""
        with self._lock:
            for digest in list(self._slots):
                self._zero_slot(digest)
            self._buffer.zero_all()
