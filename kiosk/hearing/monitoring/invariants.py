"""What must be true at any moment of a recording, checked from what is so and never from a note.

*Shown closed* means that the media of now are encrypted, by their bytes. *Recording* means that
every source that is shown as working gave packets in the last second and that they became durable.
*Not recording* means that nothing of what the warm devices give is kept. Lamp, screen and journal
say the same.

A check asks no disk and waits for nothing, so it goes on while a disk hangs. What it finds is an
alarm at once. :mod:`.invariant_monitor` acts on it and journals it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.api.recorder import AlarmKey
from kiosk.api.states import Phase
from kiosk.clocks import NS_PER_S
from kiosk.hardware.sources.camera_source import FIRST_PACKET_NS
from kiosk.recording.formats.records import CAMERA

CLOSED_IN_PLAIN = "closed_in_plain"
RECORDED_UNASKED = "recorded_unasked"
SOURCE_UNRECORDED = "source_unrecorded"
NOT_KEPT = "recording_not_kept"
LAMP_WRONG = "lamp_wrong"
PHASE_WRONG = "phase_wrong"
SILENT_NS = 1_200_000_000
"""A second, and the time between two messages of a driver's process."""
CAMERA_SILENT_NS = FIRST_PACKET_NS + NS_PER_S // 5
"""The same for the camera, whose encoder may take its time for the first packet."""
DURABLE_NS = 3_500_000_000
"""Length of a fragment, wait for a late source, and the promise that a slow disk is noticed."""
STEP_NS = 5 * NS_PER_S // 2
"""Within this, a step of the hearing has brought everything into agreement."""


@dataclass(frozen=True)
class SourcePulse:
    """A source that is shown as working.

    Attributes:
        received_ns: its newest packet.
        durable_ns: until when it is durable.
        since_ns: when it was first seen as working in this part without a pause.
    """

    name: str
    received_ns: int
    durable_ns: int
    since_ns: int = 0

    def is_silent(self, now_ns: int, begun_ns: int) -> bool:
        """Return whether no packet came for too long, counted from ``begun_ns`` at the earliest."""
        limit_ns = CAMERA_SILENT_NS if self.name == CAMERA else SILENT_NS
        return now_ns - max(self.received_ns, begun_ns) > limit_ns


@dataclass(frozen=True)
class Observation:
    """What is shown and what is so at one moment.

    Attributes:
        at_ns: recording clock.
        shown_phase, shown_closed: what the screen was told last; what is so, while it was told
            nothing since that changed.
        phase: by the journal.
        closed_ns: recording clock since when the hearing is shown as closed; None: it is not.
        capturing_ns: tap of the part that is captured or being started; None: none is.
        lamp: whether the lamp shows that something is recorded, by its pin; None: there is none,
            or it is being tested.
        is_listening: whether something takes what the devices give.
        plain_ns, media_ns: see :class:`kiosk.recording.capture.pulse.RecordingPulse`.
        sources: those that are shown as working.
        is_storage_well: whether the storage is shown as working.
        is_settled: whether no step of the hearing runs, or one runs for too long.
        is_stepping: whether a step of the hearing runs, however long: it may be starting a part.
    """

    at_ns: int
    shown_phase: Phase
    shown_closed: bool
    phase: Phase
    closed_ns: int | None
    capturing_ns: int | None
    lamp: bool | None
    is_listening: bool
    plain_ns: int
    media_ns: int
    sources: tuple[SourcePulse, ...] = ()
    is_storage_well: bool = True
    is_settled: bool = True
    is_stepping: bool = False


def find_breaches(before: Observation, now: Observation) -> Iterator[AlarmKey]:
    """Yield code and source of each invariant that was broken at two moments, or between them."""
    if _is_plain_while_closed(before, now):
        yield CLOSED_IN_PLAIN, "recorder"
    if _is_kept_unasked(before, now):
        yield RECORDED_UNASKED, "recorder"
    was = set(_contradictions(before))
    yield from (breach for breach in _contradictions(now) if breach in was)


def _is_plain_while_closed(before: Observation, now: Observation) -> bool:
    """Return whether plain media of a time when it was shown as closed were handed over."""
    since_ns = before.closed_ns
    return (
        since_ns is not None
        and now.closed_ns == since_ns
        and now.plain_ns > max(before.plain_ns, since_ns)
    )


def _is_kept_unasked(before: Observation, now: Observation) -> bool:
    """Return whether media were handed over that were captured while nothing is recorded."""
    for one in (before, now):
        if one.capturing_ns is not None or one.phase is Phase.RECORDING or not one.is_settled:
            return False
    return now.media_ns > max(before.media_ns, before.at_ns)


def _contradictions(now: Observation) -> Iterator[AlarmKey]:
    """Yield what contradicts itself at one moment; a step that runs may be the reason."""
    recording = now.capturing_ns is not None
    agrees = (now.phase is Phase.RECORDING) == recording
    if now.is_settled:
        shown = now.shown_phase == now.phase and now.shown_closed == (now.closed_ns is not None)
        if not agrees or not shown:
            yield PHASE_WRONG, "recorder"
        if agrees and now.lamp is not None and now.lamp != recording:
            yield LAMP_WRONG, "panel"
        if agrees and not recording and now.is_listening:
            yield RECORDED_UNASKED, "recorder"
    if not agrees or now.capturing_ns is None:
        return
    for source in now.sources:
        begun_ns = max(now.capturing_ns, source.since_ns)
        if source.is_silent(now.at_ns, begun_ns):
            yield SOURCE_UNRECORDED, source.name
        elif now.is_storage_well and now.at_ns - max(source.durable_ns, begun_ns) > DURABLE_NS:
            yield NOT_KEPT, source.name
