"""The central system's clock was wrong and has been set right."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kiosk.central.data.database import Database, sqlite_url
from kiosk.central.identity import authority as identity
from kiosk.central.identity import revocation_list
from kiosk.central.identity.authority import CertificateAuthority
from kiosk.central.identity.revocation_list import RevocationListIssuer
from kiosk.clocks import wall_time

AHEAD = timedelta(days=3)


def set_ahead(patch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Set the clock that certificates and revocation lists are made by."""
    for module in (identity, revocation_list):
        patch.setattr(module, "wall_time", lambda: wall_time() + ahead)


def test_a_certificate_of_a_time_when_the_clock_was_ahead_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kiosks with the right time refuse it: the court would be cut off for days."""
    court = CertificateAuthority.open(tmp_path, "court")

    def issued() -> x509.Certificate:
        certificate, _ = court.server_files(["localhost"])
        return x509.load_pem_x509_certificate(certificate.read_bytes())

    set_ahead(monkeypatch, AHEAD)
    first = issued()
    assert issued() == first
    monkeypatch.undo()
    now = issued()
    assert now.not_valid_before_utc <= wall_time() < first.not_valid_before_utc
    assert now.public_key() == first.public_key()
    set_ahead(monkeypatch, timedelta(hours=-1))
    assert issued() == now, "an hour back is no reason for another one"


def test_a_revocation_list_of_a_time_when_the_clock_was_ahead_is_signed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    issuer = RevocationListIssuer(database, CertificateAuthority.open(tmp_path, "court"))

    def listed_at() -> x509.CertificateRevocationList:
        return x509.load_pem_x509_crl(asyncio.run(issuer.issue()).pem.encode())

    set_ahead(monkeypatch, AHEAD)
    ahead = listed_at()
    monkeypatch.undo()
    now = listed_at()
    assert now.last_update_utc <= wall_time() < ahead.last_update_utc
    set_ahead(monkeypatch, timedelta(hours=-1))
    assert listed_at().last_update_utc <= wall_time() - timedelta(hours=1)
    database.close()
