"""Checking a time stamp (RFC 3161) with OpenSSL itself, against a root that the checker trusts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from rfc3161_client import decode_timestamp_response

from kiosk.clocks import wall_text
from kiosk.errors import RecordingError
from kiosk.recording.verify.report import Report

_TIME_LIMIT_S = 60


def check_stamp(signature: Path, stamp: Path, ca: Path, report: Report) -> str:
    """Return the moment at which ``signature`` was stamped; note in ``report`` what is wrong.

    Args:
        signature: ``SHA256SUMS.p7s``; stamp: the authority's answer (``.tsr``, DER).
        ca: trusted roots of time stamp authorities (PEM).

    Raises:
        RecordingError: ``openssl`` is missing.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise RecordingError("the program openssl is missing", code="openssl_missing")
    if not stamp.is_file():
        report.add("stamp_missing", stamp.name)
        return ""
    command = [openssl, "ts", "-verify", "-data", str(signature), "-in", str(stamp)]
    answer = subprocess.run(
        [*command, "-CAfile", str(ca)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIME_LIMIT_S,
    )
    if answer.returncode != 0:
        report.add("stamp_wrong", stamp.name, _reason(answer.stderr))
        return ""
    try:
        return wall_text(decode_timestamp_response(stamp.read_bytes()).tst_info.gen_time)
    except ValueError as error:
        report.add("stamp_wrong", stamp.name, str(error))
        return ""


def _reason(words: str) -> str:
    """Return reason and detail of OpenSSL's last error line (``…:reason:file:line:detail``)."""
    lines = [line.split(":") for line in words.splitlines() if ":error:" in line]
    told = [lines[-1][5], lines[-1][-1]] if lines and len(lines[-1]) > 7 else []
    return ", ".join(text.strip() for text in told if text.strip()) or "not a time stamp"
