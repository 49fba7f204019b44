"""Decrypt the closed parts of a hearing with the court's key, at the court's workstation.

Every fragment is compared with the hashes in the journal. With --challenge, decrypt the file by
which a kiosk asks whether the court can decrypt.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiosk.errors import UsageError
from kiosk.recording.encryption.decrypt import decrypt_age_file, decrypt_parts, read_identities

HELP = "decrypt closed parts with the court's key"
EXAMPLES = (
    "kiosk decrypt HEARING_FOLDER --key court-age-key.txt --out decrypted",
    "kiosk decrypt --challenge court.age --key court-age-key.txt",
)
EXIT_STATUS = {
    0: "everything is what was recorded",
    1: "some of it is damaged (each place is named; the rest is written), or the key is wrong",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the key and the output folder."""
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="hearing or part")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="private age key")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the decrypted files")
    parser.add_argument(
        "--challenge",
        type=Path,
        metavar="FILE",
        help="file written by 'kiosk court-keys challenge'",
    )


def run(arguments: argparse.Namespace) -> int:
    """Decrypt and report the result; return the exit status."""
    identities = read_identities(arguments.key)
    if arguments.challenge is not None:
        text = decrypt_age_file(arguments.challenge.read_bytes(), identities)
        print(text.decode("utf-8"), end="")
        return 0
    if arguments.folder is None or arguments.out is None:
        raise UsageError("FOLDER and --out DIR are needed; see: kiosk decrypt --help")
    parts = decrypt_parts(arguments.folder, identities, arguments.out, _print_progress)
    damaged = [f"{part.part}/{name}" for part in parts for name in part.damaged]
    for part in parts:
        for path in part.files:
            print(path)
    for name in damaged:
        print(name, file=sys.stderr)
    if not damaged:
        print("All of it is what was recorded.")
    return 1 if damaged else 0


def _print_progress(done: int, every: int) -> None:
    """Show the progress on a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done >= every else ""
        print(f"\r{done * 100 // max(1, every):3d} %", end=end, file=sys.stderr, flush=True)
