"""Check the secretary's electronic signature (ЭЦП) over sealed short minutes.

She signs the file SHA256SUMS of the minutes' folder: it holds the hash of the minutes and of the
recording's own list, and so covers every file of both. The signature is a detached CMS.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.errors import UsageError
from kiosk.evidence.person_signature import check_person_signature, require_person
from kiosk.recording.verify.minutes import MINUTES_FILE
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hearing_folder import SUMS

HELP = "check the secretary's signature over sealed minutes"
EXAMPLES = ("kiosk signature MINUTES_FOLDER SHA256SUMS.cms --roots nca-roots.pem",)
EXIT_STATUS = {0: "it is hers, over exactly these minutes", 1: "not, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add folder, signature and roots."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="sealed minutes")
    parser.add_argument("signature", type=Path, metavar="FILE", help="detached CMS (.cms, .p7s)")
    parser.add_argument(
        "--roots",
        type=Path,
        required=True,
        metavar="FILE",
        help="roots that issue keys to people (PEM), from a source that you trust",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the signature; print who signed and how long the certificate is valid."""
    told = read_json_or_none(arguments.folder / MINUTES_FILE)
    if told is None:
        raise UsageError(f"{arguments.folder}: no sealed minutes are there")
    signed = check_person_signature(arguments.folder / SUMS, arguments.signature, arguments.roots)
    require_person(signed, secretary_name(told))
    print(f"signed by {signed.name}; certificate valid until {signed.valid_until:%Y-%m-%d}")
    return 0


def secretary_name(told: dict[str, object]) -> str:
    """Return the name of the secretary who confirmed, from ``minutes.json``."""
    rows = told.get("confirmed")
    names = [
        str(row.get("name") or "")
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("role") == "secretary"
    ]
    if not names or not names[0]:
        raise UsageError("the minutes do not name the secretary who confirmed them")
    return names[0]
