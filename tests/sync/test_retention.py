"""Nothing leaves the device without a receipt that agrees with what lies here."""

from __future__ import annotations

import json
from datetime import timedelta

from kiosk.sync.receipts import Receipts
from kiosk.sync.retention import Housekeeper, retire_filing, retire_hearing
from kiosk.sync.room import SyncRoom
from tests.sync.rig import Kiosk


def test_only_what_the_receipt_covers_leaves(kiosk: Kiosk) -> None:
    kiosk.start_here()
    filing, hearing = kiosk.make_filing(), kiosk.make_hearing(video=1000, files=1)
    layout, receipts = kiosk.layout, Receipts(kiosk.layout.receipts)
    folder = layout.filings / filing
    assert not retire_filing(layout, receipts, filing)
    assert not retire_hearing(layout, receipts, hearing)
    kiosk.wait_delivered("filing", filing)
    kiosk.wait_delivered("hearing", hearing)
    kiosk.end()

    path = receipts.path(filing)
    good = path.read_text()
    forged = json.loads(good) | {"at": "2026-01-01T00:00:00.000Z"}
    path.write_text(json.dumps(forged))
    assert not retire_filing(layout, receipts, filing)
    path.write_text("{")
    assert not retire_filing(layout, receipts, filing)
    path.write_text(good)
    document = (folder / "document.pdf").read_bytes()
    (folder / "document.pdf").write_bytes(document + b"later")
    assert not retire_filing(layout, receipts, filing)
    (folder / "document.pdf").write_bytes(document)
    (folder / "other.pdf").write_bytes(document)
    assert not retire_filing(layout, receipts, filing)
    (folder / "other.pdf").unlink()
    assert (folder / "pages").exists()
    assert retire_filing(layout, receipts, filing)
    assert sorted(path.name for path in folder.iterdir()) == ["filing.json", "submitted"]
    kept = json.loads((folder / "filing.json").read_text())
    assert "applicant" not in kept
    assert kept["state"] == "delivered"

    sealed = layout.hearings / hearing / "SHA256SUMS"
    sums = sealed.read_text()
    sealed.write_text(sums.replace("0", "1"))
    assert not retire_hearing(layout, receipts, hearing)
    sealed.write_text(sums)
    assert retire_hearing(layout, receipts, hearing)
    assert not (layout.hearings / hearing).exists()
    assert receipts.path(hearing).exists()

    for file in layout.database.parent.glob("kiosk.db*"):
        file.unlink()
    kiosk.start_here()
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is True
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"
    assert kiosk.alarms() == set()


def test_housekeeper_waits_its_time(kiosk: Kiosk) -> None:
    kiosk.start_here()
    filing, hearing = kiosk.make_filing(), kiosk.make_hearing(video=1000, files=1)
    kiosk.wait_delivered("filing", filing)
    kiosk.wait_delivered("hearing", hearing)
    kiosk.end()
    room = SyncRoom(kiosk.settings, lambda: None)
    Housekeeper(room).tidy()
    assert (kiosk.layout.filings / filing / "document.pdf").exists()
    Housekeeper(room, timedelta(0)).tidy()
    assert not (kiosk.layout.filings / filing / "document.pdf").exists()
    assert (kiosk.layout.hearings / hearing).exists()
    room.close()
