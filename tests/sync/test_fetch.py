"""A delivered hearing comes back: whole, resumed, and never with another hash."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.errors import CentralError, StorageError
from kiosk.sync.delivery.fetch import fetch_hearing
from kiosk.sync.transport.connection import Connection
from tests.support.delivery_rig import Central, Kiosk

pytestmark = pytest.mark.slow


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by path."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_it_comes_back_as_it_was_also_in_two_attempts(
    central: Central, kiosk: Kiosk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(files=1, video=40_000)
    kiosk.wait_delivered("hearing", hearing)
    own = kiosk.paths.hearings / hearing
    before = read_files(own)
    shutil.rmtree(own)
    connection = Connection(kiosk.paths, central.url)
    steps: list[tuple[int, int]] = []

    def fetch() -> Path:
        return fetch_hearing(
            connection.client(),
            hearing,
            tmp_path,
            kiosk.paths.court_ca,
            lambda done, total: steps.append((done, total)),
        )

    assert read_files(fetch()) == before
    assert steps[-1][0] == steps[-1][1] == sum(map(len, before.values()))
    video = tmp_path / hearing / "part-01/main/run-01/000000.m4s"
    half = video.with_name(video.name + ".part")
    half.write_bytes(video.read_bytes()[:10_000])  # broken off by a power cut
    video.unlink()
    assert read_files(fetch()) == before
    half.write_bytes(b"x" * 10_000)  # not the beginning of this file
    video.unlink()
    with pytest.raises(StorageError) as caught:
        fetch()
    assert caught.value.code == "hash_mismatch"
    assert read_files(fetch()) == before
    arguments = ["--config", str(kiosk.config), "fetch", hearing, "--to", str(tmp_path), "--quick"]
    assert main(arguments) == 1, "made by the rig: no real journals"
    assert "NOT VERIFIED" in capsys.readouterr().out
    connection.close()


def test_what_was_not_delivered_is_not_there(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    connection = Connection(kiosk.paths, central.url)
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(CentralError) as caught:
        fetch_hearing(connection.client(), unknown, tmp_path, kiosk.paths.court_ca, lambda *_: None)
    assert caught.value.code == "not_found"
    connection.close()
