"""The pulse of a courtroom's recording: packets that came, bytes that left, media that are durable.

It is noted where each of these happens, from the packets and bytes themselves. So it tells what is
so, also when a state says something else.
"""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.formats.age_tar import is_age_member
from kiosk.recording.formats.records import CAMERA, FragmentRecord, Track

_PAUSE_NS = NS_PER_S
"""A source that gave nothing for longer has come back; what it gives is durable a little later."""


class RecordingPulse:
    """What the parts of one courtroom do. Any thread may call it.

    Attributes:
        received_ns: recording clock at which the newest packet of each source came.
        back_ns: recording clock at which each source began to give packets, in this part or after
            a pause.
        plain_ns, media_ns: recording clock of the end of the newest media that were handed to the
            storage readable for everybody, and in any form; 0 before the first.
    """

    def __init__(self) -> None:
        self.received_ns: dict[str, int] = {}
        self.back_ns: dict[str, int] = {}
        self.plain_ns = self.media_ns = 0
        self._durable_ns: dict[tuple[Track, str], int] = {}

    def start_part(self, tap_ns: int, sources: Iterable[str]) -> None:
        """Expect packets of ``sources`` from the tap on; those of a part before count on."""
        for source in sources:
            self.received_ns[source] = max(tap_ns, self.received_ns.get(source, 0))
            self.back_ns[source] = tap_ns

    def receive(self, source: str) -> None:
        """Note that a packet of ``source`` has come now."""
        now_ns = recording_ns()
        if now_ns - self.received_ns.get(source, 0) > _PAUSE_NS:
            self.back_ns[source] = now_ns
        self.received_ns[source] = now_ns

    def hand_over(self, data: bytes, end_ns: int) -> None:
        """Note that ``data``, media up to ``end_ns``, go to the storage."""
        self.media_ns = max(self.media_ns, end_ns)
        if not is_age_member(data):
            self.plain_ns = max(self.plain_ns, end_ns)

    def persist(self, record: FragmentRecord) -> None:
        """Note a fragment that is durable."""
        for source in record.sources:
            self._durable_ns[record.track, source] = record.end_ns

    def durable_ns(self, source: str) -> int:
        """Return the recording clock until which ``source`` is durable, in a track of its own."""
        track: Track = "main" if source == CAMERA else "channels"
        return max(self._durable_ns.get((track, source), 0), self.back_ns.get(source, 0))
