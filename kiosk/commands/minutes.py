"""Draft the short protocol (УПК 347-1(2)) of a recorded hearing from its journals.

Prints text, or writes a PDF/A for printing and signing. What the kiosk does not know stays an
empty line for the secretary. The sealed folder is only read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.commands._common import command_settings, document_language, print_json
from kiosk.export.minutes import build_minutes
from kiosk.export.text_pdf import minutes_to_pdf
from kiosk.rules import load_rules
from kiosk.storage.atomic_io import write_bytes

HELP = "draft the short protocol of a recorded hearing"
EXAMPLES = ("sudo kiosk minutes /var/lib/kiosk/hearings/HEARING --pdf protocol.pdf",)
EXIT_STATUS = {0: "done", 1: "not, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the language and the output format."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a hearing's folder")
    parser.add_argument("--language", choices=("kk", "ru"), help="default: the kiosk's own, or kk")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--pdf", type=Path, metavar="FILE", help="write a PDF/A to FILE")
    form.add_argument("--json", action="store_true", help="print it as data")


def run(arguments: argparse.Namespace) -> int:
    """Draft the protocol."""
    settings = command_settings(arguments)
    language = document_language(arguments, settings)
    minutes = build_minutes(arguments.folder, load_rules(), settings, language)
    if arguments.pdf is not None:
        write_bytes(arguments.pdf, minutes_to_pdf(minutes))
        print(arguments.pdf)
    elif arguments.json:
        print_json(minutes.as_json())
    else:
        print(minutes.as_text(), end="")
    return 0
