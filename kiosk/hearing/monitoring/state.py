"""State of the room (docs/interfaces.md): put together from all that is known, with its alarms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kiosk.clocks import wall_text
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.monitoring.active_alarms import AlarmBook, Found, alarms_of
from kiosk.hearing.monitoring.monitor import Attention
from kiosk.hearing.room.context import Premises
from kiosk.hearing.session.current_hearing import Present
from kiosk.hearing.session.publicity import Publicity

CONTRACT = 1
NO_PROOF = {"state": "none", "age_seconds": None, "detail": "", "source": ""}


class StateReport:
    """Tells State; any thread may ask.

    Args:
        seal_failing: names the job of the sealer that cannot be done now, or ``""``.
    """

    def __init__(
        self,
        premises: Premises,
        present: Present,
        publicity: Publicity,
        attention: Attention,
        seal_failing: Callable[[], str],
    ) -> None:
        self._premises = premises
        self._present = present
        self._publicity = publicity
        self._attention = attention
        self._seal_failing = seal_failing
        self._alarms = AlarmBook()

    def state(self) -> dict[str, Any]:
        """Return State (docs/interfaces.md)."""
        present, premises = self._present, self._premises
        with present.lock:
            session = present.session
            hearing = session.as_json() if session is not None else None
            phase = session.record.phase if session is not None else "idle"
            proof = session.proof() if session is not None else None
        state: dict[str, Any] = {
            "contract": CONTRACT,
            "wall": wall_text(),
            "phase": phase,
            "recovered": present.recovered,
            "hearing": hearing,
            **premises.sources.state(),
            **premises.storages.state(hearing, present.storage_error),
            "clock": {"state": clock_state()},
            "proof": proof or dict(NO_PROOF),
            "lamp": premises.panel.lamp,
            "court_keys": self._publicity.keys(session.record if session is not None else None),
        }
        self._attention.show(state, session)
        found = [*alarms_of(state), *self._own_alarms()]
        state["alarms"] = self._alarms.update([*self._attention.alarms(found, state, session)])
        return state

    def _own_alarms(self) -> list[Found]:
        """Return the alarms that State itself does not tell."""
        found = []
        with suppress(OSError):  # a disk that is gone: nobody can tell, and storage says so
            if not self._premises.layout.device_certificate.exists():
                found.append(("not_enrolled", "recorder"))
        if self._premises.panel.state == "absent":
            found.append(("panel_absent", "panel"))
        if self._seal_failing():
            found.append(("seal_failed", "storage"))
        return found
