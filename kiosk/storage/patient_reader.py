"""Reads small files of a disk that may hang, without hanging with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE_S = 0.2
IDLE_S = 5.0
"""The thread ends when nobody has asked for so long."""


class PatientReader(Generic[T]):
    """Reads a value in a thread of its own; while the disk hangs, the last one stands in.

    Any thread may ask. The first value is read at once, however long it takes.

    Args:
        read: reads the value.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._changed = threading.Condition()
        self._asked = self._answered = 0
        self._is_hung = False
        self._thread: threading.Thread | None = None
        self._found = self._try_to_read()

    def value(self) -> T:
        """Return the value as it is now, or as it was last if the disk does not answer in time.

        Raises:
            Exception: as ``read`` did.
        """
        with self._changed:
            asked = self._ask()
            if not self._is_hung:
                answered = self._changed.wait_for(lambda: self._answered >= asked, PATIENCE_S)
                self._is_hung = not answered
            return self._last()

    def latest(self) -> T:
        """Return the value as it was last, at once, and have it read for the next who asks.

        Raises:
            Exception: as ``read`` did.
        """
        with self._changed:
            self._ask()
            return self._last()

    def _ask(self) -> int:
        """Have the value read; return the number of the request. Needs the lock."""
        self._asked += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
            self._thread.start()
        self._changed.notify_all()
        return self._asked

    def _last(self) -> T:
        value, error = self._found
        if error is not None:
            raise error.with_traceback(None)  # it may be raised again while the disk hangs
        return value  # type: ignore[return-value]

    def _try_to_read(self) -> tuple[T, None] | tuple[None, Exception]:
        try:
            return self._read(), None
        except Exception as error:  # the asker gets it
            return None, error

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._asked > self._answered, IDLE_S):
                    self._thread = None
                    return
                asked = self._asked
            found = self._try_to_read()
            with self._changed:
                self._found, self._answered, self._is_hung = found, asked, False
                self._changed.notify_all()
