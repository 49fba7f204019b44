"""Print a code with which the first technician signs in, before the court's staff list is there.

Run it as root on the new kiosk: sudo kiosk provision. The code is shown once; the kiosk keeps only
its hash. It opens the technician's screens alone, and ends when a signed staff list with a
technician is in force, or after 14 days. A new code replaces the one before.
"""

from __future__ import annotations

import argparse
import sys

from kiosk.auth.first_technician import DAYS, FIRST_TECHNICIAN, FirstTechnician
from kiosk.auth.sign_in_journal import SignInJournal
from kiosk.commands._common import command_settings
from kiosk.errors import KioskError
from kiosk.storage.ages import Ages
from kiosk.storage.paths import Paths

HELP = "print a code for the first technician of a new kiosk"
EXAMPLES = ("sudo kiosk provision",)
EXIT_STATUS = {0: "the code is on standard output", 1: "there is none, with the reason"}


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Make the code, print it once."""
    paths = Paths.from_settings(command_settings(arguments).paths)
    if not paths.data.is_dir():
        raise KioskError(f"{paths.data}: is not there; is the kiosk installed?")
    code = FirstTechnician(paths.first_technician, Ages(paths.sign_in_ages)).make_code()
    SignInJournal(paths.sign_in_journal).append("made", "code", FIRST_TECHNICIAN.id)
    print(f"{code[:4]} {code[4:]}")
    print(
        f"The first technician's code, for {DAYS} days at most. It is not shown again.",
        file=sys.stderr,
    )
    return 0
