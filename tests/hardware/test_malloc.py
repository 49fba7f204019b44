"""The heap's settings are accepted by glibc, and large blocks go back to the system."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, os
from kiosk.hardware.child_process.malloc import set_malloc_thresholds
accepted = set_malloc_thresholds()
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = resident()
blocks = [bytearray(b"x" * 200_000) for _ in range(500)]
kept = blocks[::50]
held = resident()
del blocks
print(accepted, held - before > 80e6, resident() - before < 20e6)
"""


def test_large_blocks_go_back_although_some_stay() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["True", "True", "True"]
