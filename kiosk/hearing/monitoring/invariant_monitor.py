"""Watches the invariants of a recording in a thread of its own, acts at once, journals what it saw.

The thread asks no disk. What stops a wrong recording happens in it; the line of the journal is
written by the thread of the steps, with the time at which the breach was seen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.api.recorder import AlarmKey, RecorderState
from kiosk.api.states import CameraState, Phase, StorageState
from kiosk.clocks import NS_PER_S, format_wall, recording_ns
from kiosk.hearing.monitoring.invariants import (
    CLOSED_IN_PLAIN,
    LAMP_WRONG,
    RECORDED_UNASKED,
    STEP_NS,
    Observation,
    SourcePulse,
    find_breaches,
)
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController

log = logging.getLogger(__name__)
CHECK_S = 0.4
ALARM_NS = 60 * NS_PER_S
"""An alarm stays this long after the invariant holds again: somebody must be able to read it."""
WELL = (StorageState.OK, StorageState.LOW)


@dataclass
class _Breach:
    """An invariant that is broken, or was a short while ago."""

    seen_ns: int
    is_over: bool = False


class InvariantMonitor:
    """Checks the invariants of one courtroom; :mod:`.invariants` says which.

    Attributes:
        shown: what the screen was told last.
        step_seconds: returns how long the step has taken that runs now; 0: none runs.
    """

    def __init__(self, context: HearingContext, parts: PartController) -> None:
        self._context, self._parts = context, parts
        self.shown: RecorderState | None = None
        self.step_seconds: Callable[[], float] = lambda: 0.0
        self._before: Observation | None = None
        self._closed: tuple[str, int] | None = None
        self._breaches: dict[AlarmKey, _Breach] = {}
        self._lines: list[tuple[str, Mapping[str, Any]]] = []
        self._must_stop_ns: int | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # -- thread --------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="invariants", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stop.wait(CHECK_S):
            try:
                self.check()
            except Exception:  # the next check tries again
                log.exception("the invariants could not be checked")

    # -- checking ------------------------------------------------------------------------------
    @property
    def alarms(self) -> list[AlarmKey]:
        """The invariants that are broken, or were a short while ago."""
        with self._lock:
            return list(self._breaches)

    def check(self) -> None:
        """Check once; act on what is broken."""
        now = self._observe()
        before, self._before = self._before, now
        if before is None:
            return
        found = set(find_breaches(before, now))
        for code, _ in found:
            self._act(code, now)
        with self._lock:
            changed = self._update(found, now.at_ns)
        if changed:
            self._context.events.on_change()

    def _observe(self) -> Observation:
        context, pulse = self._context, self._parts.pulse
        hearing, shown, at_ns = context.current.hearing, self.shown, recording_ns()
        phase = hearing.state.phase if hearing is not None else Phase.IDLE
        capture = hearing.capture if hearing is not None else None
        panel = context.panel
        return Observation(
            at_ns=at_ns,
            shown_phase=phase if shown is None else shown.phase,
            shown_closed=shown is not None
            and shown.hearing is not None
            and shown.hearing.closed is not None,
            phase=phase,
            closed_ns=self._closed_since(hearing, at_ns),
            capturing_ns=None if capture is None else capture.tap_ns,
            lamp=panel.lamp if panel.state == "ok" and not panel.is_tested else None,
            is_listening=context.sources.is_dispatching,
            plain_ns=pulse.plain_ns,
            media_ns=pulse.media_ns,
            sources=tuple(
                SourcePulse(name, pulse.received_ns.get(name, 0), pulse.durable_ns(name))
                for name in self._working_sources()
            ),
            is_storage_well=shown is None or shown.storage.state in WELL,
            is_settled=not 0 < self.step_seconds() * NS_PER_S < STEP_NS,
        )

    def _closed_since(self, hearing: OpenHearing | None, at_ns: int) -> int | None:
        """Return since when this hearing was seen as closed without a pause."""
        if hearing is None or hearing.closure() is None:
            self._closed = None
        elif self._closed is None or self._closed[0] != hearing.state.id:
            self._closed = (hearing.state.id, at_ns)
        return None if self._closed is None else self._closed[1]

    def _working_sources(self) -> list[str]:
        """Return the sources that are shown as working."""
        sources = self._context.sources
        found = [mic.name for mic in sources.microphones if mic.state.is_delivering]
        if sources.camera is not None and sources.camera.state is CameraState.OK:
            found.append(sources.camera.name)
        return found

    # -- acting --------------------------------------------------------------------------------
    def _act(self, code: str, now: Observation) -> None:
        """Do at once what ends a breach, without a disk."""
        hearing = self._context.current.hearing
        if code == CLOSED_IN_PLAIN and hearing is not None and hearing.capture is not None:
            hearing.capture.stop_writing()
            self._must_stop_ns = now.closed_ns
        elif code == RECORDED_UNASKED:
            self._context.sources.release()
        elif code == LAMP_WRONG:
            self._parts.set_lamp(now.capturing_ns is not None)

    def _update(self, found: set[AlarmKey], now_ns: int) -> bool:
        """Update the breaches; return whether an alarm began or ended. The lock is held."""
        before = set(self._breaches)
        for key in found:
            breach = self._breaches.get(key)
            if breach is None or breach.is_over:
                log.error("broken invariant: %s (%s)", *key)
                self._note("breach", key, now_ns)
            self._breaches[key] = _Breach(now_ns)
        for key, breach in list(self._breaches.items()):
            if key not in found and not breach.is_over:
                breach.is_over = True
                self._note("breach_ended", key, now_ns)
            if breach.is_over and now_ns - breach.seen_ns > ALARM_NS:
                del self._breaches[key]
        return set(self._breaches) != before

    def _note(self, kind: str, key: AlarmKey, now_ns: int) -> None:
        fields = {"what": key[0], "source": key[1], "at": format_wall(), "t": now_ns}
        self._lines.append((kind, fields))

    # -- in the thread of the steps ------------------------------------------------------------
    def poll(self, hearing: OpenHearing | None) -> bool:
        """Journal what was seen, and end what must not go on; return whether anything changed."""
        with self._lock:
            lines, self._lines = self._lines, []
            stop_ns, self._must_stop_ns = self._must_stop_ns, None
        if hearing is not None:
            if stop_ns is not None and hearing.capture is not None:
                stop_ns = max(stop_ns, hearing.capture.tap_ns)
                self._parts.stop(hearing, CLOSED_IN_PLAIN, "", "", stop_ns)
                hearing.add_question("failure_reason")
            for kind, fields in lines:
                hearing.append(kind, fields)
        return bool(lines)
