"""Checks the electronic signature of a person over a file: detached CMS (АПК 283(5), S21).

The secretary signs at her workstation, with a key that the kiosk never sees. Roots are those of
the authority that issues keys to people, never the court's own of the devices.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from kiosk.errors import RecordingError
from kiosk.evidence.openssl import run_openssl

MAX_BYTES = 1 << 20
INDEFINITE = 0x80
"""A length of BER that is not said."""
_FOLDED = str.maketrans("әғқңөұүһіёй", "агкноуухиеи", "ьъ")
_OTHER_CONTENT = ("verification failure", "digest failure")
_ALGORITHM = ("unsupported", "unknown")


class PersonSignatureError(RecordingError):
    """A person's signature is refused; ``code`` says why.

    ``signature_malformed``: no CMS; ``signature_other_content``: of another file;
    ``signature_untrusted``: no chain to the roots; ``signature_expired``: the certificate is not
    valid now; ``signature_algorithm``: OpenSSL here does not know its algorithm;
    ``signature_other_person``: not of whom is expected.
    """

    code = "signature_malformed"
    status = 409


@dataclass(frozen=True)
class PersonSignature:
    """Who signed, as the certificate names them, and how long it is valid (UTC)."""

    name: str
    valid_from: datetime
    valid_until: datetime


def check_person_signature(content: Path, signature: Path, roots: Path) -> PersonSignature:
    """Check a detached signature over ``content``, now; return who made it.

    Args:
        signature: CMS as DER, PEM or base64.
        roots: trusted roots (PEM), with intermediates where the signature has none.

    Raises:
        PersonSignatureError: it does not hold.
        RecordingError: ``openssl`` is missing, or ``roots`` cannot be read (``ca_missing``).
    """
    if not roots.is_file():
        raise RecordingError(f"{roots}: cannot be read", code="ca_missing")
    with tempfile.TemporaryDirectory(prefix="kiosk-signature-") as folder:
        message, signers = Path(folder, "signature.der"), Path(folder, "signers.pem")
        message.write_bytes(_as_der(signature))
        completed = run_openssl(
            *("cms", "-verify", "-binary", "-inform", "DER", "-in", str(message)),
            *("-content", str(content), "-out", "/dev/null", "-signer", str(signers)),
            *("-CAfile", str(roots), "-no-CApath", "-no-CAstore", "-purpose", "any"),
        )
        if completed.returncode != 0:
            raise _refusal(completed.stderr)
        certificates = x509.load_pem_x509_certificates(signers.read_bytes())
    if len(certificates) != 1:
        raise PersonSignatureError(f"{len(certificates)} signers, not one")
    certificate = certificates[0]
    return PersonSignature(
        _name(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def require_person(signature: PersonSignature, expected: str) -> None:
    """Check that the signature is of whom the court knows as ``expected``.

    Initials count for names, Kazakh letters for the Russian ones that stand for them.

    Raises:
        PersonSignatureError: it is somebody else's (``signature_other_person``).
    """
    found, words = _words(signature.name), _words(expected)
    if not any(len(word) > 1 for word in words):  # initials alone, or a dash, would fit many
        raise PersonSignatureError("nobody is expected", code="signature_other_person")
    for word in sorted(words, key=len, reverse=True):
        match = next((name for name in found if name == word or name[:1] == word), None)
        if match is None:
            raise PersonSignatureError("signed by another person", code="signature_other_person")
        found.remove(match)


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.casefold().translate(_FOLDED))


def _name(certificate: x509.Certificate) -> str:
    """Return the name; a number of the person (IIN) is not part of it."""
    subject = certificate.subject
    parts = [
        str(attribute.value)
        for oid in (NameOID.COMMON_NAME, NameOID.GIVEN_NAME)
        for attribute in subject.get_attributes_for_oid(oid)
    ]
    return " ".join(parts)


def _as_der(signature: Path) -> bytes:
    """Return the bytes of a CMS message.

    Raises:
        PersonSignatureError: it is none, or too large for one.
    """
    try:
        with signature.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PersonSignatureError(f"{signature.name}: {error.strerror}") from error
    if not data or len(data) > MAX_BYTES:
        raise PersonSignatureError(f"{signature.name}: not a signature")
    if data[:1] == b"\x30":
        return _whole(data, signature.name)
    text = re.sub(rb"-----[A-Z0-9 ]+-----", b"", data)
    try:
        return _whole(base64.b64decode(b"".join(text.split()), validate=True), signature.name)
    except binascii.Error as error:
        raise PersonSignatureError(f"{signature.name}: not a signature") from error


def _whole(data: bytes, name: str) -> bytes:
    """Return one element; OpenSSL reads over whatever follows it, and that would be sealed, too.

    Raises:
        PersonSignatureError: bytes follow it.
    """
    size = data[1] if len(data) > 1 else 0
    if size == INDEFINITE:  # of BER: its end is marked, and only a whole reading finds it
        return data
    head = 2
    if size > INDEFINITE:
        head += size - INDEFINITE
        size = int.from_bytes(data[2:head], "big")
    if len(data) > head + size:
        raise PersonSignatureError(f"{name}: bytes follow the signature")
    return data


def _refusal(stderr: str) -> PersonSignatureError:
    """Return why OpenSSL refuses a signature; a chain that fails says nothing of the content."""
    said, code = stderr.casefold(), "signature_malformed"
    if "certificate verify error" in said:
        is_late = "expired" in said or "not yet valid" in said
        code = "signature_expired" if is_late else "signature_untrusted"
    elif any(word in said for word in _OTHER_CONTENT):
        code = "signature_other_content"
    elif any(word in said for word in _ALGORITHM):
        code = "signature_algorithm"
    return PersonSignatureError("the signature does not hold", code=code)
