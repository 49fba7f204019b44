"""Check the secretary's electronic signature (ЭЦП) over sealed short minutes.

She signs the file SHA256SUMS of the minutes' folder: it holds the hash of the minutes and of the
recording's own list, and so covers every file of both. The signature is a detached CMS.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.export.minutes_signature import check_minutes_signature

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
    signed = check_minutes_signature(arguments.folder, arguments.signature, arguments.roots)
    print(f"signed by {signed.name}; certificate valid until {signed.valid_until:%Y-%m-%d}")
    return 0
