"""Run the recorder: camera, microphones, lamp, hearings. It needs no network and no other service.

It serves its local API on run/recorder.sock until SIGTERM, which closes and seals the running part;
a hearing that was being recorded goes on by itself at the next start.
"""

from __future__ import annotations

import argparse
import asyncio

from kiosk.cli import settings_of

HELP = "run the recorder (service)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: all is in the settings."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from kiosk.hardware.child_process.malloc import keep_flat
    from kiosk.services.recorder_devices import Room

    keep_flat()
    room = Room(settings_of(arguments))
    room.recover()  # before the local API is even imported: that takes seconds on a Pi
    from kiosk.services.recorder import RecorderService

    async def serve() -> None:
        await RecorderService(room).run()

    asyncio.run(serve())
    return 0
