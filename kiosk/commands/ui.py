"""Run the touch screen (visitors, secretary, technician), or the display in the hall.

It needs a display (X11, or KMSDRM on a Raspberry Pi). It may be killed and started again at any
time: a running hearing belongs to ``kiosk recorder`` and continues without it. With a wrong
settings file it shows what is wrong until the file is right.

The display in the hall shows today's hearings of one room without what is hidden. It hears only the
recorder's view for it: on this machine, or on another (`[hall] address`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from kiosk.config import UiSettings
from kiosk.errors import ConfigError
from kiosk.logs import dump_stacks_on_signal
from kiosk.settings_files import load_settings, settings_path
from kiosk.storage.paths import Paths

HELP = "run the touch screen"
EXAMPLES = ("sudo systemctl start kiosk-ui", "kiosk ui --role hall")
EXIT_STATUS = {0: "the window was closed", 1: "it could not be opened"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whose screen it is: the settings say everything else."""
    parser.add_argument(
        "--role", choices=("kiosk", "hall"), default="kiosk",
        help="kiosk: the touch screen (default); hall: the display in the hall",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run until the window is closed; return the exit status."""
    from kiosk.ui.kivy_setup import prepare  # Kivy reads its settings when it is imported

    dump_stacks_on_signal()
    path = settings_path(arguments.config)
    try:
        settings = load_settings(path)
    except ConfigError as error:
        return _show_settings_error(path, error)

    paths = Paths.from_settings(settings.paths)
    if arguments.role == "hall":
        prepare(settings.ui, paths.hall_run / "kivy")
        from kiosk.ui.hall_app import run_hall

        return run_hall(settings)
    prepare(settings.ui, paths.ui_run / "kivy")
    from kiosk.ui.app import run as run_app

    return run_app(settings)


def _show_settings_error(path: Path, error: ConfigError) -> int:
    """Show on the screen what is wrong with the settings, until they are right."""
    from kiosk.ui.kivy_setup import prepare

    print(f"kiosk: {error}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="kiosk-kivy-") as home:
        prepare(UiSettings(), Path(home))
        from kiosk.ui.settings_error_app import show_settings_error

        return show_settings_error(path, error)
