"""Builds State of the recorder (docs/interfaces.md) with its alarms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kiosk.clocks import format_wall
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.monitoring.active_alarms import AlarmHistory, AlarmKey, active_alarms
from kiosk.hearing.monitoring.monitor import HearingMonitor
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.publicity import Publicity

CONTRACT = 1
NO_PROOF = {"state": "none", "age_seconds": None, "detail": "", "source": ""}


class StateBuilder:
    """Builds State; any thread may call it.

    Args:
        failing_seal_job: returns the name of the seal job that fails now, or ``""``.
    """

    def __init__(
        self,
        context: HearingContext,
        current: CurrentHearing,
        publicity: Publicity,
        monitor: HearingMonitor,
        failing_seal_job: Callable[[], str],
    ) -> None:
        self._context = context
        self._current_hearing = current
        self._publicity = publicity
        self._monitor = monitor
        self._failing_seal_job = failing_seal_job
        self._alarm_history = AlarmHistory()

    def build(self) -> dict[str, Any]:
        """Return State (docs/interfaces.md)."""
        current, context = self._current_hearing, self._context
        with current.lock:
            hearing = current.hearing
            hearing_json = hearing.as_json() if hearing is not None else None
            phase = hearing.state.phase if hearing is not None else "idle"
            proof = hearing.proof() if hearing is not None else None
        state: dict[str, Any] = {
            "contract": CONTRACT,
            "wall": format_wall(),
            "phase": phase,
            "recovered": current.recovered,
            "hearing": hearing_json,
            **context.sources.state(),
            **context.storage.state(hearing_json, current.storage_error),
            "clock": {"state": clock_state()},
            "proof": proof or dict(NO_PROOF),
            "lamp": context.panel.lamp,
            "court_keys": self._publicity.court_key_status(
                hearing.state if hearing is not None else None
            ),
        }
        self._monitor.annotate_state(state, hearing)
        found = [*active_alarms(state), *self._recorder_alarms()]
        state["alarms"] = self._alarm_history.update([*self._monitor.alarms(found, state, hearing)])
        return state

    def _recorder_alarms(self) -> list[AlarmKey]:
        """Return the alarms that do not follow from State."""
        found = []
        with suppress(OSError):  # a disk that is gone: nobody can tell, and storage says so
            if not self._context.paths.device_certificate.exists():
                found.append(("not_enrolled", "recorder"))
        if self._context.panel.state == "absent":
            found.append(("panel_absent", "panel"))
        if self._failing_seal_job():
            found.append(("seal_failed", "storage"))
        return found
