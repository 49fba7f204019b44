"""Declared closed since an earlier moment: nothing plain of it is left on the second storage."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.api.recorder_calls import CloseSince
from kiosk.clocks import recording_ns
from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume import SET_ASIDE
from tests.hearing.mirror_rig import MirrorRig
from tests.support.court_keys import CourtSecrets
from tests.support.mounts import read_hearing_files
from tests.support.waiting import wait_for

PLAIN = (".m4s", ".mp4")


def media(root: Path) -> dict[str, bytes]:
    """Return the plain media of all hearings."""
    return {name: data for name, data in read_hearing_files(root).items() if name.endswith(PLAIN)}


def declare_closed(mirror_rig: MirrorRig, folder: Path, seconds: float) -> None:
    """Declare the hearing closed since ``seconds`` into part 2; wait until it is carried out."""
    first = read_chain(mirror_rig.own.folder / folder / "part-02/journal.jsonl").entries[0]
    after = (first["tap_ns"] - first["t"]) / 1e9 + seconds
    since = datetime.fromisoformat(first["at"]) + timedelta(seconds=after)
    request = CloseSince(since=since.isoformat())
    mirror_rig.courtroom.close_retroactively("p1", request, recording_ns())
    wait_for(lambda: not mirror_rig.hearing()["replacing"], "the replacement")


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


def pulled_out_and_back(mirror_rig: MirrorRig, close: Callable[[], None]) -> None:
    mirror_rig.mirror.pull()
    mirror_rig.until("ok", "absent")
    close()
    mirror_rig.mirror.plug()


def back_after_a_restart(mirror_rig: MirrorRig, close: Callable[[], None]) -> None:
    mirror_rig.mirror.pull()
    mirror_rig.until("ok", "absent")
    close()
    mirror_rig.crash()
    mirror_rig.start()
    mirror_rig.until("ok", "absent")
    mirror_rig.mirror.plug()


def back_before_the_start(mirror_rig: MirrorRig, close: Callable[[], None]) -> None:
    mirror_rig.mirror.pull()
    mirror_rig.until("ok", "absent")
    close()
    mirror_rig.crash()
    mirror_rig.mirror.plug()
    mirror_rig.start()


WAYS = (there_all_the_time, pulled_out_and_back, back_after_a_restart, back_before_the_start)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_plain_is_left_on_the_second_storage(
    mirror_rig: MirrorRig, way: Callable[[MirrorRig, Callable[[], None]], None]
) -> None:
    secrets = CourtSecrets()
    secrets.pin(mirror_rig.paths)
    folder = mirror_rig.start_hearing()
    mirror_rig.run(2)
    mirror_rig.courtroom.recess("p1")
    mirror_rig.courtroom.resume("p1")
    mirror_rig.run(5)
    mirror_rig.wait_same()
    before = media(mirror_rig.mirror.folder)
    aside = mirror_rig.mirror.folder / SET_ASIDE / folder / "part-02/channels/run-01/000001.m4s"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(before[f"{folder}/part-02/channels/run-01/000001.m4s"])
    links = mirror_rig.mirror.folder / "links"  # keep the blocks of removed files
    blocks = {name: links / name.replace("/", "_") for name in before}
    links.mkdir()
    for name, link in blocks.items():
        os.link(mirror_rig.mirror.folder / name, link)
    way(mirror_rig, lambda: declare_closed(mirror_rig, folder, 1.0))
    mirror_rig.wait_same()
    wait_for(lambda: not aside.exists(), "what was set aside is gone")
    for name in before.keys() & media(mirror_rig.mirror.folder).keys():
        blocks.pop(name).unlink()
    assert {block.read_bytes().strip(b"\0") for block in blocks.values()} == {b""}
    for stick in (mirror_rig.own, mirror_rig.mirror):
        check_nothing_left(stick.folder, before)
    mirror_rig.end(folder)
    report = verify(
        mirror_rig.mirror.folder / folder, mirror_rig.court.ca, identities=[secrets.court]
    )
    assert report.problems == []
    assert all(part.decoded for part in report.parts)
    assert report.parts[1].video_frames > 0
