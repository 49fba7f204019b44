"""Signed heads of running hearings' journals: they expose a journal that is rewritten later."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, bindparam, select

from kiosk.central.contract import Head
from kiosk.central.data import schema
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.deliveries.upload_records import check_owner
from kiosk.central.errors import RefusedError
from kiosk.central.identity.enrolment import list_certificates
from kiosk.clocks import format_wall
from kiosk.evidence.chain import ChainHead, head_message

INSERT = schema.heads.insert()
KNOWN = select(schema.heads.c.part, schema.heads.c.lines, schema.heads.c.hash).where(
    schema.heads.c.hearing == bindparam("hearing"),
    schema.heads.c.lines.in_(bindparam("counts", expanding=True)),
)


def check_signatures(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> None:
    """Check the signatures of heads; this only reads.

    Raises:
        RefusedError: 422, a signature that no certificate issued to the kiosk verifies.
    """
    keys = public_keys(connection, kiosk)
    for head in heads:
        end = ChainHead(head.count, head.hash)
        if not any(is_signed_by(key, hearing, head.part, end, head.signature) for key in keys):
            raise RefusedError(422, "signature_invalid", f"part {head.part}, count {head.count}")


def _known_hashes(
    connection: Connection, hearing: str, heads: Sequence[Head]
) -> dict[tuple[int, int], str]:
    """Return the hashes that are stored for the places of ``heads``; a hearing has thousands."""
    counts = {"hearing": hearing, "counts": list({head.count for head in heads})}
    return {(row.part, row.lines): row.hash for row in connection.execute(KNOWN, counts)}


def store_heads(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> list[Head]:
    """Store heads that :func:`check_signatures` accepted, all or none.

    Returns:
        Those that contradict stored ones: then nothing is stored, and court IT sees it.

    Raises:
        RefusedError: 403, another kiosk's hearing; 409, not a hearing's id.
    """
    check_owner(connection, kiosk, "hearing", hearing)
    known = _known_hashes(connection, hearing, heads)
    now = format_wall()
    new: dict[tuple[int, int], dict[str, object]] = {}
    for head in heads:
        place = head.part, head.count
        if place not in known and place not in new:
            new[place] = {
                "hearing": hearing,
                "part": head.part,
                "lines": head.count,
                "hash": head.hash,
                "signature": head.signature,
                "kiosk": kiosk,
                "received_at": now,
            }
    conflicts = [
        head for head in heads if known.get((head.part, head.count), head.hash) != head.hash
    ]
    if conflicts:
        _record_conflict(connection, kiosk, hearing, conflicts)
    elif new:
        connection.execute(INSERT, list(new.values()))
    return conflicts


def _record_conflict(
    connection: Connection, kiosk: str, hearing: str, heads: Sequence[Head]
) -> None:
    """Record for court IT that a journal contradicts its own earlier heads."""
    places = ", ".join(f"part {head.part} count {head.count}" for head in heads[:8])
    record_incident(connection, kiosk, "head_conflicts", hearing, places)


def public_keys(connection: Connection, kiosk: str) -> list[ec.EllipticCurvePublicKey]:
    """Return the keys of all certificates ever issued to ``kiosk``, the newest first."""
    keys = map(_public_key, reversed(list_certificates(connection, kiosk)))
    return [key for key in keys if isinstance(key, ec.EllipticCurvePublicKey)]


@functools.lru_cache(maxsize=8192)
def _public_key(pem: str) -> object:
    """Return the key of a certificate: every kiosk sends a head each 5 s with the same one."""
    return x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()


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
