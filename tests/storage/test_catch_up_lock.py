"""The copying asks a disk, which may hang, only without the lock that every append needs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.support.waiting import wait_for


def test_no_disk_is_asked_while_the_lock_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, mirror = tmp_path / "own", tmp_path / "mirror"
    own.mkdir()
    mirror.mkdir()
    write_marker(own, "kiosk-0001", "data")
    write_marker(mirror, "kiosk-0001", "mirror")
    store = MirroredStore(
        StorageVolume(own, "kiosk-0001", "data"), StorageVolume(mirror, "kiosk-0001", "mirror")
    )
    names = [f"hearings/2f1c9a52-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    for name in names:
        (own / name).mkdir(parents=True)
        (own / name / "hearing.json").write_bytes(b"{}")
    live = own / "hearings" / "live" / "journal.jsonl"
    real, held = Path.stat, list[bool]()

    def stat(path: Path, **options: Any) -> Any:
        thread = threading.current_thread().name
        if thread == "mirror-catch-up" and path.parent == own / "hearings":
            other = threading.Thread(target=lambda: store.append(live, 0, b"x"))
            other.start()
            other.join(20)  # append() never waits for a disk
            held.append(other.is_alive())
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    store.start_catch_up()
    try:
        wait_for(lambda: all((mirror / name / "hearing.json").exists() for name in names), "both")
    finally:
        store.close()
    assert held
    assert not any(held)
