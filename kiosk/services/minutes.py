"""Calls about the minutes: filled in, corrected, confirmed, sealed (docs/interfaces.md)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api import minutes as api
from kiosk.api.base import Model
from kiosk.api.exports import SealedHearing
from kiosk.api.minutes import (
    Confirmer,
    MinutesForm,
    MinutesStage,
    MinutesSummary,
    ShortMinutes,
)
from kiosk.api.quality import READ_QUALITY
from kiosk.api.receipts import KeepReceipt, UnscannedReceipts
from kiosk.api.states import ClockState
from kiosk.auth.person import Person
from kiosk.clocks import format_wall, wall_time
from kiosk.config import Settings
from kiosk.errors import KioskError, RequestError
from kiosk.evidence.device_key import load_device_signer
from kiosk.evidence.seal import is_sealed
from kiosk.export.errors import ExportError, NotSealedError
from kiosk.export.minutes_filling import MinutesFilling, options_of
from kiosk.export.minutes_receipts import (
    keep_late_scan,
    unscanned_receipts,
    withdraw_late_scan,
)
from kiosk.export.minutes_record import (
    MinutesError,
    MinutesRecord,
    due_day,
    read_record,
)
from kiosk.export.minutes_retention import delete_delivered_minutes
from kiosk.export.minutes_signature import (
    find_signature,
    keep_signature,
    seal_signature,
    write_for_signing,
)
from kiosk.export.minutes_version import cite_former, seal_version
from kiosk.export.quality import make_report, read_facts
from kiosk.export.removable_drive import SealedHearingList, drives_for_copies
from kiosk.hardware.wall_clock import clock_state
from kiosk.rules import load_rules
from kiosk.rules.order import Course, keeps_minutes
from kiosk.rules.rules import Rules
from kiosk.services.local_api import Call, Route
from kiosk.services.persons_and_notes import MAX_BODY_BYTES
from kiosk.storage.ages import Ages
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
SECONDS_PER_DAY = 86_400.0
JUDGE_ROLES = ("presiding", "judge")


class MinutesService:
    """The handlers; one call changes minutes at a time.

    Args:
        settings: of this kiosk.
        ages: since when delivered minutes may be deleted.
    """

    def __init__(self, settings: Settings, ages: Ages | None = None) -> None:
        self._settings = settings
        self._paths = Paths.from_settings(settings.paths)
        self._zone = ZoneInfo(settings.kiosk.timezone)
        self._hearings = SealedHearingList(self._paths)
        self._rules: Rules | None = None
        self._lock = asyncio.Lock()
        self._ages = ages or Ages(self._paths.minutes_ages)

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (api.LIST_MINUTES, self._list),
            (api.OPEN_MINUTES, self._open),
            (api.EDIT_MINUTES, self._edit),
            (api.UNDO_MINUTES, self._undo),
            (api.CHOOSE_MINUTES_LANGUAGE, self._choose_language),
            (api.CHOOSE_MINUTES_FORM, self._choose_form),
            (api.CHOOSE_MINUTES_TERM, self._choose_term),
            (api.LIST_UNSCANNED_RECEIPTS, self._list_unscanned),
            (api.KEEP_MINUTES_RECEIPT, self._keep_receipt),
            (api.WITHDRAW_MINUTES_RECEIPT, self._withdraw_receipt),
            (READ_QUALITY, self._read_quality),
            (api.JUDGE_QUALITY, self._judge_quality),
            (api.CONFIRM_MINUTES, self._confirm),
            (api.BEGIN_MINUTES_VERSION, self._begin_version),
            (api.HAND_OUT_MINUTES, self._hand_out),
            (api.TAKE_MINUTES_SIGNATURE, self._take_signature),
        ]

    # -- calls -----------------------------------------------------------------------------------
    async def _list(self, _call: Call) -> Model:
        async with self._lock:
            rows = await asyncio.to_thread(self._summaries)
        return api.MinutesList(hearings=tuple(rows))

    async def _open(self, call: Call) -> Model:
        def fill(_folder: Path, record: MinutesRecord) -> None:
            if record.is_running:
                self._filling().refill(record)

        return await self._run(call, fill)

    async def _edit(self, call: Call) -> Model:
        request = await call.read(api.EditMinutes)

        def edit(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            row = next((row for row in record.rows if row.id == request.field), None)
            if row is None:
                raise RequestError(f"field: the minutes have no field {request.field!r}")
            lines = [line for line in request.lines if line]  # a blank one says nothing
            if lines != [line.text for line in row.lines]:
                changed = {"field": request.field, "lines": lines}
                self._write(record, "edited", call, language=record.language, **changed)

        return await self._run(call, edit)

    async def _undo(self, call: Call) -> Model:
        def undo(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            if record.undoable is None:
                raise MinutesError("no change can be undone", code="minutes_nothing_to_undo")
            self._write(record, "undone", call, of=record.undoable.number)

        return await self._run(call, undo)

    async def _choose_language(self, call: Call) -> Model:
        language = (await call.read(api.ChooseMinutesLanguage)).language

        def choose(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            if language != record.language:
                self._write(record, "language", call, value=language)

        return await self._run(call, choose)

    async def _choose_form(self, call: Call) -> Model:
        form = (await call.read(api.ChooseMinutesForm)).form

        def choose(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            if form != record.form:
                self._require_sealed(record)
                drafts = self._filling().drafts(record, replace(options_of(record), form=form))
                self._write(record, "form", call, value=form, drafts=drafts)
            elif record.is_running:
                self._filling().refill(record)

        return await self._run(call, choose, form)

    async def _choose_term(self, call: Call) -> Model:
        is_complex = (await call.read(api.ChooseMinutesTerm)).is_complex

        def choose(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            if is_complex != record.is_complex:
                self._write(record, "term", call, complex=is_complex)

        return await self._run(call, choose)

    async def _keep_receipt(self, call: Call) -> Model:
        request = await call.read(KeepReceipt, MAX_BODY_BYTES)

        def keep(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            self._require_sealed(record)
            keep_late_scan(self._filling(), record, request, call.person.id)

        return await self._run(call, keep)

    async def _list_unscanned(self, call: Call) -> Model:
        hearing = _hearing_id(call.http.match_info["id"])

        def find() -> Model:
            record = read_record(self._paths.minutes_drafts / hearing)
            found = unscanned_receipts(self._filling(), hearing, record)
            return UnscannedReceipts(receipts=found)

        return await asyncio.to_thread(find)

    async def _withdraw_receipt(self, call: Call) -> Model:
        text = call.http.match_info["scan"]
        scan = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

        def withdraw(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            withdraw_late_scan(self._filling(), record, scan, call.person.id)

        return await self._run(call, withdraw)

    async def _read_quality(self, call: Call) -> Model:
        hearing = _hearing_id(call.http.match_info["id"])
        folder = self._filling().source(hearing)
        facts = await asyncio.to_thread(read_facts, folder, self._settings)
        record = await asyncio.to_thread(read_record, self._paths.minutes_drafts / hearing)
        said: dict[str, Any] = {}
        if record is not None:
            is_confirmed = record.stage == "confirmed"
            said = {"word": record.quality, "is_full": record.form == "full"}
            said["is_confirmed"] = is_confirmed
        return make_report(facts, self._load_rules()).model_copy(update=said)

    async def _judge_quality(self, call: Call) -> Model:
        is_good = (await call.read(api.JudgeQuality)).is_good

        def judge(_folder: Path, record: MinutesRecord) -> None:
            if not call.person.has_role(JUDGE_ROLES):
                raise MinutesError("the presiding judge says that", code="quality_judge_only")
            _refuse_confirmed(record)
            self._require_sealed(record)
            said = {"person": call.person.id, "name": call.person.name, "is_good": is_good}
            self._filling().append(record, "quality", said)

        return await self._run(call, judge)

    async def _confirm(self, call: Call) -> Model:
        revision = (await call.read(api.ConfirmMinutes)).revision

        def confirm(_folder: Path, record: MinutesRecord) -> None:
            _refuse_confirmed(record)
            self._require_sealed(record)
            if revision != record.revision:
                raise MinutesError("they were changed meanwhile", code="minutes_changed")
            role = _confirming_role(record, call.person)
            fields: dict[str, Any] = {"person": call.person.id, "name": call.person.name}
            if role == "presiding":
                fields |= {"seal": str(uuid.uuid4()), "day": self._today()}
            fields |= {"role": role, "revision": revision}
            self._filling().append(record, "confirmed", fields)

        return await self._run(call, confirm)

    def _today(self) -> str:
        """Return the day; empty where the clock is not set: minutes never guess."""
        if clock_state() is ClockState.UNSET:
            return ""
        return wall_time().astimezone(self._zone).strftime("%d.%m.%Y")

    async def _begin_version(self, call: Call) -> Model:
        def begin(_folder: Path, record: MinutesRecord) -> None:
            if record.stage != "confirmed":
                raise MinutesError("not confirmed yet", code="minutes_not_confirmed")
            former = cite_former(self._paths, record.seals[-1].id)
            self._write(record, "version", call, version=record.version + 1, **former)

        return await self._run(call, begin)

    async def _hand_out(self, call: Call) -> Model:
        def hand_out(_folder: Path, record: MinutesRecord) -> None:
            _require_unsigned(record)
            written = write_for_signing(self._paths, record, self._drive())
            self._write(record, "handed_out", call, **written)

        return await self._run(call, hand_out)

    async def _take_signature(self, call: Call) -> Model:
        def take(folder: Path, record: MinutesRecord) -> None:
            _require_unsigned(record)
            roots = self._settings.export.people_roots
            if roots is None or not roots.is_file():
                raise MinutesError("no roots of people's keys", code="minutes_roots_missing")
            content, signed = find_signature(self._paths, record, self._drive(), roots)
            digest = hashlib.sha256(content).hexdigest()
            keep_signature(folder, digest, content)
            fields = {
                "seal": record.seals[-1].id,
                "folder": str(uuid.uuid4()),
                "name": signed.name,
                "valid_until": format_wall(signed.valid_until),
                "sha256": digest,
            }
            self._write(record, "signed", call, **fields)

        return await self._run(call, take)

    def _drive(self) -> Path:
        """Return the one drive that is plugged in, so that one tap is enough.

        Raises:
            MinutesError: there is none, or there are several.
        """
        drives = drives_for_copies(self._settings)
        if len(drives) != 1:
            code = "minutes_drives_several" if drives else "minutes_drive_absent"
            raise MinutesError(f"{len(drives)} drives, not one", code=code)
        return Path(drives[0].path)

    # -- work ------------------------------------------------------------------------------------
    async def _run(
        self,
        call: Call,
        step: Callable[[Path, MinutesRecord], None],
        form: MinutesForm = "short",
    ) -> ShortMinutes:
        """Open the minutes that the path names, take one step, and answer what they are then.

        A step checks first and writes then: one that is refused leaves nothing.

        Args:
            form: of minutes that this call begins.
        """
        wanted = call.http.match_info["id"]
        async with self._lock:
            return await asyncio.to_thread(self._step, wanted, call.person, step, form)

    def _step(
        self,
        wanted: str,
        person: Person,
        step: Callable[[Path, MinutesRecord], None],
        form: MinutesForm,
    ) -> ShortMinutes:
        hearing = _hearing_id(wanted)
        folder = self._paths.minutes_drafts / hearing
        record = read_record(folder)
        if record is None:
            name = person.name if person.has_role(("secretary",)) else ""
            record = self._filling().begin(hearing, person.id, name, form)
        self._seal(record)  # where a power cut came before the seal
        step(folder, record)
        self._filling().keep(record)  # not before: a step that is refused begins no minutes
        record = _require_record(folder)
        return record.as_minutes(self._load_rules(), self._zone, self._seal(record))

    def _write(self, record: MinutesRecord, kind: str, call: Call, /, **fields: object) -> None:
        self._filling().append(record, kind, {"by": call.person.id, **fields})

    def _filling(self) -> MinutesFilling:
        return MinutesFilling(self._settings, self._paths, self._load_rules())

    def _require_sealed(self, record: MinutesRecord) -> None:
        """Check that the hearing is sealed, and that the minutes were filled in since.

        Raises:
            ExportError: it is not sealed yet.
            MinutesError: they must be read again.
        """
        hearing = str(record.begun["hearing"])
        if not record.is_running:
            return
        if is_sealed(self._paths.hearings / hearing):
            raise MinutesError("the hearing ended meanwhile", code="minutes_changed")
        raise NotSealedError(f"{hearing}: not sealed yet")

    def _seal(self, record: MinutesRecord) -> str:
        """Seal what both have confirmed, and the secretary's signature; return the version's seal.

        Returns:
            The name of its folder; empty: it is not confirmed.
        """
        if record.stage != "confirmed":
            return ""
        seal = record.seals[-1].id
        wanted = [seal, *([str(record.signed["folder"])] if record.signed else [])]
        if all((self._paths.minutes / name).is_dir() for name in wanted):
            return seal  # without the device's key, which may be away now
        signer, _enrolled = load_device_signer(self._paths, self._settings.kiosk.id)
        seal_version(self._paths, record, signer, self._load_rules(), self._zone)
        seal_signature(self._paths, record, signer)
        return seal

    def _summaries(self) -> list[MinutesSummary]:
        """Return a row for each hearing, those whose recording was deleted among them.

        What was delivered long ago leaves the kiosk here: staff look at least when they sign in.
        """
        days = self._settings.recording.keep_delivered_days
        delete_delivered_minutes(self._paths, self._ages, days * SECONDS_PER_DAY)
        found = self._hearings.rows()
        kept = [row for row in found if not row.damaged and self._keeps_minutes(row)]
        rows = [self._summary(row) for row in kept]
        drafts = self._paths.minutes_drafts
        known = {row.id for row in found if not row.damaged}
        for folder in sorted(drafts.iterdir()) if drafts.is_dir() else ():
            if folder.name not in known and (folder / JOURNAL_FILE).is_file():
                rows.append(self._summary(SealedHearing(id=folder.name)))
        return sorted(rows, key=lambda row: row.started, reverse=True)

    def _summary(self, hearing: SealedHearing) -> MinutesSummary:
        """Return the row of a hearing; what was confirmed and is not sealed yet is sealed."""
        stage: MinutesStage = "none"
        record, problem = None, ""
        try:
            folder = self._paths.minutes_drafts / hearing.id
            record = read_record(folder)
            if record is not None and record.is_running and hearing.ended:
                self._filling().refill(record)  # while the recording is here
                record = _require_record(folder)
            if record is not None:
                stage = record.stage
                self._seal(record)
        except (KioskError, OSError) as error:
            problem = error.code if isinstance(error, KioskError) else "storage_failed"
            log.error("the minutes of a hearing cannot be read or sealed: %s", problem)
        begun = record.begun if record is not None else {}
        return MinutesSummary(
            hearing_id=hearing.id,
            case_number=hearing.case_number or str(begun.get("case_number", "")),
            started=hearing.started or str(begun.get("started", "")),
            ended=hearing.ended or str(begun.get("ended", "")),
            stage=stage,
            due=self._due(hearing, record),
            problem=problem,
        )

    def _keeps_minutes(self, hearing: SealedHearing) -> bool:
        instance = self._load_rules().instance_of(hearing.case_number or "")
        course = Course(hearing.kind, session=hearing.session or "", instance=instance)
        return keeps_minutes(self._load_rules(), course)

    def _due(self, hearing: SealedHearing, record: MinutesRecord | None) -> str:
        rules = self._load_rules()
        if record is not None and not record.is_running:
            return record.due(rules, self._zone)
        is_complex = record is not None and record.is_complex
        return due_day(rules, self._zone, hearing.kind or "", hearing.ended, is_complex)

    def _load_rules(self) -> Rules:
        self._rules = self._rules or load_rules()
        return self._rules


def _require_record(folder: Path) -> MinutesRecord:
    record = read_record(folder)
    assert record is not None
    return record


def _refuse_confirmed(record: MinutesRecord) -> None:
    if record.stage == "confirmed":
        raise MinutesError("both have confirmed them: a change is a new version")


def _require_unsigned(record: MinutesRecord) -> None:
    """Check that this version is sealed, and not signed by the secretary yet."""
    if record.stage != "confirmed":
        raise MinutesError("not confirmed by both yet", code="minutes_not_sealed")
    if record.signed is not None:
        raise MinutesError("the secretary has signed them", code="minutes_signed")


def _confirming_role(record: MinutesRecord, person: Person) -> Confirmer:
    """Return as whom ``person`` confirms now: the secretary first, then the presiding judge.

    Raises:
        MinutesError: it is not the turn of this person.
    """
    if not record.confirmations:
        if person.has_role(("secretary",)):
            return "secretary"
        raise MinutesError("the secretary confirms first", code="minutes_secretary_first")
    if not person.has_role(JUDGE_ROLES):
        raise MinutesError("the presiding judge is next", code="minutes_judge_next")
    if person.id == record.confirmations[0].person:
        raise MinutesError("one person cannot be both", code="minutes_other_person")
    return "presiding"


def _hearing_id(wanted: str) -> str:
    """Return the id of a hearing.

    Raises:
        ExportError: it is none, so there is no such hearing.
    """
    try:
        return str(uuid.UUID(wanted))
    except ValueError:
        raise ExportError("no such hearing", code="hearing_unknown") from None
