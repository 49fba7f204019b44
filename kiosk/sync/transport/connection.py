"""A thread's own connection to the central system, made anew when the identity changes."""

from __future__ import annotations

import threading
from pathlib import Path

from kiosk.storage.paths import Layout
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import Line
from kiosk.sync.transport.identity import load_identity


class Connector:
    """Gives one thread its client; ``kiosk enroll`` and renewal take effect by themselves.

    Args:
        layout: where the identity lies.
        url: base address of the central system.
    """

    def __init__(self, layout: Layout, url: str) -> None:
        self._layout = layout
        self._url = url
        self._lock = threading.Lock()
        self._stamp: tuple[tuple[int, int], ...] = ()
        self._client: CentralClient | None = None
        self._rate = 0

    def client(self) -> CentralClient:
        """Return the client.

        Raises:
            NotEnrolledError: no certificate of the court yet.
            IdentityError: the identity's files do not fit together.
        """
        layout = self._layout
        files = (layout.device_certificate, layout.device_key, layout.court_ca)
        stamp = tuple(_stamp(path) for path in files)
        with self._lock:
            if self._client is None or stamp != self._stamp:
                identity = load_identity(layout)
                if self._client is not None:
                    self._client.line.close()
                self._client = CentralClient(Line(identity.credentials), self._url)
                self._client.line.sockets.pace(self._rate)
                self._stamp = stamp
            return self._client

    def pace(self, bytes_per_second: int) -> None:
        """Limit what this connection sends; 0 lifts the limit."""
        with self._lock:
            self._rate = bytes_per_second
            if self._client is not None:
                self._client.line.sockets.pace(bytes_per_second)

    def break_off(self) -> None:
        """End whatever this connection is doing (from another thread)."""
        with self._lock:
            if self._client is not None:
                self._client.line.sockets.break_off()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.line.close()
                self._client = None


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)
