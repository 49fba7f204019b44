"""A storage that is only read, and is given up when a read hangs."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from kiosk.storage.volume import StorageVolume

T = TypeVar("T")
POLL_S = 0.05


class WatchedVolume(StorageVolume):
    """Reads of ``volume``, of which each can be given up while it hangs.

    Once it is given up, every read raises OSError, also the one that hung when it comes back: who
    reads here does nothing more with what was read.
    """

    def __init__(self, volume: StorageVolume) -> None:
        super().__init__(volume.root, "", volume.role)
        self._volume = volume
        self._lock = threading.Lock()
        self._since: float | None = None
        self._is_given_up = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See :meth:`kiosk.storage.volume.StorageVolume.reading`."""
        with self._lock:
            self._check()
            self._since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._since = None
        with self._lock:
            self._check()

    def _check(self) -> None:
        if self._is_given_up:
            raise OSError(errno.ETIMEDOUT, "the storage hung")

    @property
    def is_hanging(self) -> bool:
        """Whether it was given up, and the read that hung is not back yet."""
        with self._lock:
            return self._is_given_up and self._since is not None

    def run(self, job: Callable[[], T], seconds: float) -> T:
        """Run ``job``, which reads here, in a thread; give it up when a read takes too long.

        Raises:
            OSError: a read took longer than ``seconds``.
            Exception: as ``job`` did.
        """
        found: list[T] = []
        raised: list[Exception] = []
        is_done = threading.Event()

        def work() -> None:
            try:
                found.append(job())
            except Exception as error:  # the caller gets it
                raised.append(error)
            is_done.set()

        threading.Thread(target=work, name="copy-reader", daemon=True).start()
        while not is_done.wait(POLL_S):
            with self._lock:
                if self._since is not None and time.monotonic() - self._since > seconds:
                    self._is_given_up = True
                    self._check()
        if raised:
            raise raised[0]
        return found[0]

    # -- reading -------------------------------------------------------------------------------
    def size(self, relative: str) -> int:
        """See :class:`.StorageVolume`."""
        with self.reading():
            return self._volume.size(relative)

    def exists(self, relative: str) -> bool:
        """See :class:`.StorageVolume`."""
        with self.reading():
            return self._volume.exists(relative)

    def read(self, relative: str, offset: int, length: int) -> bytes:
        """See :class:`.StorageVolume`."""
        with self.reading():
            return self._volume.read(relative, offset, length)

    def list_files(self, folder: str) -> list[str]:
        """See :class:`.StorageVolume`."""
        with self.reading():
            return self._volume.list_files(folder)

    def list_names(self, folder: str) -> list[str]:
        """See :class:`.StorageVolume`."""
        with self.reading():
            return self._volume.list_names(folder)
