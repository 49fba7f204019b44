"""Open and closed hearings: grounds for closing, encryption, and the court's keys.

A state-secret hearing never leaves by network (R86, R87): as soon as that is known, its folder
gets a marker that sync obeys.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.hearing import Hearing
from kiosk.api.published import read_schedule
from kiosk.api.recorder import CourtKeys
from kiosk.clocks import format_wall, wall_time
from kiosk.config import Settings
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.rules import Rules
from kiosk.storage.atomic_io import json_bytes, read_json_or_none
from kiosk.storage.court_keys import court_key_status, load_court_keys
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER
from kiosk.storage.paths import Paths
from kiosk.storage.store import DIRECT, Store

CLOSED_EVENT, OPENED_EVENT = "closed_declared", "opened_again"
"""Event types of the rules data for closing and opening."""


def is_closed(hearing: Mapping[str, Any]) -> bool:
    """Return whether a hearing of the list is closed from its start."""
    return hearing.get("publicity") == "closed" or bool(hearing.get("state_secret"))


def publicity_event(closed: bool) -> str:
    """Return the event type of closing or opening."""
    return CLOSED_EVENT if closed else OPENED_EVENT


class Publicity:
    """The rules of closing, and the court's keys, for one kiosk."""

    def __init__(
        self, settings: Settings, paths: Paths, rules: Rules, store: Store = DIRECT
    ) -> None:
        self._store = store
        self._settings = settings
        self._paths = paths
        self._rules = rules
        self._schedule: tuple[int, tuple[Hearing, ...]] = (-1, ())

    # -- grounds -------------------------------------------------------------------------------
    def validate_ground(self, ground: object) -> str | None:
        """Return ``ground`` if it is in the rules data, None if none is given yet.

        Raises:
            BadRequestError: ``unknown_ground``.
        """
        if ground in (None, ""):
            return None
        if not isinstance(ground, str) or ground not in self._rules.closure_grounds:
            raise BadRequestError(f"no closure ground “{ground}”", code="unknown_ground")
        return ground

    def mark_if_secret(self, folder: Path, details: Mapping[str, Any], ground: str | None) -> None:
        """Mark the hearing in ``folder`` as courier-only if it touches a state secret.

        Raises:
            StorageError: the marker cannot be written.
        """
        row = self._rules.closure_grounds.get(ground or "")
        secret = bool(details.get("state_secret")) or (row is not None and row.never_online)
        marker = folder / COURIER_ONLY_MARKER
        if secret and not self._store.locate(marker).exists():
            self._store.write_file(marker, json_bytes({"ground": ground, "since": format_wall()}))

    # -- encryption ---------------------------------------------------------------------------
    def codec_for(self, state: HearingState) -> FragmentCodec:
        """Return the codec for the next part of a hearing: plain or encrypted to the court.

        Raises:
            CourtKeyError: it must be closed and the court's keys are not pinned.
        """
        marker = self._paths.hearings / state.id / COURIER_ONLY_MARKER
        secret = self._store.locate(marker).exists()
        if state.closed is not None or secret or self._settings.recording.encrypt == "all":
            return AgeFragmentCodec(load_court_keys(self._paths))
        return PLAIN_CODEC

    # -- readiness -----------------------------------------------------------------------------
    def court_keys(self, state: HearingState | None) -> CourtKeys:
        """Return ``court_keys`` of State: their state and whether they are needed today."""
        needed = self._settings.recording.encrypt == "all"
        needed = needed or (state is not None and state.closed is not None)
        needed = needed or any(hearing.is_closed for hearing in self._todays_hearings())
        return CourtKeys(state=court_key_status(self._paths), needed=needed)

    def _todays_hearings(self) -> list[Hearing]:
        """Return the hearings of the published list that may be held today."""
        zone = ZoneInfo(self._settings.kiosk.timezone)
        try:
            modified_ns = self._paths.schedule.stat().st_mtime_ns
        except OSError:
            return []
        if modified_ns != self._schedule[0]:
            hearings = read_schedule(read_json_or_none(self._paths.schedule), zone).hearings
            self._schedule = (modified_ns, hearings)
        today = wall_time().astimezone(zone).date()
        return [hearing for hearing in self._schedule[1] if hearing.may_be_on(today, zone)]
