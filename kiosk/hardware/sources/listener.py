"""The receiver of what the sources capture."""

from __future__ import annotations

from typing import Protocol

from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket


class SourceListener(Protocol):
    """Takes what the sources give, in their threads: it must return at once."""

    def video(self, packet: VideoPacket) -> None:
        """Take one encoded picture."""

    def audio(self, name: str, block: AudioBlock) -> None:
        """Take samples of the microphone ``name``."""
