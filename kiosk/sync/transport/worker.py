"""A thread that works in steps, can be woken and ends when told to."""

from __future__ import annotations

import threading

from kiosk.sync.transport.connection import Connector


class Worker:
    """Base of sync's threads, each with a connection of its own.

    Args:
        name: of the thread.
        connector: its connection.
    """

    def __init__(self, name: str, connector: Connector) -> None:
        self.name = name
        self.connector = connector
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def step(self) -> float:
        """Do what is to be done now; return the seconds until the next step. Never raises."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Begin the next step at once."""
        self._wake.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Break off what the connection is doing and end the thread."""
        self.stopping.set()
        self._wake.set()
        self.connector.break_off()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        self.connector.close()

    @property
    def alive(self) -> bool:
        """Whether the thread lives (for the watchdog)."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.is_set():
            if self._wake.wait(self.step()):
                self._wake.clear()
