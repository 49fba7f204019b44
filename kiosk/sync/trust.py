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

from kiosk.errors import CentralError

UNSIGNED = ("signature", "certificate")


class ReceiptInvalidError(CentralError):
    """A receipt that the court's certificate authority does not vouch for, or for another item."""

    code = "receipt_invalid"


def check_receipt(receipt: dict[str, Any], kind: str, item_id: str, ca: Path) -> None:
    """Return if ``receipt`` is for this item and signed under the court's CA.

    The signature is ECDSA-SHA256 over the canonical JSON (sorted keys, no spaces, UTF-8) of the
    receipt without ``signature`` and ``certificate``.

    Raises:
        ReceiptInvalidError: it is not.
    """
    if (receipt.get("kind"), receipt.get("id")) != (kind, item_id):
        raise ReceiptInvalidError(f"receipt for another item than {kind} {item_id}")
    signed = {key: value for key, value in receipt.items() if key not in UNSIGNED}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        certificate = x509.load_pem_x509_certificate(str(receipt["certificate"]).encode("ascii"))
        authority = x509.load_pem_x509_certificate(ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        public = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise ReceiptInvalidError("receipt signed with another kind of key")
        signature = base64.b64decode(str(receipt["signature"]), validate=True)
        public.verify(signature, text.encode("utf-8"), ec.ECDSA(hashes.SHA256()))
    except (KeyError, ValueError, TypeError, OSError, InvalidSignature) as error:
        raise ReceiptInvalidError(f"receipt of {kind} {item_id}: {error!r}") from error
