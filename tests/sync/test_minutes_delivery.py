"""Sealed short minutes reach the central system, but for those of a state secret (S17, R86)."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.support.delivery_rig import Kiosk
from tests.support.minutes_rig import MinutesRig

pytestmark = pytest.mark.slow


def test_sealed_minutes_are_delivered_with_a_receipt_for_each_file(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    rig = MinutesRig(tmp_path)
    first, second = (version["sealed_id"] for version in rig.confirm_twice())
    shutil.copytree(rig.paths.minutes, kiosk.paths.minutes)
    secret = kiosk.paths.minutes / second
    (secret / "courier-only").touch()
    kiosk.start()
    kiosk.wait_delivered("report", first)
    receipt = json.loads((kiosk.paths.receipts / f"{first}.json").read_text())
    receipted = {file["path"]: file["sha256"] for file in receipt["files"]}
    assert {"minutes.pdf", "recording/SHA256SUMS", "SHA256SUMS", "SHA256SUMS.p7s"} <= set(receipted)
    for name, digest in receipted.items():
        content = (kiosk.paths.minutes / first / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert kiosk.get(f"/v1/reports/{second}")["route"] == "courier"
    assert not (kiosk.paths.receipts / f"{second}.json").exists()
    assert kiosk.state()["queue"]["courier"] == 1
    assert kiosk.stop() == 0
