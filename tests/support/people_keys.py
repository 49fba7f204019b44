"""An authority that issues keys to people, and signatures made with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID


class People:
    """An authority that issues keys to people, as the national one does (RSA)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "People's authority")])
        self.roots = folder / "roots.pem"
        root = self._builder(self._name, self._key.public_key(), 0, 30)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        signed = root.sign(self._key, hashes.SHA256())
        self.roots.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, subject: x509.Name, key: rsa.RSAPublicKey, began: int, days: int
    ) -> x509.CertificateBuilder:
        begin = datetime.now(UTC) - timedelta(days=began, hours=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
        )

    def sign(
        self, name: str, given: str, content: bytes, *, began: int = 0, days: int = 20
    ) -> bytes:
        """Return a detached CMS by a person with a certificate of their own."""
        key = rsa.generate_private_key(65537, 2048)
        attributes = [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.GIVEN_NAME, given),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "IIN900101400123"),
        ]
        builder = self._builder(x509.Name(attributes), key.public_key(), began, days)
        certificate = builder.sign(self._key, hashes.SHA256())
        signer = pkcs7.PKCS7SignatureBuilder().set_data(content)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        signer = signer.add_signer(certificate, key, hashes.SHA256())
        return signer.sign(serialization.Encoding.DER, options)
