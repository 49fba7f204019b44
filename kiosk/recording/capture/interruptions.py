"""Detects interruptions: which source lost data, and from when to when.

What is missing of the picture follows from the pictures alone: it is the time between two that
became durable one after the other. States only tell, in the meantime, that one is overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import SoundlessPeriod
from kiosk.recording.formats.records import CAMERA, Interruption

STORAGE = "storage"
MIRROR = "mirror"
AUDIO_GAP_NS = 20_000_000
"""A shorter gap is a clock correction, not a loss."""
AUDIO_END_NS = NS_PER_S // 10
"""A microphone that gave nothing for longer before the stop has lost something."""
MICROPHONE_TIMEOUT_NS = 700_000_000
CAMERA_TIMEOUT_NS = NS_PER_S
EDGE_NS = NS_PER_S // 5
"""At the beginning and the end of a part less picture than this is the time of a start or stop."""
_OWN_ENTRY_NS = NS_PER_S // 2
"""A longer gap between pictures has an entry of its own; shorter ones near each other share one."""
_SHARED_QUIET_NS = 2 * NS_PER_S
_SHARED_MAX_NS = 60 * NS_PER_S
"""A shared entry ends after two seconds without a gap, and at most a minute after its beginning."""


class InterruptionDetector:
    """Compares the times of received samples and pictures with the clock.

    Args:
        start_ns: recording clock of the tap.
        microphones: their names.
        picture_ns: time from one picture to the next; None without a camera.
        on_interruption: called when an interruption begins and when it ends.

    Attributes:
        skipped_pictures: pictures missing among the durable ones.
    """

    def __init__(
        self,
        start_ns: int,
        microphones: tuple[str, ...],
        picture_ns: int | None,
        on_interruption: Callable[[Interruption], None],
    ) -> None:
        self.skipped_pictures = 0
        self._on_interruption = on_interruption
        self._last_number = 0
        self._open: dict[tuple[str, str], Interruption] = {}
        self._lost_ns = 0
        self._lost_before_ns: dict[str, int] = {}
        self._received_until_ns = dict.fromkeys(microphones, start_ns)
        self._soundless_until_ns = dict.fromkeys(microphones, start_ns)  # as far as recorded
        if picture_ns is not None:
            self._received_until_ns[CAMERA] = start_ns
        self._picture_ns = picture_ns or 1
        self._picture_session: int | None = None  # of the last durable picture
        self._pictures_until_ns = start_ns  # its end
        self._shared_pictures = self._shared_ns = self._shared_until_ns = 0
        self._still_from_ns = start_ns

    # -- received ------------------------------------------------------------------------------
    def add_audio(self, name: str, start_ns: int, end_ns: int) -> None:
        """Record that samples of a microphone were received."""
        self._record_received(name, start_ns, end_ns, "gap", AUDIO_GAP_NS)

    def receive_picture(self, captured_ns: int) -> None:
        """Record that a picture was received; it is on its way to the disk."""
        end_ns = captured_ns + self._picture_ns
        self._received_until_ns[CAMERA] = max(self._received_until_ns[CAMERA], end_ns)

    def add_cut(self, name: str, start_ns: int, end_ns: int) -> None:
        """Record that a microphone's own track lacks what was captured in this time.

        It has no hole there: samples that are older than their time stand in it.
        """
        self._open_interruption((name, "cut"), "overlap", start_ns)
        self._close_interruption((name, "cut"), end_ns)

    def received_until_ns(self, source: str) -> int:
        """Return the recording clock until which ``source`` was received."""
        return self._received_until_ns[source]

    def add_pictures(self, pictures: Iterable[tuple[int, int]]) -> None:
        """Record that pictures are durable, each with its time and its encoder's session."""
        for captured_ns, session in pictures:
            self._add_picture(captured_ns, session)

    def _add_picture(self, at_ns: int, session: int) -> None:
        lost, half_ns = self._open.get((CAMERA, "lost")), self._picture_ns // 2
        from_ns, until_ns = self._pictures_until_ns, max(at_ns, self._pictures_until_ns)
        is_first, is_restart = self._picture_session is None, session != self._picture_session
        is_gap = until_ns - from_ns > (EDGE_NS if is_first else half_ns)
        if is_gap and not is_first:
            self.skipped_pictures += max(1, round((until_ns - from_ns) / self._picture_ns))
        if lost is not None and at_ns + half_ns >= lost.start_ns:  # not one on its way to the disk
            self._end_lost_picture(until_ns)
        elif is_gap and lost is None and (is_restart or until_ns - from_ns > _OWN_ENTRY_NS):
            self._open_lost_picture("dropped" if is_first or not is_restart else "frozen")
            self._end_lost_picture(until_ns)
        elif is_gap:
            self._share_gap(from_ns, until_ns)
        elif at_ns - self._shared_until_ns > _SHARED_QUIET_NS:
            self._end_shared()
        self._picture_session = session
        self._pictures_until_ns = max(from_ns, at_ns + self._picture_ns)

    def _open_lost_picture(self, kind: str, start_ns: int | None = None) -> None:
        self._end_shared()
        start_ns = self._pictures_until_ns if start_ns is None else start_ns
        self._open_interruption((CAMERA, "lost"), kind, start_ns)

    def _end_lost_picture(self, end_ns: int) -> None:
        """End it with the exact times: only now is it known which picture was the last before."""
        self._end_shared()
        key = (CAMERA, "lost")
        self._open[key] = replace(self._open[key], start_ns=self._pictures_until_ns)
        self._close_interruption(key, end_ns)
        self._still_from_ns = max(self._still_from_ns, end_ns)

    def _share_gap(self, from_ns: int, until_ns: int) -> None:
        """Add a short gap to the shared entry."""
        key = (CAMERA, "shared")
        if key in self._open and until_ns - self._open[key].start_ns > _SHARED_MAX_NS:
            self._end_shared()
        if key not in self._open:
            self._shared_pictures = self._shared_ns = 0
            self._open_interruption(key, "dropped", from_ns)
        self._shared_pictures += max(1, round((until_ns - from_ns) / self._picture_ns))
        self._shared_ns += until_ns - from_ns
        self._shared_until_ns = until_ns

    def _end_shared(self) -> None:
        if (CAMERA, "shared") in self._open:
            self._close_interruption(
                (CAMERA, "shared"), self._shared_until_ns, self._shared_ns, self._shared_pictures
            )

    def _record_received(
        self, source: str, start_ns: int, end_ns: int, kind: str, hole_ns: int
    ) -> None:
        if (source, "lost") in self._open:
            self._close_interruption((source, "lost"), start_ns)
        elif start_ns - self._received_until_ns[source] > hole_ns:
            self._open_interruption((source, "lost"), kind, self._received_until_ns[source])
            self._close_interruption((source, "lost"), start_ns)
        self._received_until_ns[source] = max(self._received_until_ns[source], end_ns)

    # -- missing -------------------------------------------------------------------------------
    def tick(
        self,
        now_ns: int,
        camera: str,
        microphones: Mapping[str, tuple[MicrophoneState, SoundlessPeriod | None]],
        still_since_ns: int | None = None,
    ) -> None:
        """Check the states of the sources, and how long each has delivered nothing.

        Args:
            now_ns: recording clock.
            camera: its state; ``slow``: its encoder is too slow.
            microphones: state and newest period without sound, by name.
            still_since_ns: recording time since which the picture stands still.
        """
        if CAMERA in self._received_until_ns:
            self._check_camera(now_ns, camera, still_since_ns)
        for name, (state, soundless) in microphones.items():
            self._check_silent(name, now_ns, MICROPHONE_TIMEOUT_NS, state, MicrophoneState.DEAD)
            self._check_soundless(name, soundless)

    def _check_soundless(self, name: str, period: SoundlessPeriod | None) -> None:
        """Record a period without sound, also one that began and ended since the last look."""
        key, until_ns = (name, "soundless"), self._soundless_until_ns[name]
        if period is not None and (period.end_ns is None or period.end_ns > until_ns):
            if key not in self._open:
                self._open_interruption(key, period.state, max(period.start_ns, until_ns))
            self._open[key] = replace(self._open[key], kind=period.state)
        if key in self._open and (period is None or period.end_ns is not None):
            end_ns = self._received_until_ns[name] if period is None else period.end_ns
            self._soundless_until_ns[name] = end_ns or 0
            self._close_interruption(key, end_ns or 0)

    def _check_camera(self, now_ns: int, state: str, still_since_ns: int | None) -> None:
        lost, still, shared = (CAMERA, "lost"), (CAMERA, "still"), (CAMERA, "shared")
        last_ns = self._received_until_ns[CAMERA]
        if lost not in self._open and now_ns - last_ns > CAMERA_TIMEOUT_NS:
            self._open_lost_picture("absent" if state == "absent" else "frozen", last_ns)
        elif lost in self._open and state == "absent":  # it turned out to be unplugged
            self._open[lost] = replace(self._open[lost], kind="absent")
        if state == "slow" and shared in self._open:
            self._open[shared] = replace(self._open[shared], kind="encoder")
        is_still = still_since_ns is not None and lost not in self._open
        if is_still and still not in self._open:
            self._open_interruption(still, "still", max(still_since_ns or 0, self._still_from_ns))
        elif not is_still and still in self._open:
            self._still_from_ns = now_ns
            self._close_interruption(still, now_ns)

    def _check_silent(self, source: str, now_ns: int, limit_ns: int, state: str, kind: str) -> None:
        if state in (MicrophoneState.ABSENT, MicrophoneState.REFUSED):
            kind = state
        key = (source, "lost")
        last = self._received_until_ns[source]
        if key not in self._open and now_ns - last > limit_ns:
            self._open_interruption(key, kind, last)
        elif key in self._open and self._open[key].kind == MicrophoneState.DEAD:
            self._open[key] = replace(self._open[key], kind=kind)  # it turned out to be unplugged

    def update_storage(self, problems: Mapping[str, str], now_ns: int, lost_ns: int) -> None:
        """Record which storages fail or have recovered; media that are lost always have a row.

        Args:
            problems: kind of problem by storage (``storage``, ``mirror``).
            lost_ns: media lost so far because neither a storage nor the memory accepted them.
        """
        told_ns, self._lost_ns = self._lost_ns, lost_ns
        for source in (STORAGE, MIRROR):
            key, kind = (source, "storage"), problems.get(source)
            if key in self._open and self._open[key].kind != kind:
                self._close_interruption(key, now_ns)
                told_ns = lost_ns
            elif source == STORAGE and lost_ns > told_ns:
                kind = kind or "slow"
            if kind is not None and key not in self._open:
                self._lost_before_ns[source] = told_ns
                self._open_interruption(key, kind, now_ns - (lost_ns - told_ns))

    def lose_after(self, until_ns: Mapping[str, int]) -> None:
        """Record that what was received after these times cannot be written, by microphone."""
        for name, time_ns in until_ns.items():
            is_lost = self._received_until_ns[name] - time_ns > AUDIO_GAP_NS
            if is_lost and (name, "lost") not in self._open:
                self._open_interruption((name, "lost"), "gap", time_ns)

    def finish(self, stop_ns: int) -> None:
        """Close all open interruptions: the part is over, and all of it is durable."""
        if CAMERA in self._received_until_ns and (CAMERA, "lost") not in self._open:
            missing_ns = stop_ns - self._pictures_until_ns
            if missing_ns > EDGE_NS:
                self._open_lost_picture("dropped")
        if (CAMERA, "lost") in self._open:
            self._end_lost_picture(stop_ns)
        self._end_shared()
        told = {source for source, _ in self._open}
        for name, until_ns in self._received_until_ns.items():
            if name not in (CAMERA, *told) and stop_ns - until_ns > AUDIO_END_NS:
                self._open_interruption((name, "lost"), "gap", until_ns)
        for key in list(self._open):
            self._close_interruption(key, stop_ns)

    def _open_interruption(self, key: tuple[str, str], kind: str, start_ns: int) -> None:
        self._last_number += 1
        self._open[key] = Interruption(self._last_number, key[0], kind, start_ns)
        self._on_interruption(self._open[key])

    def _close_interruption(
        self,
        key: tuple[str, str],
        end_ns: int,
        lost_ns: int | None = None,
        pictures: int | None = None,
    ) -> None:
        interruption = self._open.pop(key)
        end_ns = max(interruption.start_ns, end_ns)
        if key[1] == "storage":
            is_primary = (
                interruption.source == STORAGE
            )  # without its copy the record itself loses nothing
            lost_ns = self._lost_ns - self._lost_before_ns[interruption.source] if is_primary else 0
        self._on_interruption(
            replace(interruption, end_ns=end_ns, pictures=pictures, lost_ns=lost_ns)
        )
