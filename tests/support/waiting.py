"""Tests wait for conditions, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds: the machine may be busy, and what never comes true is none the less seen."""


def wait_for(condition: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """Return the first true value of ``condition``.

    Raises:
        AssertionError: there was none within ``seconds``; the message names ``what``.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"timed out after {seconds:.0f} s: {what}"
        time.sleep(0.02)
