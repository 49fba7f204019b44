"""Run the delivery service: schedule in; recordings, filings and reports out, each once.

Works all day without the central system: last list, provisional numbers, delivery later. Lives
until SIGTERM; a second one for the same data folder refuses to start.
"""

from __future__ import annotations

import argparse

from kiosk.cli import command_settings
from kiosk.services.sync import serve

HELP = "run the delivery service"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is in the settings."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    serve(command_settings(arguments))
    return 0
