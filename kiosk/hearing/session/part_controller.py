"""Starts, switches and stops the parts of the open hearing, with their journals and the lamp."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.api.states import LampState
from kiosk.config import Settings
from kiosk.errors import KioskError, RecordingError
from kiosk.evidence.device_key import load_device_signer
from kiosk.evidence.signer import Signer
from kiosk.hardware.sources.captured_sources import CapturedSources
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import KEPT_REASON, HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.recording.capture.kept_sound import KeptSound
from kiosk.recording.capture.part_config import RoomCapture
from kiosk.recording.formats.fragment_codec import FragmentCodec
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.part import Part
from kiosk.storage.court_keys import CourtKeyError
from kiosk.storage.patient_reader import PatientReader
from kiosk.storage.store import Store

log = logging.getLogger(__name__)
PartFactory = Callable[[Path, Settings, CapturedSources, FragmentCodec, Store, RoomCapture], Part]


class PartController:
    """Starts and stops the parts of hearings.

    Args:
        make_part: makes a part of live sources, or of sound that was kept.

    Attributes:
        hold: while it is held, captured media wait in memory.
        pulse: tells what the recording really does.
    """

    def __init__(self, context: HearingContext, make_part: PartFactory) -> None:
        self._context = context
        self._make_part = make_part
        self._signer: Signer | None = None
        self._signers = PatientReader(self._load_signer)
        self._room = RoomCapture()
        self.hold, self.pulse = self._room.hold, self._room.pulse

    def journal_options(self, state: HearingState | None) -> JournalOptions:
        """Return the options for the journal of one hearing.

        Args:
            state: each entry is applied to it; None: entries are not applied (yet).
        """
        context, current = self._context, self._context.current
        on_entry = (
            partial(current.apply_entry, state) if state is not None else lambda _part, _entry: None
        )
        return JournalOptions(
            context.settings.kiosk.id,
            self._signers.value(),
            on_entry,
            current.set_storage_error,
            context.store,
        )

    def _load_signer(self) -> Signer:
        """Return the device's signer; the last one while the primary storage cannot give it."""
        context = self._context
        if self._signer is None or context.storage.is_primary_available:
            try:
                self._signer, _ = load_device_signer(context.paths, context.settings.kiosk.id)
            except (OSError, KioskError) as error:
                if self._signer is None:
                    raise
                log.error("the device's identity cannot be read: %s", error)
        return self._signer

    def set_lamp(self, shown: LampState) -> None:
        """Set the lamp (one that fails stops nothing)."""
        self._context.panel.lamp = shown

    def start(self, folder: Path, tap_ns: int, codec: FragmentCodec) -> Part:
        """Start capturing into ``folder``; the lamp blinks until it is proven."""
        context = self._context
        capture = self._make_part(
            folder, context.settings, context.sources, codec, context.store, self._room
        )
        self.set_lamp(LampState.SLOW)
        try:
            capture.start(tap_ns)
        except Exception:
            self.discard(capture)
            raise
        return capture

    def discard(self, capture: Part) -> None:
        """End the capture of a part that could not be started; nothing of it is written."""
        try:
            capture.discard()
        finally:
            hearing = self._context.current.hearing
            if hearing is None or hearing.capture is None:  # the part before it does not go on
                self._context.current.has_failed_start = True
                self._context.sources.stop_encoder()
                self.set_lamp(LampState.OFF)
                self._context.events.on_change()

    def attach_journal(
        self, hearing: OpenHearing, fields: Mapping[str, Any], *, may_refuse: bool = True
    ) -> None:
        """Open the journal of the running part; a disk that is slow writes it later.

        Args:
            may_refuse: a disk that refuses the part's first entry prevents the part.

        Raises:
            StorageError: the disk refuses it now.
        """
        assert hearing.capture is not None
        part = hearing.state.part + 1
        closed = hearing.closure() is not None
        opened = {**fields, "closed": closed, "inputs": self._inputs()}
        metadata = {**self._source_metadata(), "encrypted": hearing.capture.codec.is_encrypted}
        journal = hearing.journal.submit_part(part, opened, metadata, may_refuse=may_refuse)
        hearing.capture.attach_journal(journal)
        self._context.current.has_failed_start = False

    def _inputs(self) -> dict[str, Any]:
        """Return what each source has really opened, None where it has nothing yet."""
        return {
            device.name: None if device.opened is None else device.opened.to_json()
            for device in self._context.sources.devices()
            if device.setting
        }

    def _source_metadata(self) -> dict[str, Any]:
        """Return the fields of ``part.json`` about sources and codecs."""
        settings = self._context.settings
        return {
            "room": settings.kiosk.room,
            "court": dict(settings.kiosk.court),
            "camera": settings.camera.model_dump(mode="json"),
            "microphones": [
                microphone.model_dump(mode="json") for microphone in settings.microphones
            ],
            "codecs": {"main": ["h264", "aac"], "channels": ["flac"]},
            "devices": [device.to_json() for device in self._context.sources.devices()],
        }

    def start_next(
        self, hearing: OpenHearing, fields: dict[str, Any], *, may_refuse: bool = True
    ) -> None:
        """Start the next part of a hearing that is not being captured.

        Args:
            fields: ``reason``, ``person``, ``tap_ns`` of the part's first line.
            may_refuse: see :meth:`attach_journal`.

        Raises:
            CourtKeyError: the hearing is closed and the court's keys are not pinned.
            StorageError: it cannot be started; nothing is captured then.
        """
        codec = self._context.publicity.codec_for(hearing.state)
        folder = hearing.journal.part_folder(hearing.state.part + 1)
        hearing.capture = self.start(folder, fields["tap_ns"], codec)
        self._attach_journal_or_stop(hearing, fields, may_refuse=may_refuse)

    def keep_before(
        self, hearing: OpenHearing, before: KeptSound, person: str, tap_ns: int
    ) -> Part:
        """Make what was kept before ``tap_ns`` a part of its own, which ends there.

        It is written in the background, as the hearing is: encrypted where it is closed.

        Raises:
            CourtKeyError: the hearing is closed and the court's keys are not pinned.
        """
        context, number = self._context, hearing.state.part + 1
        begin_ns = before.begin_ns(tap_ns) or tap_ns
        codec = context.publicity.codec_for(hearing.state)
        folder = hearing.journal.part_folder(number)
        part = self._make_part(
            folder, context.settings, before, codec, context.store, RoomCapture()
        )
        part.start(begin_ns, tap_ns)
        opened = {"reason": KEPT_REASON, "person": person, "tap_ns": begin_ns, "until_ns": tap_ns}
        opened |= {"closed": hearing.closure() is not None, "inputs": self._inputs()}
        metadata = self._source_metadata() | {"encrypted": codec.is_encrypted}
        metadata["camera"] = metadata["camera"] | {"back_end": "none"}
        part.attach_journal(hearing.journal.submit_part(number, opened, metadata))
        hearing.end_kept_part(part, person, tap_ns)
        self._seal_in_background(hearing, part)
        return part

    def drop_kept(self, folder: Path, before: KeptSound, kept: Part | None) -> None:
        """End what a start that failed has begun with the minute before; what is written stays.

        Args:
            folder: of the hearing that did not start.
            kept: the part that was made of it; None: none was.
        """
        if not before.is_listening:  # a part took it: nobody else may take what follows
            before.wipe()
        if kept is not None:
            self._context.seal_queue.withdraw(f"{folder.name}/{kept.journal.part}")
            kept.discard()

    def _attach_journal_or_stop(
        self, hearing: OpenHearing, fields: Mapping[str, Any], *, may_refuse: bool = True
    ) -> None:
        """Open the journal of the running part; undo the start if it cannot be opened."""
        capture = hearing.capture
        assert capture is not None
        try:
            self.attach_journal(hearing, fields, may_refuse=may_refuse)
        except Exception:
            hearing.capture = None
            self.discard(capture)
            raise

    def switch(
        self,
        hearing: OpenHearing,
        closed: bool,
        person: str,
        tap_ns: int,
        declare: Callable[[], None],
    ) -> None:
        """End the running part at ``tap_ns`` and start the next one at that same moment.

        The capture is handed over before anything is written, and nothing waits for the disk. If
        the next part cannot be started, the capture stops at ``tap_ns`` and the reason is asked
        for.

        Args:
            closed: whether the next part is closed.
            declare: appends the entries about it.

        Raises:
            Exception: why the next part cannot be started, unless keys are missing.
        """
        old = hearing.capture
        assert old is not None
        reason = "closed" if closed else "opened"
        try:
            codec = self._context.publicity.codec_for(hearing.state, closed)
            folder = hearing.journal.part_folder(hearing.state.part + 1)
            new = self.start(folder, tap_ns, codec)
        except Exception as error:  # whatever it is, the old form may not go on
            log.error("the next part cannot be started: %s", error)
            self.stop(hearing, code_of(error), person, "", tap_ns)
            self._context.current.has_failed_start = True
            declare()
            hearing.add_question("failure_reason")
            if isinstance(error, CourtKeyError):
                return
            raise
        hearing.capture = new
        old.stop(reason, person, tap_ns)
        declare()
        hearing.close_part(old, "")
        try:
            opened = {"reason": reason, "person": person, "tap_ns": tap_ns}
            self._attach_journal_or_stop(hearing, opened, may_refuse=False)
        except Exception:
            hearing.add_question("failure_reason")
            raise
        finally:
            self._seal_in_background(hearing, old)

    def stop(
        self, hearing: OpenHearing, reason: str, person: str, why: str, at_ns: int | None = None
    ) -> None:
        """End the running part, close its journal and seal it in the background."""
        capture = hearing.capture
        assert capture is not None
        capture.stop(reason, person, at_ns)
        self._context.sources.stop_encoder()
        self.set_lamp(LampState.OFF)
        hearing.capture = None
        hearing.close_part(capture, why)
        self._seal_in_background(hearing, capture)

    def _seal_in_background(self, hearing: OpenHearing, capture: Part) -> None:
        part = capture.journal.part
        job = partial(self._seal, hearing, capture, part)
        name = f"{hearing.journal.folder.name}/{part}"
        self._context.seal_queue.submit(name, job)

    def _seal(self, hearing: OpenHearing, capture: Part, part: int) -> None:
        hearing.seal_parts(upto=part)
        self._context.storage.record_part_size(capture.bytes, capture.seconds)


def code_of(error: Exception) -> str:
    """Return the reason of a part that ``error`` ended or prevented."""
    return error.code if isinstance(error, KioskError) else RecordingError.code
