r"""The signed rules pack: monthly indices (MRP) of years that the release does not know (S27).

::

    {"kind": "rules_pack", "contract": 1, "issued": "2026-12-20T08:00:00.000Z",
     "toml": "version = 2\n…", "signature": base64, "certificate": PEM}

The central system signs it as it signs receipts (:mod:`kiosk.exchange.receipt_signature`); ``toml``
is described in :mod:`kiosk.rules.mrp_pack`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from kiosk.clocks import format_wall
from kiosk.errors import CentralError
from kiosk.evidence.signer import is_signature_valid
from kiosk.exchange.receipt_signature import (
    ReceiptInvalidError,
    check_court_signature,
    signed_bytes,
)
from kiosk.rules.errors import RulesError
from kiosk.rules.model import Mrp
from kiosk.rules.mrp_pack import MrpPack, find_changed_day, read_mrp_pack
from kiosk.storage.atomic_io import file_version, read_json

log = logging.getLogger(__name__)
KIND = "rules_pack"
CONTRACT = 1
Json = dict[str, Any]


class RulesPackError(CentralError):
    """A rules pack that is refused; ``code`` says why.

    ``rules_pack_forged``: unsigned, changed, or signed by somebody other than the pinned court;
    ``rules_pack_older``: not newer than the one held; ``rules_pack_contradicts``: it changes the
    index of a day that is over; ``rules_pack_unreadable``: not a pack that this kiosk understands.
    """

    code = "rules_pack_unreadable"


@dataclass(frozen=True)
class SignedPack:
    """A pack whose signature holds, and the JSON that it came in."""

    pack: MrpPack
    value: Json


def sign_rules_pack(
    toml: str, issued: datetime, *, sign: Callable[[bytes], str], certificate: str
) -> Json:
    """Return the signed pack.

    Args:
        toml: its content.
        issued: time of signing.
        sign: gives the signature of bytes (ECDSA-SHA256, base64 of DER).
        certificate: the server's certificate (PEM).
    """
    value: Json = {
        "kind": KIND,
        "contract": CONTRACT,
        "issued": format_wall(issued),
        "toml": toml,
    }
    return value | {"signature": sign(signed_bytes(value)), "certificate": certificate}


def check_rules_pack(value: Json, ca: Path) -> SignedPack:
    """Return the pack if the pinned court signed it.

    Raises:
        RulesPackError: it is refused; the code says why.
    """
    try:
        check_court_signature(value, ca)
    except (ReceiptInvalidError, RecursionError) as error:
        raise RulesPackError(f"rules pack: {error}", code="rules_pack_forged") from error
    return _read(value)


def check_succession(
    pack: MrpPack, held: MrpPack | None, built_in: Sequence[Mrp], today: date
) -> None:
    """Check that ``pack`` may take the place of the one held.

    Args:
        pack: the new one.
        held: the one in force, if any.
        built_in: indices of the release.
        today: the day in the court's time zone.

    Raises:
        RulesPackError: it is not newer, or changes the index of a day that is over or runs.
    """
    if held is not None and (
        pack.version < held.version or (pack.version == held.version and pack != held)
    ):
        raise RulesPackError(
            f"version {pack.version} is not newer than {held.version}", code="rules_pack_older"
        )
    before = (*(held.mrp if held else ()), *built_in)
    day = find_changed_day(before, (*pack.mrp, *built_in), today)
    if day is not None:
        raise RulesPackError(
            f"it changes the MRP of {day}, by which was paid", code="rules_pack_contradicts"
        )


def read_published_pack(path: Path) -> MrpPack | None:
    """Return the pack that sync has published; None if there is none or the file is damaged.

    The screen may not read the court's root. Sync, which alone may write the file, checks it
    there; here the signature shows whether the file is still what sync wrote.
    """
    if file_version(path) is None:
        return None
    try:
        value = read_json(path)
        certificate = x509.load_pem_x509_certificate(str(value["certificate"]).encode("ascii"))
        if not is_signature_valid(certificate, signed_bytes(value), str(value["signature"])):
            raise RulesPackError("the signature does not hold", code="rules_pack_forged")
        return _read(value).pack
    except (OSError, ValueError, KeyError, TypeError, RecursionError, RulesPackError) as error:
        log.error("the rules pack is damaged and not used: %s", type(error).__name__)
        return None


def _read(value: Json) -> SignedPack:
    if value.get("kind") != KIND:
        raise RulesPackError("a signed document, but no rules pack", code="rules_pack_forged")
    if value.get("contract") != CONTRACT or not isinstance(value.get("toml"), str):
        raise RulesPackError("a rules pack of a form that this kiosk does not know")
    try:
        return SignedPack(read_mrp_pack(value["toml"]), value)
    except RulesError as error:
        raise RulesPackError(str(error)) from error
