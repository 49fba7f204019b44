"""What signs (:class:`Signer`), signatures of journal heads, and whether a signature is valid."""

from __future__ import annotations

import base64
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.evidence.chain import ChainHead, head_message


class Signer(Protocol):
    """Signs with the device's key."""

    @property
    def certificate(self) -> x509.Certificate:
        """The device certificate that belongs to the key."""

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA-SHA256 signature of ``data`` (DER)."""

    def seal(self, data: bytes) -> bytes:
        """Return a detached CMS signature over ``data`` (RFC 5652, DER, binary)."""


def sign_head(signer: Signer, hearing_id: str, part: int, head: ChainHead) -> str:
    """Return the base64 signature of a journal head."""
    return base64.b64encode(signer.sign(head_message(hearing_id, part, head))).decode("ascii")


def is_head_signed_by(
    certificate: x509.Certificate, hearing_id: str, part: int, head: ChainHead, signature: str
) -> bool:
    """Return whether ``signature`` (base64) over ``head`` was made with the certificate's key."""
    message = head_message(hearing_id, part, head)
    return is_signature_valid(certificate, message, signature)


def is_signature_valid(certificate: x509.Certificate, message: bytes, signature: str) -> bool:
    """Return whether ``signature`` (base64 of DER) over ``message`` is the certificate's.

    Only ECDSA with SHA-256 is accepted.
    """
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
