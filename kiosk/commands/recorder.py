"""Run the recorder: camera, microphones, lamp, hearings. It needs no network and no other service.

It serves its local API on run/recorder.sock until SIGTERM, which closes and seals the running part;
a hearing that was being recorded resumes automatically at the next start.
"""

from __future__ import annotations

import argparse
import asyncio

from kiosk.commands._common import command_settings
from kiosk.logs import dump_stacks_on_signal

HELP = "run the recorder (service)"
EXAMPLES = ("sudo systemctl start kiosk-recorder",)
EXIT_STATUS = {0: "ended by a signal", 1: "could not start"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the settings say everything."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from kiosk.hardware.child_process.malloc import set_malloc_thresholds
    from kiosk.services.recorder_core import RecorderCore

    dump_stacks_on_signal()
    set_malloc_thresholds()
    core = RecorderCore(command_settings(arguments))
    core.recover()  # before the local API is even imported: that takes seconds on a Pi
    from kiosk.services.recorder import RecorderService

    async def serve() -> None:
        await RecorderService(core).run()

    asyncio.run(serve())
    return 0
