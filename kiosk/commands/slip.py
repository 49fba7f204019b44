"""Print the slip of a hearing: the newest signed head of its journal, as text or as a picture.

The slip is for the parties, at a recess and at the end. ``kiosk verify FOLDER --ca FILE --slip
CODE`` tells later whether a recording goes on from what stands on it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.cli import command_settings
from kiosk.export.chain_receipt import read_chain_receipt, render_chain_receipt
from kiosk.locale import Translator
from kiosk.storage.paths import Paths

HELP = "show or draw the slip with the head of a hearing's journal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the hearing and the form of the answer."""
    parser.add_argument("hearing", metavar="HEARING", help="id of the hearing, or its folder")
    parser.add_argument("--language", choices=("kk", "ru"), help="default: the kiosk's own, or kk")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--png", type=Path, metavar="FILE", help="draw it as it is printed")
    form.add_argument("--json", action="store_true", help="print it as data")


def run(arguments: argparse.Namespace) -> int:
    """Show the slip."""
    settings = command_settings(arguments)
    own = Paths.from_settings(settings.paths).hearings / arguments.hearing
    slip = read_chain_receipt(own if own.is_dir() else Path(arguments.hearing))
    if arguments.png is not None:
        language = arguments.language or settings.kiosk.language
        translate = Translator(language if language != "en" else "kk")
        court, zone = translate.pick(settings.kiosk.court), ZoneInfo(settings.kiosk.timezone)
        width = settings.printer.width_dots
        render_chain_receipt(slip, translate, court=court, zone=zone, width=width).save(
            arguments.png
        )
        print(arguments.png)
    elif arguments.json:
        print(json.dumps(slip.as_json(), ensure_ascii=False, indent=1))
    else:
        print(f"{slip.case_number or slip.hearing_id}  {slip.signed_at}  {slip.count}\n{slip.code}")
    return 0
