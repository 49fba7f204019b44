"""Notifies systemd of the state of this process: ready, healthy, stopping (sd_notify)."""

from __future__ import annotations

import os
import socket

DEFAULT_PING_S = 5.0


def ping_interval_s() -> float:
    """Return the seconds between two pings: a third of the unit's ``WatchdogSec``."""
    limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    return limit / 3 if limit else DEFAULT_PING_S


def notify(state: str) -> None:
    """Send one notification (``READY=1``, ``STOPPING=1``, ``WATCHDOG=1``) to systemd.

    Nothing happens without systemd, and nothing is raised: a service works on when systemd does not
    hear it. Source: sd_notify(3), section "Notes": one datagram to the socket in ``NOTIFY_SOCKET``.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    # An @ stands for the zero byte with which the name of an abstract socket starts.
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.connect(target)
            sender.sendall(state.encode())
    except OSError:
        return
