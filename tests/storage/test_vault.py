"""Two storages at once: pulled out, full, read-only, slow, swapped; both the same in the end."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.errors import StorageError
from kiosk.storage.mirrored_store import Vault
from kiosk.storage.volume import Disk
from kiosk.storage.volume_marker import MirrorRefusedError, adopt, write_marker
from tests.storage.mounts import Stick, sticks
from tests.waiting import wait_for

KIOSK = "kiosk-0001"
HEARING = "2f1c9a52-0000-4000-8000-000000000001"
OTHER = "2f1c9a52-0000-4000-8000-000000000002"


class Log:
    """A log that a test writes through a vault."""

    def __init__(self, rig: Rig, name: str, hearing: str = HEARING) -> None:
        self.path = rig.own.at / "hearings" / hearing / name
        self._rig = rig
        self.data = b""

    def add(self, size: int = 1000, wait_s: float = 10.0) -> float:
        """Append; return the seconds until it was durable."""
        data = os.urandom(size)
        begin = time.monotonic()
        ticket = self._rig.vault.append(self.path, len(self.data), data)
        self.data += data
        while time.monotonic() - begin < wait_s:
            try:
                if ticket.done(0.05):
                    return time.monotonic() - begin
            except (OSError, StorageError):
                time.sleep(0.02)
        raise AssertionError("not durable")

    def on(self, stick: Stick) -> bytes:
        """Return what lies on one storage."""
        path = stick.at / self.path.relative_to(self._rig.own.at)
        return path.read_bytes() if path.exists() else b""


class Rig:
    """Two storages and a vault over them."""

    def __init__(self, own: Stick, mirror: Stick) -> None:
        self.own, self.mirror = own, mirror
        write_marker(own.at, KIOSK, "data")
        write_marker(mirror.at, KIOSK, "mirror")
        self.disks = (Disk(own.at, KIOSK, "data"), Disk(mirror.at, KIOSK, "mirror"))
        self.vault = self.open()

    def open(self) -> Vault:
        """Open the vault (again)."""
        self.vault = Vault(*self.disks)
        self.vault.start_copying()
        return self.vault

    def trouble(self) -> dict[str, str]:
        """Return the troubles by storage."""
        return {one.source: one.kind for one in self.vault.troubles()}

    def until(self, **kinds: str) -> None:
        """Wait for exactly these troubles: within 2 s of time that is the kiosk's."""
        wait_for(lambda: self.trouble() == kinds, f"{kinds}", 20)

    def until_same(self) -> None:
        """Wait until both hold the same files."""
        wait_for(lambda: tree(self.own.at) == tree(self.mirror.at), "two copies", 30)


def tree(root: Path) -> dict[str, bytes]:
    """Return all files of hearings."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in (root / "hearings").rglob("*")
        if path.is_file()
    }


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with sticks(tmp_path, "own", "mirror") as (own, mirror):
        rig = Rig(own, mirror)
        yield rig
        rig.vault.close(1)


def test_both_have_everything(rig: Rig) -> None:
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    for _ in range(20):
        log.add()
    rig.vault.write_whole(log.path.with_name("hearing.json"), b"{}\n")
    rig.until_same()
    assert log.on(rig.own) == log.data
    assert rig.trouble() == {}
    assert rig.vault.mirror_state()["state"] == "ok"


def test_a_mirror_that_is_pulled_out_catches_up_when_it_is_back(rig: Rig) -> None:
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.add()
    rig.mirror.pull()
    rig.until(mirror="absent")
    for _ in range(20):
        log.add()
    more = Log(rig, "part-01/main/run-01/000002.m4s")
    more.add()
    assert rig.vault.mirror_state()["state"] == "absent"
    assert list(rig.mirror.at.iterdir()) == [], "the mount point is not filled"
    rig.mirror.plug()
    rig.until()
    more.add()
    rig.until_same()
    wait_for(lambda: rig.vault.mirror_state()["behind_bytes"] == 0, "nothing behind")


def test_another_kiosks_stick_is_refused_and_nothing_is_slower(rig: Rig) -> None:
    rig.mirror.pull()
    rig.until(mirror="absent")
    marker = rig.mirror.at / "kiosk-storage.json"
    write_marker(rig.mirror.at, "kiosk-9999", "mirror")
    rig.until(mirror="foreign")
    log = Log(rig, "journal.jsonl")
    log.add()
    assert log.on(rig.mirror) == b""
    marker.unlink()
    rig.mirror.plug()
    rig.until()
    rig.until_same()


def test_the_kiosks_own_disk_becomes_read_only_and_writable_again(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.add()
    rig.until_same()
    rig.own.read_only()
    rig.until(storage="read_only")
    for _ in range(20):
        log.add()
    assert log.on(rig.mirror) == log.data
    assert rig.vault.locate(log.path) == rig.mirror.at / log.path.relative_to(rig.own.at)
    rig.own.read_only(on=False)
    rig.until()
    rig.until_same()
    log.add()
    assert rig.vault.locate(log.path) == log.path


def test_the_kiosks_own_disk_is_gone_for_longer_than_memory_lasts(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.storage.mirror_worker.QUEUE_BYTES", 100_000)
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.add()
    rig.until_same()
    rig.own.pull()
    rig.until(storage="gone")
    for _ in range(30):
        log.add(20_000)
    wait_for(lambda: rig.vault.memory_bytes == 0, "memory is free")
    log.add()
    assert log.on(rig.mirror) == log.data
    assert list(rig.own.at.iterdir()) == []
    rig.own.plug()
    rig.until()
    log.add()
    rig.until_same()
    assert log.on(rig.own) == log.data


def test_a_full_mirror_costs_nothing_and_heals(tmp_path: Path) -> None:
    with (
        sticks(tmp_path, "own") as (own,),
        sticks(tmp_path, "mirror", megabytes=1) as (mirror,),
    ):
        rig = Rig(own, mirror)
        log = Log(rig, "part-01/main/run-01/000001.m4s")
        for _ in range(30):
            log.add(100_000)
        rig.until(mirror="full")
        mirror.resize(64)
        rig.until()
        rig.until_same()
        rig.vault.close(1)


def test_a_full_disk_goes_on_on_the_mirror(tmp_path: Path) -> None:
    with (
        sticks(tmp_path, "own", megabytes=1) as (own,),
        sticks(tmp_path, "mirror") as (mirror,),
    ):
        rig = Rig(own, mirror)
        log = Log(rig, "part-01/main/run-01/000001.m4s")
        for _ in range(30):
            log.add(100_000)
        rig.until(storage="full")
        assert log.on(mirror) == log.data
        own.resize(64)
        rig.until()
        rig.until_same()
        rig.vault.close(1)


class Slow(Disk):
    """A disk whose writes wait for a test's word."""

    gate = threading.Event()

    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Wait, then append."""
        self.gate.wait(30)
        super().append(relative, offset, data)


@pytest.mark.parametrize("slow", ["storage", "mirror"])
def test_a_disk_that_hangs_delays_nobody(rig: Rig, slow: str) -> None:
    rig.vault.close(1)
    place = ("storage", "mirror").index(slow)
    stick = (rig.own, rig.mirror)[place]
    disk = Slow(stick.at, KIOSK, rig.disks[place].role)
    disk.gate.clear()
    rig.disks = (disk, rig.disks[1]) if slow == "storage" else (rig.disks[0], disk)
    rig.open()
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    for _ in range(5):
        log.add()
    rig.until(**{slow: "slow"})
    other = (rig.mirror, rig.own)[place]
    assert log.on(other) == log.data
    assert rig.vault.memory_bytes >= 4000
    assert rig.vault.locate(log.path).is_relative_to(other.at)
    disk.gate.set()
    rig.until_same()
    rig.until()


def test_without_any_disk_memory_holds_it_until_one_is_back(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.add()
    rig.until_same()
    rig.own.pull()
    rig.mirror.pull()
    rig.until(storage="gone", mirror="absent")
    ticket = rig.vault.append(log.path, len(log.data), b"more")
    with pytest.raises((OSError, StorageError)):
        ticket.done(1)
    assert rig.vault.waiting_bytes == 4
    with pytest.raises(StorageError):
        rig.vault.write_whole(log.path.with_name("hearing.json"), b"{}")
    rig.own.plug()
    wait_for(lambda: ticket.done(0.1) if rig.trouble().get("storage") is None else False, "it")
    assert log.on(rig.own) == log.data + b"more"
    rig.mirror.plug()
    rig.until_same()


def test_what_was_withdrawn_leaves_nothing(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.add()
    rig.until_same()
    rig.own.read_only()
    rig.mirror.pull()
    rig.until(storage="read_only", mirror="absent")
    ticket = rig.vault.append(log.path, len(log.data), b"a line that nobody takes")
    with pytest.raises((OSError, StorageError)):
        ticket.done(1)
    assert ticket.withdraw()
    rig.own.read_only(on=False)
    rig.mirror.plug()
    rig.until()
    log.add(5)
    rig.until_same()
    assert log.on(rig.own) == log.data


def test_hearings_of_before_are_caught_up_and_what_no_seal_covers_is_set_aside(rig: Rig) -> None:
    rig.vault.close(1)
    folder = rig.own.at / "hearings" / OTHER
    (folder / "part-01").mkdir(parents=True)
    for name in ("journal.jsonl", "part-01/a.m4s", "SHA256SUMS", "SHA256SUMS.p7s"):
        (folder / name).write_bytes(os.urandom(3000))
    stray = rig.mirror.at / "hearings" / OTHER / "part-01" / "b.m4s"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"not of this hearing")
    (stray.parent / "a.m4s").write_bytes((folder / "part-01/a.m4s").read_bytes()[:100] + b"torn")
    rig.open()
    rig.until_same()
    assert (rig.mirror.at / "set-aside/hearings" / OTHER / "part-01/b.m4s").exists()


def test_a_hearing_that_only_the_mirror_has_comes_back(rig: Rig) -> None:
    rig.vault.close(1)
    folder = rig.mirror.at / "hearings" / OTHER
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(b"line\n")
    (folder / "SHA256SUMS.p7s").write_bytes(b"seal")
    rig.open()
    rig.until_same()


def test_replaced_files_do_not_survive_on_a_mirror_that_comes_back(rig: Rig) -> None:
    plain, sealed = Log(rig, "part-01/main/000001.m4s"), Log(rig, "part-01/main/000001.tar")
    plain.add()
    rig.until_same()
    rig.mirror.pull()
    rig.until(mirror="absent")
    sealed.add()
    rig.vault.replace([plain.path], [sealed.path])
    assert not plain.path.exists()
    rig.vault.close(1)
    rig.mirror.plug()
    rig.open()  # even after a restart
    rig.until_same()
    assert plain.on(rig.mirror) == b""
    assert sealed.on(rig.mirror) == sealed.data


def test_one_after_the_other_missing_leaves_a_hole_that_is_filled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.storage.mirror_worker.QUEUE_BYTES", 10_000)
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.add()
    rig.until_same()
    rig.own.pull()
    rig.until(storage="gone")
    for _ in range(30):
        log.add(1000)
    wait_for(lambda: rig.vault.memory_bytes == 0, "left to the copier")
    rig.mirror.pull()
    rig.until(storage="gone", mirror="absent")
    rig.own.plug()  # it goes on with what comes now, the middle is on the mirror alone
    rig.until(mirror="absent")
    for _ in range(5):
        log.add(1000)
    rig.mirror.plug()
    rig.until()
    rig.until_same()
    assert log.on(rig.own) == log.data


def test_what_does_not_agree_with_the_journal_is_not_copied(rig: Rig) -> None:
    rig.vault.close(1)
    folder = rig.own.at / "hearings" / OTHER
    folder.mkdir(parents=True)
    (folder / "a.m4s").write_bytes(b"damaged by the disk")
    (folder / "b.m4s").write_bytes(b"good")
    good = hashlib.sha256(b"good").hexdigest()
    records = {"a.m4s": [(0, 19, good)], "b.m4s": [(0, 4, good)]}
    rig.vault = Vault(*rig.disks, lambda _folder: records)
    rig.vault.start_copying()
    copy = rig.mirror.at / "hearings" / OTHER
    wait_for(lambda: (copy / "b.m4s").exists(), "the good one")
    assert rig.vault.mirror_state()["state"] == "behind"
    assert not (copy / "a.m4s").exists()


def test_command(rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text(
        f'[kiosk]\nid = "kiosk-0002"\n[paths]\ndata = "{rig.own.at}"\nmirror = "{rig.mirror.at}"\n'
    )
    kiosk = ["--config", str(settings), "mirror"]
    assert main([*kiosk, "show"]) == 1
    assert "foreign" in capsys.readouterr().out
    assert main([*kiosk, "adopt", str(rig.mirror.at)]) == 1
    assert "belongs to kiosk-0001" in capsys.readouterr().err
    assert main([*kiosk, "adopt", "--takeover", str(rig.mirror.at)]) == 0
    assert main([*kiosk, "show"]) == 0
    assert "free" in capsys.readouterr().out


def test_adoption(rig: Rig, tmp_path: Path) -> None:
    assert adopt(rig.mirror.at, KIOSK, rig.own.at) == adopt(rig.mirror.at, KIOSK, rig.own.at)
    inside = rig.own.at / "folder"
    inside.mkdir()
    with pytest.raises(MirrorRefusedError, match="same file system"):
        adopt(inside, KIOSK, rig.own.at)
    with pytest.raises(MirrorRefusedError, match="belongs to kiosk-0001"):
        adopt(rig.mirror.at, "kiosk-0002", rig.own.at)
    with pytest.raises(MirrorRefusedError):
        adopt(tmp_path / "nowhere", KIOSK, rig.own.at)
