"""Options for the journals of this room's hearings: device signature, callbacks, store."""

from __future__ import annotations

from functools import partial

from kiosk.evidence.signer import Signer, load_device_signer
from kiosk.hearing.room.context import HearingContext
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.journal.hearing_journal import JournalOptions


class JournalOptionsFactory:
    """Creates the options that a :class:`HearingJournal` is opened with."""

    def __init__(self, context: HearingContext, current_hearing: CurrentHearing) -> None:
        self._context = context
        self._current_hearing = current_hearing
        self._signer: Signer | None = None

    def create(self, state: HearingState | None) -> JournalOptions:
        """Return the options for the journal of one hearing.

        Args:
            state: each entry is applied to it; None: to nothing (yet).
        """
        context, current = self._context, self._current_hearing
        if self._signer is None or context.storage.is_primary_available:
            self._signer, _ = load_device_signer(context.paths, context.settings.kiosk.id)
        on_entry = (
            partial(current.apply_entry, state) if state is not None else lambda _part, _entry: None
        )
        return JournalOptions(
            context.settings.kiosk.id,
            self._signer,
            context.settings.recording.head_seconds,
            on_entry,
            current.set_storage_error,
            context.store,
        )
