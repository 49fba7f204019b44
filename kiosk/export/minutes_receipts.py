"""Receipts signed on paper and scanned after the hearing's end (R47, R48).

The sealed recording is not changed. The scan lies with the minutes, whose journal links it to its
event and corrects what they say of it; it is sealed and delivered with them. Of an event in a
closed part it is a complete age file for the court, as the scans of the hearing are.
"""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage

from kiosk.api.receipts import MAX_SCAN_BYTES, KeepReceipt, UnscannedReceipt
from kiosk.clocks import format_wall
from kiosk.config import Settings
from kiosk.export.minutes import load_hearing_state
from kiosk.export.minutes_filling import MinutesFilling, options_of
from kiosk.export.minutes_record import MinutesRecord
from kiosk.export.permission import closed_parts, is_wholly_closed
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session.receipt_steps import PDF_BEGINNING, mark_of_scan
from kiosk.hearing.session.receipts import Receipts
from kiosk.rules.explanations import RECEIPT_EVENTS
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.court_keys import load_court_keys
from kiosk.storage.hearing_folder import AGE_SUFFIX, COURIER_ONLY_MARKER, RECEIPTS_FOLDER


def keep_late_scan(
    filling: MinutesFilling, record: MinutesRecord, request: KeepReceipt, by: str
) -> None:
    """Keep a scan with the minutes of a sealed hearing, and correct what they say of its receipt.

    Raises:
        BadRequestError: no PDF, another hearing's, or nobody says whose it is.
        StepRefusedError: there is one already (``receipt_scanned_already``).
        CourtKeyError: it must be encrypted and the court's keys are not pinned.
    """
    if not request.pdf.startswith(PDF_BEGINNING) or len(request.pdf) > MAX_SCAN_BYTES:
        raise BadRequestError("pdf: no PDF document of a receipt", code="receipt_no_pdf")
    source = filling.source(str(record.begun["hearing"]))
    state = load_hearing_state(source)
    number, by_code = mark_of_scan(state, request)
    if state.receipts.row(number).scan or record.receipts.row(number).scan:
        raise StepRefusedError("it was scanned already", code="receipt_scanned_already")
    scan = max(record.receipts.files, default=0) + 1
    data, name = request.pdf, f"{RECEIPTS_FOLDER}/{scan:03d}.pdf"
    part = next(mark.part for mark in state.marks_in_force if mark.number == number)
    if _is_for_the_court(filling.settings, source, part):
        data = pyrage.encrypt(data, load_court_keys(filling.paths).recipients())
        name += AGE_SUFFIX
    draft = filling.paths.minutes_drafts / source.name
    make_folder(draft / RECEIPTS_FOLDER)
    write_bytes(draft / name, data)  # before the journal names it
    fields = {
        "scan": scan,
        "mark": number,
        "file": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "plain_sha256": hashlib.sha256(request.pdf).hexdigest(),
        "pages": request.pages,
        "by_code": by_code,
    }
    _append(filling, record, "receipt_scanned", fields, by)


def unscanned_receipts(
    filling: MinutesFilling, hearing: str, record: MinutesRecord | None
) -> tuple[UnscannedReceipt, ...]:
    """Return the events of a hearing whose receipt was scanned neither in it nor afterwards.

    Raises:
        ExportError: there is no such hearing; RecordingError, StorageError: it cannot be read.
    """
    state = load_hearing_state(filling.source(hearing))
    late = Receipts() if record is None else record.receipts
    return tuple(
        UnscannedReceipt(mark=mark.number, type=mark.type, at=mark.at, of=mark.of)
        for mark in state.marks_in_force
        if mark.type in RECEIPT_EVENTS
        and not state.receipts.row(mark.number).scan
        and not late.row(mark.number).scan
    )


def withdraw_late_scan(filling: MinutesFilling, record: MinutesRecord, scan: int, by: str) -> None:
    """Withdraw a scan of these minutes; its file stays.

    Raises:
        BadRequestError: no such scan, or it was withdrawn (``receipt_unknown``).
    """
    mark = record.receipts.mark_of(scan)
    if mark is None:
        raise BadRequestError("no such scan, or it was withdrawn", code="receipt_unknown")
    _append(filling, record, "receipt_withdrawn", {"scan": scan, "mark": mark}, by)


def _append(
    filling: MinutesFilling, record: MinutesRecord, kind: str, fields: dict[str, Any], by: str
) -> None:
    """Write the entry, with what the kiosk fills in from then on."""
    receipts = deepcopy(record.receipts)
    receipts.apply(kind, {**fields, "at": format_wall()})
    drafts = filling.drafts(record, replace(options_of(record), late=receipts))
    filling.append(record, kind, {**fields, "drafts": drafts, "by": by})


def _is_for_the_court(settings: Settings, source: Path, part: int) -> bool:
    """Return whether only the court may read it: as the part of its event, or the hearing."""
    closed = closed_parts(source)
    is_secret = is_wholly_closed(source) or (source / COURIER_ONLY_MARKER).exists()
    in_part = part in closed if part else bool(closed)
    return is_secret or in_part or settings.recording.encrypt == "all"
