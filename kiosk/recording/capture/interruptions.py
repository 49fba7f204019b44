"""The interruption ledger's eyes: which source lost what, from when to when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from kiosk.clocks import NS_PER_S
from kiosk.recording.formats.records import SourceFault

CAMERA = "camera"
STORAGE = "storage"
MIRROR = "mirror"
HOLE_NS = 20_000_000
"""Samples missing for less than this are the clock's doing, not a loss."""
QUIET_MICROPHONE_NS = 700_000_000
STILL_CAMERA_NS = 1_200_000_000
_SKIPPED_NS = NS_PER_S // 2
"""Pictures missing for so long are an interruption; fewer are only counted."""


class FaultWatch:
    """Watches the times of what is recorded.

    Args:
        start_ns: recording clock of the tap.
        microphones: their names.
        camera: whether there is one.
        report: takes each fault when it begins and again when it is over.
    """

    def __init__(
        self,
        start_ns: int,
        microphones: tuple[str, ...],
        camera: bool,
        report: Callable[[SourceFault], None],
    ) -> None:
        self._report = report
        self._number = 0
        self._open: dict[tuple[str, str], SourceFault] = {}
        self._lost_ns = 0
        self._lost_before: dict[str, int] = {}
        self._until = dict.fromkeys(microphones, start_ns)
        if camera:
            self._until[CAMERA] = start_ns
        self._skipped = self._skipped_before = 0  # pictures

    # -- what came -----------------------------------------------------------------------------
    def audio(self, name: str, start_ns: int, end_ns: int) -> None:
        """Note samples of a microphone."""
        self._good(name, start_ns, end_ns, "gap", HOLE_NS)

    def video(self, captured_ns: int, period_ns: int) -> None:
        """Note a picture."""
        gap_ns = captured_ns - self._until[CAMERA]
        self._skipped += max(0, round(gap_ns / period_ns))
        self._good(CAMERA, captured_ns, captured_ns + period_ns, "dropped", _SKIPPED_NS)

    def _good(self, source: str, start_ns: int, end_ns: int, kind: str, hole_ns: int) -> None:
        if (source, "lost") in self._open:
            self._close((source, "lost"), start_ns)
        elif start_ns - self._until[source] > hole_ns:
            self._begin((source, "lost"), kind, self._until[source])
            self._close((source, "lost"), start_ns)
        self._until[source] = max(self._until[source], end_ns)

    # -- what did not --------------------------------------------------------------------------
    def tick(
        self, now_ns: int, camera: str, microphones: Mapping[str, tuple[str, int | None]]
    ) -> None:
        """Look at the time and the sources' states.

        Args:
            now_ns: recording clock.
            camera: its state; ``slow``: its encoder is too slow.
            microphones: state, and recording time since which it is muted, by name.
        """
        if CAMERA in self._until:
            self._missing(CAMERA, now_ns, STILL_CAMERA_NS, camera, "frozen")
            self._slow_encoder(now_ns, camera == "slow")
        for name, (state, muted_ns) in microphones.items():
            self._missing(name, now_ns, QUIET_MICROPHONE_NS, state, "dead")
            muted = (name, "muted")
            if state == "muted" and muted not in self._open:
                self._begin(muted, "muted", now_ns if muted_ns is None else muted_ns)
            elif state != "muted" and muted in self._open:
                self._close(muted, min(now_ns, self._until[name]))

    def _slow_encoder(self, now_ns: int, slow: bool) -> None:
        key = (CAMERA, "encoder")
        if slow and key not in self._open:
            self._begin(key, "encoder", now_ns)
            self._skipped_before = self._skipped
        elif not slow and key in self._open:
            self._close(key, now_ns)

    def _missing(self, source: str, now_ns: int, limit_ns: int, state: str, kind: str) -> None:
        if state == "absent":
            kind = "absent"
        key = (source, "lost")
        last = self._until[source]
        if key not in self._open and now_ns - last > limit_ns:
            self._begin(key, kind, last)
        elif key in self._open and kind == "absent" and self._open[key].kind == "dead":
            number = self._open[key].number  # now it is known that it was unplugged
            self._open[key] = SourceFault(number, source, kind, self._open[key].start_ns)

    def storage(self, troubles: Mapping[str, str], now_ns: int, lost_ns: int) -> None:
        """Note which storages are not well, or are again.

        Args:
            troubles: kind of trouble by storage (``storage``, ``mirror``).
            lost_ns: media lost so far because no storage and no memory would take them.
        """
        self._lost_ns = lost_ns
        for source in (STORAGE, MIRROR):
            key, kind = (source, "storage"), troubles.get(source)
            if key in self._open and self._open[key].kind != kind:
                self._close(key, now_ns)
            if kind is not None and key not in self._open:
                self._lost_before[source] = lost_ns
                self._begin(key, kind, now_ns)

    def finish(self, stop_ns: int) -> None:
        """End all that is still open: the part is over."""
        for key in list(self._open):
            self._close(key, stop_ns)

    def _begin(self, key: tuple[str, str], kind: str, start_ns: int) -> None:
        self._number += 1
        self._open[key] = SourceFault(self._number, key[0], kind, start_ns)
        self._report(self._open[key])

    def _close(self, key: tuple[str, str], end_ns: int) -> None:
        fault = self._open.pop(key)
        end_ns = max(fault.start_ns, end_ns)
        pictures = self._skipped - self._skipped_before if fault.kind == "encoder" else None
        lost_ns = None
        if key[1] == "storage":
            own = fault.source == STORAGE  # without its copy the record itself loses nothing
            lost_ns = self._lost_ns - self._lost_before[fault.source] if own else 0
        self._report(replace(fault, end_ns=end_ns, pictures=pictures, lost_ns=lost_ns))
