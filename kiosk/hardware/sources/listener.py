"""Interface of a receiver of captured packets."""

from __future__ import annotations

from typing import Protocol

from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket


class SourceListener(Protocol):
    """Receives packets in the sources' threads: its methods must return at once."""

    def video(self, packet: VideoPacket) -> None:
        """Receive an encoded picture."""

    def audio(self, name: str, block: AudioBlock) -> None:
        """Receive samples of the microphone ``name``."""
