"""Nothing leaves the device without a receipt that agrees with what lies here."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

from kiosk.storage.volume_marker import write_marker
from kiosk.sync.context import SyncRoom
from kiosk.sync.delivery.retention import Housekeeper, retire_hearing
from kiosk.sync.outbox.receipts import Receipts
from tests.sync.rig import Kiosk


def test_only_what_the_receipt_covers_leaves(kiosk: Kiosk) -> None:
    kiosk.start_here()
    hearing = kiosk.make_hearing(video=1000, files=1)
    layout, receipts = kiosk.layout, Receipts(kiosk.layout.receipts)
    assert not retire_hearing(layout, receipts, hearing)
    kiosk.wait_delivered("hearing", hearing)
    kiosk.end()

    path = receipts.path(hearing)
    good = path.read_text()
    for forged in (json.dumps(json.loads(good) | {"at": "2026-01-01T00:00:00.000Z"}), "{"):
        path.write_text(forged)
        assert not retire_hearing(layout, receipts, hearing)
    path.write_text(good)
    sealed = layout.hearings / hearing / "SHA256SUMS"
    sums = sealed.read_text()
    sealed.write_text(sums + f"{'0' * 64}  part-01/later\n")
    assert not retire_hearing(layout, receipts, hearing)
    sealed.write_text(sums)

    room = SyncRoom(kiosk.settings, lambda: None)
    Housekeeper(room).tidy()
    assert (layout.hearings / hearing).exists()
    Housekeeper(room, timedelta(0)).tidy()
    assert not (layout.hearings / hearing).exists()
    room.close()
    assert receipts.path(hearing).exists()

    for file in layout.database.parent.glob("kiosk.db*"):
        file.unlink()
    kiosk.start_here()
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"
    assert kiosk.alarms() == set()


def test_a_filing_is_called_delivered_only_with_its_receipt(kiosk: Kiosk) -> None:
    kiosk.start_here()
    filing = kiosk.make_filing()
    kiosk.wait_delivered("filing", filing)
    path = Receipts(kiosk.layout.receipts).path(filing)
    good = path.read_text()
    path.write_text(good.replace('"bytes": ', '"bytes": 1'))
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is False
    path.write_text(good)
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is True
    folder = kiosk.layout.filings / filing
    (folder / "document.pdf").unlink()  # the filing room tidies
    kiosk.end()
    for file in kiosk.layout.database.parent.glob("kiosk.db*"):
        file.unlink()
    kiosk.start_here()
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is True
    assert kiosk.alarms() == set()


def test_second_copies_go_with_the_first_and_undelivered_ones_never(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.start_here()
    delivered = kiosk.make_hearing(video=1000, files=1)
    kiosk.wait_delivered("hearing", delivered)
    kiosk.end()
    layout, mirror = kiosk.layout, tmp_path / "mirror"
    mirror.mkdir()
    write_marker(mirror, kiosk.settings.kiosk.id, "mirror")
    for name in (delivered, "undelivered"):
        shutil.copytree(layout.hearings / delivered, mirror / "hearings" / name)
    paths = kiosk.settings.paths.model_copy(update={"mirror": mirror})
    room = SyncRoom(kiosk.settings.model_copy(update={"paths": paths}), lambda: None)

    def left() -> list[str]:
        return sorted(path.name for path in (mirror / "hearings").iterdir())

    Housekeeper(room).tidy()
    assert left() == sorted([delivered, "undelivered"])
    (mirror / "hearings" / delivered / "SHA256SUMS").write_text(f"{'0' * 64}  part-01/x\n")
    Housekeeper(room, timedelta(0)).tidy()
    assert not (layout.hearings / delivered).exists()
    assert left() == sorted([delivered, "undelivered"]), "the receipt does not cover this copy"
    shutil.rmtree(mirror / "hearings" / delivered)
    shutil.copytree(mirror / "hearings" / "undelivered", mirror / "hearings" / delivered)
    Housekeeper(room, timedelta(0)).tidy()
    assert left() == ["undelivered"]
    room.close()
