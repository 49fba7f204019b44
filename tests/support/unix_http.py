"""A ``requests`` session whose ``http://kiosk`` is a service on a Unix socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

BASE_URL = "http://kiosk"


class _UnixAdapter(HTTPAdapter):
    """Transport that connects to one Unix socket, whatever the host."""

    def __init__(self, path: Path) -> None:
        super().__init__()

        class Connection(HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(30)
                self.sock.connect(str(path))

        self._pool = HTTPConnectionPool("kiosk")
        self._pool.ConnectionCls = Connection

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool


def unix_session(path: Path) -> requests.Session:
    """Return a session to the service on the socket ``path``."""
    session = requests.Session()
    session.trust_env = False
    session.mount(BASE_URL, _UnixAdapter(path))
    return session
