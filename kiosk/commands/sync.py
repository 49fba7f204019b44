"""Run the delivery service: schedule in; recordings, filings and reports out, each exactly once.

It works all day without the central system: last list, provisional numbers, delivery later. It
runs until SIGTERM; a second one for the same data folder refuses to start.
"""

from __future__ import annotations

import argparse

from kiosk.commands._common import command_settings
from kiosk.logs import dump_stacks_on_signal
from kiosk.services.sync import serve

HELP = "run the delivery service"
EXAMPLES = ("sudo systemctl start kiosk-sync",)
EXIT_STATUS = {0: "ended by a signal", 1: "could not start"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the settings say everything."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    dump_stacks_on_signal()
    serve(command_settings(arguments))
    return 0
