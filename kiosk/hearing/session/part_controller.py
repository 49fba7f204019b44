"""Parts of the open hearing: where the capture begins, hands over and ends; the lamp with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.hearing.room.context import Premises
from kiosk.hearing.session.open_hearing import Session
from kiosk.hearing.session.part_capture import Capture, MakeRecorder
from kiosk.hearing.session.publicity import Publicity
from kiosk.hearing.session.seal_queue import Submit
from kiosk.recording.formats.fragment_codec import Envelope
from kiosk.storage.court_keys import CourtKeyError

log = logging.getLogger(__name__)


class Parts:
    """Begins and ends parts.

    Args:
        make_recorder: makes the writer of a part's media.
        submit: hands a job to the sealer.
    """

    def __init__(
        self,
        premises: Premises,
        publicity: Publicity,
        make_recorder: MakeRecorder,
        submit: Submit,
    ) -> None:
        self._premises = premises
        self._publicity = publicity
        self._make_recorder = make_recorder
        self._submit = submit

    def lamp(self, on: bool) -> None:
        """Switch the lamp (one that fails stops nothing)."""
        self._premises.panel.lamp = on

    def begin(self, folder: Path, tap_ns: int, envelope: Envelope) -> Capture:
        """Begin to capture into ``folder``; the lamp is on from now."""
        on = self._premises
        make = self._make_recorder
        capture = Capture(folder, on.settings, on.sources, make, envelope, on.store)
        self.lamp(True)
        capture.start(tap_ns)
        return capture

    def keep_books(self, session: Session, fields: Mapping[str, Any]) -> None:
        """Open the books of the session's running part."""
        assert session.capture is not None
        part = session.record.part + 1
        closed = session.record.closed is not None
        about = {**self._about_sources(), "encrypted": session.capture.envelope.encrypted}
        book = session.book.open_part(part, {**fields, "closed": closed}, about)
        session.capture.keep_books(book)

    def _about_sources(self) -> dict[str, Any]:
        """Return what ``part.json`` says about sources and codecs."""
        settings = self._premises.settings
        return {
            "room": settings.kiosk.room,
            "court": dict(settings.kiosk.court),
            "camera": settings.camera.model_dump(mode="json"),
            "microphones": [one.model_dump(mode="json") for one in settings.microphones],
            "codecs": {"main": ["h264", "aac"], "channels": ["flac"]},
            "devices": self._premises.sources.devices(),
        }

    def begin_next(self, session: Session, fields: dict[str, Any]) -> None:
        """Begin the next part of a hearing whose capture stands still.

        Args:
            fields: ``reason``, ``person``, ``tap_ns`` of the part's first line.

        Raises:
            CourtKeyError: it must be closed and the court's keys are not pinned.
            StorageError: it cannot be begun; nothing is captured then.
        """
        part = session.record.part + 1
        envelope = self._publicity.envelope(session.record)
        folder = self._premises.store.make_folder(session.book.part_folder(part))
        session.capture = self.begin(folder, fields["tap_ns"], envelope)
        self._keep_books_or_stop(session, fields)

    def _keep_books_or_stop(self, session: Session, fields: dict[str, Any]) -> None:
        """Open the books of the running part; without books nothing is captured."""
        assert session.capture is not None
        try:
            self.keep_books(session, fields)
        except StorageError:
            session.capture.stop()
            session.capture = None
            self.lamp(False)
            raise

    def hand_over(self, session: Session, reason: str, person: str, tap_ns: int) -> None:
        """End the running part at ``tap_ns`` and have the next one begin at that very moment.

        Where the next cannot be begun the capture stops, and the reason is asked for.

        Raises:
            StorageError: the next part cannot be begun.
        """
        old, part = session.capture, session.record.part
        assert old is not None
        try:
            envelope = self._publicity.envelope(session.record)
            folder = self._premises.store.make_folder(session.book.part_folder(part + 1))
        except (CourtKeyError, StorageError) as error:
            log.error("the next part cannot be begun: %s", error)
            self.end(session, error.code, person, "", tap_ns)
            session.ask("failure_reason")
            if isinstance(error, StorageError):
                raise
            return
        new = self.begin(folder, tap_ns, envelope)
        fields = old.stop(tap_ns)
        session.close_part(part, {**fields, "reason": reason, "person": person}, "")
        session.capture = new
        self._keep_books_or_stop(session, {"reason": reason, "person": person, "tap_ns": tap_ns})
        self._seal_behind(session, part)

    def end(
        self, session: Session, reason: str, person: str, why: str, at_ns: int | None = None
    ) -> None:
        """End the running part; its books are closed and its seal follows behind."""
        capture = session.capture
        assert capture is not None
        part = session.record.part
        fields = capture.stop(at_ns)
        self._premises.storages.note_part(capture.bytes, capture.seconds)
        self._premises.sources.stop_encoder()
        self.lamp(False)
        session.close_part(part, {**fields, "reason": reason, "person": person}, why)
        self._seal_behind(session, part)

    def _seal_behind(self, session: Session, part: int) -> None:
        name = f"{session.record.id}/{part}"
        self._submit(name, partial(session.seal_parts, upto=part))
