"""Checks the signature of a receipt: it permits deletion, so it must come from the court."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.errors import CentralError

UNSIGNED = ("signature", "certificate")


class ReceiptInvalidError(CentralError):
    """A receipt that is not signed under the court's certificate authority, or of another item."""

    code = "receipt_invalid"


def is_signature_valid(key: ec.EllipticCurvePublicKey, message: bytes, signature: str) -> bool:
    """Say whether ``signature`` (base64 of DER, ECDSA-SHA256) is ``key``'s over ``message``."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def check_receipt(receipt: dict[str, Any], kind: str, item_id: str, ca: Path) -> None:
    """Return if ``receipt`` is for this item and signed by a server of the court's CA.

    Raises:
        ReceiptInvalidError: it is not.
    """
    if (receipt.get("kind"), receipt.get("id")) != (kind, item_id):
        raise ReceiptInvalidError(f"receipt for another item than {kind} {item_id}")
    check_court_signature(receipt, ca)


def check_court_signature(value: dict[str, Any], ca: Path) -> None:
    """Return if ``value`` is signed by a server of the court's CA.

    The signature is ECDSA-SHA256 over the canonical JSON (sorted keys, no spaces, UTF-8) of the
    value without ``signature`` and ``certificate``. A kiosk's certificate is issued by the same
    CA: it must not vouch for anything, or a stolen kiosk could write receipts.

    Raises:
        ReceiptInvalidError: it is not.
    """
    signed = {key: value[key] for key in value if key not in UNSIGNED}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        certificate = x509.load_pem_x509_certificate(str(value["certificate"]).encode("ascii"))
        authority = x509.load_pem_x509_certificate(ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        public, signature = certificate.public_key(), str(value["signature"])
    except (
        *(KeyError, ValueError, TypeError, OSError),
        *(InvalidSignature, x509.ExtensionNotFound),
    ) as error:
        raise ReceiptInvalidError(f"signature: {error!r}") from error
    if ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        raise ReceiptInvalidError("not signed by a server of the court")
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise ReceiptInvalidError("signed with another kind of key")
    if not is_signature_valid(public, text.encode("utf-8"), signature):
        raise ReceiptInvalidError("the signature does not hold")
