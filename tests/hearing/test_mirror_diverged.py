"""A hearing goes on after a crash without the storage that has its newest bytes; it comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.hearing.room import storage_monitor
from kiosk.recording.verify.hearing import verify
from kiosk.storage.hearing_folder import JOURNAL_FILE, SIGNATURE
from kiosk.storage.volume import ONLY_HERE, SET_ASIDE
from tests.hearing.mirror_rig import MirrorRig
from tests.support.mounts import Stick, read_hearing_files
from tests.support.waiting import wait_for

ALARM = "copy_set_aside"


def check_kept(stick: Stick, before: dict[str, bytes]) -> int:
    """Check that no byte of what ``stick`` held is gone; return how many are set aside."""
    aside = 0
    for name, data in before.items():
        if not name.endswith((".m4s", ".mp4", JOURNAL_FILE)):
            continue
        path = stick.folder / name
        now = path.read_bytes() if path.exists() else b""
        if now.startswith(data):
            continue
        moved = stick.folder / SET_ASIDE / name
        found = [moved.read_bytes()] if moved.exists() else []
        place = stick.folder / ONLY_HERE / name
        for kept in place.parent.glob(f"{place.name}.*-{len(data)}"):
            begin = int(kept.name.rpartition(".")[2].partition("-")[0])
            found.append(now[:begin] + kept.read_bytes())
        assert data in found, f"{name}: {len(data)} bytes were there, {len(now)} are left"
        aside += len(data) - len(now)
    return aside


def go_on_without(rig: MirrorRig, *, next_part: bool) -> tuple[Path, dict[str, bytes]]:
    """Crash when the second storage has more; start without it; return what it has."""
    folder = rig.start_hearing()
    rig.run(3)
    rig.until("ok", "ok")
    rig.own.read_only()
    rig.until("read_only", "ok")
    rig.run(5)
    if next_part:
        rig.courtroom.recess("p1")
        rig.courtroom.resume("p1")
        rig.run(4)
    rig.crash()
    before = read_hearing_files(rig.mirror.folder)
    rig.own.read_only(on=False)
    assert len(before) > 0
    assert before != read_hearing_files(rig.own.folder)
    rig.mirror.pull()
    rig.start()
    assert rig.phase() == "recording"
    rig.run(2)
    return folder, before


def in_the_resumed_part(rig: MirrorRig) -> None:
    rig.run(1)


def in_recess(rig: MirrorRig) -> None:
    rig.courtroom.recess("p1")


def after_the_seal(rig: MirrorRig) -> None:
    rig.courtroom.end("p1")
    rig.wait_sealed()


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("next_part", [False, True])
@pytest.mark.parametrize(
    "when", [in_the_resumed_part, in_recess, after_the_seal], ids=lambda when: when.__name__
)
def test_what_only_the_second_storage_has_is_kept_when_it_is_back(
    mirror_rig: MirrorRig, when: Callable[[MirrorRig], None], next_part: bool
) -> None:
    folder, before = go_on_without(mirror_rig, next_part=next_part)
    when(mirror_rig)
    assert ALARM not in mirror_rig.codes()
    mirror_rig.mirror.plug()
    mirror_rig.until("ok", "ok")
    wait_for(lambda: ALARM in mirror_rig.codes(), "the alarm")
    if when is after_the_seal:
        mirror_rig.wait_same()
    else:
        if when is in_recess:
            mirror_rig.courtroom.resume("p1")
        mirror_rig.run(2)
        mirror_rig.end(folder)
    assert check_kept(mirror_rig.mirror, before) > 0
    mirror_rig.crash()
    mirror_rig.start()
    wait_for(lambda: ALARM in mirror_rig.codes(), "the alarm, until somebody has seen to it")


def start_without_own(rig: MirrorRig, newer: str) -> tuple[Path, dict[str, bytes]]:
    """Crash when storage ``newer`` has more; start without the own disk; return what it has."""
    files = (rig.paths.device_key, rig.paths.device_certificate)
    identity = {path: path.read_bytes() for path in files}
    folder = rig.start_hearing()
    rig.run(3)
    rig.wait_same()
    if newer == "own":
        rig.mirror.pull()
        rig.until("ok", "absent")
    else:
        rig.own.pull()
        rig.until("gone", "ok")
    rig.run(5)
    rig.crash()
    before = read_hearing_files(getattr(rig, newer).folder)
    if newer == "own":
        rig.own.pull()
        rig.mirror.plug()
    for path, data in identity.items():  # the mount point has none
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rig.start()
    return folder, before


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("newer", ["own", "mirror"])
def test_the_own_disk_is_mounted_only_after_the_hearing_went_on_from_the_copy(
    mirror_rig: MirrorRig, newer: str
) -> None:
    folder, before = start_without_own(mirror_rig, newer)
    assert mirror_rig.phase() == "recording", "the empty mount point is taken for the disk"
    mirror_rig.run(2)
    mirror_rig.own.plug()
    wait_for(lambda: (ALARM in mirror_rig.codes()) == (newer == "own"), "the alarm, or none")
    mirror_rig.run(2)
    mirror_rig.end(folder)
    assert (check_kept(getattr(mirror_rig, newer), before) > 0) == (newer == "own")


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("newer", ["own", "mirror"])
def test_what_was_not_recovered_without_the_own_disk_is_merged_at_the_next_start(
    mirror_rig: MirrorRig, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_monitor, "write_marker", lambda *_: None)  # a read-only mount point
    folder, before = start_without_own(mirror_rig, newer)
    mirror_rig.until("gone", "ok")
    mirror_rig.own.plug()
    mirror_rig.until("ok", "ok")
    store = mirror_rig.courtroom.storage.store
    wait_for(lambda: store.is_synced(folder.name), "two copies, or nothing to do")
    assert check_kept(getattr(mirror_rig, newer), before) == 0
    mirror_rig.crash()
    mirror_rig.start()
    assert mirror_rig.state()["recovered"]["hearing_id"] == folder.name
    mirror_rig.run(1)
    mirror_rig.end(folder)
    for stick in (mirror_rig.own, mirror_rig.mirror):
        assert check_kept(stick, before) == 0
    assert ALARM not in mirror_rig.codes()


@pytest.mark.slow
@pytest.mark.root
def test_minutes_that_only_the_mirror_has_are_merged_when_the_own_disk_takes_them(
    mirror_rig: MirrorRig,
) -> None:
    """Each storage has something, and the own one still refuses at the start: it waits."""
    folder = mirror_rig.start_hearing()
    mirror_rig.run(3)
    mirror_rig.until("ok", "ok")
    mirror_rig.own.read_only()
    mirror_rig.until("read_only", "ok")
    mirror_rig.run(5)
    mirror_rig.crash()
    before = read_hearing_files(mirror_rig.mirror.folder)
    mirror_rig.own.read_only(on=False)
    (mirror_rig.own.folder / folder / "journal.jsonl.damaged").write_bytes(b"only here")
    mirror_rig.own.read_only()
    mirror_rig.start()
    courtroom = mirror_rig.courtroom
    wait_for(lambda: courtroom.seal_queue.failing_hearings == (folder.name,), "a try")
    assert read_hearing_files(mirror_rig.mirror.folder) == before
    mirror_rig.own.read_only(on=False)
    wait_for((mirror_rig.own.folder / folder / SIGNATURE).exists, "the seal")
    mirror_rig.wait_same()
    assert check_kept(mirror_rig.mirror, before) == 0
    assert ALARM not in mirror_rig.codes()
    report = verify(mirror_rig.own.folder / folder, mirror_rig.court.ca, decode=True)
    assert report.ok, report.problems
    media = f"{folder}/part-01/main/run-01/000001.m4s"
    assert read_hearing_files(mirror_rig.own.folder)[media].startswith(before[media])
