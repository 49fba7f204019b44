"""Checks a seal's CMS signature with the OpenSSL command line, so that anyone can repeat it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from cryptography import x509

from kiosk.errors import RecordingError
from kiosk.evidence.cms_der import CmsEncodingError, check_canonical
from kiosk.evidence.openssl import run_openssl


class SealError(RecordingError):
    """The signature is invalid: other content, another certificate authority, or malformed."""

    code = "seal_wrong"


def check_signature(content: Path, signature: Path, ca: Path) -> x509.Certificate:
    """Check a signature with OpenSSL; return the certificate that signed ``content``.

    Args:
        content: the signed file.
        signature: detached CMS (DER).
        ca: trusted roots (PEM); nothing else is trusted, not even the machine's own roots.

    Raises:
        SealError: the signature is invalid, or there is more than one signer.
        RecordingError: ``openssl`` is missing (``openssl_missing``) or ``ca`` cannot be read.
    """
    if not ca.is_file():
        raise RecordingError(f"{ca}: cannot be read", code="ca_missing")
    try:
        check_canonical(signature.read_bytes())
    except CmsEncodingError as error:
        raise SealError(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        signers = Path(folder, "signers.pem")
        arguments = ["cms", "-verify", "-binary", "-inform", "DER"]
        arguments += ["-in", str(signature), "-content", str(content), "-out", "/dev/null"]
        arguments += ["-CAfile", str(ca), "-no-CApath", "-no-CAstore", "-purpose", "any"]
        arguments += ["-no_check_time", "-signer", str(signers)]
        completed = run_openssl(*arguments)
        if completed.returncode != 0:
            raise SealError(_error_reason(completed.stderr))
        certificates = x509.load_pem_x509_certificates(signers.read_bytes())
    if len(certificates) != 1:
        raise SealError(f"{len(certificates)} signers")
    return certificates[0]


def _error_reason(stderr: str) -> str:
    """Return the last reason in OpenSSL's error output, without its numbers."""
    lines = [line for line in stderr.splitlines() if ":error:" in line or "rror:" in line]
    parts = [part for line in lines for part in line.split(":") if " " in part.strip()]
    return parts[-1].strip() if parts else "not a CMS signature"
