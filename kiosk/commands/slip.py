"""Print the slip of a hearing: the newest signed head of its journal, as text or as a picture.

The slip is for the parties, at a recess and at the end. ``kiosk verify FOLDER --ca FILE --slip
CODE`` checks later that a recording continues from the state on the slip.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.commands._common import (
    command_settings,
    document_language,
    hearing_folder,
    print_json,
)
from kiosk.export.chain_receipt import read_chain_receipt, render_chain_receipt
from kiosk.locale import Translator
from kiosk.storage.paths import Paths

HELP = "print or draw the slip with the head of a hearing's journal"
EXAMPLES = (
    "sudo kiosk slip HEARING",
    "sudo kiosk slip HEARING --png slip.png",
)
EXIT_STATUS = {0: "done", 1: "there is no such hearing, or nothing of it is signed yet"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the hearing, the language and the output format."""
    parser.add_argument("hearing", metavar="HEARING", help="id of the hearing, or its folder")
    parser.add_argument("--language", choices=("kk", "ru"), help="default: the kiosk's own, or kk")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--png", type=Path, metavar="FILE", help="draw it as the printer does")
    form.add_argument("--json", action="store_true", help="print it as data")


def run(arguments: argparse.Namespace) -> int:
    """Print or draw the slip."""
    settings = command_settings(arguments)
    paths = Paths.from_settings(settings.paths)
    slip = read_chain_receipt(hearing_folder(paths, arguments.hearing))
    if arguments.png is not None:
        translate = Translator(document_language(arguments, settings))
        court, zone = translate.pick(settings.kiosk.court), ZoneInfo(settings.kiosk.timezone)
        width = settings.printer.width_dots
        render_chain_receipt(slip, translate, court=court, zone=zone, width=width).save(
            arguments.png
        )
        print(arguments.png)
    elif arguments.json:
        print_json(slip.to_json())
    else:
        print(f"{slip.case_number or slip.hearing_id}  {slip.signed_at}  {slip.count}\n{slip.code}")
    return 0
