"""Network namespaces of single threads: what a thread starts there (sockets, processes) is there.

Python has ``os.unshare`` and ``os.setns`` from 3.12 on only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def network_path() -> str:
    """Return the path under ``/proc`` of the calling thread's network namespace."""
    return f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"


def open_network(path: str | None = None) -> int:
    """Return a descriptor that keeps a namespace alive; default: the calling thread's."""
    return os.open(path or network_path(), os.O_RDONLY | os.O_CLOEXEC)


def enter(network: int) -> None:
    """Move the calling thread into ``network``, unless it is there already.

    Raises:
        OSError: not permitted.
    """
    if os.fstat(network).st_ino != Path(network_path()).stat().st_ino:
        _check(_libc.setns(network, CLONE_NEWNET))


def make() -> int:
    """Return a new, empty namespace; the calling thread stays where it is.

    Raises:
        OSError: not permitted.
    """
    before = open_network()
    try:
        _check(_libc.unshare(CLONE_NEWNET))
        fresh = open_network()
        enter(before)
        return fresh
    finally:
        os.close(before)


@contextlib.contextmanager
def inside(network: int) -> Iterator[None]:
    """Have the calling thread in ``network`` for a while."""
    before = open_network()
    try:
        enter(network)
        yield
    finally:
        enter(before)
        os.close(before)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
