"""Runs at the start of Python: puts the faults into the virtual camera."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

VARIABLE = "KIOSK_TEST_CAMERA_FAULTS"


def install(folder: Path) -> None:
    """Make encoder and scene of the virtual camera fail while a file of ``folder`` says so."""
    import numpy as np

    from kiosk.hardware.camera.software_encoder import SoftwareEncoder
    from kiosk.hardware.virtual import camera

    encode = SoftwareEncoder.encode
    paint = camera.CourtroomScene.paint
    start = camera.VirtualCamera.start_encoder
    painted: list[camera.Picture] = []

    def faulty_encode(self: Any, frame: Any, captured_ns: int) -> None:
        if not (folder / "silent").exists():
            encode(self, frame, captured_ns)

    def faulty_start(self: Any, emit: Any) -> None:
        if (folder / "refused").exists():
            raise RuntimeError("no memory for the encoder")
        start(self, emit)

    def faulty_paint(self: Any, captured_ns: int) -> camera.Picture:
        while (folder / "empty").exists():
            time.sleep(0.05)
        if not (folder / "still").exists():
            painted.clear()
        elif not painted:
            kept = folder / "picture"  # the same one after a restart
            if kept.exists():
                painted.append(np.fromfile(kept, np.uint8))
            else:
                painted.append(paint(self, captured_ns).copy())
                painted[0].tofile(kept)
        return painted[0].reshape(-1, self._width) if painted else paint(self, captured_ns)

    SoftwareEncoder.encode = faulty_encode  # type: ignore[method-assign]
    camera.CourtroomScene.paint = faulty_paint  # type: ignore[method-assign]
    camera.VirtualCamera.start_encoder = faulty_start  # type: ignore[method-assign]


if VARIABLE in os.environ and "kiosk.hardware.sources.camera_child" in sys.orig_argv:
    install(Path(os.environ[VARIABLE]))
