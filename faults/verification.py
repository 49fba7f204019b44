"""Verifies with ``kiosk verify`` what a fault has left on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from faults.trial import CAMERA, NotSurvivedError

RATE = 48_000


def verify_sealed(folder: Path, ca: Path) -> dict[str, Any]:
    """Return the report of ``kiosk verify`` on a hearing that must be whole.

    Raises:
        NotSurvivedError: it is damaged; the message names every problem.
    """
    command = [sys.executable, "-m", "kiosk.cli", "verify", str(folder), "--ca", str(ca), "--json"]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = dict(json.loads(completed.stdout))
    except ValueError as error:
        raise NotSurvivedError(f"kiosk verify said nothing: {completed.stderr[-500:]}") from error
    if completed.returncode or not report["ok"]:
        problems = [
            f"{problem['where']}: {problem['code']} {problem['detail']}"
            for problem in report["problems"]
        ]
        raise NotSurvivedError("; ".join(problems) or completed.stderr[-500:])
    return report


def media_seconds(part: dict[str, Any], fps: int) -> dict[str, float]:
    """Return how many seconds of each source were decoded from a part: camera and microphones."""
    sound = {name: count / RATE for name, count in part["samples"].items()}
    return {CAMERA: part["video_frames"] / fps, **sound}


def require_loss_within(lost: float, allowed: float, what: str) -> None:
    """Check that ``lost`` is not more than ``allowed`` seconds.

    Raises:
        NotSurvivedError: it is.
    """
    if lost > allowed:
        raise NotSurvivedError(f"{what}: {lost:.2f} s of media lost, {allowed} s allowed")
