"""Ports for the servers of tests, which stay theirs also while a server is down."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 10_000, 32_767
"""Below those that the kernel gives to connections (from 32768): none can take one meanwhile."""


def free_port() -> int:
    """Return a port that nobody listens on; drawn, as other runs of the tests draw theirs."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
