"""Keeps the scans of signed receipts with the open hearing (R47, R48; УПК 350(2), 370(2)).

A scan is a file ``receipts/NNN.pdf`` in the hearing's folder, covered by the hearing's seal and
delivered with it. Where its mark is in a closed part it is a complete age file for the court, as
the media are. The journal names file, hash and mark; a scan that was the wrong one is withdrawn by
an entry, and stays.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pyrage

from kiosk.api.receipts import (
    MAX_SCAN_BYTES,
    KeepReceipt,
    Receipt,
    ReceiptAnswer,
    parse_receipt_code,
)
from kiosk.errors import StorageError
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.rules.explanations import RECEIPT_EVENTS
from kiosk.storage.hearing_folder import AGE_SUFFIX, RECEIPTS_FOLDER

PDF_BEGINNING = b"%PDF-"
SCAN_WAIT_S = 0.5
"""The answer waits no longer for the disk: the steps of the hearing wait behind it."""


def note_printed(hearing: OpenHearing, mark: int, by: str) -> ReceiptAnswer:
    """Journal that the receipt of ``mark`` was printed.

    Raises:
        BadRequestError: no such mark (``unknown_mark``).
    """
    _check_mark(hearing.state, mark, "unknown_mark")
    hearing.append("receipt_printed", {"mark": mark, "person": by})
    return ReceiptAnswer(receipt=hearing.state.receipts.row(mark))


def keep_scan(
    context: HearingContext, hearing: OpenHearing, request: KeepReceipt, by: str
) -> ReceiptAnswer:
    """Keep a scan; the same scan twice is kept once.

    Raises:
        BadRequestError: no PDF (``receipt_no_pdf``), another hearing's (``receipt_other_hearing``),
            or nobody says whose it is (``receipt_unknown``).
        StepRefusedError: there is one already (``receipt_scanned_already``).
        CourtKeyError: it must be encrypted and the court's keys are not pinned.
    """
    if not request.pdf.startswith(PDF_BEGINNING) or len(request.pdf) > MAX_SCAN_BYTES:
        raise BadRequestError("pdf: no PDF document of a receipt", code="receipt_no_pdf")
    mark, by_code = mark_of_scan(hearing.state, request)
    _refuse_second(hearing.state.receipts.row(mark))
    number = max(hearing.state.receipts.files, default=0) + 1
    plain_sha256 = hashlib.sha256(request.pdf).hexdigest()
    data, name = request.pdf, f"{RECEIPTS_FOLDER}/{number:03d}.pdf"
    if _is_closed(context, hearing.state, mark):
        data = pyrage.encrypt(data, context.publicity.load_keys().recipients())
        name += AGE_SUFFIX
    ticket = hearing.journal.store.submit_file(hearing.journal.folder / name, data)
    fields = {
        "scan": number,
        "mark": mark,
        "file": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "plain_sha256": plain_sha256,
        "pages": request.pages,
        "by_code": by_code,
        "person": by,
    }
    hearing.append("receipt_scanned", fields)  # in its turn: behind the file
    is_durable = False
    with suppress(OSError, StorageError):
        wait_s = SCAN_WAIT_S if hearing.journal.store.is_prompt else 0.0
        is_durable = ticket.is_durable(wait_s)
    return ReceiptAnswer(receipt=hearing.state.receipts.row(mark), is_durable=is_durable)


def withdraw_scan(hearing: OpenHearing, scan: int, by: str) -> ReceiptAnswer:
    """Withdraw a scan; its file stays.

    Raises:
        BadRequestError: no such scan, or it was withdrawn (``receipt_unknown``).
    """
    mark = hearing.state.receipts.mark_of(scan)
    if mark is None:
        raise BadRequestError("no such scan, or it was withdrawn", code="receipt_unknown")
    hearing.append("receipt_withdrawn", {"scan": scan, "mark": mark, "person": by})
    return ReceiptAnswer(receipt=hearing.state.receipts.row(mark))


def mark_of_scan(state: HearingState, request: KeepReceipt) -> tuple[int, bool]:
    """Return whose receipt a scan is, and whether its code says so.

    Raises:
        BadRequestError: another hearing's (``receipt_other_hearing``), or nobody says whose it is
            (``receipt_unknown``).
    """
    named = {code for text in request.codes if (code := parse_receipt_code(text)) is not None}
    own = {mark for hearing, mark in named if hearing == state.id}
    if named and not own:
        raise BadRequestError("the receipt is of another hearing", code="receipt_other_hearing")
    if len(own) > 1:
        raise BadRequestError("two receipts in one scan", code="receipt_unknown")
    mark = own.pop() if own else request.mark
    _check_mark(state, mark, "receipt_unknown")
    return mark, bool(named)


def _check_mark(state: HearingState, number: int, code: str) -> None:
    """Refuse a mark that is none of a receipt, or was withdrawn."""
    marks = (mark for mark in state.marks_in_force if mark.type in RECEIPT_EVENTS)
    if all(mark.number != number for mark in marks):
        raise BadRequestError("no such receipt, or its mark was withdrawn", code=code)


def _refuse_second(receipt: Receipt) -> None:
    if receipt.scan:
        raise StepRefusedError("it was scanned already", code="receipt_scanned_already")


def _is_closed(context: HearingContext, state: HearingState, number: int) -> bool:
    """Return whether only the court may read it: as the part in which its mark is, or as now."""
    mark = next(mark for mark in state.marks if mark.number == number)
    part = state.parts.get(mark.part)
    return context.publicity.is_encrypted(state) or (part is not None and part.closed)
