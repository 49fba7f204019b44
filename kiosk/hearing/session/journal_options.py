"""Who keeps the books of this room's hearings: signed with the device's key, told to the record."""

from __future__ import annotations

from functools import partial

from kiosk.evidence.signer import Signer, device_signer
from kiosk.hearing.room.context import Premises
from kiosk.hearing.session.current_hearing import Present
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.recording.journal.hearing_journal import Maker


class BookKeeping:
    """Makes what a :class:`HearingBook` needs to know."""

    def __init__(self, premises: Premises, present: Present) -> None:
        self._premises = premises
        self._present = present
        self._signer: Signer | None = None

    def maker(self, record: HearingRecord | None) -> Maker:
        """Return what the books of a hearing are made with.

        Args:
            record: told of each line; None: nobody is (yet).
        """
        premises, present = self._premises, self._present
        if self._signer is None or premises.storages.own_is_there:
            self._signer, _ = device_signer(premises.layout, premises.settings.kiosk.id)
        listen = (
            partial(present.listen, record) if record is not None else lambda _part, _entry: None
        )
        return Maker(
            premises.settings.kiosk.id,
            self._signer,
            premises.settings.recording.head_seconds,
            listen,
            present.note_storage,
            premises.store,
        )
