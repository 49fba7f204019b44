"""Watches the invariants of a recording in a thread of its own, acts at once, journals what it saw.

The thread asks no disk. What stops a wrong recording happens in it; the line of the journal is
written by the thread of the steps, with the time at which the breach was seen.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kiosk.api.recorder import AlarmKey, RecorderState
from kiosk.api.states import CameraState, LampState, Phase, StorageState
from kiosk.clocks import NS_PER_S, format_wall, recording_ns
from kiosk.hardware.panel import Panel
from kiosk.hearing.monitoring.invariants import (
    CLOSED_IN_PLAIN,
    LAMP_WRONG,
    RECORDED_UNASKED,
    STEP_NS,
    Observation,
    SourcePulse,
    find_breaches,
)
from kiosk.hearing.monitoring.lamp import lamp_for
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.recording.part import Part

log = logging.getLogger(__name__)
CHECK_S = 0.4
BLINK_NS = 3 * NS_PER_S // 4
"""A lamp that blinks is lit and dark for at least so long: for two checks."""
ALARM_NS = 60 * NS_PER_S
"""What has happened stays this long: somebody must be able to read it."""
PAST = (CLOSED_IN_PLAIN, RECORDED_UNASKED)
"""They tell what has happened, the others what is so now and ends when it ends."""
WELL = (StorageState.OK, StorageState.LOW)


@dataclass
class _Breach:
    """An invariant that is broken, or was a short while ago, and the hearing in which it began."""

    seen_ns: int
    hearing_id: str
    is_over: bool = False


@dataclass(frozen=True)
class _Line:
    """A line of the journal that is not written yet."""

    kind: str
    key: AlarmKey
    at_ns: int
    hearing_id: str
    at: str = field(default_factory=format_wall)

    def fields(self) -> dict[str, Any]:
        """Return the fields of the line."""
        return {"what": self.key[0], "source": self.key[1], "at": self.at, "t": self.at_ns}


class InvariantMonitor:
    """Checks the invariants of one courtroom; :mod:`.invariants` says which.

    Attributes:
        shown: what the screen was told last, and the recording clock before it was looked at.
        step_seconds: returns how long the step has taken that runs now; 0: none runs.
    """

    def __init__(self, context: HearingContext, parts: PartController) -> None:
        self._context, self._parts = context, parts
        self.shown: tuple[int, RecorderState] | None = None
        self.step_seconds: Callable[[], float] = lambda: 0.0
        self._before: Observation | None = None
        self._closed: tuple[str, int] | None = None
        self._so: tuple[Phase, int | None] | None = None
        self._changed_ns = 0
        self._working_since: dict[str, int] = {}
        self._breaches: dict[AlarmKey, _Breach] = {}
        self._lines: deque[_Line] = deque()
        self._must_stop: tuple[Part, int] | None = None
        self._blinked_ns = 0
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
                self._light(LampState.SLOW, recording_ns())  # nobody looked: nothing is proven

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
        self._update_lamp(now)
        with self._lock:
            changed = self._update(found, now.at_ns)
        if changed:
            self._context.events.on_change()

    def _observe(self) -> Observation:
        context, pulse = self._context, self._parts.pulse
        step_s = self.step_seconds()
        hearing, at_ns = context.current.hearing, recording_ns()
        phase = hearing.state.phase if hearing is not None else Phase.IDLE
        capture = hearing.capture if hearing is not None else None
        capture = capture or context.current.starting
        capturing_ns = None if capture is None else capture.tap_ns
        closed_ns = self._closed_since(hearing, at_ns)
        shown, is_current = self._look_at_shown(phase, closed_ns)
        return Observation(
            at_ns=at_ns,
            shown_phase=shown.phase if shown is not None and is_current else phase,
            shown_closed=_is_shown_closed(shown) if is_current else closed_ns is not None,
            phase=phase,
            closed_ns=closed_ns,
            capturing_ns=capturing_ns,
            lamp=_shows_recording(context.panel),
            is_listening=context.sources.is_dispatching,
            plain_ns=pulse.plain_ns,
            media_ns=pulse.media_ns,
            sources=tuple(
                SourcePulse(name, pulse.received_ns.get(name, 0), pulse.durable_ns(name), since_ns)
                for name, since_ns in self._update_working(capturing_ns, at_ns).items()
            ),
            is_storage_well=shown is None or shown.storage.state in WELL,
            is_settled=not 0 < step_s * NS_PER_S < STEP_NS,
            is_stepping=step_s > 0,
        )

    def _look_at_shown(
        self, phase: Phase, closed_ns: int | None
    ) -> tuple[RecorderState | None, bool]:
        """Return the last State, and whether all of it was looked up since what is so changed."""
        if self._so != (phase, closed_ns):
            self._so, self._changed_ns = (phase, closed_ns), recording_ns()
        begun_ns, shown = self.shown or (0, None)
        return shown, shown is not None and begun_ns >= self._changed_ns

    def _update_working(self, capturing_ns: int | None, at_ns: int) -> dict[str, int]:
        """Return since when each source is seen as working, in this part."""
        before = self._before
        is_same_part = before is not None and before.capturing_ns == capturing_ns
        known = self._working_since if is_same_part else {}
        self._working_since = {name: known.get(name, at_ns) for name in self._working_sources()}
        return self._working_since

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
            if now.closed_ns is not None:
                self._must_stop = hearing.capture, now.closed_ns
        elif now.is_stepping:
            return  # however long it takes, it knows better what it is about to do
        elif code == RECORDED_UNASKED:
            self._context.sources.release()
        elif code == LAMP_WRONG:
            self._parts.set_lamp(self._lamp_for(now))

    def _lamp_for(self, now: Observation) -> LampState:
        shown_ns, shown = self.shown or (0, None)
        return lamp_for(now, shown, shown_ns)

    def _update_lamp(self, now: Observation) -> None:
        """Let a lit lamp say what is so now.

        It is lit and darkened by the steps of a hearing: here only the way it is lit changes, so
        that a lamp that is wrong is found, told and journalled (:data:`LAMP_WRONG`).
        """
        if now.capturing_ns is not None:
            self._light(self._lamp_for(now), now.at_ns)

    def _light(self, lamp: LampState, at_ns: int) -> None:
        panel = self._context.panel
        if panel.is_tested:
            return
        panel.renew(lamp)
        if at_ns - self._blinked_ns >= BLINK_NS:
            self._blinked_ns = at_ns
            panel.blink()

    def _update(self, found: set[AlarmKey], now_ns: int) -> bool:
        """Update the breaches; return whether an alarm began or ended. The lock is held."""
        before = set(self._breaches)
        for key in found:
            breach = self._breaches.get(key)
            if breach is None or breach.is_over:
                log.error("broken invariant: %s (%s)", *key)
                hearing = self._context.current.hearing
                breach = _Breach(now_ns, hearing.state.id if hearing is not None else "")
                self._breaches[key] = breach
                self._lines.append(_Line("breach", key, now_ns, breach.hearing_id))
            breach.seen_ns = now_ns
        for key, breach in list(self._breaches.items()):
            if key not in found and not breach.is_over:
                breach.is_over = True
                self._lines.append(_Line("breach_ended", key, now_ns, breach.hearing_id))
            if breach.is_over and not (key[0] in PAST and now_ns - breach.seen_ns <= ALARM_NS):
                del self._breaches[key]
        return set(self._breaches) != before

    # -- in the thread of the steps ------------------------------------------------------------
    def poll(self, hearing: OpenHearing | None) -> bool:
        """Journal what was seen, and end what must not go on; return whether anything changed.

        What cannot be done now is tried again at the next poll.
        """
        changed = False
        for act in (self._stop_capture, self._write_lines):
            try:
                changed |= act(hearing)
            except Exception:
                log.exception("what was seen is not dealt with yet")
        return changed

    def _stop_capture(self, hearing: OpenHearing | None) -> bool:
        """End the part that writes what it must not, unless it has ended; return whether it did."""
        if (must_stop := self._must_stop) is None:
            return False
        capture, stop_ns = must_stop
        is_running = hearing is not None and hearing.capture is capture
        if hearing is not None and is_running:
            try:
                stop_ns = max(stop_ns, capture.tap_ns)
                self._parts.stop(hearing, CLOSED_IN_PLAIN, "", "", stop_ns)
            finally:
                hearing.add_question("failure_reason")
        if self._must_stop is must_stop:
            self._must_stop = None
        return is_running

    def _write_lines(self, hearing: OpenHearing | None) -> bool:
        """Journal what belongs to the open hearing; return whether there was anything."""
        is_open = hearing is not None and hearing.state.phase.is_open
        count = len(self._lines)
        for _ in range(count):
            line = self._lines[0]
            if hearing is not None and is_open and line.hearing_id == hearing.state.id:
                hearing.append(line.kind, line.fields())
            else:
                log.warning(
                    "%s of no open hearing is not journalled: %s (%s)", line.kind, *line.key
                )
            self._lines.popleft()
        return count > 0


def _shows_recording(panel: Panel) -> bool | None:
    """Return whether the lamp tells that something is recorded; None: there is none to ask."""
    if panel.state != "ok" or panel.is_tested or (lamp := panel.lamp) is None:
        return None
    return lamp is not LampState.OFF


def _is_shown_closed(shown: RecorderState | None) -> bool:
    return shown is not None and shown.hearing is not None and shown.hearing.closed is not None
