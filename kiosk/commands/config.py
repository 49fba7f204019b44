"""Check the settings file and show every setting in force, defaults included."""

from __future__ import annotations

import argparse

from kiosk.cli import settings_of

HELP = "check the settings file and show what is in force"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the file is the general ``--config``."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the settings as JSON; a wrong file ends with exit status 2 and says where."""
    print(settings_of(arguments).model_dump_json(indent=1))
    return 0
