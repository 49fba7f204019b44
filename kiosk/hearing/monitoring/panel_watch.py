"""Follows the panel's switches and buttons: which seats are switched off, which button is stuck.

A seat's switch silences its microphone at once, in the thread that hears of it. Each poll compares
again: a switch that was closed before the start, or whose change was missed, counts as well.
The journal gets ``seat_muted`` and ``seat_unmuted``: for a hearing that begins, or is resumed after
a crash, what differs from its journal.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.api.recorder import AlarmKey
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.session.open_hearing import OpenHearing

STUCK_NS = 30 * NS_PER_S
"""Nobody holds a button for so long."""


class PanelWatch:
    """Follows the panel of one courtroom."""

    def __init__(
        self, panel: Panel, sources: Sources, clock: Callable[[], int] = recording_ns
    ) -> None:
        self._panel, self._sources, self._clock = panel, sources, clock
        self._pressed_since: dict[str, int] = {}
        self._is_stuck = False

    def apply_switches(self) -> None:
        """Silence the microphones that their seats have switched off; any thread may call it."""
        self._sources.switch_off(self._panel.switched_off)

    def poll(self, hearing: OpenHearing | None) -> bool:
        """Compare again; journal what changed in ``hearing``; return whether anything changed."""
        self.apply_switches()
        changed = self._watch_buttons()
        if hearing is None or not hearing.state.phase.is_open:
            return changed
        off, known = self._panel.switched_off, set(hearing.state.switched_off)
        for kind, names in (("seat_muted", off - known), ("seat_unmuted", known - off)):
            for name in sorted(names):
                seconds = round(hearing.state.finished_seconds + hearing.part_seconds, 3)
                hearing.append(kind, {"source": name, "seconds": seconds, "t": self._clock()})
        return changed or off != known

    def _watch_buttons(self) -> bool:
        now_ns = self._clock()
        pressed = self._panel.pressed
        self._pressed_since = {name: self._pressed_since.get(name, now_ns) for name in pressed}
        before = self._is_stuck
        self._is_stuck = any(now_ns - at > STUCK_NS for at in self._pressed_since.values())
        return self._is_stuck != before

    def alarms(self) -> list[AlarmKey]:
        """Return the alarm of a button that is stuck."""
        return [("panel_button_stuck", "panel")] if self._is_stuck else []
