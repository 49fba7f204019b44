"""Verifies sealed short minutes, and that they belong to a recording (S17, S21)."""

from __future__ import annotations

from pathlib import Path

from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.report import VerifyReport
from kiosk.recording.verify.seal import FileDigests, SealVerifier, check_signer
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hearing_folder import JOURNAL_FILE, SIGNATURE, SUMS

MINUTES_FILE = "minutes.json"
RECORDING_FOLDER = "recording"
_PREFIX = "minutes/"


def check_minutes(hearing: Path, minutes: Path, ca: Path, report: VerifyReport) -> str:
    """Check the second seal, what it covers, and that it cites the first; return who confirmed.

    Args:
        hearing: the recording's folder, which ``report`` is about.
        minutes: the folder of one version of the minutes.
        ca: trusted roots (PEM).

    Raises:
        RecordingError: ``openssl`` or ``ca`` is missing.
    """
    if not minutes.is_dir():
        report.add("minutes_missing", str(minutes.name))
        return ""
    certificate = SealVerifier(minutes, _PREFIX, ca, report, FileDigests()).run()
    for name in (SUMS, SIGNATURE):
        if not _is_same(minutes / RECORDING_FOLDER / name, hearing / name):
            report.add("minutes_other", f"{_PREFIX}{RECORDING_FOLDER}/{name}")
    told = read_json_or_none(minutes / MINUTES_FILE) or {}
    if told.get("hearing") != report.hearing_id:
        report.add("minutes_other", f"{_PREFIX}{MINUTES_FILE}")
    _check_journal(minutes / JOURNAL_FILE, report)
    rows = told.get("confirmed")
    confirmed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if [row.get("role") for row in confirmed] != ["secretary", "presiding"]:
        report.add("minutes_unconfirmed", f"{_PREFIX}{MINUTES_FILE}")
        return ""
    if certificate is not None:
        at = str(confirmed[-1].get("at"))
        check_signer(certificate, report.device, at, f"{_PREFIX}{SIGNATURE}", report)
    return ", ".join(str(row.get("name") or row.get("person")) for row in confirmed)


def _check_journal(path: Path, report: VerifyReport) -> None:
    """Check the chain of changes, from which a line could be missing before the seal."""
    try:
        chain = read_chain(path)
    except StorageError:
        report.add("journal_missing", f"{_PREFIX}{JOURNAL_FILE}")
        return
    if chain.problem or chain.torn_bytes or not chain.entries:
        report.add("journal_broken", f"{_PREFIX}{JOURNAL_FILE}", chain.problem or "is cut off")


def _is_same(copy: Path, original: Path) -> bool:
    try:
        return copy.read_bytes() == original.read_bytes()
    except OSError:
        return False
