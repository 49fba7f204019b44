"""A child process that does not outlive its parent.

Whatever a driver can hang or crash lives in a child process. When the parent is killed, the
kernel kills the child as well (``PR_SET_PDEATHSIG``, prctl(2)), so that a device is never held
by an orphan.
"""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent's thread ends.

    Args:
        parent_pid: the parent as the parent itself knows it; when it is gone already, this
            process ends at once (the signal would never come).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        os._exit(1)
