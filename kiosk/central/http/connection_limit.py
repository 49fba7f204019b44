"""A clear end to connections: too many are refused at once instead of hanging until some end.

A process without a free file descriptor cannot accept; whoever connects waits in the kernel's queue
until its own time-out. So some descriptors stay reserved, and a connection beyond them is closed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger(__name__)

RESERVED = 256  # for files, database, store; and for what the kernel accepts in one go
LOG_INTERVAL_S = 60.0
ProtocolFactory = Callable[[], asyncio.BaseProtocol]


def limit_connections(factory: ProtocolFactory) -> ProtocolFactory:
    """Return ``factory`` with a limit: as many connections as this process has descriptors for.

    The process's soft limit is raised to its hard limit (systemd: ``LimitNOFILE``).
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = limit - min(RESERVED, limit // 4)
    logged_at = -LOG_INTERVAL_S

    def make_protocol() -> asyncio.BaseProtocol:
        nonlocal logged_at
        if _lowest_free_descriptor(limit) < most:
            return factory()
        if time.monotonic() - logged_at >= LOG_INTERVAL_S:
            logged_at = time.monotonic()
            log.error("connections are refused: %d of %d file descriptors in use", most, limit)
        raise ConnectionRefusedError  # asyncio drops the connection

    return make_protocol


def _lowest_free_descriptor(limit: int) -> int:
    """Return the number that the next file gets; all below it are in use."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return limit
    os.close(number)
    return number
