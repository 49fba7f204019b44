"""Build kiosk.db anew from the folders, the receipts and the kept registration numbers.

The old file is set aside, not deleted. The delivery service does this by itself when it finds
its database damaged; it must be stopped while this runs (systemctl stop kiosk-sync).
"""

from __future__ import annotations

import argparse

from kiosk.cli import command_settings
from kiosk.services.sync_lock import acquire_lock
from kiosk.storage.database import set_aside_database
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext

HELP = "build the delivery database anew from the folders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is in the settings."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Set the old database aside, build a new one, say what is in it."""
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
        print(f"The old database was kept as {old_database}")
    for kind, state, count in items:
        print(f"{count} {kind}(s) {state}")
    if not items:
        print("Nothing to deliver, nothing delivered.")
    return 0
