"""Limits how often a caller may do something: a sliding window for each key, in bounded memory."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from aiohttp import web

from kiosk.central.errors import RefusedError

MAX_KEYS = 10_000
IPV6_PREFIX = 64  # one customer has at least so many addresses


class RateLimit:
    """Allows ``count`` events in ``window_s`` seconds for each key.

    Args:
        count: events in a window.
        window_s: its length, seconds.
        clock: monotonic seconds.
    """

    def __init__(
        self, count: int, window_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._window_s = window_s
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Refuse a key that has used up its window; this counts nothing.

        Raises:
            RefusedError: 429, with the seconds until it may try again.
        """
        now, times = self._clock(), self._times.get(key, deque())
        while times and now - times[0] >= self._window_s:
            times.popleft()
        if len(times) >= self._count:
            wait = max(1, math.ceil(times[0] + self._window_s - now))
            raise RefusedError(429, "too_many", retry_after=wait)

    def count(self, key: str) -> None:
        """Count an event of a key; of too many keys the one that was quiet longest is forgotten."""
        self._times.setdefault(key, deque(maxlen=self._count)).append(self._clock())
        self._times.move_to_end(key)
        if len(self._times) > MAX_KEYS:
            self._times.popitem(last=False)


def network_of(request: web.Request) -> str:
    """Return the caller's address; of IPv6 its network, in which addresses cost nothing."""
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
