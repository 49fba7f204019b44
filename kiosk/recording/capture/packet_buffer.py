"""Keeps the packets of a part in memory, between the sources and the part's writer."""

from __future__ import annotations

import queue

from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.capture.pulse import RecordingPulse
from kiosk.recording.formats.records import CAMERA


class PacketBuffer:
    """Queues packets from the sources, which never wait.

    Args:
        pulse: is told what comes.
    """

    def __init__(self, pulse: RecordingPulse) -> None:
        self._pulse = pulse
        self._items: queue.SimpleQueue[VideoPacket | tuple[str, AudioBlock]] = queue.SimpleQueue()

    def video(self, packet: VideoPacket) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(CAMERA)
        self._items.put(packet)

    def audio(self, name: str, block: AudioBlock) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(name)
        self._items.put((name, block))

    def drain_into(self, writer: PartWriter) -> None:
        """Hand everything to the writer."""
        while True:
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                return
            if isinstance(item, VideoPacket):
                writer.add_video(item)
            else:
                writer.add_audio(*item)
