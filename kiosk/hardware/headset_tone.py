"""Child process that plays a tone in the headset: ``headset_tone DEVICE SECONDS``.

It says on its output when it plays (``playing``), or why it does not. A driver that hangs hangs
here, and whoever started the process kills it.
"""

from __future__ import annotations

import sys

from kiosk.hardware.headset import BLOCK_FRAMES, Headset, HeadsetAbsentError
from kiosk.hardware.tone import tone_samples

PLAYING = "playing"


def main(device: str, seconds: float) -> int:
    """Play the tone; return 0, or 1 if the headset is not there."""
    try:
        with Headset(device) as headset:
            print(PLAYING, flush=True)
            samples = tone_samples(seconds)
            for at in range(0, len(samples), BLOCK_FRAMES):
                headset.play(samples[at : at + BLOCK_FRAMES])
    except (HeadsetAbsentError, OSError) as error:
        print(str(error).replace("\n", " "), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
