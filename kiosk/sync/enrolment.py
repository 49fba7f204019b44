"""Enrolment: a one-time code becomes a device certificate for a key made on this device.

The code carries the fingerprint of the court's CA, so that the technician needs nothing else. A
run that was interrupted, on either side, is finished by running it again with the same code: the
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

from kiosk.clocks import is_synchronised, wall_time
from kiosk.errors import CentralError
from kiosk.evidence.certificates import certificate_pem, common_name, load_key
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes
from kiosk.storage.court_keys import CourtKeys, pin_court_keys
from kiosk.storage.paths import Paths
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import (
    CentralSession,
    Credentials,
    RefusedError,
    check_response,
)
from kiosk.sync.transport.identity import (
    PRIVATE_MODE,
    Identity,
    IdentityError,
    NotEnrolledError,
    certificate_request,
    create_key,
    load_identity,
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
class EnrolmentResult:
    """Result of an enrolment.

    Attributes:
        kiosk_id: as in the certificate.
        not_after: end of validity.
        is_new: False when the kiosk was enrolled already and nothing was done.
    """

    kiosk_id: str
    not_after: datetime
    is_new: bool


def enrol(
    paths: Paths, kiosk_id: str, code: str, url: str, ca: Path | None, *, force: bool = False
) -> EnrolmentResult:
    """Enrol this kiosk.

    Args:
        paths: paths of the identity.
        kiosk_id: from the settings; the code must have been made for it.
        code: the one-time code; spaces, dashes and case do not matter.
        url: base address of the central system.
        ca: root certificate of the court from another source; None: fetched from the central
            system and compared with the fingerprint in the code.
        force: enrol even though there is a valid certificate.

    Raises:
        EnrolmentError: refused, or something does not fit together.
        CentralUnreachableError: no answer; running the same again is harmless.
    """
    make_folder(paths.device_key.parent)
    finish_installation(paths)
    if not force and (identity := _valid_identity(paths)) is not None:
        return EnrolmentResult(identity.kiosk_id, identity.not_after, is_new=False)
    secret, fingerprint = parse_code(code)
    root = _read_root(ca) if ca is not None else _fetch_root(url, fingerprint)
    if fingerprint and fingerprint_of(root) != fingerprint:
        raise EnrolmentError(
            "The certificate authority is not the one of the code. Check --url and --ca: somebody "
            "may be answering in the central system's place.",
            code="central_untrusted",
        )
    pending = paths.device_key.with_name("enrol.key")
    key = load_key(pending) if pending.exists() else create_key(pending)
    pinned_root = paths.device_key.with_name("enrol-ca.crt")
    write_bytes(pinned_root, certificate_pem(root), mode=0o644)
    request = certificate_request(key, kiosk_id)
    certificate, court_keys = _exchange_code(url, pinned_root, secret + fingerprint, request)
    _check_certificate(certificate, key, root, kiosk_id)
    if court_keys is not None:
        pin_court_keys(paths, court_keys)
    _install_identity(paths, pending, pinned_root, certificate)
    return EnrolmentResult(kiosk_id, certificate.not_valid_after_utc, is_new=True)


def parse_code(code: str) -> tuple[str, str]:
    """Return secret and CA fingerprint of a code; the fingerprint is empty where it is left out.

    Raises:
        EnrolmentError: it is no code.
    """
    plain = re.sub(r"[\s-]", "", code).upper()
    lengths = (SECRET_CHARACTERS, SECRET_CHARACTERS + FINGERPRINT_CHARACTERS)
    if len(plain) not in lengths or not CODE.match(plain):
        raise EnrolmentError(
            f"This is no enrolment code: {lengths[1]} letters and digits (A-Z, 2-7) are expected, "
            f"{len(plain)} were given.",
            code="enrolment_code_malformed",
        )
    return plain[:SECRET_CHARACTERS], plain[SECRET_CHARACTERS:]


def fingerprint_of(root: x509.Certificate) -> str:
    """Return the first 80 bits of the SHA-256 of a certificate, in base32."""
    digest = hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).digest()
    return base64.b32encode(digest[:FINGERPRINT_BYTES]).decode("ascii")


def _valid_identity(paths: Paths) -> Identity | None:
    try:
        known = load_identity(paths)
    except (NotEnrolledError, IdentityError):
        return None
    has_ended = is_synchronised() and known.not_after <= wall_time()
    return None if has_ended else known


def _read_root(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EnrolmentError(f"{path}: not a certificate in PEM: {error}") from error


def _fetch_root(url: str, fingerprint: str) -> x509.Certificate:
    """Fetch the root over an unverified connection; the caller compares the fingerprint."""
    if not fingerprint:
        raise EnrolmentError("This short code needs the court's root certificate: --ca FILE")
    session = CentralSession(None)
    session.requests_session.verify = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureRequestWarning)
            response = session.request("GET", url.rstrip("/") + "/v1/ca.crt")
        check_response(response)
        return x509.load_pem_x509_certificate(response.content)
    except ValueError as error:
        raise EnrolmentError("The central system gave no root certificate.") from error
    finally:
        session.close()


def _exchange_code(
    url: str, root: Path, code: str, csr: str
) -> tuple[x509.Certificate, CourtKeys | None]:
    """Exchange the code for the certificate over a connection verified against ``root``.

    Returns:
        the certificate, and the court's public keys for closed parts, where it has any.
    """
    client = CentralClient(CentralSession(Credentials(None, None, root)), url)
    try:
        answer = client.call("POST", "/v1/enrol", {"code": code, "csr": csr})
        court_keys = answer.get("court_keys")
        keys = (
            CourtKeys(str(court_keys["court"]), str(court_keys["escrow"])) if court_keys else None
        )
        return x509.load_pem_x509_certificate(str(answer["certificate"]).encode("ascii")), keys
    except RefusedError as error:
        raise EnrolmentError(REFUSALS.get(error.code, str(error)), code=error.code) from error
    except (KeyError, TypeError, ValueError) as error:
        raise EnrolmentError("The central system gave no certificate.") from error
    finally:
        client.session.close()


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
    name = common_name(certificate)
    if name != kiosk_id:
        raise EnrolmentError(f"The certificate is for {name}, but this kiosk is {kiosk_id}.")


def _install_identity(paths: Paths, key: Path, root: Path, certificate: x509.Certificate) -> None:
    """Put the new identity in place; after a crash the next run completes it."""
    root.replace(paths.court_ca)
    write_bytes(_staged_certificate(paths), certificate_pem(certificate), mode=PRIVATE_MODE)
    key.replace(_staged_key(paths))
    sync_folder(key.parent)
    finish_installation(paths)


def finish_installation(paths: Paths) -> None:
    """Put an identity in place whose installation was interrupted."""
    key, certificate = _staged_key(paths), _staged_certificate(paths)
    if key.exists() and certificate.exists():
        key.replace(paths.device_key)
        sync_folder(key.parent)
    if certificate.exists() and not key.exists() and _key_matches(paths.device_key, certificate):
        certificate.replace(paths.device_certificate)
        sync_folder(certificate.parent)


def _key_matches(key: Path, certificate: Path) -> bool:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return loaded.public_key() == load_key(key).public_key()
    except (OSError, ValueError):
        return False


def _staged_key(paths: Paths) -> Path:
    return paths.device_key.with_name("next.key")


def _staged_certificate(paths: Paths) -> Path:
    return paths.device_certificate.with_name("next.crt")


def renew_if_due(paths: Paths, client: CentralClient, now: datetime) -> bool:
    """Renew the certificate when less than a third of its life is left; return whether it was.

    The key stays, so that a single file is replaced atomically.

    Args:
        now: as the central system has it: the kiosk's own clock may be wrong.

    Raises:
        CentralError: not now; the present certificate stays in use.
    """
    identity = load_identity(paths)
    life = identity.not_after - identity.not_before
    if identity.not_after - now > max(life * RENEW_LEFT, timedelta(0)):
        return False
    key = load_key(paths.device_key)
    answer = client.call("POST", "/v1/renew", {"csr": certificate_request(key, identity.kiosk_id)})
    try:
        renewed = x509.load_pem_x509_certificate(str(answer["certificate"]).encode("ascii"))
        root = x509.load_pem_x509_certificate(paths.court_ca.read_bytes())
    except (KeyError, ValueError, OSError) as error:
        raise EnrolmentError("no certificate in the answer to a renewal") from error
    _check_certificate(renewed, key, root, identity.kiosk_id)
    write_bytes(paths.device_certificate, certificate_pem(renewed), mode=PRIVATE_MODE)
    log.info("certificate renewed until %s", renewed.not_valid_after_utc)
    return True
