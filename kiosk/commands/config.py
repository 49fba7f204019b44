"""Check the settings file and show every setting in force, defaults included.

With --origins, one line a setting: its value and where it comes from, which is a line of kiosk.toml
or of the room profile (what a technician chose on the screen), or the default.

With --table, list all settings with their defaults and allowed values; no file is read.
"""

from __future__ import annotations

import argparse
import json
import sys

from kiosk.commands._common import command_settings
from kiosk.settings_files import load_settings_files, settings_path
from kiosk.settings_table import settings_table

HELP = "check the settings file and show what is in force"
EXAMPLES = (
    "kiosk config",
    "kiosk --config draft.toml config",
    "sudo kiosk config --origins",
)
EXIT_STATUS = {0: "the settings are right"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--table`` and ``--origins``; the file is the general ``--config``."""
    parser.add_argument(
        "--origins", action="store_true", help="say of each setting which line sets it"
    )
    parser.add_argument(
        "--table", action="store_true", help="list all possible settings, as Markdown"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the settings as JSON; for a wrong file print where it is wrong (exit status 2)."""
    if arguments.table:
        print(settings_table(), end="")
        return 0
    if arguments.origins:
        files = load_settings_files(settings_path(arguments.config))
        for key, value, origin in files.origins():
            print(f"{key} = {json.dumps(value, ensure_ascii=False)}  # {origin}")
        if files.problem:
            print(f"the room profile does not count: {files.problem}", file=sys.stderr)
        return 0
    print(command_settings(arguments).model_dump_json(indent=1))
    return 0
