"""Two storages, one of them unplugged, full, read-only, slow or swapped: finally both are equal."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pyrage
import pytest

from kiosk.cli import main
from kiosk.errors import StorageError
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.volume import SET_ASIDE, StorageVolume
from kiosk.storage.volume_marker import (
    MARKER_FILE,
    MirrorRefusedError,
    adopt_mirror,
    write_marker,
)
from tests.support.mounts import Stick, read_hearing_files, sticks
from tests.support.waiting import wait_for

KIOSK = "kiosk-0001"
HEARING = "2f1c9a52-0000-4000-8000-000000000001"
OTHER = "2f1c9a52-0000-4000-8000-000000000002"


class Log:
    """A log that a test writes through the store."""

    def __init__(self, rig: Rig, name: str, hearing: str = HEARING) -> None:
        self.path = rig.primary.folder / "hearings" / hearing / name
        self._rig = rig
        self.data = b""

    def append(self, size: int = 1000, wait_s: float = 10.0) -> float:
        """Append; return the seconds until it was durable."""
        data = os.urandom(size)
        begin = time.monotonic()
        ticket = self._rig.store.append(self.path, len(self.data), data)
        self.data += data
        while time.monotonic() - begin < wait_s:
            try:
                if ticket.is_durable(0.05):
                    return time.monotonic() - begin
            except (OSError, StorageError):
                time.sleep(0.02)
        raise AssertionError("not durable")

    def content_on(self, stick: Stick) -> bytes:
        """Return the content of the log on one storage."""
        path = stick.folder / self.path.relative_to(self._rig.primary.folder)
        return path.read_bytes() if path.exists() else b""


class Rig:
    """Two storages and a mirrored store over them."""

    def __init__(self, primary: Stick, mirror: Stick) -> None:
        self.primary, self.mirror = primary, mirror
        write_marker(primary.folder, KIOSK, "data")
        write_marker(mirror.folder, KIOSK, "mirror")
        self.disks = (
            StorageVolume(primary.folder, KIOSK, "data"),
            StorageVolume(mirror.folder, KIOSK, "mirror"),
        )
        self.store = self.open_store()

    def open_store(self) -> MirroredStore:
        """Open the store (again)."""
        self.store = MirroredStore(*self.disks)
        self.store.start_catch_up()
        return self.store

    def problems(self) -> dict[str, str]:
        """Return the problems by storage."""
        return {problem.source: problem.kind for problem in self.store.problems()}

    def wait_for_problems(self, **kinds: str) -> None:
        """Wait for exactly these problems."""
        wait_for(lambda: self.problems() == kinds, f"{kinds}")

    def wait_for_copies(self) -> None:
        """Wait until both hold the same files."""
        wait_for(
            lambda: (
                read_hearing_files(self.primary.folder) == read_hearing_files(self.mirror.folder)
            ),
            "two copies",
        )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with sticks(tmp_path, "own", "mirror") as (primary, mirror):
        rig = Rig(primary, mirror)
        yield rig
        rig.store.close(1)


@pytest.mark.root
def test_both_have_everything(rig: Rig) -> None:
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    for _ in range(20):
        log.append()
    rig.store.write_file(log.path.with_name("hearing.json"), b"{}\n")
    rig.wait_for_copies()
    assert log.content_on(rig.primary) == log.data
    assert rig.problems() == {}
    assert rig.store.mirror_status().state == "ok"


@pytest.mark.root
def test_a_mirror_that_is_pulled_out_catches_up_when_it_is_back(rig: Rig) -> None:
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.append()
    rig.mirror.pull()
    rig.wait_for_problems(mirror="absent")
    for _ in range(20):
        log.append()
    more = Log(rig, "part-01/main/run-01/000002.m4s")
    more.append()
    assert rig.store.mirror_status().state == "absent"
    assert list(rig.mirror.folder.iterdir()) == [], "the mount point is not filled"
    rig.mirror.plug()
    rig.wait_for_problems()
    more.append()
    rig.wait_for_copies()
    wait_for(lambda: rig.store.mirror_status().behind_bytes == 0, "nothing behind")


@pytest.mark.root
@pytest.mark.parametrize("operation", ["append", "write_file", "make_folder", "patch"])
def test_a_disk_pulled_out_in_the_middle_of_an_operation_leaves_nothing_on_its_mount_point(
    tmp_path: Path, operation: str
) -> None:
    with sticks(tmp_path, "own", "mirror") as (_, mirror):
        write_marker(mirror.folder, KIOSK, "mirror")
        volume = PulledVolume(mirror.folder, KIOSK, "mirror")
        volume.pull = mirror.pull
        name = f"hearings/{HEARING}/journal.jsonl"
        arguments = {"append": (0, b"1"), "write_file": (b"1",), "patch": (0, b"1")}
        with contextlib.suppress(OSError, StorageError):  # a disk that is gone may refuse
            getattr(volume, operation)(name, *arguments.get(operation, ()))
        assert not mirror.is_plugged
        assert list(mirror.folder.iterdir()) == []


class PulledVolume(StorageVolume):
    """A disk that is pulled out just after it was seen to be there."""

    pull: Callable[[], None]

    def identity(self, root: Path | None = None) -> tuple[str, str]:
        """Return what it is, and pull it out."""
        found = super().identity(root)
        self.pull()
        return found


@pytest.mark.slow
@pytest.mark.root
def test_another_kiosks_stick_is_refused_and_nothing_is_slower(rig: Rig) -> None:
    rig.mirror.pull()
    rig.wait_for_problems(mirror="absent")
    marker = rig.mirror.folder / "kiosk-storage.json"
    write_marker(rig.mirror.folder, "kiosk-9999", "mirror")
    rig.wait_for_problems(mirror="foreign")
    log = Log(rig, "journal.jsonl")
    log.append()
    assert log.content_on(rig.mirror) == b""
    marker.unlink()
    rig.mirror.plug()
    rig.wait_for_problems()
    rig.wait_for_copies()


@pytest.mark.root
def test_the_kiosks_own_disk_becomes_read_only_and_writable_again(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.append()
    rig.wait_for_copies()
    rig.primary.read_only()
    rig.wait_for_problems(storage="read_only")
    for _ in range(20):
        log.append()
    assert log.content_on(rig.mirror) == log.data
    assert rig.store.locate(log.path) == rig.mirror.folder / log.path.relative_to(
        rig.primary.folder
    )
    rig.primary.read_only(on=False)
    rig.wait_for_problems()
    rig.wait_for_copies()
    log.append()
    assert rig.store.locate(log.path) == log.path


@pytest.mark.slow
@pytest.mark.root
def test_the_kiosks_own_disk_is_gone_for_longer_than_memory_lasts(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.storage.volume_worker.MAX_QUEUE_BYTES", 100_000)
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.append()
    rig.wait_for_copies()
    rig.primary.pull()
    rig.wait_for_problems(storage="gone")
    for _ in range(30):
        log.append(20_000)
    wait_for(lambda: rig.store.queued_bytes == 0, "memory is free")
    log.append()
    assert log.content_on(rig.mirror) == log.data
    assert list(rig.primary.folder.iterdir()) == []
    rig.primary.plug()
    rig.wait_for_problems()
    log.append()
    rig.wait_for_copies()
    assert log.content_on(rig.primary) == log.data


@pytest.mark.root
def test_a_full_mirror_costs_nothing_and_heals(tmp_path: Path) -> None:
    with (
        sticks(tmp_path, "own") as (primary,),
        sticks(tmp_path, "mirror", megabytes=1) as (mirror,),
    ):
        rig = Rig(primary, mirror)
        log = Log(rig, "part-01/main/run-01/000001.m4s")
        for _ in range(30):
            log.append(100_000)
        rig.wait_for_problems(mirror="full")
        mirror.resize(64)
        rig.wait_for_problems()
        rig.wait_for_copies()
        rig.store.close(1)


@pytest.mark.root
def test_a_full_disk_goes_on_on_the_mirror(tmp_path: Path) -> None:
    with (
        sticks(tmp_path, "own", megabytes=1) as (primary,),
        sticks(tmp_path, "mirror") as (mirror,),
    ):
        rig = Rig(primary, mirror)
        log = Log(rig, "part-01/main/run-01/000001.m4s")
        for _ in range(30):
            log.append(100_000)
        rig.wait_for_problems(storage="full")
        assert log.content_on(mirror) == log.data
        primary.resize(64)
        rig.wait_for_problems()
        rig.wait_for_copies()
        rig.store.close(1)


class SlowVolume(StorageVolume):
    """A disk whose writes wait until a test allows them."""

    gate = threading.Event()

    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Wait, then append."""
        self.gate.wait(30)
        super().append(relative, offset, data)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("slow", ["storage", "mirror"])
def test_a_disk_that_hangs_delays_nobody(rig: Rig, slow: str) -> None:
    rig.store.close(1)
    index = ("storage", "mirror").index(slow)
    stick = (rig.primary, rig.mirror)[index]
    disk = SlowVolume(stick.folder, KIOSK, rig.disks[index].role)
    disk.gate.clear()
    rig.disks = (disk, rig.disks[1]) if slow == "storage" else (rig.disks[0], disk)
    rig.open_store()
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    for _ in range(5):
        log.append()
        assert rig.store.locate(log.path).read_bytes() == log.data  # before it counts as slow, too
    rig.wait_for_problems(**{slow: "slow"})
    other = (rig.mirror, rig.primary)[index]
    assert log.content_on(other) == log.data
    assert rig.store.queued_bytes >= 4000
    assert rig.store.locate(log.path).is_relative_to(other.folder)
    disk.gate.set()
    rig.wait_for_copies()
    rig.wait_for_problems()


@pytest.mark.slow
@pytest.mark.root
def test_without_any_disk_memory_holds_it_until_one_is_back(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.append()
    rig.wait_for_copies()
    rig.primary.pull()
    rig.mirror.pull()
    rig.wait_for_problems(storage="gone", mirror="absent")
    ticket = rig.store.append(log.path, len(log.data), b"more")
    with pytest.raises((OSError, StorageError)):
        ticket.is_durable(1)
    assert rig.store.unwritten_bytes == 4
    with pytest.raises(StorageError):
        rig.store.write_file(log.path.with_name("hearing.json"), b"{}")
    rig.primary.plug()
    wait_for(
        lambda: ticket.is_durable(0.1) if rig.problems().get("storage") is None else False, "it"
    )
    assert log.content_on(rig.primary) == log.data + b"more"
    rig.mirror.plug()
    rig.wait_for_copies()


@pytest.mark.root
def test_what_was_withdrawn_leaves_nothing(rig: Rig) -> None:
    log = Log(rig, "journal.jsonl")
    log.append()
    rig.wait_for_copies()
    rig.primary.read_only()
    rig.mirror.pull()
    rig.wait_for_problems(storage="read_only", mirror="absent")
    ticket = rig.store.append(log.path, len(log.data), b"a line that nobody takes")
    with pytest.raises((OSError, StorageError)):
        ticket.is_durable(1)
    assert ticket.cancel()
    rig.primary.read_only(on=False)
    rig.mirror.plug()
    rig.wait_for_problems()
    log.append(5)
    rig.wait_for_copies()
    assert log.content_on(rig.primary) == log.data


@pytest.mark.root
def test_hearings_of_before_are_caught_up_and_what_no_seal_covers_is_set_aside(rig: Rig) -> None:
    rig.store.close(1)
    folder = rig.primary.folder / "hearings" / OTHER
    (folder / "part-01").mkdir(parents=True)
    for name in ("journal.jsonl", "part-01/a.m4s", "SHA256SUMS", "SHA256SUMS.p7s"):
        (folder / name).write_bytes(os.urandom(3000))
    stray = rig.mirror.folder / "hearings" / OTHER / "part-01" / "b.m4s"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"not of this hearing")
    (stray.parent / "a.m4s").write_bytes((folder / "part-01/a.m4s").read_bytes()[:100] + b"torn")
    rig.open_store()
    rig.wait_for_copies()
    assert (rig.mirror.folder / "set-aside/hearings" / OTHER / "part-01/b.m4s").exists()


@pytest.mark.root
def test_a_hearing_that_only_the_mirror_has_comes_back(rig: Rig) -> None:
    rig.store.close(1)
    folder = rig.mirror.folder / "hearings" / OTHER
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(b"line\n")
    (folder / "SHA256SUMS.p7s").write_bytes(b"seal")
    rig.open_store()
    rig.wait_for_copies()


@pytest.mark.root
def test_replaced_files_do_not_survive_on_a_mirror_that_comes_back(rig: Rig) -> None:
    plain, sealed = Log(rig, "part-01/main/000001.m4s"), Log(rig, "part-01/main/000001.tar")
    plain.append()
    rig.wait_for_copies()
    rig.mirror.pull()
    rig.wait_for_problems(mirror="absent")
    sealed.append()
    rig.store.replace_files([plain.path], [sealed.path])
    assert not plain.path.exists()
    rig.store.close(1)
    rig.mirror.plug()
    rig.open_store()  # even after a restart
    rig.wait_for_copies()
    assert plain.content_on(rig.mirror) == b""
    assert sealed.content_on(rig.mirror) == sealed.data


@pytest.mark.root
def test_what_is_set_aside_of_closed_files_is_encrypted_on_either_storage(rig: Rig) -> None:
    """The second copy is away meanwhile; a file that is only set aside follows the closed one."""
    court = pyrage.x25519.Identity.generate()
    for disk in rig.disks:
        disk.encrypt_to_court = lambda plain: pyrage.encrypt(plain, [court.to_public()])
    log, new = Log(rig, "part-01/main/run-01/000002.m4s"), Log(rig, "part-01/main/run-01/2.tar")
    log.append()
    new.append()
    rig.wait_for_copies()
    rig.mirror.pull()
    rig.wait_for_problems(mirror="absent")
    name = log.path.relative_to(rig.primary.folder).as_posix()
    gone = [f"{name}.900", f"only-here/{name}.0-1000", f"only-here/{name}.0-1000-1"]
    gone.append(f"only-here/{name.replace('000002', '000003')}.0-10")
    earlier = f"only-here/{name.replace('000002', '000001')}.0-10"

    def set_aside(stick: Stick) -> dict[str, bytes]:
        """Return what is there in plain, and what the court can open, by name of the plain file."""
        root, found = stick.folder / SET_ASIDE, {}
        for path in root.rglob("*"):
            try:
                data = path.read_bytes()
            except (IsADirectoryError, FileNotFoundError):
                continue  # it is being removed
            relative = path.relative_to(root).as_posix()
            if path.suffix == ".age":
                relative = f"{relative.removesuffix('.age').rpartition('.')[0]} encrypted"
                data = pyrage.decrypt(data, [court])
            found[relative] = data
        return found

    def fill(stick: Stick) -> None:
        for kept in (*gone, earlier):
            path = stick.folder / SET_ASIDE / kept
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"plain {kept}".encode())

    kept_then = {f"{name} encrypted": f"plain {name}".encode() for name in gone}
    kept_then[earlier] = f"plain {earlier}".encode()
    fill(rig.primary)
    rig.store.replace_files([log.path], [new.path])
    assert set_aside(rig.primary) == kept_then
    rig.mirror.plug()
    fill(rig.mirror)
    wait_for(lambda: set_aside(rig.mirror) == kept_then, "the mirror is cleared")
    rig.wait_for_copies()


@pytest.mark.root
def test_what_is_set_aside_of_a_file_that_was_only_removed_stays(rig: Rig) -> None:
    """A torn file goes; its bytes that may be media were set aside before."""
    torn, closed = Log(rig, "part-01/main/run-01/000002.m4s"), Log(rig, "part-01/main/3.m4s")
    replacement = Log(rig, "part-01/main/3.tar")
    for log in (torn, closed, replacement):
        log.append()
    rig.wait_for_copies()
    name = torn.path.relative_to(rig.primary.folder).as_posix()
    kept = [stick.folder / SET_ASIDE / f"{name}.0" for stick in (rig.primary, rig.mirror)]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"perhaps media")
    rig.store.replace_files([torn.path], [])
    rig.store.replace_files([closed.path], [replacement.path])
    rig.wait_for_copies()
    rig.store.close(1)
    rig.open_store()
    wait_for(lambda: closed.content_on(rig.mirror) == torn.content_on(rig.mirror) == b"", "gone")
    rig.wait_for_copies()
    assert [path.read_bytes() for path in kept] == [b"perhaps media"] * 2


@pytest.mark.slow
@pytest.mark.root
def test_one_after_the_other_missing_leaves_a_hole_that_is_filled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.storage.volume_worker.MAX_QUEUE_BYTES", 10_000)
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.append()
    rig.wait_for_copies()
    rig.primary.pull()
    rig.wait_for_problems(storage="gone")
    for _ in range(30):
        log.append(1000)
    wait_for(lambda: rig.store.queued_bytes == 0, "left to the copier")
    rig.mirror.pull()
    rig.wait_for_problems(storage="gone", mirror="absent")
    rig.primary.plug()  # it continues with new bytes; the middle is on the mirror alone
    rig.wait_for_problems(mirror="absent")
    for _ in range(5):
        log.append(1000)
    rig.mirror.plug()
    rig.wait_for_problems()
    rig.wait_for_copies()
    assert log.content_on(rig.primary) == log.data


class SwappedVolume(StorageVolume):
    """A disk in whose place another comes just when it is looked at."""

    swap: ClassVar[list[Callable[[], None]]] = []

    def identity(self, root: Path | None = None) -> tuple[str, str]:
        """Swap it, once, and return what is there."""
        while self.swap:
            self.swap.pop()()
        return super().identity(root)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("is_long", [False, True], ids=["for a moment", "until it is slow"])
def test_a_disk_with_an_older_copy_that_comes_while_the_mirror_writes_has_no_hole_left(
    rig: Rig, is_long: bool, caplog: pytest.LogCaptureFixture
) -> None:
    rig.store.close(1)
    mirror = SlowVolume(rig.mirror.folder, KIOSK, "mirror")
    mirror.gate.set()
    rig.disks = (SwappedVolume(rig.primary.folder, KIOSK, "data"), mirror)
    rig.open_store()
    log = Log(rig, "journal.jsonl")
    log.append()
    rig.wait_for_copies()
    tickets = []

    def swap() -> None:
        """Let a disk with an older copy come, and a line, in the same moment."""
        mirror.gate.clear()
        (rig.primary.folder / "kiosk-storage.json").unlink()
        log.path.write_bytes(log.data[:400])
        write_marker(rig.primary.folder, KIOSK, "data")
        tickets.append(rig.store.append(log.path, len(log.data), b"more"))
        log.data += b"more"

    SwappedVolume.swap = [swap]
    wait_for(lambda: "400 bytes, not 1000" in caplog.text, "the gap")
    if is_long:
        rig.wait_for_problems(mirror="slow")
    mirror.gate.set()
    wait_for(lambda: tickets[0].is_durable(0.1), "it")
    rig.wait_for_copies()
    assert log.content_on(rig.primary) == log.content_on(rig.mirror) == log.data
    assert rig.store.locate(log.path).read_bytes() == log.data


@pytest.mark.root
@pytest.mark.parametrize("damaged", ["own", "mirror", "both"])
def test_of_two_old_copies_the_one_that_agrees_with_the_journal_is_kept(
    rig: Rig, damaged: str
) -> None:
    rig.store.close(1)
    pieces = [os.urandom(3000) for _ in range(4)]
    whole = b"".join(pieces)
    ranges = [(i * 3000, 3000, hashlib.sha256(pieces[i]).hexdigest()) for i in range(4)]
    name = f"hearings/{OTHER}/part-01/main/run-01/000001.m4s"
    torn = {
        "own": whole[:4000] + b"torn" * 50 + whole[4200:],
        "mirror": whole[:7000] + b"torn" * 50 + whole[7200:],
    }
    for place, stick in (("own", rig.primary), ("mirror", rig.mirror)):
        path = stick.folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(torn[place] if damaged in (place, "both") else whole)
    records = {name.partition(f"{OTHER}/")[2]: ranges}
    rig.store = MirroredStore(*rig.disks, lambda _folder: records)
    rig.store.start_catch_up()
    sides = rig.primary.folder / name, rig.mirror.folder / name
    wait_for(lambda: {path.read_bytes() for path in sides} == {whole}, "two whole copies")
    for place, stick in (("own", rig.primary), ("mirror", rig.mirror)):
        kept = list((stick.folder / "set-aside/only-here" / name).parent.glob("*"))
        assert bool(kept) == (damaged in (place, "both"))
        for path in kept:
            begin, end = map(int, path.name.rpartition(".")[2].split("-"))
            assert path.read_bytes() == torn[place][begin:end]
    wait_for(lambda: rig.store.mirror_status().set_aside == 1, "the alarm")


@pytest.mark.root
def test_what_does_not_agree_with_the_journal_is_not_copied(rig: Rig) -> None:
    rig.store.close(1)
    folder = rig.primary.folder / "hearings" / OTHER
    folder.mkdir(parents=True)
    (folder / "a.m4s").write_bytes(b"damaged by the disk")
    (folder / "b.m4s").write_bytes(b"good")
    good = hashlib.sha256(b"good").hexdigest()
    records = {"a.m4s": [(0, 19, good)], "b.m4s": [(0, 4, good)]}
    rig.store = MirroredStore(*rig.disks, lambda _folder: records)
    rig.store.start_catch_up()
    copy = rig.mirror.folder / "hearings" / OTHER
    wait_for(lambda: (copy / "b.m4s").exists(), "the good one")
    assert rig.store.mirror_status().state == "behind"
    assert not (copy / "a.m4s").exists()


@pytest.mark.root
def test_command(rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text(
        f'[kiosk]\nid = "kiosk-0002"\n'
        f'[paths]\ndata = "{rig.primary.folder}"\nmirror = "{rig.mirror.folder}"\n'
    )
    kiosk = ["--config", str(settings), "mirror"]
    assert main([*kiosk, "show"]) == 1
    assert "foreign" in capsys.readouterr().out
    assert main([*kiosk, "adopt", str(rig.mirror.folder)]) == 1
    assert "belongs to kiosk-0001" in capsys.readouterr().err
    assert main([*kiosk, "adopt", "--takeover", str(rig.mirror.folder)]) == 0
    assert main([*kiosk, "show"]) == 0
    assert "free" in capsys.readouterr().out


@pytest.mark.root
def test_adoption(rig: Rig, tmp_path: Path) -> None:
    assert adopt_mirror(rig.mirror.folder, KIOSK, rig.primary.folder) == adopt_mirror(
        rig.mirror.folder, KIOSK, rig.primary.folder
    )
    inside = rig.primary.folder / "folder"
    inside.mkdir()
    with pytest.raises(MirrorRefusedError, match="same file system"):
        adopt_mirror(inside, KIOSK, rig.primary.folder)
    with pytest.raises(MirrorRefusedError, match="belongs to kiosk-0001"):
        adopt_mirror(rig.mirror.folder, "kiosk-0002", rig.primary.folder)
    with pytest.raises(MirrorRefusedError):
        adopt_mirror(tmp_path / "nowhere", KIOSK, rig.primary.folder)


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b"[]", b"\xff", b'{"uuid": ' + b"1" * 5000 + b"}"], ids=len
)
def test_a_marker_that_is_damaged_belongs_to_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARKER_FILE).write_bytes(content)
    assert StorageVolume(tmp_path, KIOSK, "mirror").identity() == ("foreign", "")


@pytest.mark.root
def test_a_stick_with_a_damaged_marker_in_a_hearing_stops_no_copying_for_good(rig: Rig) -> None:
    log = Log(rig, "part-01/main/run-01/000001.m4s")
    log.append()
    rig.wait_for_copies()
    marker = rig.mirror.folder / MARKER_FILE
    good = marker.read_bytes()
    marker.write_bytes(b"[" * 200_000)
    rig.wait_for_problems(mirror="foreign")
    log.append()
    marker.write_bytes(good)
    rig.wait_for_problems()
    rig.wait_for_copies()
    assert log.content_on(rig.mirror) == log.data


def test_files_of_one_name_and_length_that_are_set_aside_are_all_kept(tmp_path: Path) -> None:
    volume = StorageVolume(tmp_path, "kiosk-0001", "mirror")
    write_marker(tmp_path, "kiosk-0001", "mirror")
    name = f"hearings/{OTHER}/part-01/channels/run-01/000001.tar"
    contents = {b"first", b"other", b"third"}
    for content in contents:
        volume.write_file(name, content)
        volume.set_file_aside(name)
    kept = [path for path in (tmp_path / SET_ASIDE).rglob("*") if path.is_file()]
    assert {path.read_bytes() for path in kept} == contents
