"""Enrolment: a one-time code becomes a device certificate for a key made on this device.

The code carries the fingerprint of the court's CA, so that the technician needs nothing else. A
run that was broken off, on either side, is finished by running it again with the same code: the
key is kept until its certificate is here, and the same code and key get the same certificate.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.exceptions import InsecureRequestWarning

from kiosk.clocks import wall_time
from kiosk.errors import CentralError
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes
from kiosk.storage.court_keys import CourtKeys, pin_court_keys
from kiosk.storage.paths import Layout
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import Credentials, Line, RefusedError, check
from kiosk.sync.transport.identity import (
    SECRET,
    Identity,
    IdentityError,
    NotEnrolledError,
    certificate_request,
    common_name,
    load_identity,
    load_key,
    make_key,
)

log = logging.getLogger(__name__)

SECRET_CHARACTERS = 12
FINGERPRINT_CHARACTERS = 16
FINGERPRINT_BYTES = 10  # 80 bits
RENEW_LEFT = 1 / 3  # of the certificate's life
CODE = re.compile(r"^[A-Z2-7]+$")
REFUSALS = {
    "code_unknown": "The code is unknown or has expired. Ask the court's IT for a new one.",
    "code_used": "The code was used for another kiosk. Ask the court's IT for a new one.",
    "malformed": "The central system did not take the request: is [kiosk] id in kiosk.toml the "
    "one that the code was made for?",
}


class EnrolmentError(CentralError):
    """The kiosk cannot be enrolled; the message says why and what to do."""

    code = "enrolment_failed"


@dataclass(frozen=True)
class Enrolled:
    """What came of it.

    Attributes:
        kiosk_id: as in the certificate.
        not_after: end of validity.
        fresh: False when the kiosk was enrolled already and nothing was done.
    """

    kiosk_id: str
    not_after: datetime
    fresh: bool


def enrol(
    layout: Layout, kiosk_id: str, code: str, url: str, ca: Path | None, *, again: bool = False
) -> Enrolled:
    """Enrol this kiosk.

    Args:
        layout: where the identity lies.
        kiosk_id: from the settings; the code must have been made for it.
        code: the one-time code; spaces, dashes and case do not matter.
        url: base address of the central system.
        ca: root certificate of the court from another source; None: fetched from the central
            system and compared with the fingerprint in the code.
        again: enrol even though there is a valid certificate.

    Raises:
        EnrolmentError: refused, or something does not fit together.
        CentralUnreachableError: no answer; running the same again is harmless.
    """
    make_folder(layout.device_key.parent, mode=0o700)
    finish_installation(layout)
    if not again and (known := _known_identity(layout)) is not None:
        return Enrolled(known.kiosk_id, known.not_after, fresh=False)
    secret, fingerprint = split_code(code)
    root = _read_root(ca) if ca is not None else _fetch_root(url, fingerprint)
    if fingerprint and fingerprint_of(root) != fingerprint:
        raise EnrolmentError(
            "The certificate authority is not the one of the code. Check --url and --ca: somebody "
            "may be answering in the central system's place."
        )
    pending = layout.device_key.with_name("enrol.key")
    key = load_key(pending) if pending.exists() else make_key(pending)
    trusted = layout.device_key.with_name("enrol-ca.crt")
    write_bytes(trusted, root.public_bytes(serialization.Encoding.PEM), mode=0o644)
    request = certificate_request(key, kiosk_id)
    certificate, court_keys = _request(url, trusted, secret + fingerprint, request)
    _check_certificate(certificate, key, root, kiosk_id)
    if court_keys is not None:
        pin_court_keys(layout, court_keys)
    _install(layout, pending, trusted, certificate)
    return Enrolled(kiosk_id, certificate.not_valid_after_utc, fresh=True)


def split_code(code: str) -> tuple[str, str]:
    """Return secret and CA fingerprint of a code; the fingerprint is empty where it is left out.

    Raises:
        EnrolmentError: it is no code.
    """
    plain = re.sub(r"[\s-]", "", code).upper()
    lengths = (SECRET_CHARACTERS, SECRET_CHARACTERS + FINGERPRINT_CHARACTERS)
    if len(plain) not in lengths or not CODE.match(plain):
        raise EnrolmentError(
            f"This is no enrolment code: {lengths[1]} letters and digits (A-Z, 2-7) are expected, "
            f"{len(plain)} were given."
        )
    return plain[:SECRET_CHARACTERS], plain[SECRET_CHARACTERS:]


def fingerprint_of(root: x509.Certificate) -> str:
    """Return the first 80 bits of the SHA-256 of a certificate, in base32."""
    digest = hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).digest()
    return base64.b32encode(digest[:FINGERPRINT_BYTES]).decode("ascii")


def _known_identity(layout: Layout) -> Identity | None:
    try:
        known = load_identity(layout)
    except (NotEnrolledError, IdentityError):
        return None
    return known if known.not_after > wall_time() else None


def _read_root(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EnrolmentError(f"{path}: not a certificate in PEM: {error}") from error


def _fetch_root(url: str, fingerprint: str) -> x509.Certificate:
    """Fetch the root over an unverified connection; the caller compares the fingerprint."""
    if not fingerprint:
        raise EnrolmentError("This short code needs the court's root certificate: --ca FILE")
    line = Line(None)
    line.session.verify = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureRequestWarning)
            response = line.request("GET", url.rstrip("/") + "/v1/ca.crt")
        check(response)
        return x509.load_pem_x509_certificate(response.content)
    except ValueError as error:
        raise EnrolmentError("The central system gave no root certificate.") from error
    finally:
        line.close()


def _request(
    url: str, root: Path, code: str, csr: str
) -> tuple[x509.Certificate, CourtKeys | None]:
    """Exchange the code for the certificate over a connection verified against ``root``.

    Returns:
        the certificate, and the court's public keys for closed parts, where it has any.
    """
    client = CentralClient(Line(Credentials(None, None, root)), url)
    try:
        answer = client.call("POST", "/v1/enrol", {"code": code, "csr": csr})
        told = answer.get("court_keys")
        keys = CourtKeys(str(told["court"]), str(told["escrow"])) if told else None
        return x509.load_pem_x509_certificate(str(answer["certificate"]).encode("ascii")), keys
    except RefusedError as error:
        raise EnrolmentError(REFUSALS.get(error.code, str(error)), code=error.code) from error
    except (KeyError, TypeError, ValueError) as error:
        raise EnrolmentError("The central system gave no certificate.") from error
    finally:
        client.line.close()


def _check_certificate(
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    root: x509.Certificate,
    kiosk_id: str,
) -> None:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError) as error:
        raise EnrolmentError("The certificate was not issued by the court's CA.") from error
    except Exception as error:  # cryptography raises InvalidSignature, which has no base of its own
        raise EnrolmentError("The certificate's signature is wrong.") from error
    if certificate.public_key() != key.public_key():
        raise EnrolmentError("The certificate is for another key.")
    name = common_name(certificate.subject)
    if name != kiosk_id:
        raise EnrolmentError(f"The certificate is for {name}, but this kiosk is {kiosk_id}.")


def _install(layout: Layout, key: Path, root: Path, certificate: x509.Certificate) -> None:
    """Put the new identity in place; a crash in between is mended by the next run."""
    root.replace(layout.court_ca)
    write_bytes(_waiting_certificate(layout), _pem(certificate), mode=SECRET)
    key.replace(_waiting_key(layout))
    sync_folder(key.parent)
    finish_installation(layout)


def finish_installation(layout: Layout) -> None:
    """Put an identity in place that was complete when something broke off."""
    key, certificate = _waiting_key(layout), _waiting_certificate(layout)
    if key.exists() and certificate.exists():
        key.replace(layout.device_key)
        sync_folder(key.parent)
    if certificate.exists() and not key.exists() and _belong(layout.device_key, certificate):
        certificate.replace(layout.device_certificate)
        sync_folder(certificate.parent)


def _belong(key: Path, certificate: Path) -> bool:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return loaded.public_key() == load_key(key).public_key()
    except (OSError, ValueError):
        return False


def _waiting_key(layout: Layout) -> Path:
    return layout.device_key.with_name("next.key")


def _waiting_certificate(layout: Layout) -> Path:
    return layout.device_certificate.with_name("next.crt")


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def renew_if_due(layout: Layout, client: CentralClient) -> bool:
    """Renew the certificate when less than a third of its life is left; say whether it was.

    The key stays, so that a single file is replaced and nothing can fall between.

    Raises:
        CentralError: not now; the present certificate goes on being used.
    """
    identity = load_identity(layout)
    life = identity.not_after - identity.not_before
    if identity.not_after - wall_time() > max(life * RENEW_LEFT, timedelta(0)):
        return False
    key = load_key(layout.device_key)
    answer = client.call("POST", "/v1/renew", {"csr": certificate_request(key, identity.kiosk_id)})
    try:
        fresh = x509.load_pem_x509_certificate(str(answer["certificate"]).encode("ascii"))
        root = x509.load_pem_x509_certificate(layout.court_ca.read_bytes())
    except (KeyError, ValueError, OSError) as error:
        raise EnrolmentError("no certificate in the answer to a renewal") from error
    _check_certificate(fresh, key, root, identity.kiosk_id)
    write_bytes(layout.device_certificate, _pem(fresh), mode=SECRET)
    log.info("certificate renewed until %s", fresh.not_valid_after_utc)
    return True
