"""Delivered minutes leave the kiosk: draft and sealed folders, once nothing of them is needed here.

Nobody's name is kept longer than the recording (the privacy rule of the house); what no receipt
of the court covers stays.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.central.deliveries.receipts import make_receipt
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.evidence.seal import parse_sums
from kiosk.ipc import LocalClient
from kiosk.storage.ages import Ages
from kiosk.storage.hashing import sha256_of
from tests.support.minutes_rig import SECRETARY, MinutesRig

pytestmark = pytest.mark.slow
NAME = "Омаров С. Т., истец"


class DeliveredMinutes(MinutesRig):
    """Minutes in two versions, whose recording can leave and whose receipts can come."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now = 1000.0
        self.sealed_ids = [str(version["sealed_id"]) for version in self.confirm_twice()]
        self.ages = Ages(self.paths.minutes_ages, lambda: self.now)
        shutil.copy(self.court.ca, self.paths.court_ca)
        key, certificate = folder / "server.key", folder / "server.crt"
        self.court.issue("court", key, certificate, ExtendedKeyUsageOID.SERVER_AUTH)
        self._server = ReceiptSigner(certificate, key)

    def receive(self, sealed_id: str) -> Path:
        """Put the court's receipt for a sealed folder where sync keeps them."""
        folder = self.sealed(sealed_id)
        sums = parse_sums((folder / "SHA256SUMS").read_text("utf-8"))
        sums |= {name: sha256_of(folder / name) for name in ("SHA256SUMS", "SHA256SUMS.p7s")}
        files = [{"path": name, "size": 1, "sha256": digest} for name, digest in sums.items()]
        receipt = make_receipt(self._server, "report", sealed_id, "kiosk-0001", files)
        self.paths.receipts.mkdir(exist_ok=True)
        path = self.paths.receipts / f"{sealed_id}.json"
        path.write_text(json.dumps(receipt), "utf-8")
        return path

    def pass_days(self, days: float) -> None:
        """List the minutes, which begins the time, let it pass, and list them again."""

        async def steps(client: LocalClient) -> None:
            await client.get("/v1/minutes")
            self.now += timedelta(days=days).total_seconds()
            await client.get("/v1/minutes")

        self.run(steps)

    def kept_names(self) -> list[str]:
        """Return the files of the minutes that still hold the name."""
        files = [path for path in self.paths.minutes.rglob("*") if path.is_file()]
        return [path.name for path in files if NAME.encode() in path.read_bytes()]


def test_draft_and_versions_leave_with_their_recording(tmp_path: Path) -> None:
    rig = DeliveredMinutes(tmp_path)
    draft, days = rig.paths.minutes_drafts / rig.hearing, 30
    for sealed_id in rig.sealed_ids:
        rig.receive(sealed_id)
    rig.pass_days(days + 1)
    assert draft.is_dir(), "the recording is still here"
    shutil.rmtree(rig.recording)
    rig.pass_days(days - 1)
    assert draft.is_dir(), "the secretary may still sign"
    assert rig.kept_names()
    rig.pass_days(2)
    assert rig.kept_names() == []
    assert not any(rig.sealed(sealed_id).exists() for sealed_id in rig.sealed_ids)

    async def steps(client: LocalClient) -> None:
        assert (await client.get("/v1/minutes"))["hearings"] == []
        assert await rig.refusal(client) == "hearing_unknown"

    rig.run(steps)


@pytest.mark.parametrize("fault", ["no receipt", "forged", "other hash", "new version", "journal"])
def test_what_the_court_has_not_all_of_stays(tmp_path: Path, fault: str) -> None:
    rig = DeliveredMinutes(tmp_path)
    paths = [rig.receive(sealed_id) for sealed_id in rig.sealed_ids]
    newest = rig.sealed(rig.sealed_ids[-1])
    if fault == "no receipt":
        paths[0].unlink()
    elif fault == "forged":
        receipt = json.loads(paths[0].read_text("utf-8"))
        paths[0].write_text(json.dumps(receipt | {"at": "2026-01-01T00:00:00.000Z"}), "utf-8")
    elif fault == "other hash":
        sums = newest / "SHA256SUMS"
        sums.write_text(f"{sums.read_text()}{'0' * 64}  later\n")
    elif fault == "journal":
        journal = rig.paths.minutes_drafts / rig.hearing / "journal.jsonl"
        journal.write_bytes(journal.read_bytes().replace(b"edited", b"Edited"))
    else:
        rig.person = SECRETARY

        async def begin(client: LocalClient) -> None:
            await rig.call(client, "/versions")

        rig.run(begin)
    shutil.rmtree(rig.recording)
    before = rig.kept_names()
    rig.pass_days(100)
    assert rig.kept_names() == before
    assert (rig.paths.minutes_drafts / rig.hearing).is_dir()
