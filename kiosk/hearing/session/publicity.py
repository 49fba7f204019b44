"""Open and closed: what the court decides about it, and what of it must be known for sure.

A state-secret hearing never leaves by network (R86, R87): the moment that is known, its folder
bears a marker that sync honours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.clocks import wall_text, wall_time
from kiosk.config import Settings
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.recording.encryption.age_envelope import ClosedEnvelope
from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.rules import Rules
from kiosk.storage.atomic_io import json_bytes
from kiosk.storage.court_keys import court_keys_state, load_court_keys
from kiosk.storage.hearing_folder import COURIER_ONLY
from kiosk.storage.paths import Layout
from kiosk.storage.store import DIRECT, Store

CLOSED_MARK, OPENED_MARK = "closed_declared", "opened_again"
"""Event types of the rules data that go with closing and opening."""


def is_closed(hearing: Mapping[str, Any]) -> bool:
    """Say whether a hearing of the list is to be closed from its start."""
    return hearing.get("publicity") == "closed" or bool(hearing.get("state_secret"))


def mark_of(closed: bool) -> str:
    """Return the event type of closing or opening."""
    return CLOSED_MARK if closed else OPENED_MARK


class Publicity:
    """The rules of closing, and the court's keys, for one kiosk."""

    def __init__(
        self, settings: Settings, layout: Layout, rules: Rules, store: Store = DIRECT
    ) -> None:
        self._store = store
        self._settings = settings
        self._layout = layout
        self._rules = rules
        self._list: tuple[int, list[dict[str, Any]]] = (-1, [])

    # -- grounds -------------------------------------------------------------------------------
    def checked_ground(self, ground: Any) -> str | None:
        """Return ``ground`` if it is one of the rules data, None where none is given yet.

        Raises:
            BadRequestError: ``unknown_ground``.
        """
        if ground in (None, ""):
            return None
        if not isinstance(ground, str) or ground not in self._rules.closure_grounds:
            raise BadRequestError(f"no closure ground “{ground}”", code="unknown_ground")
        return ground

    def note(self, folder: Path, hearing: Mapping[str, Any], ground: str | None) -> None:
        """Mark the hearing in ``folder`` as never to leave by network, if that is so.

        Raises:
            StorageError: the marker cannot be written.
        """
        row = self._rules.closure_grounds.get(ground or "")
        secret = bool(hearing.get("state_secret")) or (row is not None and row.never_online)
        marker = folder / COURIER_ONLY
        if secret and not self._store.locate(marker).exists():
            self._store.write_whole(marker, json_bytes({"ground": ground, "since": wall_text()}))

    # -- envelopes -----------------------------------------------------------------------------
    def envelope(self, record: HearingRecord) -> Envelope:
        """Return how the next part of a hearing is to lie on the disk.

        Raises:
            CourtKeyError: it must be closed and the court's keys are not pinned.
        """
        marker = self._layout.hearings / record.id / COURIER_ONLY
        secret = self._store.locate(marker).exists()
        if record.closed is not None or secret or self._settings.recording.encrypt == "all":
            return ClosedEnvelope(load_court_keys(self._layout))
        return PLAIN

    # -- readiness -----------------------------------------------------------------------------
    def keys(self, record: HearingRecord | None) -> dict[str, Any]:
        """Return ``court_keys`` of State: their state and whether they are needed today."""
        needed = self._settings.recording.encrypt == "all"
        needed = needed or (record is not None and record.closed is not None)
        needed = needed or any(map(is_closed, self._today()))
        return {"state": court_keys_state(self._layout), "needed": needed}

    def _today(self) -> list[dict[str, Any]]:
        """Return today's hearings from the published list (none where there is no list)."""
        try:
            stamp = self._layout.schedule.stat().st_mtime_ns
            if stamp != self._list[0]:
                value = json.loads(self._layout.schedule.read_text(encoding="utf-8"))
                hearings = [one for one in value["hearings"] if isinstance(one, dict)]
                self._list = (stamp, hearings)
        except (OSError, ValueError, KeyError, TypeError):
            return []
        zone = ZoneInfo(self._settings.kiosk.timezone)
        today = wall_time().astimezone(zone).date()
        return [one for one in self._list[1] if _day(one, zone) == today]


def _day(hearing: Mapping[str, Any], zone: ZoneInfo) -> Any:
    try:
        return datetime.fromisoformat(str(hearing["scheduled_at"])).astimezone(zone).date()
    except (KeyError, ValueError):
        return None
