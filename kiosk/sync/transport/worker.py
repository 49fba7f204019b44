"""A thread that works in steps and can be woken and stopped."""

from __future__ import annotations

import threading

from kiosk.sync.transport.connection import Connection


class Worker:
    """Base of sync's threads, each with a connection of its own.

    Args:
        name: of the thread.
        connection: its connection.
    """

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def step(self) -> float:
        """Run one step; return the seconds until the next step. Never raises."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Start the next step at once."""
        self._wake.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Abort the current request and end the thread."""
        self.stopping.set()
        self._wake.set()
        self.connection.abort()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        self.connection.close()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running (for the watchdog)."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.is_set():
            if self._wake.wait(self.step()):
                self._wake.clear()
