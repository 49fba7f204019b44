"""A thread's own connection to the central system, recreated when the identity changes."""

from __future__ import annotations

import threading

from kiosk.storage.atomic_io import FileVersion, file_version
from kiosk.storage.paths import Paths
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import CentralSession
from kiosk.sync.transport.identity import load_identity
from kiosk.sync.transport.tcp_health import TcpHealth


class Connection:
    """Gives one thread its client; ``kiosk enroll`` and renewal take effect by themselves.

    Args:
        paths: of the identity.
        url: base address of the central system.
    """

    def __init__(self, paths: Paths, url: str) -> None:
        self._paths = paths
        self._url = url
        self._lock = threading.Lock()
        self._identity_version: tuple[FileVersion | None, ...] = ()
        self._client: CentralClient | None = None
        self._rate = 0

    def client(self) -> CentralClient:
        """Return the client.

        Raises:
            NotEnrolledError: no certificate of the court yet.
            IdentityError: the identity's files do not fit together.
        """
        paths = self._paths
        files = (paths.device_certificate, paths.device_key, paths.court_ca)
        version = tuple(file_version(path) for path in files)
        with self._lock:
            if self._client is None or version != self._identity_version:
                identity = load_identity(paths)
                if self._client is not None:
                    self._client.session.close()
                self._client = CentralClient(CentralSession(identity.credentials), self._url)
                self._client.session.sockets.set_rate(self._rate)
                self._identity_version = version
            return self._client

    def set_rate(self, bytes_per_second: int) -> None:
        """Limit what this connection sends; 0 lifts the limit."""
        with self._lock:
            self._rate = bytes_per_second
            if self._client is not None:
                self._client.session.sockets.set_rate(bytes_per_second)

    def health(self) -> list[TcpHealth]:
        """Return how its open connections fare."""
        with self._lock:
            return self._client.session.sockets.health() if self._client is not None else []

    def abort(self) -> None:
        """Abort the current request (from another thread)."""
        with self._lock:
            if self._client is not None:
                self._client.session.sockets.abort()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.session.close()
                self._client = None
