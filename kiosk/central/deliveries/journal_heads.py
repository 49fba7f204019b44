"""Signed heads of running hearings' journals: they expose a journal that is rewritten later."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, select

from kiosk.central.contract import Head
from kiosk.central.data import schema
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.deliveries.upload_records import check_owner
from kiosk.central.errors import RefusedError
from kiosk.central.identity.enrolment import list_certificates
from kiosk.clocks import format_wall
from kiosk.evidence.chain import ChainHead, head_message


def find_conflicts(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> list[Head]:
    """Check heads and return those that contradict stored ones.

    Raises:
        RefusedError: 403, another kiosk's hearing; 422, a signature that no certificate issued
            to the kiosk verifies.
    """
    check_owner(connection, kiosk, "hearing", hearing)
    table = schema.heads
    owner = select(table.c.kiosk).where(table.c.hearing == hearing).limit(1)
    if connection.execute(owner).scalar_one_or_none() not in (None, kiosk):
        raise RefusedError(403, "foreign")
    known = _known_hashes(connection, hearing, heads)
    keys = public_keys(connection, kiosk)
    for head in heads:
        end = ChainHead(head.count, head.hash)
        if not any(is_signed_by(key, hearing, head.part, end, head.signature) for key in keys):
            raise RefusedError(422, "signature_invalid", f"part {head.part}, count {head.count}")
    return [head for head in heads if known.get((head.part, head.count), head.hash) != head.hash]


def _known_hashes(
    connection: Connection, hearing: str, heads: Sequence[Head]
) -> dict[tuple[int, int], str]:
    """Return the hashes that are stored for the places of ``heads``; a hearing has thousands."""
    table = schema.heads
    rows = connection.execute(
        select(table.c.part, table.c.lines, table.c.hash).where(
            table.c.hearing == hearing, table.c.lines.in_({head.count for head in heads})
        )
    )
    return {(row.part, row.lines): row.hash for row in rows}


def store_heads(connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]) -> int:
    """Store heads that :func:`find_conflicts` accepted; return how many are durable."""
    table = schema.heads
    known = set(_known_hashes(connection, hearing, heads))
    for head in heads:
        if (head.part, head.count) in known:
            continue
        known.add((head.part, head.count))
        connection.execute(
            table.insert().values(
                hearing=hearing,
                part=head.part,
                lines=head.count,
                hash=head.hash,
                signature=head.signature,
                kiosk=kiosk,
                received_at=format_wall(),
            )
        )
    return len(heads)


def record_conflict(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> None:
    """Record for court IT that a journal contradicts its own earlier heads."""
    places = ", ".join(f"part {head.part} count {head.count}" for head in heads[:8])
    record_incident(connection, kiosk, "head_conflicts", hearing, places)


def public_keys(connection: Connection, kiosk: str) -> list[ec.EllipticCurvePublicKey]:
    """Return the keys of all certificates ever issued to ``kiosk``, the newest first."""
    certificates = [
        x509.load_pem_x509_certificate(pem.encode("ascii"))
        for pem in list_certificates(connection, kiosk)
    ]
    keys = (certificate.public_key() for certificate in reversed(certificates))
    return [key for key in keys if isinstance(key, ec.EllipticCurvePublicKey)]


def is_signed_by(
    key: ec.EllipticCurvePublicKey, hearing: str, part: int, head: ChainHead, signature: str
) -> bool:
    """Return whether ``signature`` (base64 of DER) of a journal's head is of ``key``."""
    message = head_message(hearing, part, head)
    try:
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
