"""Nothing leaves the device without a receipt that agrees with what lies here."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.storage.ages import Ages
from kiosk.storage.volume_marker import write_marker
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.retention import Retention, delete_hearing
from kiosk.sync.outbox.receipts import ReceiptStore
from tests.support.delivery_rig import Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def test_only_what_the_receipt_covers_leaves(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(video=1000, files=1)
    paths, receipts = kiosk.paths, ReceiptStore(kiosk.paths.receipts)
    assert not delete_hearing(paths, receipts, hearing)
    kiosk.wait_delivered("hearing", hearing)
    kiosk.stop()

    path = receipts.path(hearing)
    good = path.read_text()
    for forged in (json.dumps(json.loads(good) | {"at": "2026-01-01T00:00:00.000Z"}), "{"):
        path.write_text(forged)
        assert not delete_hearing(paths, receipts, hearing)
    path.write_text(good)
    sealed = paths.hearings / hearing / "SHA256SUMS"
    sums = sealed.read_text()
    sealed.write_text(sums + f"{'0' * 64}  part-01/later\n")
    assert not delete_hearing(paths, receipts, hearing)
    sealed.write_text(sums)

    room = SyncContext(kiosk.settings, lambda: None)
    Retention(room).apply()
    assert (paths.hearings / hearing).exists()
    Retention(room, timedelta(0)).apply()
    assert not (paths.hearings / hearing).exists()
    room.close()
    assert receipts.path(hearing).exists()

    for file in paths.database.parent.glob("kiosk.db*"):
        file.unlink()
    kiosk.start_in_thread()
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


@pytest.mark.parametrize("weeks", [-60, 60])
def test_a_clock_that_is_wrong_by_weeks_deletes_nothing(kiosk: Kiosk, weeks: int) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(video=1000, files=1)
    kiosk.wait_delivered("hearing", hearing)
    kiosk.stop()
    room = SyncContext(kiosk.settings, lambda: None)
    folder = kiosk.paths.hearings / hearing
    now, wrong = [1000.0], [timedelta(weeks=weeks)]

    def retain() -> None:
        ages = Ages(
            kiosk.paths.delivery_ages,
            lambda: now[0],
            wall=lambda: datetime.now(UTC) + wrong[0],
            is_synchronised=lambda: not wrong[0],
        )
        Retention(room, ages=ages).apply()

    for moved in (wrong[0], -wrong[0], timedelta(0)):
        wrong[0] = moved
        retain()
        assert folder.exists()
    days = kiosk.settings.recording.keep_delivered_days
    now[0] += timedelta(days=days).total_seconds() - 1
    retain()
    assert folder.exists()
    now[0] += 1
    retain()
    assert not folder.exists()
    room.close()


def test_a_filing_is_called_delivered_only_with_its_receipt(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    filing = kiosk.make_filing()
    kiosk.wait_delivered("filing", filing)
    path = ReceiptStore(kiosk.paths.receipts).path(filing)
    good = path.read_text()
    path.write_text(good.replace('"bytes": ', '"bytes": 1'))
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is False
    path.write_text(good)
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is True
    folder = kiosk.paths.filings / filing
    (folder / "document.pdf").unlink()  # the filing room tidies
    kiosk.stop()
    for file in kiosk.paths.database.parent.glob("kiosk.db*"):
        file.unlink()
    kiosk.start_in_thread()
    assert kiosk.get(f"/v1/filings/{filing}")["delivered"] is True
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


def test_second_copies_go_with_the_first_and_undelivered_ones_never(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.start_in_thread()
    delivered = kiosk.make_hearing(video=1000, files=1)
    kiosk.wait_delivered("hearing", delivered)
    kiosk.stop()
    paths, mirror = kiosk.paths, tmp_path / "mirror"
    mirror.mkdir()
    write_marker(mirror, kiosk.settings.kiosk.id, "mirror")
    for name in (delivered, "undelivered"):
        shutil.copytree(paths.hearings / delivered, mirror / "hearings" / name)
    path_settings = kiosk.settings.paths.model_copy(update={"mirror": mirror})
    room = SyncContext(kiosk.settings.model_copy(update={"paths": path_settings}), lambda: None)

    def left() -> list[str]:
        return sorted(path.name for path in (mirror / "hearings").iterdir())

    Retention(room).apply()
    assert left() == sorted([delivered, "undelivered"])
    (mirror / "hearings" / delivered / "SHA256SUMS").write_text(f"{'0' * 64}  part-01/x\n")
    Retention(room, timedelta(0)).apply()
    assert not (paths.hearings / delivered).exists()
    assert left() == sorted([delivered, "undelivered"]), "the receipt does not cover this copy"
    shutil.rmtree(mirror / "hearings" / delivered)
    shutil.copytree(mirror / "hearings" / "undelivered", mirror / "hearings" / delivered)
    Retention(room, timedelta(0)).apply()
    assert left() == ["undelivered"]
    room.close()
