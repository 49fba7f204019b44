"""Identity of this kiosk: its device key and certificate, and the court's pinned CA.

The recorder creates a self-signed stand-in where there is no certificate yet, so that recordings
can always be signed; for the central system such a kiosk is *not enrolled*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.errors import CentralError
from kiosk.evidence.certificates import common_name, key_pem, load_key, subject_of
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.paths import Paths
from kiosk.sync.transport.central_session import Credentials

PRIVATE_MODE = 0o640
"""Recorder (signs) and sync (TLS) share the key: group ``kiosk-record`` (docs/units.md)."""


class NotEnrolledError(CentralError):
    """This kiosk has no certificate of the court yet: ``kiosk enroll``."""

    code = "not_enrolled"


class IdentityError(CentralError):
    """The files under ``identity/`` do not fit together."""

    code = "identity_damaged"


@dataclass(frozen=True)
class Identity:
    """A certificate of the court for a key of this device.

    Attributes:
        kiosk_id: common name of the certificate.
        not_before: start of validity.
        not_after: end of validity.
        credentials: the files.
    """

    kiosk_id: str
    not_before: datetime
    not_after: datetime
    credentials: Credentials


def load_identity(paths: Paths) -> Identity:
    """Read and check the kiosk's identity.

    Raises:
        NotEnrolledError: no certificate, no CA, or only the self-signed stand-in.
        IdentityError: unreadable, or key and certificate do not belong together.
    """
    required_files = (paths.device_certificate, paths.device_key, paths.court_ca)
    if not all(path.exists() for path in required_files):
        raise NotEnrolledError("no certificate of the court on this kiosk")
    try:
        certificate = x509.load_pem_x509_certificate(paths.device_certificate.read_bytes())
        key = load_key(paths.device_key)
    except (OSError, ValueError) as error:
        raise IdentityError(f"identity cannot be read: {error}") from error
    if certificate.issuer == certificate.subject:
        raise NotEnrolledError("only a self-signed stand-in on this kiosk")
    if certificate.public_key() != key.public_key():
        raise IdentityError("device.key does not belong to device.crt")
    return Identity(
        common_name(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        Credentials(paths.device_certificate, paths.device_key, paths.court_ca),
    )


def create_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Create a P-256 key on this device, durably, unreadable for the touch screen."""
    key = ec.generate_private_key(ec.SECP256R1())
    make_folder(path.parent)
    write_bytes(path, key_pem(key), mode=PRIVATE_MODE)
    return key


def certificate_request(key: ec.EllipticCurvePrivateKey, kiosk_id: str) -> str:
    """Return a PKCS#10 certificate request (PEM) for ``kiosk_id``."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_of(kiosk_id))
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")
