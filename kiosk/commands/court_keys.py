"""Show, pin and prove the court's two public keys for closed parts.

The proof shows at commissioning that court and escrow can decrypt. "challenge" writes two small
text files. The court opens its file at its workstation (kiosk decrypt --challenge FILE --key KEY,
or: age -d -i KEY FILE), the escrow opens the other; each reads out the 16 characters it finds,
and "answer" takes them here. Until both have answered, the self-test reports the keys as
unproven.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.commands._common import command_settings
from kiosk.recording.encryption.key_challenge import create_challenges, verify_answer
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.court_keys import (
    COURT,
    ESCROW,
    CourtKeys,
    load_court_keys,
    pin_court_keys,
    proof_times,
)
from kiosk.storage.paths import Paths

HELP = "pin and prove the court's keys for closed parts"
EXAMPLES = (
    "sudo kiosk court-keys show",
    "sudo kiosk court-keys challenge --out /tmp/challenges",
)
EXIT_STATUS = {0: "done; show: both keys are proven", 1: "not, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per step."""
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    steps.add_parser("show", help="show the pinned keys, and when they were proven")
    pin = steps.add_parser("pin", help="pin the keys by hand (enrolment does it automatically)")
    pin.add_argument("court", metavar="COURT", help="public key of the court: age1…")
    pin.add_argument("escrow", metavar="ESCROW", help="public key of its escrow: age1…")
    challenge = steps.add_parser("challenge", help="write a challenge for each key")
    challenge.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for the files (default: here)",
    )
    answer = steps.add_parser("answer", help="check the answer that court or escrow read out")
    answer.add_argument("answer", metavar="ANSWER", help="16 characters; dashes do not matter")


def run(arguments: argparse.Namespace) -> int:
    """Do the step; return 0, or 1 for "show" while something is missing."""
    settings = command_settings(arguments)
    paths = Paths.from_settings(settings.paths)
    if arguments.step == "pin":
        pin_court_keys(paths, CourtKeys(arguments.court, arguments.escrow))
    elif arguments.step == "challenge":
        for path in create_challenges(paths, settings.kiosk.id, make_folder(arguments.out)):
            print(path)
        return 0
    elif arguments.step == "answer":
        print(f"The key of the {verify_answer(paths, arguments.answer)} is proven.")
    complete = _print_keys(paths)
    return 0 if complete or arguments.step != "show" else 1


def _print_keys(paths: Paths) -> bool:
    """Print the keys; return whether both are proven."""
    keys, when = load_court_keys(paths), proof_times(paths)
    for name, recipient in ((COURT, keys.court), (ESCROW, keys.escrow)):
        status = f"proven {when[name]}" if name in when else "NOT proven"
        print(f"{name}: {recipient} ({status})")
    return len(when) == 2
