"""The device's key: a file today (PEM, mode 0600), a TPM or a PKCS#11 token with the same protocol.

Only what runs in the recorder signs evidence. Screen, filing and self-test ask the recorder; a
contract in ``pyproject.toml`` keeps this module away from them.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

from kiosk.errors import RecordingError
from kiosk.evidence.certificates import certificate_pem, key_pem, load_key, subject_of
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
SELF_SIGNED_YEARS = 30


class FileSigner:
    """A :class:`kiosk.evidence.signer.Signer` whose key is a file.

    Args:
        key: PEM file of an EC private key.
        certificate: PEM file of the device certificate, then its intermediates.

    Raises:
        RecordingError: a file is absent or malformed, or the two do not belong together
            (``identity_invalid``).
    """

    def __init__(self, key: Path, certificate: Path) -> None:
        try:
            self._key = load_key(key)
            chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise RecordingError(
                f"{certificate}: no usable identity: {error}", code="identity_invalid"
            ) from error
        if chain[0].public_key() != self._key.public_key():
            raise RecordingError(
                f"{key}: does not belong to {certificate.name}", code="identity_invalid"
            )
        self._certificate, *self._intermediates = chain

    @property
    def certificate(self) -> x509.Certificate:
        """The device certificate."""
        return self._certificate

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA-SHA256 signature of ``data`` (DER)."""
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))

    def seal(self, data: bytes) -> bytes:
        """Return a detached CMS signature over ``data`` (DER, binary)."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
        builder = builder.add_signer(self._certificate, self._key, hashes.SHA256())
        for certificate in self._intermediates:
            builder = builder.add_certificate(certificate)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)


def load_device_signer(paths: Paths, kiosk_id: str) -> tuple[FileSigner, bool]:
    """Return the signer to use now, and whether the kiosk is enrolled.

    A kiosk that is not enrolled yet, or whose identity files are damaged, creates a self-signed
    certificate once and signs with that, so that recording never waits for enrolment.
    """
    if paths.device_certificate.exists():
        try:
            return FileSigner(paths.device_key, paths.device_certificate), True
        except RecordingError as error:
            log.error("the device identity cannot be used: %s", error)
    if not paths.self_signed_certificate.exists():
        _create_self_signed(paths, kiosk_id)
    return FileSigner(paths.self_signed_key, paths.self_signed_certificate), False


def _create_self_signed(paths: Paths, kiosk_id: str) -> None:
    """Create a key and a self-signed certificate, valid from 2020 on (the clock may be unset)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = subject_of(kiosk_id)
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * SELF_SIGNED_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    make_folder(paths.self_signed_key.parent)
    write_bytes(paths.self_signed_key, key_pem(key), 0o600)
    write_bytes(paths.self_signed_certificate, certificate_pem(certificate), 0o644)
