"""Enrol this kiosk: exchange a one-time code from the court for a device certificate.

The key is generated on this device and never leaves it. Running the same command again is
harmless, also after an interruption.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.commands._common import command_settings
from kiosk.storage.paths import Paths
from kiosk.sync.enrolment import enrol

HELP = "get this kiosk's certificate with a one-time code"
EXAMPLES = ("sudo kiosk enroll --code ABCD-EFGH-… --url https://court.example:8443",)
EXIT_STATUS = {0: "enrolled, now or before", 1: "refused, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the code and the central system."""
    parser.add_argument("--code", required=True, help="one-time code, as printed by the court's IT")
    parser.add_argument(
        "--url", metavar="URL", help="central system (default: [central] url of kiosk.toml)"
    )
    parser.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="the court's root certificate (PEM); without it the fingerprint in the code decides",
    )
    parser.add_argument(
        "--again", action="store_true", help="enrol although there is a valid certificate"
    )


def run(arguments: argparse.Namespace) -> int:
    """Enrol and print the result."""
    settings = command_settings(arguments)
    url = arguments.url or settings.central.url
    done = enrol(
        Paths.from_settings(settings.paths),
        settings.kiosk.id,
        arguments.code,
        url,
        arguments.ca,
        force=arguments.again,
    )
    was = "is enrolled" if done.is_new else "was enrolled already"
    print(f"{done.kiosk_id} {was}; certificate valid until {done.not_after:%Y-%m-%d}.")
    if url.rstrip("/") != settings.central.url.rstrip("/"):
        print(f"Note: [central] url in kiosk.toml is {settings.central.url}; set it to {url}.")
    return 0
