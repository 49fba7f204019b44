"""Run the touch screen: visitors, secretary, technician.

It needs a display (X11, or KMSDRM on a Raspberry Pi). It may be killed and started again at any
time: a running hearing belongs to ``kiosk recorder`` and goes on without it.
"""

from __future__ import annotations

import argparse

from kiosk.cli import settings_of

HELP = "run the touch screen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is in the settings."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Run until the window is closed; return the exit status."""
    settings = settings_of(arguments)
    from kiosk.ui.kivy_setup import prepare  # Kivy reads its settings when it is imported

    prepare(settings.ui, settings.paths.run / "kivy")
    from kiosk.ui.app import run as run_app

    return run_app(settings)
