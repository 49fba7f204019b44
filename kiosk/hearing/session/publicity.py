"""Open and closed hearings: grounds for closing, encryption, and the court's keys (R79).

A state-secret hearing never leaves by network (R86, R87): as soon as that is known, its folder
gets a marker that sync obeys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.recorder import CourtKeys
from kiosk.api.states import CourtKeyState
from kiosk.clocks import format_wall, wall_time
from kiosk.config import Settings
from kiosk.hearing.room.closed_hearings import ClosedHearings
from kiosk.hearing.room.court_list import CourtList
from kiosk.hearing.room.ended_hearings import EndedHearings
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.rules import Rules
from kiosk.storage.atomic_io import json_bytes
from kiosk.storage.court_keys import CourtKeyError, court_key_status, load_court_keys
from kiosk.storage.court_keys import CourtKeys as RecipientKeys
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER
from kiosk.storage.paths import Paths
from kiosk.storage.patient_reader import PatientReader
from kiosk.storage.store import DIRECT, Store

CLOSED_EVENT, OPENED_EVENT = "closed_declared", "opened_again"
"""Event types of the rules data for closing and opening."""


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
        self._zone = ZoneInfo(settings.kiosk.timezone)
        self.court_list = CourtList(paths.schedule, self._zone, rules)
        self._ended = ClosedHearings(paths.closed_hearings)
        self.ended_hearings = EndedHearings(paths.ended_hearings)
        self._keys = PatientReader(partial(_read_keys, paths))
        self._marks: dict[str, bytes] = {}

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

    def hides_title(self, state: HearingState) -> bool:
        """Return whether nobody outside may see the title: it is closed, or a state secret."""
        return state.closed is not None or self.is_secret(state)

    def is_secret(self, state: HearingState) -> bool:
        """Return whether it touches, or has touched, a state secret (R86)."""
        return any(self._is_secret(state.details, ground) for ground in (None, *state.grounds))

    def mark_if_secret(self, folder: Path, details: Mapping[str, Any], ground: str | None) -> None:
        """Mark the hearing in ``folder`` as courier-only if it touches a state secret.

        The store writes the mark in its turn: before anything that it gets afterwards.
        """
        if self._is_secret(details, ground):
            text = json_bytes({"ground": ground, "since": format_wall()})
            text = self._marks.setdefault(folder.name, text)
            self._store.submit_file(folder / COURIER_ONLY_MARKER, text)

    def recall_mark(self, folder: Path) -> None:
        """Remember the mark that the hearing in ``folder`` got before a crash, if any."""
        marker = self._store.locate(folder / COURIER_ONLY_MARKER)
        if marker.exists():
            self._marks[folder.name] = marker.read_bytes()

    def closed_hearings(self, state: HearingState | None) -> tuple[str, ...]:
        """Return ``closed_hearings`` of State.

        Args:
            state: of the hearing that is open.
        """
        names = set(self._ended.ids)
        if state is not None and self.hides_title(state):
            names |= state.listed_ids
        return tuple(sorted(names))

    def remember(self, state: HearingState) -> None:
        """Remember that a hearing ends, and go on hiding its title if it is hidden; in memory."""
        self.ended_hearings.add(state.listed_ids, wall_time().astimezone(self._zone).date())
        if self.hides_title(state):
            self._ended.add(state.listed_ids)

    def save_remembered(self) -> None:
        """Write what :meth:`remember` has kept.

        Raises:
            StorageError: the disk cannot take it now.
        """
        self._ended.save()
        self.ended_hearings.save()

    def _is_secret(self, details: Mapping[str, Any], ground: str | None) -> bool:
        row = self._rules.closure_grounds.get(ground or "")
        return bool(details.get("state_secret")) or (row is not None and row.never_online)

    # -- encryption ---------------------------------------------------------------------------
    def codec_for(self, state: HearingState, closed: bool | None = None) -> FragmentCodec:
        """Return the codec for the next part of a hearing: plain or encrypted to the court.

        Args:
            closed: whether that part is closed; default: as the hearing is now.

        Raises:
            CourtKeyError: it must be closed and the court's keys are not pinned.
        """
        if self.is_encrypted(state, closed):
            return AgeFragmentCodec(self.load_keys())
        return PLAIN_CODEC

    def is_encrypted(self, state: HearingState, closed: bool | None = None) -> bool:
        """Return whether what is recorded now is for the court alone; ``closed`` as above."""
        secret = self.is_secret(state) or state.id in self._marks
        closed = state.closed is not None if closed is None else closed
        return closed or secret or self._settings.recording.encrypt == "all"

    def load_keys(self) -> RecipientKeys:
        """Return the court's keys; while the disk hangs, as they were last.

        Raises:
            CourtKeyError: they are not pinned.
        """
        found, _ = self._keys.value()
        if isinstance(found, CourtKeyError):
            raise found.with_traceback(None)
        return found

    # -- readiness -----------------------------------------------------------------------------
    def court_keys(self, state: HearingState | None) -> CourtKeys:
        """Return ``court_keys`` of State as last known: their state, whether they are needed."""
        needed = self._settings.recording.encrypt == "all"
        needed = needed or (state is not None and state.closed is not None)
        today = wall_time().astimezone(self._zone).date()
        listed = self.court_list.hearings_on(today)
        needed = needed or any(hearing.is_closed for hearing in listed)
        return CourtKeys(state=self._keys.latest()[1], needed=needed)


def _read_keys(paths: Paths) -> tuple[RecipientKeys | CourtKeyError, CourtKeyState]:
    """Return the court's keys, or why there are none, and their state."""
    try:
        return load_court_keys(paths), court_key_status(paths)
    except CourtKeyError as error:
        return error, CourtKeyState.MISSING
