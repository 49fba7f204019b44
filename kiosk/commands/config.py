"""Check the settings file and show every setting in force, defaults included.

With --table, list all settings with their defaults and allowed values; no file is read.
"""

from __future__ import annotations

import argparse

from kiosk.commands._common import command_settings
from kiosk.settings_table import settings_table

HELP = "check the settings file and show what is in force"
EXAMPLES = (
    "kiosk config",
    "kiosk --config draft.toml config",
)
EXIT_STATUS = {0: "the settings are right"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--table``; the file is the general ``--config``."""
    parser.add_argument(
        "--table", action="store_true", help="list all possible settings, as Markdown"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the settings as JSON; for a wrong file print where it is wrong (exit status 2)."""
    if arguments.table:
        print(settings_table(), end="")
        return 0
    print(command_settings(arguments).model_dump_json(indent=1))
    return 0
