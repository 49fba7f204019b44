"""Verifies a seal: signature, certificate authority, and every file under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from kiosk.clocks import format_wall, wall_time
from kiosk.errors import RecordingError, StorageError
from kiosk.evidence.certificates import common_name
from kiosk.evidence.cms import SealError, check_signature
from kiosk.evidence.seal import list_files, parse_sums
from kiosk.recording.verify.report import VerifyReport
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import SIGNATURE, SUMS


@dataclass
class FileDigests:
    """Caches the SHA-256 of files, so that each is read once although two seals cover it."""

    _known: dict[Path, str] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """Return the SHA-256 of ``path``; see :func:`sha256_of`."""
        if path not in self._known:
            self._known[path] = sha256_of(path)
        return self._known[path]


@dataclass(frozen=True)
class SealVerifier:
    """Verifies one folder's seal; ``prefix`` (``part-01/`` or empty) names it in the report."""

    folder: Path
    prefix: str
    ca: Path
    report: VerifyReport
    digests: FileDigests

    def run(self) -> x509.Certificate | None:
        """Check the seal and every file; return the signer's certificate if the seal is valid."""
        missing = [name for name in (SUMS, SIGNATURE) if not (self.folder / name).is_file()]
        if missing:
            self.report.add("not_sealed", self.prefix or ".", " and ".join(missing))
            return None
        certificate = self._verify_signature()
        self._check_files()
        return certificate

    def _verify_signature(self) -> x509.Certificate | None:
        try:
            return check_signature(self.folder / SUMS, self.folder / SIGNATURE, self.ca)
        except SealError as error:
            self.report.add("seal_wrong", f"{self.prefix}{SIGNATURE}", str(error))
            return None

    def _check_files(self) -> None:
        try:
            sums = parse_sums((self.folder / SUMS).read_text(encoding="utf-8"))
        except (RecordingError, ValueError) as error:
            self.report.add("sums_malformed", f"{self.prefix}{SUMS}", str(error))
            return
        existing = list_files(self.folder)
        for name in existing:
            if name not in sums:
                self.report.add("file_added", f"{self.prefix}{name}")
        owners = {digest: name for name, digest in sums.items()}
        for name, digest in sums.items():
            self._check_file(name, digest, owners)

    def _check_file(self, name: str, digest: str, owners: dict[str, str]) -> None:
        path, where = self.folder / name, f"{self.prefix}{name}"
        if path.is_symlink() or not path.is_file():
            self.report.add("file_missing", where)
            return
        try:
            found = self.digests.of(path)
        except StorageError as error:
            self.report.add("unreadable", where, str(error))
            return
        if found == digest:
            return
        if found in owners:
            self.report.add("file_swapped", where, f"{self.prefix}{owners[found]}")
        else:
            self.report.add("file_changed", where)


def check_signer(
    certificate: x509.Certificate, kiosk: str, sealed_at: str, where: str, report: VerifyReport
) -> None:
    """Check that ``certificate`` is the one of the named kiosk and was valid at ``sealed_at``."""
    if common_name(certificate) != kiosk:
        report.add("seal_other_device", where, common_name(certificate))
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not any(begin <= moment <= end for moment in (_moment(sealed_at), wall_time())):
        report.add(
            "seal_outside_validity",
            where,
            f"{sealed_at}: {format_wall(begin)} – {format_wall(end)}",
        )


def _moment(text: str) -> datetime:
    """Return the moment of ``text`` (RFC 3339); 1970 if it is malformed, outside any validity."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
