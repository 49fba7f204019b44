"""Receipts: signed statements of what the server holds; an issued one never changes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall
from kiosk.evidence.chain import canonical_json


def canonical_sha256(value: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 of ``value`` as canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def make_receipt(
    signer: ReceiptSigner, kind: str, subject: str, kiosk: str, files: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a signed receipt for ``files``.

    Args:
        signer: the server's key.
        kind: ``hearing``, ``filing``, ``report`` or ``file``.
        subject: UUID of the delivery or upload.
        kiosk: sender.
        files: ``path``, ``size`` and ``sha256`` as the server has them, by path.
    """
    receipt: dict[str, Any] = {
        "receipt": str(uuid.uuid4()),
        "kind": kind,
        "id": subject,
        "kiosk": kiosk,
        "files": list(files),
        "bytes": sum(file["size"] for file in files),
        "at": format_wall(),
    }
    signature = signer.sign(canonical_json(receipt))
    return receipt | {"signature": signature, "certificate": signer.certificate}
