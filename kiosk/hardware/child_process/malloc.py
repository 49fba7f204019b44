"""The C heap of a process that runs for months: memory that was given back stays given back.

Pictures, fragments and proofs are blocks of some hundred kilobytes that live for moments. glibc's
heap adapts to them by keeping ever more, in an arena for each thread: a recorder grew by a third
within minutes. With fixed thresholds such blocks are mapped by themselves and go back. The camera's
child does without: its pictures are of one size, and to map each anew costs it half as much again.
"""

from __future__ import annotations

import ctypes

_OPTIONS = {-3: 128 << 10, -1: 128 << 10, -8: 2}
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD in bytes, M_ARENA_MAX (mallopt(3))."""


def set_malloc_thresholds() -> bool:
    """Fix the heap's thresholds; return whether the C library accepted them (glibc does)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    accepted = [mallopt(name, value) == 1 for name, value in _OPTIONS.items()]
    return all(accepted)
