"""The court's certificate authority: one root, server and device certificates, revocation list.

Keys are stored in ``authority/`` (folder 0700, keys 0600). Root and server key are created once;
the server's certificate is replaced when its names change or it has less than a month left.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyrage
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk.central.errors import malformed
from kiosk.clocks import wall_time
from kiosk.evidence.certificates import certificate_pem, key_pem, load_key, subject_of
from kiosk.storage.atomic_io import make_folder, write_bytes

ROOT_DAYS = 20 * 365
SERVER_DAYS = 397
DEVICE_DAYS = 2 * 365
RENEW_BEFORE = timedelta(days=30)
BACKDATE = timedelta(days=1)  # a kiosk's clock may be a little behind
REVOCATION_DAYS = 7
FINGERPRINT_BYTES = 10
DeviceKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True)
class IssuedCertificate:
    """An issued certificate: ``serial`` in lower-case hex, ``pem`` text."""

    serial: str
    pem: str
    not_after: datetime


class CertificateAuthority:
    """The CA in ``folder``; :meth:`open` creates it on first use."""

    def __init__(
        self, folder: Path, key: ec.EllipticCurvePrivateKey, root: x509.Certificate
    ) -> None:
        self._folder = folder
        self._key = key
        self.root = root

    @classmethod
    def open(cls, folder: Path, name: str) -> CertificateAuthority:
        """Return the authority in ``folder``; create it as ``name`` if there is none."""
        make_folder(folder, mode=0o700)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "ca.crt").exists():
                _make_root(folder, name)
        key = load_key(folder / "ca.key")
        return cls(folder, key, x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()))

    @property
    def root_path(self) -> Path:
        """The root certificate's file (PEM)."""
        return self._folder / "ca.crt"

    @property
    def root_pem(self) -> str:
        """The root certificate (PEM)."""
        return _pem(self.root)

    def court_keys(self) -> dict[str, str]:
        """Return the public age keys of the court and its escrow; create them on first use.

        The private keys are stored beside the authority's own, as ``age-keygen`` writes them. A
        court keeps the escrow key elsewhere; this file may then hold the public key alone.
        """
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return {name: _age_recipient(self._folder, name) for name in ("court", "escrow")}

    def fingerprint(self) -> str:
        """Return the first 80 bits of the root's SHA-256 in base32 (16 characters)."""
        digest = hashlib.sha256(self.root.public_bytes(serialization.Encoding.DER)).digest()
        return base64.b32encode(digest[:FINGERPRINT_BYTES]).decode("ascii")

    def issue_device(self, csr_pem: str, kiosk: str) -> IssuedCertificate:
        """Issue a client certificate for ``kiosk`` (CN) over the request's public key.

        Raises:
            RefusedError: 400, not a request, badly signed, weak key, or for another kiosk.
        """
        csr, public_key = read_csr(csr_pem)
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if names and [name.value for name in names] != [kiosk]:
            raise malformed("csr: its common name is another kiosk's")
        return self._issue(kiosk, public_key, ExtendedKeyUsageOID.CLIENT_AUTH, DEVICE_DAYS, ())

    def current_server_files(self) -> tuple[Path, Path]:
        """Return certificate and key files of the server for the names that it has already."""
        path = self._folder / "server.crt"
        return self.server_files(_names_in(path) if path.exists() else ["localhost"])

    def server_files(self, names: Iterable[str]) -> tuple[Path, Path]:
        """Return certificate and key files (PEM) of a server certificate for ``names``.

        A new certificate is for the same key, so that a single file is replaced atomically.
        """
        certificate, key = self._folder / "server.crt", self._folder / "server.key"
        wanted = sorted(set(names))
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not key.exists():
                certificate.unlink(missing_ok=True)  # never leave a certificate beside another key
                write_bytes(key, key_pem(ec.generate_private_key(ec.SECP256R1())), mode=0o600)
            if not _is_still_valid(certificate, wanted):
                public, usage = load_key(key).public_key(), ExtendedKeyUsageOID.SERVER_AUTH
                issued = self._issue(wanted[0], public, usage, SERVER_DAYS, wanted)
                write_bytes(certificate, (issued.pem + self.root_pem).encode("ascii"))
        return certificate, key

    def revocation_list(self, revoked: Iterable[tuple[str, datetime]]) -> str:
        """Return a signed list (PEM) of ``(serial in hex, when)``."""
        now = wall_time()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now - BACKDATE)
            .next_update(now + timedelta(days=REVOCATION_DAYS))
        )
        for serial, when in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial, 16))
                .revocation_date(when)
                .build()
            )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def _issue(
        self,
        name: str,
        public_key: DeviceKey,
        usage: x509.ObjectIdentifier,
        days: int,
        alternative: Iterable[str],
    ) -> IssuedCertificate:
        now = wall_time()
        serial = x509.random_serial_number()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject_of(name))
            .issuer_name(self.root.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(_authority_key_identifier(self.root), critical=False)
        )
        names = [_general_name(text) for text in alternative]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return IssuedCertificate(f"{serial:x}", _pem(certificate), certificate.not_valid_after_utc)


def read_csr(pem: str) -> tuple[x509.CertificateSigningRequest, DeviceKey]:
    """Return a certificate request that is well-formed and self-signed, and its key.

    Raises:
        RefusedError: 400.
    """
    try:
        csr = x509.load_pem_x509_csr(pem.encode("utf-8"))
        signed = csr.is_signature_valid
        key = csr.public_key()
    except Exception as error:  # the parser raises several unrelated types for odd input
        raise malformed("csr: not a PKCS#10 request in PEM") from error
    if not signed:
        raise malformed("csr: its signature does not fit its key")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256:
        return csr, key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return csr, key
    raise malformed("csr: the key must be P-256 or larger, or RSA of 2048 bits or more")


def public_key_digest(csr_pem: str) -> str:
    """Return the hex SHA-256 of the request's public key (DER)."""
    _, key = read_csr(csr_pem)
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _age_recipient(folder: Path, name: str) -> str:
    """Return the public key ``<name>.age``; create it and its private key if absent."""
    public, private = folder / f"{name}.age", folder / f"{name}-age-key.txt"
    if not public.exists():
        identity = pyrage.x25519.Identity.generate()
        recipient = str(identity.to_public())
        text = f"# public key: {recipient}\n{identity}\n"
        write_bytes(private, text.encode("ascii"), mode=0o600)
        write_bytes(public, f"{recipient}\n".encode("ascii"), mode=0o644)
    return public.read_text(encoding="ascii").strip()


def _make_root(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    now = wall_time()
    subject = subject_of(name[:64])
    root = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_bytes(folder / "ca.key", key_pem(key), mode=0o600)
    write_bytes(folder / "ca.crt", _pem(root).encode("ascii"), mode=0o644)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key_identifier(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject.value)


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _is_still_valid(certificate: Path, wanted: list[str]) -> bool:
    """Return whether the server certificate exists, fits ``wanted`` and is valid long enough."""
    if not certificate.exists() or _names_in(certificate) != wanted:
        return False
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    now = wall_time()  # a certificate of a time when the clock was ahead is not valid yet
    return found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEW_BEFORE


def _names_in(certificate: Path) -> list[str]:
    """Return the names and addresses that a server certificate is for, sorted."""
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(name.value) for name in names)


class ReceiptSigner:
    """Signs receipts with the server's key: ECDSA-SHA256 over canonical JSON."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._key = load_key(key)
        self._path = certificate
        self.certificate = ""
        self.reload()

    def reload(self) -> bool:
        """Read the certificate again; return whether it is another one, for the same key."""
        before = self.certificate
        self.certificate = _pem(x509.load_pem_x509_certificate(self._path.read_bytes()))
        return self.certificate != before

    def sign(self, message: bytes) -> str:
        """Return the signature of ``message``: base64 of DER."""
        return base64.b64encode(self._key.sign(message, ec.ECDSA(hashes.SHA256()))).decode("ascii")


def _pem(certificate: x509.Certificate) -> str:
    return certificate_pem(certificate).decode("ascii")


def random_secret(characters: int) -> str:
    """Return a random base32 text of ``characters`` (5 bits each)."""
    return base64.b32encode(os.urandom(characters)).decode("ascii")[:characters]
