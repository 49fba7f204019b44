"""Signed heads of running hearings' journals: a journal rewritten later shows."""

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
from kiosk.central.deliveries.uploads import check_owner
from kiosk.central.errors import RefusedError
from kiosk.central.identity.enrolment import certificates_of
from kiosk.clocks import wall_text
from kiosk.evidence import chain as journal
from kiosk.evidence.chain import head_message


def check_heads(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> list[Head]:
    """Check heads and return those that contradict what is known.

    Raises:
        RefusedError: 403, another kiosk's hearing; 422, a signature that no certificate issued
            to the kiosk verifies.
    """
    check_owner(connection, kiosk, "hearing", hearing)
    table = schema.heads
    rows = connection.execute(select(table).where(table.c.hearing == hearing)).all()
    known = {(row.part, row.lines): row for row in rows}
    if any(row.kiosk != kiosk for row in rows[:1]):
        raise RefusedError(403, "foreign")
    keys = _keys(connection, kiosk)
    for head in heads:
        if not any(_signed_by(key, hearing, head) for key in keys):
            raise RefusedError(422, "signature_invalid", f"part {head.part}, count {head.count}")
    return [
        head
        for head in heads
        if (row := known.get((head.part, head.count))) is not None and row.hash != head.hash
    ]


def put_heads(connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]) -> int:
    """Keep heads that :func:`check_heads` found good; return how many of them are durable."""
    table = schema.heads
    rows = connection.execute(select(table.c.part, table.c.lines).where(table.c.hearing == hearing))
    known = {(row.part, row.lines) for row in rows}
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
                received_at=wall_text(),
            )
        )
    return len(heads)


def note_conflict(connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]) -> None:
    """Write down, for court IT, that a journal contradicts its own earlier heads."""
    places = ", ".join(f"part {head.part} count {head.count}" for head in heads[:8])
    connection.execute(
        schema.incidents.insert().values(
            at=wall_text(), kiosk=kiosk, code="head_conflicts", subject=hearing, detail=places
        )
    )


def _keys(connection: Connection, kiosk: str) -> list[ec.EllipticCurvePublicKey]:
    certificates = [
        x509.load_pem_x509_certificate(pem.encode("ascii"))
        for pem in certificates_of(connection, kiosk)
    ]
    keys = (certificate.public_key() for certificate in reversed(certificates))
    return [key for key in keys if isinstance(key, ec.EllipticCurvePublicKey)]


def _signed_by(key: ec.EllipticCurvePublicKey, hearing: str, head: Head) -> bool:
    message = head_message(hearing, head.part, journal.Head(head.count, head.hash))
    try:
        signature = base64.b64decode(head.signature, validate=True)
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
