"""What a part captures: the live sources of the room, or the sound that was kept before it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.listener import SourceListener
from kiosk.hardware.sources.microphone_source import MicrophoneSource


class CapturedSources(Protocol):
    """A camera, if there is one, and microphones, whose packets a listener gets.

    Attributes:
        preview: file in shared memory for the live picture.
    """

    preview: Path
    camera: CameraSource | None
    microphones: tuple[MicrophoneSource, ...]

    def attach(self, listener: SourceListener, since_ns: int) -> None:
        """Dispatch everything captured from ``since_ns`` (recording clock) on to ``listener``."""

    def detach(self, listener: SourceListener) -> None:
        """Dispatch nothing to ``listener`` after this returns."""

    def stop_encoder(self) -> None:
        """Stop the camera's encoder."""
