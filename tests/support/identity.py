"""A court's certificate authority and device certificates, made for a test."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk.evidence.certificates import certificate_pem
from kiosk.evidence.device_key import FileSigner
from kiosk.exchange.staff_list import sign_staff_list
from kiosk.storage.atomic_io import make_folder, write_bytes, write_json
from kiosk.storage.paths import Paths


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Court:
    """A certificate authority in ``folder``; :attr:`ca` is its root (PEM)."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str = "Test court") -> Court:
        """Make one."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(_name(name), _name(name), key.public_key())
        root = builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())
        (folder / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, root)

    @property
    def ca(self) -> Path:
        """The root certificate's file."""
        return self.folder / "ca.pem"

    def issue(
        self,
        kiosk: str,
        key: Path,
        certificate: Path,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> FileSigner:
        """Make a key and certificate (of a device) in the two files; return its signer."""
        private = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([purpose])
        builder = _builder(_name(kiosk), self.root.subject, private.public_key())
        issued = builder.add_extension(usage, critical=False).sign(self.key, hashes.SHA256())
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(pem)
        certificate.write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        return FileSigner(key, certificate)

    def sign_staff(
        self,
        kiosk: str,
        staff: list[dict[str, Any]],
        *,
        days: float = 14,
        issued: datetime | None = None,
    ) -> dict[str, Any]:
        """Return the signed staff list of a kiosk, as a server of this court gives it."""
        server = self._server()
        begin = issued or datetime.now(UTC)
        return sign_staff_list(
            kiosk,
            staff,
            begin,
            begin + timedelta(days=days),
            sign=lambda data: base64.b64encode(server.sign(data)).decode("ascii"),
            certificate=certificate_pem(server.certificate).decode("ascii"),
        )

    def publish_staff(self, paths: Paths, kiosk: str, staff: list[dict[str, Any]]) -> None:
        """Pin this court's root at a kiosk and publish the signed staff list there."""
        make_folder(paths.court_ca.parent)
        if not paths.court_ca.exists():
            write_bytes(paths.court_ca, self.ca.read_bytes())
        make_folder(paths.staff.parent)
        write_json(paths.staff, self.sign_staff(kiosk, staff))

    def _server(self) -> FileSigner:
        key, certificate = self.folder / "server.key", self.folder / "server.crt"
        if certificate.exists():
            return FileSigner(key, certificate)
        return self.issue("court", key, certificate, ExtendedKeyUsageOID.SERVER_AUTH)

    def device(self, kiosk: str = "kiosk-0001") -> FileSigner:
        """Return the signer of a device; its key and certificate are made once."""
        key, certificate = self.folder / f"{kiosk}.key", self.folder / f"{kiosk}.crt"
        if certificate.exists():
            return FileSigner(key, certificate)
        return self.issue(kiosk, key, certificate)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
