"""Check the settings file and show every setting in force, defaults included.

With --table: what can be set at all, with defaults and what is allowed (no file is read).
"""

from __future__ import annotations

import argparse

from kiosk.cli import command_settings
from kiosk.settings_table import settings_table

HELP = "check the settings file and show what is in force"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the table; the file is the general ``--config``."""
    parser.add_argument("--table", action="store_true", help="what can be set, as Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings as JSON; a wrong file ends with exit status 2 and says where."""
    if arguments.table:
        print(settings_table(), end="")
        return 0
    print(command_settings(arguments).model_dump_json(indent=1))
    return 0
