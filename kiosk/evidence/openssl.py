"""Runs the OpenSSL command line: anyone can repeat a check with the same tool."""

from __future__ import annotations

import shutil
import subprocess

from kiosk.errors import RecordingError

_TIMEOUT_S = 60


def run_openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``openssl`` with ``arguments``; return its exit status and output.

    Raises:
        RecordingError: the program is missing (``openssl_missing``).
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise RecordingError("the program openssl is missing", code="openssl_missing")
    command = [openssl, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
