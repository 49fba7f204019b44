"""Run the kiosk's main job on virtual devices, through its touch screen.

A visitor files a three-page document, a secretary records a hearing in two parts, a technician
runs the self-test; everything is delivered to a reference central system on this machine and
read back with ffprobe, sha256sum, openssl and a PDF reader. DIR/report.json holds the result.
With --live the kiosk stays on the screen for you to touch, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

HELP = "run the main job on virtual devices"
EXAMPLES = (
    "kiosk demo --out demo",
    "kiosk demo --live",
)
EXIT_STATUS = {
    0: "every check passed",
    1: "one did not",
    129: "its terminal was closed; nothing is left running",
    143: "ended by SIGTERM; nothing is left running",
}
ENDING = (signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder for the results and whether the kiosk keeps running."""
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="results (default: demo)"
    )
    parser.add_argument(
        "--live", action="store_true", help="keep the kiosk running for you to touch"
    )


def _end(number: int, _frame: object) -> None:
    for other in ENDING:  # once is enough: the second would cut the end short
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; SIGTERM and SIGHUP end it and everything that it started."""
    for number in ENDING:
        signal.signal(number, _end)
    from kiosk.demo.run import run_demo, run_live

    if arguments.live:
        return run_live(arguments.out)
    return run_demo(arguments.out)
