"""Build kiosk.db anew from the folders, the receipts and the kept registration numbers.

The old file is set aside, not deleted. The delivery service does this by itself when it finds
its database damaged; it must be stopped while this runs (systemctl stop kiosk-sync).
"""

from __future__ import annotations

import argparse

from kiosk.cli import settings_of
from kiosk.services.sync_lock import take_lock
from kiosk.storage.database import set_aside
from kiosk.storage.paths import Layout
from kiosk.sync.context import SyncRoom

HELP = "build the delivery database anew from the folders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is in the settings."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Set the old database aside, build a new one, say what is in it."""
    settings = settings_of(arguments)
    layout = Layout.of(settings.paths)
    lock = take_lock(layout)
    try:
        kept = set_aside(layout.database)
        room = SyncRoom(settings, lambda: None)
        items = room.outbox.counts()
        room.close()
    finally:
        lock.close()
    if kept is not None:
        print(f"The old database was kept as {kept}")
    for kind, state, count in items:
        print(f"{count} {kind}(s) {state}")
    if not items:
        print("Nothing to deliver, nothing delivered.")
    return 0
