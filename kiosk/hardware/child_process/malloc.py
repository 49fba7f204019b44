"""Keeps the C heap of a process small that runs for months.

Pictures, fragments and proofs are short-lived blocks of some hundred kilobytes. glibc's heap adapts
to them by keeping more and more memory, in an arena for each thread: a recorder grew by a third
within minutes. With fixed thresholds such blocks are mapped individually and returned. The camera's
child does not use this: its pictures have one size, and mapping each would raise its processor time
by half. Page imaging does the opposite: it keeps freed memory from picture to picture, and returns
it when no page comes. So does the process that listens for speech, whose blocks have one size, too.
"""

from __future__ import annotations

import contextlib
import ctypes

_OPTIONS = {-3: 128 << 10, -1: 128 << 10, -8: 2}
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD in bytes, M_ARENA_MAX (mallopt(3))."""
_KEEPING = {-3: 1 << 30, -1: 1 << 30}


def set_malloc_thresholds() -> bool:
    """Fix the heap's thresholds; return whether the C library accepted them (glibc does)."""
    return _set_options(_OPTIONS)


def keep_free_memory() -> bool:
    """Reuse freed memory of any size; return whether the C library accepted it (glibc does).

    Otherwise the kernel clears every page of every picture anew: 16,000 for a scanned page, a sixth
    of its processor time. :func:`return_free_memory` still returns it.
    """
    return _set_options(_KEEPING)


def _set_options(options: dict[int, int]) -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    accepted = [mallopt(name, value) == 1 for name, value in options.items()]
    return all(accepted)


def return_free_memory() -> None:
    """Return to the system what imports and set-up have left free in the C heap, if glibc is it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
