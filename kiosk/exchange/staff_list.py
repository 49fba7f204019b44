"""The signed list of staff who may sign in at one kiosk, and the hashes of their PINs and badges.

::

    {"kind": "staff", "contract": 1, "kiosk": "kiosk-0001",
     "issued": "2026-11-27T08:00:00.000Z", "valid_until": "2026-12-11T08:00:00.000Z",
     "staff": [{"person": "p-1", "name": "…", "roles": ["secretary"],
                "pin": "$argon2id$…" or null, "badge": "$argon2id$…" or null}, …],
     "signature": base64, "certificate": PEM}

The central system signs the list as it signs receipts (:mod:`kiosk.exchange.receipt_signature`).
``kind`` keeps any other document of the court from passing for a list. A person with several
badges has several rows. A hash is argon2id in PHC form (RFC 9106) with a salt of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from kiosk.clocks import format_wall, parse_wall
from kiosk.errors import CentralError
from kiosk.exchange.receipt_signature import (
    ReceiptInvalidError,
    check_court_signature,
    signed_bytes,
)

KIND = "staff"
CONTRACT = 1
MEMORY_KIB, ITERATIONS, LANES = 19456, 2, 1
"""Cost of one hash: OWASP's first choice for argon2id. 26 ms on the development machine; a
Raspberry Pi 4, two to three times slower, is expected to take some 60 ms (not measured)."""
_MOST = {"m": 65536, "t": 10, "p": 4}  # a hash may not cost the recorder more than this
_SALT_BYTES, _HASH_BYTES = 16, 32
_PHC = re.compile(
    r"\$argon2id\$v=19\$m=(?P<m>\d{1,6}),t=(?P<t>\d{1,3}),p=(?P<p>\d{1,3})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)
Json = dict[str, Any]


class StaffListError(CentralError):
    """A staff list that is refused; ``code`` says why.

    ``staff_list_forged``: unsigned, changed, or signed by somebody other than the pinned court;
    ``staff_list_foreign``: of another kiosk; ``staff_list_ended``: past its end;
    ``staff_list_unreadable``: not a list that this kiosk understands.
    """

    code = "staff_list_unreadable"


@dataclass(frozen=True)
class StaffList:
    """A list whose signature holds.

    Attributes:
        issued: when the central system signed it.
        valid_until: it ends at this time.
        value: the JSON; its rows are read by :func:`kiosk.api.published.read_staff`.
    """

    issued: datetime
    valid_until: datetime
    value: Json


def hash_secret(secret: str) -> str:
    """Return the argon2id hash of a PIN or a badge, with a new salt, in PHC form."""
    kdf = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_secret_bytes(secret))


def is_hash(text: str) -> bool:
    """Return whether ``text`` is an argon2id hash in PHC form that costs no more than allowed."""
    found = _PHC.fullmatch(text)
    return found is not None and all(0 < int(found[key]) <= most for key, most in _MOST.items())


def is_secret_of(secret: str, phc: str) -> bool:
    """Return whether ``secret`` has the hash ``phc``; an unusable hash belongs to nobody."""
    if not is_hash(phc):
        return False
    try:
        Argon2id.verify_phc_encoded(_secret_bytes(secret), phc)
    except (InvalidKey, ValueError, MemoryError):
        return False
    return True


def _secret_bytes(secret: str) -> bytes:
    """Return the bytes that are hashed; a badge reader may add blanks and line ends."""
    return secret.strip().encode("utf-8", "surrogatepass")


def sign_staff_list(
    kiosk: str,
    staff: Sequence[Json],
    issued: datetime,
    valid_until: datetime,
    *,
    sign: Callable[[bytes], str],
    certificate: str,
) -> Json:
    """Return the signed list of one kiosk.

    Args:
        kiosk: its id.
        staff: rows as in the module's description.
        issued: time of signing.
        valid_until: its end.
        sign: gives the signature of bytes (ECDSA-SHA256, base64 of DER).
        certificate: the server's certificate (PEM).
    """
    value: Json = {
        "kind": KIND,
        "contract": CONTRACT,
        "kiosk": kiosk,
        "issued": format_wall(issued),
        "valid_until": format_wall(valid_until),
        "staff": list(staff),
    }
    return value | {"signature": sign(signed_bytes(value)), "certificate": certificate}


def check_staff_list(value: Json, kiosk: str, ca: Path, now: datetime) -> StaffList:
    """Return the list if the pinned court signed it for this kiosk and it has not ended.

    A list from the future is taken: a kiosk whose clock is not set yet must open all the same.

    Args:
        value: the JSON.
        kiosk: id of this kiosk.
        ca: the court's root certificate, pinned at enrolment (PEM).
        now: wall time.

    Raises:
        StaffListError: it is refused; the code says why.
    """
    try:
        check_court_signature(value, ca)
    except (ReceiptInvalidError, RecursionError) as error:
        raise StaffListError(f"staff list: {error}", code="staff_list_forged") from error
    if value.get("kind") != KIND:
        raise StaffListError("a signed document, but no staff list", code="staff_list_forged")
    if value.get("contract") != CONTRACT or not isinstance(value.get("staff"), list):
        raise StaffListError("a staff list of a form that this kiosk does not know")
    if value.get("kiosk") != kiosk:
        raise StaffListError("the staff list of another kiosk", code="staff_list_foreign")
    issued, end = (_time(value.get(key)) for key in ("issued", "valid_until"))
    if issued is None or end is None:
        raise StaffListError("a staff list without issued and valid_until")
    if now >= end:
        raise StaffListError("the staff list has ended", code="staff_list_ended")
    return StaffList(issued, end, value)


def _time(text: object) -> datetime | None:
    return parse_wall(text) if isinstance(text, str) else None
