"""Run the recorder: camera, microphones, lamp, hearings. It needs no network and no other service.

It serves its local API on run/recorder.sock until SIGTERM, which closes and seals the running part;
a hearing that was being recorded resumes automatically at the next start.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kiosk.commands._common import command_settings
from kiosk.config import Settings
from kiosk.logs import dump_stacks_on_signal
from kiosk.settings_files import settings_path
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.paths import Paths

if TYPE_CHECKING:
    from kiosk.hardware.sources.sources import Sources

HELP = "run the recorder (service)"
EXAMPLES = ("sudo systemctl start kiosk-recorder",)
EXIT_STATUS = {0: "ended by a signal", 1: "could not start"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what systemd asks for after a crash; the settings say everything else."""
    parser.add_argument(
        "--lamp-off", action="store_true", help="darken the recording lamp, which was left lit"
    )


def _darken_lamp(settings: Settings) -> int:
    """Drive the lamp's pin low and let it go.

    The kernel of a Pi leaves a pin as it was driven when the process ends that drove it
    (``strict_gpiod`` in ``config.txt`` changes that).
    """
    from kiosk.hardware.panel import Panel

    Panel(settings.panel).open().close()
    return 0


def _open_sources(settings: Settings) -> Sources:
    from kiosk.hardware.sources.sources import Sources
    from kiosk.hearing.room.noise_baseline import load_noise_floors

    paths = Paths.from_settings(settings.paths)
    make_folder(paths.data)
    make_folder(paths.recorder_run)
    sources = Sources(settings, paths.preview, load_noise_floors(paths))
    sources.open()
    sources.listen_for_speech()
    return sources


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from kiosk.hardware.child_process.malloc import return_free_memory, set_malloc_thresholds

    dump_stacks_on_signal()
    set_malloc_thresholds()
    settings = command_settings(arguments)
    if arguments.lamp_off:
        return _darken_lamp(settings)
    # Each import comes when it is needed: all together they take seconds on a Pi.
    sources = _open_sources(settings)  # the devices come up meanwhile, in processes of their own
    from kiosk.services.recorder_core import RecorderCore

    core = RecorderCore(settings, sources, settings_path(arguments.config))
    core.recover()
    core.panel.open()
    import asyncio

    from kiosk.services.recorder import RecorderService

    return_free_memory()

    async def serve() -> None:
        await RecorderService(core).run()

    asyncio.run(serve())
    return 0
