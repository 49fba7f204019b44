"""Identity of kiosks: one-time codes, device certificates, revocation.

The TLS client certificate alone identifies a kiosk. TLS has checked the CA's signature; this module
checks that the certificate was issued to that kiosk and is not revoked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from kiosk.central.data import schema
from kiosk.central.errors import RefusedError
from kiosk.central.identity.authority import (
    CertificateAuthority,
    IssuedCertificate,
    public_key_digest,
    random_secret,
)
from kiosk.central.identity.courts import Court, load_court, make_court
from kiosk.clocks import format_wall, wall_time

SECRET_LENGTH = 12
FINGERPRINT_LENGTH = 16
CODE_DAYS = 7
SEEN_INTERVAL_S = 15.0
# Every request asks this: to build a statement costs more than to execute it.
IDENTIFY = (
    select(schema.certificates.c.revoked_at, schema.kiosks.c.room, *schema.courts.c)
    .join(schema.kiosks, schema.kiosks.c.id == schema.certificates.c.kiosk)
    .join(schema.courts, schema.courts.c.id == schema.kiosks.c.court)
    .where(schema.certificates.c.serial == bindparam("serial"))
    .where(schema.certificates.c.kiosk == bindparam("kiosk"))
)


@dataclass(frozen=True)
class Kiosk:
    """A calling kiosk: ``id`` is the common name of its certificate."""

    id: str
    room: str
    court: Court


def identify_kiosk(connection: Connection, kiosk: str, serial: str) -> Kiosk:
    """Return the kiosk of a certificate that TLS has accepted.

    Raises:
        RefusedError: 403 ``kiosk_unknown`` or ``certificate_revoked``.
    """
    row = connection.execute(IDENTIFY, {"serial": serial, "kiosk": kiosk}).one_or_none()
    if row is None:
        raise RefusedError(403, "kiosk_unknown", "this certificate was not issued here")
    if row.revoked_at is not None:
        raise RefusedError(403, "certificate_revoked")
    return Kiosk(kiosk, row.room, make_court(row))


def record_seen(connection: Connection, kiosks: Collection[str]) -> None:
    """Record that ``kiosks`` called just now."""
    table = schema.kiosks
    connection.execute(
        update(table).where(table.c.id == bindparam("kiosk")).values(last_seen=format_wall()),
        [{"kiosk": kiosk} for kiosk in sorted(kiosks)],  # all servers lock them in one order
    )


def create_code(
    connection: Connection, authority: CertificateAuthority, kiosk: str, *, replaces: bool = False
) -> str:
    """Return a new one-time code for a known kiosk, grouped by fours; good for seven days.

    Args:
        connection: a writing transaction.
        authority: its fingerprint is part of the code.
        kiosk: its id.
        replaces: revoke the kiosk's present certificates when the code is used.
    """
    secret = random_secret(SECRET_LENGTH)
    connection.execute(
        schema.enrolment_codes.insert().values(
            secret_sha256=_sha256_hex(secret),
            kiosk=kiosk,
            replaces=replaces,
            expires_at=format_wall(wall_time() + timedelta(days=CODE_DAYS)),
        )
    )
    code = secret + authority.fingerprint()
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def require_code(connection: Connection, code: str) -> Row[Any]:
    """Return the row of an enrolment code; this only reads.

    Raises:
        RefusedError: 403 ``code_unknown``, unknown or expired.
    """
    table = schema.enrolment_codes
    row = connection.execute(
        select(table).where(table.c.secret_sha256 == _code_digest(code)).with_for_update()
    ).one_or_none()
    if row is None or row.expires_at < format_wall():
        raise RefusedError(403, "code_unknown", "the code is unknown or has expired")
    return row


def enrol(
    connection: Connection, authority: CertificateAuthority, code: str, csr: str
) -> tuple[Kiosk, IssuedCertificate]:
    """Exchange ``code`` for a certificate; the same code and key give the same certificate.

    Raises:
        RefusedError: 400 bad request; 403 ``code_unknown`` or ``code_used``.
    """
    table = schema.enrolment_codes
    row, key = require_code(connection, code), public_key_digest(csr)
    if row.used_at is not None:
        if row.public_key_sha256 != key:
            raise RefusedError(403, "code_used", "the code was used for another key")
        return _load_kiosk(connection, row.kiosk), _load_certificate(connection, row.certificate)
    if row.replaces:
        revoke(connection, row.kiosk)
    issued = _issue(connection, authority, row.kiosk, csr)
    connection.execute(
        update(table)
        .where(table.c.secret_sha256 == row.secret_sha256)
        .values(used_at=format_wall(), public_key_sha256=key, certificate=issued.serial)
    )
    return _load_kiosk(connection, row.kiosk), issued


def renew(
    connection: Connection, authority: CertificateAuthority, kiosk: Kiosk, csr: str
) -> IssuedCertificate:
    """Issue another certificate to a kiosk with a valid one.

    Raises:
        RefusedError: 400 bad request.
    """
    return _issue(connection, authority, kiosk.id, csr)


def revoke(connection: Connection, kiosk: str) -> int:
    """Revoke every certificate of ``kiosk``; return how many there were."""
    table = schema.certificates
    result = connection.execute(
        update(table)
        .where(table.c.kiosk == kiosk, table.c.revoked_at.is_(None))
        .values(revoked_at=format_wall())
    )
    return result.rowcount


def has_certificate(connection: Connection, kiosk: str) -> bool:
    """Return whether ``kiosk`` has a certificate that is not revoked."""
    table = schema.certificates
    valid = select(table.c.serial).where(table.c.kiosk == kiosk, table.c.revoked_at.is_(None))
    return connection.execute(valid.limit(1)).first() is not None


def list_revoked(connection: Connection) -> list[tuple[str, datetime]]:
    """Return serial and time of every revoked certificate."""
    table = schema.certificates
    rows = connection.execute(
        select(table.c.serial, table.c.revoked_at).where(table.c.revoked_at.is_not(None))
    )
    return [(row.serial, datetime.fromisoformat(row.revoked_at)) for row in rows]


def list_certificates(connection: Connection, kiosk: str) -> list[str]:
    """Return the certificates (PEM) ever issued to ``kiosk``."""
    table = schema.certificates
    rows = connection.execute(select(table.c.pem).where(table.c.kiosk == kiosk))
    return [row.pem for row in rows]


def _issue(
    connection: Connection, authority: CertificateAuthority, kiosk: str, csr: str
) -> IssuedCertificate:
    issued = authority.issue_device(csr, kiosk)
    connection.execute(
        schema.certificates.insert().values(
            serial=issued.serial,
            kiosk=kiosk,
            pem=issued.pem,
            issued_at=format_wall(),
            not_after=format_wall(issued.not_after),
        )
    )
    return issued


def _load_certificate(connection: Connection, serial: str) -> IssuedCertificate:
    table = schema.certificates
    row = connection.execute(select(table).where(table.c.serial == serial)).one()
    return IssuedCertificate(row.serial, row.pem, datetime.fromisoformat(row.not_after))


def _load_kiosk(connection: Connection, kiosk: str) -> Kiosk:
    table = schema.kiosks
    row = connection.execute(select(table).where(table.c.id == kiosk)).one()
    return Kiosk(row.id, row.room, load_court(connection, row.court))


def _code_digest(code: str) -> str:
    """Return the hash of a code's secret; spaces, dashes and case do not count."""
    return _sha256_hex("".join(code.split()).replace("-", "").upper()[:SECRET_LENGTH])


def _sha256_hex(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
