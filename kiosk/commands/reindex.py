"""Rebuild kiosk.db from the folders, the receipts and the stored registration numbers.

The old file is set aside, not deleted. The delivery service does this automatically when it finds
its database damaged; stop the service before you run it (systemctl stop kiosk-sync).
"""

from __future__ import annotations

import argparse

from kiosk.commands._common import command_settings
from kiosk.services.sync_lock import acquire_lock
from kiosk.storage.database import set_aside_database
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext

HELP = "rebuild the delivery database from the folders"
EXAMPLES = (
    "sudo systemctl stop kiosk-sync",
    "sudo kiosk reindex",
    "sudo systemctl start kiosk-sync",
)
EXIT_STATUS = {0: "rebuilt", 1: "not, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the settings say everything."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Set the old database aside, build a new one and print what it holds."""
    settings = command_settings(arguments)
    paths = Paths.from_settings(settings.paths)
    lock = acquire_lock(paths)
    try:
        old_database = set_aside_database(paths.database)
        context = SyncContext(settings, lambda: None)
        items = context.outbox.counts()
        context.close()
    finally:
        lock.close()
    if old_database is not None:
        print(f"The old database was set aside as {old_database}")
    for kind, state, count in items:
        print(f"{count} {kind}(s) {state}")
    if not items:
        print("Nothing to deliver, nothing delivered.")
    return 0
