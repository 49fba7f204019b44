"""Fields of a filing in revision 2 of the contract: slots, entity, fee; from ``filing.json``.

A value that does not fit the contract is left out, so that the registration does not fail.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

BIN = re.compile(r"^[0-9]{12}$")
TYPE_ID = re.compile(r"^[a-z0-9_]{1,64}$")
SLOT_ID = re.compile(r"^[a-z0-9_-]{1,80}$")
TENGE = re.compile(r"^[0-9]{1,18}([.][0-9]{1,6})?$")
Json = dict[str, Any]


def revision_2_fields(filing: Json) -> Json:
    """Return the keys of revision 2; none for a filing of an older format."""
    slots = filing.get("slots")
    if not isinstance(slots, list):
        return {}
    body: Json = {"slots": [_slot(filing, slot) for slot in slots if _is_slot(slot)]}
    if TYPE_ID.match(str(filing.get("document_type") or "")):
        body["document_type"] = filing["document_type"]
    if filing.get("case_known") in ("known", "unknown", "unchecked"):
        body["case_known"] = filing["case_known"]
    entity = _entity(filing.get("applicant"))
    if entity:
        body["entity"] = entity
    fee = _fee(filing.get("fee"))
    if fee:
        body["fee"] = fee
    return body


def _is_slot(slot: object) -> bool:
    return (
        isinstance(slot, dict)
        and bool(SLOT_ID.match(str(slot.get("id"))))
        and bool(TYPE_ID.match(str(slot.get("type"))))
    )


def _slot(filing: Json, slot: Json) -> Json:
    pages = [
        page
        for page in filing.get("pages") or ()
        if page.get("slot") == slot["id"] and not page.get("deleted")
    ]
    is_expected = slot.get("required") or slot.get("skipped")
    body: Json = {
        "slot": slot["id"],
        "type": slot["type"],
        "state": "filled" if pages else "missing" if is_expected else "empty",
        "required": bool(slot.get("required")),
        "pages": len(pages),
        "sheets": len({page.get("sheet") or page.get("number") for page in pages}),
        "files": [
            document["path"]
            for document in filing.get("documents") or ()
            if document.get("slot") == slot["id"]
        ],
    }
    if isinstance(slot.get("sheets_said"), int):
        body["sheets_said"] = slot["sheets_said"]
    return body


def _entity(applicant: object) -> Json:
    if not isinstance(applicant, dict) or applicant.get("kind") != "entity":
        return {}
    body = {}
    if applicant.get("organisation"):
        body["name"] = str(applicant["organisation"])[:300]
    if BIN.match(str(applicant.get("bin") or "")):
        body["bin"] = str(applicant["bin"])
    return body


def _fee(fee: object) -> Json:
    if not isinstance(fee, dict) or not TYPE_ID.match(str(fee.get("fee"))):
        return {}
    body: Json = {"fee": fee["fee"]}
    for key in ("amount", "hint", "mrp"):
        amount = _tenge(fee.get(key))
        if amount is not None:
            body[key] = amount
    for key in ("paid_on", "exemption"):
        if fee.get(key):
            body[key] = str(fee[key])
    return body


def _tenge(value: object) -> str | None:
    try:
        text = f"{Decimal(str(value)):f}"
    except InvalidOperation:
        return None
    return text if TENGE.match(text) else None
