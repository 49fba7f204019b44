"""Ends a child process with its parent.

Everything that a driver can hang or crash runs in a child process. When the parent is killed, the
kernel also kills the child (``PR_SET_PDEATHSIG``, prctl(2)), so that no orphan holds a device.
"""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int, number: int = signal.SIGKILL) -> None:
    """Make the kernel send signal ``number`` to this process when its parent's thread ends.

    Args:
        parent_pid: the parent's process id. If that parent has already gone, this process ends at
            once (the signal would never come).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        os._exit(1)
