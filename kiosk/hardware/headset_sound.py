"""Child process that plays the sound on its standard input: ``headset_sound DEVICE PARENT``.

The sound is mono, signed 16 bit, at the headset's rate; it is in memory alone. The process says on
its output when it plays (``playing``), or why it does not. A driver that hangs hangs here, and
whoever started the process kills it; it ends with ``PARENT`` in any case.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.headset import Headset, HeadsetAbsentError

PLAYING = "playing"


def main(device: str, parent: int) -> int:
    """Play the sound to its end; return 0, or 1 if the headset is not there."""
    die_with_parent(parent)
    samples = np.frombuffer(sys.stdin.buffer.read(), "<i2")
    try:
        with Headset(device) as headset:
            print(PLAYING, flush=True)
            headset.play(samples)
            time.sleep(headset.latency_s)
            os._exit(0)  # closing a headset that is gone may hang
    except (HeadsetAbsentError, OSError) as error:
        print(str(error).replace("\n", " "), flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
