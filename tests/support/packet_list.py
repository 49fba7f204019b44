"""A listener of a camera that keeps its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket


@dataclass
class PacketList:
    """A listener that keeps the pictures."""

    packets: list[VideoPacket] = field(default_factory=list)

    def video(self, packet: VideoPacket) -> None:
        """Keep a picture."""
        self.packets.append(packet)

    def audio(self, name: str, block: AudioBlock) -> None:
        """Refuse sound: there is no microphone."""
        raise AssertionError(name, block)
