"""Signed receipts: printed by the kiosk, signed on paper, scanned back (R47, R48; АПК 133-3(3))."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Base64Bytes, Field

from kiosk.api.base import Model, Moment, Rows
from kiosk.api.operations import COURT_ROLES, NoBody, Operation
from kiosk.api.persons import MarkedPerson

MAX_SCAN_BYTES = 8_000_000
"""Of one scanned receipt."""
_CODE = re.compile(r"KIOSK-RECEIPT:([0-9A-Za-z-]{1,64}):([1-9][0-9]{0,8})")


def receipt_code(hearing_id: str, mark: int) -> str:
    """Return the text of the code on a receipt: it names hearing and mark, and nobody."""
    return f"KIOSK-RECEIPT:{hearing_id}:{mark}"


def parse_receipt_code(text: str) -> tuple[str, int] | None:
    """Return hearing and mark of a receipt's code; None: it is no such code."""
    found = _CODE.fullmatch(text.strip())
    return None if found is None else (found[1], int(found[2]))


class Receipt(Model):
    """What became of the receipt of one mark."""

    mark: int
    printed: Moment = ""
    """When it was printed last; empty: never."""
    scan: int = 0
    """Number of the scan that is in force; 0: none."""
    scanned: Moment = ""
    pages: int = 0
    by_code: bool = False
    """The code on the sheet named the mark; otherwise a person did."""


class ReceiptPrinted(Model):
    """The receipt of a mark was printed."""

    mark: int


class KeepReceipt(Model):
    """A signed receipt that was scanned."""

    mark: int = 0
    """Whose receipt a person says that it is; the code goes before it. 0: only the code says it."""
    codes: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """What was read from codes on the sheet."""
    pages: Annotated[int, Field(ge=1, le=50)] = 1
    pdf: Annotated[Base64Bytes, Field(max_length=MAX_SCAN_BYTES)]


class UnscannedReceipt(Model):
    """An event of a hearing that has ended whose signed receipt was not scanned."""

    mark: int
    type: str
    at: Moment = ""
    of: MarkedPerson | None = None


class UnscannedReceipts(Model):
    """Those of a hearing, in the order of its events."""

    receipts: Rows[UnscannedReceipt] = ()


class ReceiptAnswer(Model):
    """The receipt as it is now."""

    receipt: Receipt
    is_durable: bool = True
    """False: no disk has taken the scan yet; the recorder keeps trying, and an alarm says so."""


RECEIPT_PRINTED = Operation(
    "noteReceiptPrinted",
    "POST",
    "/v1/hearing/receipts/printed",
    "Journal that the receipt of a mark was printed",
    answer=ReceiptAnswer,
    request=ReceiptPrinted,
    roles=COURT_ROLES,
    errors={400: ("unknown_mark",), 409: ("hearing_step_refused", "storage_failed")},
)
KEEP_RECEIPT = Operation(
    "keepReceipt",
    "POST",
    "/v1/hearing/receipts",
    "Keep the scan of a signed receipt with the hearing; encrypted where its mark is closed",
    answer=ReceiptAnswer,
    request=KeepReceipt,
    roles=COURT_ROLES,
    errors={
        400: ("receipt_unknown", "receipt_other_hearing", "receipt_no_pdf"),
        409: (
            "receipt_scanned_already",
            "hearing_step_refused",
            "court_key_missing",
            "storage_failed",
        ),
    },
)
WITHDRAW_RECEIPT = Operation(
    "withdrawReceipt",
    "DELETE",
    "/v1/hearing/receipts/{id}",
    "Withdraw a scan that is the wrong one; nothing is erased",
    answer=ReceiptAnswer,
    request=NoBody,
    roles=COURT_ROLES,
    errors={400: ("receipt_unknown",), 409: ("hearing_step_refused", "storage_failed")},
)
RECEIPT_OPERATIONS = (RECEIPT_PRINTED, KEEP_RECEIPT, WITHDRAW_RECEIPT)
