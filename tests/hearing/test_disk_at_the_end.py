"""A part ends while its disk stalls or is full: nothing is lost, and the ledger is true."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume import StorageVolume
from tests.hearing.mirror_rig import MirrorRig
from tests.support.mounts import sticks


class Disks:
    """Stalls or fills the disks of a kiosk, chosen by role, until they are well again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kind = ""
        self.roles: tuple[str, ...] = ()
        self._well = threading.Event()
        self._well.set()
        for name in ("append", "write_file", "make_folder"):
            monkeypatch.setattr(StorageVolume, name, self._wrap(getattr(StorageVolume, name)))

    def _wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def run(volume: StorageVolume, *arguments: Any, **named: Any) -> Any:
            if volume.role in self.roles and self.kind == "full" and not self._well.is_set():
                raise OSError(errno.ENOSPC, "No space left on device")
            if volume.role in self.roles and self.kind == "stalled":
                self._well.wait(60)
            return real(volume, *arguments, **named)

        return run

    def fail(self, kind: str, *roles: str) -> None:
        """Stall or fill the disks of these roles."""
        self.kind, self.roles = kind, roles
        self._well.clear()

    def heal(self) -> None:
        """Let everything go on."""
        self._well.set()


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disks]:
    disks = Disks(monkeypatch)
    yield disks
    disks.heal()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MirrorRig]:
    with sticks(tmp_path, "own", "mirror", megabytes=200) as (own, mirror):
        rig = MirrorRig(tmp_path, own, mirror)
        yield rig
        rig.crash()


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize(
    ("step", "roles", "kind"),
    [
        ("recess", ("data",), "stalled"),
        ("recess", ("data", "mirror"), "stalled"),
        ("recess", ("data", "mirror"), "full"),
        ("retire", ("data",), "full"),
        ("end", ("data", "mirror"), "stalled"),
    ],
)
def test_what_the_disk_takes_after_the_end_is_in_the_record(
    rig: MirrorRig, disks: Disks, step: str, roles: tuple[str, ...], kind: str
) -> None:
    folder = rig.start_hearing()
    rig.run(3)
    rig.until("ok", "ok")
    disks.fail(kind, *roles)
    rig.run(2)
    getattr(rig.courtroom, step)("p1")
    captured = rig.parts[-1]
    disks.heal()
    if step != "end":
        rig.courtroom.end("p1")
    rig.wait_sealed()
    rig.wait_same()
    for stick in (rig.own, rig.mirror):
        report = verify(stick.folder / folder, rig.court.ca, decode=True)
        assert report.problems == []
        (part,) = report.parts
        assert part.video_frames == captured.video_frames
        assert part.samples == captured.samples
    entries = read_chain(rig.own.folder / folder / "part-01" / "journal.jsonl").entries
    losses = [entry.get("seconds") or 0 for entry in entries if entry.get("source") == "storage"]
    (closed,) = (entry for entry in entries if entry["kind"] == "closed")
    # the virtual sources may stand still before the end, which is in real time
    missing = max(0, closed["stop_ns"] - captured.now_ns) / NS_PER_S
    assert sum(losses) == pytest.approx(missing, abs=0.25)
