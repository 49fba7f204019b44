"""Signed JSON: checks that a receipt, which permits deletion, comes from the court."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.errors import CentralError
from kiosk.evidence.chain import canonical_json
from kiosk.evidence.signer import is_signature_valid

_UNSIGNED_FIELDS = ("signature", "certificate")


class ReceiptInvalidError(CentralError):
    """A receipt that is not signed under the court's certificate authority, or of another item."""

    code = "receipt_invalid"


def signed_bytes(value: Mapping[str, Any]) -> bytes:
    """Return the bytes that a signature covers: canonical JSON without signature, certificate."""
    return canonical_json({key: value[key] for key in value if key not in _UNSIGNED_FIELDS})


def check_receipt(receipt: dict[str, Any], kind: str, item_id: str, ca: Path) -> None:
    """Check that ``receipt`` is for this item and signed by a server of the court's CA.

    Raises:
        ReceiptInvalidError: it is not.
    """
    if (receipt.get("kind"), receipt.get("id")) != (kind, item_id):
        raise ReceiptInvalidError(f"receipt for another item than {kind} {item_id}")
    check_court_signature(receipt, ca)


def check_court_signature(value: dict[str, Any], ca: Path) -> None:
    """Check that ``value`` is signed by a server of the court's CA.

    The signature is ECDSA-SHA256 over :func:`signed_bytes`. A kiosk's certificate, which the same
    CA issues, is refused; otherwise a stolen kiosk could write receipts.

    Raises:
        ReceiptInvalidError: it is not.
    """
    try:
        certificate = x509.load_pem_x509_certificate(str(value["certificate"]).encode("ascii"))
        authority = x509.load_pem_x509_certificate(ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        signature = str(value["signature"])
    except (
        *(KeyError, ValueError, TypeError, OSError),
        *(InvalidSignature, x509.ExtensionNotFound),
    ) as error:
        raise ReceiptInvalidError(f"signature: {error!r}") from error
    if ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        raise ReceiptInvalidError("not signed by a server of the court")
    if not is_signature_valid(certificate, signed_bytes(value), signature):
        raise ReceiptInvalidError("the signature does not hold")
