"""Faults inside the process of the virtual camera, which a test switches on and off.

The folder is on the path of every Python process that a recorder starts. There
:mod:`.sitecustomize` puts the faults into the camera's child, and into no other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

VARIABLE = "KIOSK_TEST_CAMERA_FAULTS"
Fault = Literal["silent", "refused", "still", "empty"]
"""The encoder gives no packets; it does not start; every picture is the same; none comes."""


class CameraFaults:
    """Switches faults of the camera's process.

    Args:
        folder: existing; a file in it stands for each fault that is on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        self.environment = {
            VARIABLE: str(folder),
            "PYTHONPATH": os.pathsep.join(entry for entry in path if entry),
        }

    def switch(self, fault: Fault, on: bool = True) -> None:
        """Switch a fault on or off."""
        if on:
            (self._folder / fault).touch()
        else:
            (self._folder / fault).unlink(missing_ok=True)
