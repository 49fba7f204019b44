"""Checks a timestamp (RFC 3161) with the OpenSSL command line, against a trusted root."""

from __future__ import annotations

from pathlib import Path

from rfc3161_client import decode_timestamp_response

from kiosk.clocks import format_wall
from kiosk.evidence.openssl import run_openssl
from kiosk.recording.verify.report import VerifyReport


def check_timestamp(signature: Path, timestamp: Path, ca: Path, report: VerifyReport) -> str:
    """Return the time at which ``signature`` was stamped; add what is wrong to ``report``.

    Args:
        signature: ``SHA256SUMS.p7s``; timestamp: the authority's response (``.tsr``, DER).
        ca: trusted roots of time stamp authorities (PEM).

    Raises:
        RecordingError: ``openssl`` is missing.
    """
    if not timestamp.is_file():
        report.add("stamp_missing", timestamp.name)
        return ""
    completed = run_openssl(
        "ts", "-verify", "-data", str(signature), "-in", str(timestamp), "-CAfile", str(ca)
    )
    if completed.returncode != 0:
        report.add("stamp_wrong", timestamp.name, _error_reason(completed.stderr))
        return ""
    try:
        return format_wall(decode_timestamp_response(timestamp.read_bytes()).tst_info.gen_time)
    except ValueError as error:
        report.add("stamp_wrong", timestamp.name, str(error))
        return ""


def _error_reason(stderr: str) -> str:
    """Return reason and detail of OpenSSL's last error line (``…:reason:file:line:detail``)."""
    lines = [line.split(":") for line in stderr.splitlines() if ":error:" in line]
    details = [lines[-1][5], lines[-1][-1]] if lines and len(lines[-1]) > 7 else []
    return ", ".join(text.strip() for text in details if text.strip()) or "not a time stamp"
