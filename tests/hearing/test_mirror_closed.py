"""Declared closed since an earlier moment: nothing plain of it is left on the second storage."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.clocks import recording_ns
from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume import SET_ASIDE
from tests.hearing.test_mirror import MirrorRig, rig
from tests.recording.court_keys import CourtSecrets
from tests.storage.mounts import read_hearing_files
from tests.waiting import wait_for

__all__ = ["rig"]
PLAIN = (".m4s", ".mp4")


def media(root: Path) -> dict[str, bytes]:
    """Return the plain media of all hearings."""
    return {name: data for name, data in read_hearing_files(root).items() if name.endswith(PLAIN)}


def until_same(rig: MirrorRig) -> None:
    wait_for(
        lambda: read_hearing_files(rig.own.folder) == read_hearing_files(rig.mirror.folder),
        "two copies",
        60,
    )


def declare_closed(rig: MirrorRig, folder: Path, seconds: float) -> None:
    """Declare the hearing closed since ``seconds`` into part 2; wait until it is carried out."""
    first = read_chain(rig.own.folder / folder / "part-02/journal.jsonl").entries[0]
    after = (first["tap_ns"] - first["t"]) / 1e9 + seconds
    since = datetime.fromisoformat(first["at"]) + timedelta(seconds=after)
    body = {"since": since.isoformat()}
    rig.room.close_retroactively("p1", body, recording_ns(), None, "")
    wait_for(lambda: not rig.room.state()["hearing"]["replacing"], "the replacement", 30)


def samples_of(removed: dict[str, bytes], kept: dict[str, bytes]) -> list[bytes]:
    """Return pieces of the removed media, of every few hundred bytes, that nothing kept holds."""
    remaining = b"".join(kept.values())
    found = []
    for data in removed.values():
        pieces = (data[at : at + 48] for at in range(0, len(data) - 48, 331))
        found += [piece for piece in pieces if len(set(piece)) > 16 and piece not in remaining]
    return found


def check_nothing_left(stick: Path, before: dict[str, bytes]) -> None:
    """Scan every file on a storage for what was removed from it."""
    kept = media(stick)
    removed = {name: data for name, data in before.items() if name not in kept}
    assert {name.split("/")[3] for name in removed} == {"main", "channels"}
    samples = samples_of(removed, kept)
    assert len(samples) > 50
    for path in stick.rglob("*"):
        if not path.is_file():
            continue
        data, name = path.read_bytes(), path.relative_to(stick).as_posix()
        assert not any(sample in data for sample in samples), name
        if name not in kept:
            assert not any(box in data for box in (b"moof", b"moov")), name


def there_all_the_time(_rig: MirrorRig, close: Callable[[], None]) -> None:
    close()


def pulled_out_and_back(rig: MirrorRig, close: Callable[[], None]) -> None:
    rig.mirror.pull()
    rig.until("ok", "absent")
    close()
    rig.mirror.plug()


def back_after_a_restart(rig: MirrorRig, close: Callable[[], None]) -> None:
    rig.mirror.pull()
    rig.until("ok", "absent")
    close()
    rig.crash()
    rig.start()
    rig.until("ok", "absent")
    rig.mirror.plug()


def back_before_the_start(rig: MirrorRig, close: Callable[[], None]) -> None:
    rig.mirror.pull()
    rig.until("ok", "absent")
    close()
    rig.crash()
    rig.mirror.plug()
    rig.start()


WAYS = (there_all_the_time, pulled_out_and_back, back_after_a_restart, back_before_the_start)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_plain_is_left_on_the_second_storage(
    rig: MirrorRig, way: Callable[[MirrorRig, Callable[[], None]], None]
) -> None:
    secrets = CourtSecrets()
    secrets.pin(rig.paths)
    folder = rig.begin()
    rig.run(2)
    rig.room.recess("p1")
    rig.room.resume("p1")
    rig.run(5)
    until_same(rig)
    before = media(rig.mirror.folder)
    aside = rig.mirror.folder / SET_ASIDE / folder / "part-02/channels/run-01/000001.m4s"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(before[f"{folder}/part-02/channels/run-01/000001.m4s"])
    links = rig.mirror.folder / "links"  # what stays of a file after it is removed: its blocks
    blocks = {name: links / name.replace("/", "_") for name in before}
    links.mkdir()
    for name, link in blocks.items():
        os.link(rig.mirror.folder / name, link)
    way(rig, lambda: declare_closed(rig, folder, 1.0))
    until_same(rig)
    wait_for(lambda: not aside.exists(), "what was set aside is gone", 10)
    for name in before.keys() & media(rig.mirror.folder).keys():
        blocks.pop(name).unlink()
    assert {block.read_bytes().strip(b"\0") for block in blocks.values()} == {b""}
    for stick in (rig.own, rig.mirror):
        check_nothing_left(stick.folder, before)
    rig.end(folder)
    report = verify(rig.mirror.folder / folder, rig.court.ca, identities=[secrets.court])
    assert report.problems == []
    assert all(part.decoded for part in report.parts)
    assert report.parts[1].video_frames > 0
