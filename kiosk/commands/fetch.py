"""Fetch a hearing that this kiosk has delivered back from the central system, and verify it.

It serves a permitted copy after the recording has left the device. After an interruption the same
command continues.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiosk.commands._common import command_settings
from kiosk.locale import LANGUAGES, Translator
from kiosk.recording.verify.hearing import verify
from kiosk.storage.paths import Paths
from kiosk.sync.delivery.fetch import fetch_hearing
from kiosk.sync.transport.connection import Connection

HELP = "fetch a delivered hearing back, for a permitted copy"
EXAMPLES = ("sudo kiosk fetch HEARING --to /var/tmp/fetched",)
EXIT_STATUS = {
    0: "the folder is exactly what was recorded",
    1: "it is not, or it could not be fetched",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the hearing and the target folder."""
    parser.add_argument("hearing", metavar="HEARING", help="id of the hearing")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to put it in")
    parser.add_argument("--quick", action="store_true", help="do not decode the media")
    parser.add_argument(
        "--language", choices=LANGUAGES, default="en", help="language of the messages"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch, verify and print the result."""
    settings = command_settings(arguments)
    paths = Paths.from_settings(settings.paths)
    connector = Connection(paths, settings.central.url)
    try:
        folder = fetch_hearing(
            connector.client(), arguments.hearing, arguments.to, paths.court_ca, _print_progress
        )
    finally:
        connector.close()
    print(file=sys.stderr)
    report = verify(folder, paths.court_ca, decode=not arguments.quick)
    translate = Translator(arguments.language)
    for problem in report.problems:
        print(f"{problem.where}: {problem.sentence(translate)}", file=sys.stderr)
    print(f"{folder}: {'verified' if report.ok else 'NOT VERIFIED'}")
    return 0 if report.ok else 1


def _print_progress(done: int, total: int) -> None:
    print(f"\r{done / 1e6:.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)
