"""The client against the tus project's own server: whole, resumed, killed on either side."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kiosk.errors import CentralError
from kiosk.sync.outbox.lanes import PreemptedError
from kiosk.sync.transport.central_session import CentralSession
from kiosk.sync.transport.patch_limit import PatchLimit
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError, UploadLengthError
from tests.support.npm import install
from tests.support.ports import free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "tus-server"
BUILD = Path(__file__).parents[2] / "build" / "tus-server"
SIZE = 3_000_000
PATCH = 1_000_000


class TusServer:
    """The server process; it may be killed and started again on the same port."""

    def __init__(self, program: Path, files: Path) -> None:
        self.program = program
        self.files = files
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        files, port = str(self.files), str(self.port)
        self.process = subprocess.Popen(
            ["node", "server.mjs", files, port], cwd=self.program, stdout=subprocess.DEVNULL
        )
        wait_for(self._answers, "the tus server")

    def _answers(self) -> bool:
        try:
            return requests.options(f"http://127.0.0.1:{self.port}/files", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def create(self, name: str, size: int = SIZE) -> str:
        """Make an upload, as the central system would; return its address."""
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Name": name}
        url = f"http://127.0.0.1:{self.port}/files"
        answer = requests.post(url, headers=headers, timeout=20)
        assert answer.status_code == 201, answer.text
        return f"{url}/{name}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TusServer]:
    """A running server of the tus project."""
    base = tmp_path_factory.mktemp("tus")
    files = base / "files"
    files.mkdir()
    ready = BUILD if (BUILD / "node_modules").is_dir() else None
    server = TusServer(ready or install(HERE, base / "program", least_node=20), files)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client() -> Iterator[TusClient]:
    """The kiosk's client, without the contract's header: this is not the central system."""
    session = CentralSession(None, requires_contract=False)
    yield TusClient(session, PatchLimit(PATCH))
    session.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "video.m4s"
    path.write_bytes(os.urandom(SIZE))
    return path


def is_same(server: TusServer, name: str, file: Path) -> bool:
    """Say whether the server holds exactly the file."""
    there = hashlib.sha256((server.files / name).read_bytes())
    return there.digest() == hashlib.sha256(file.read_bytes()).digest()


def test_whole_and_again(server: TusServer, client: TusClient, file: Path) -> None:
    url = server.create("whole")
    done: list[int] = []
    client.upload(file, url, SIZE, report_progress=done.append)
    assert is_same(server, "whole", file)
    assert (done[0], done[-1]) == (0, SIZE)
    client.upload(file, url, SIZE)  # nothing left to send
    assert client.offset(url, SIZE) == SIZE


@pytest.mark.parametrize("after", [1, PATCH - 1, PATCH, 2 * PATCH + 7])
def test_broken_off_anywhere_it_resumes(
    server: TusServer, client: TusClient, file: Path, after: int
) -> None:
    url, sent = server.create(f"broken-{after}"), 0

    def progress(done: int) -> None:
        nonlocal sent
        sent = done

    def raise_after_limit() -> None:
        if sent >= after:
            raise PreemptedError("a filing goes first")

    with pytest.raises(PreemptedError):
        client.upload(
            file, url, SIZE, raise_if_preempted=raise_after_limit, report_progress=progress
        )
    client.upload(file, url, SIZE)
    assert is_same(server, f"broken-{after}", file)


def test_the_server_killed_in_the_middle_resumes(
    server: TusServer, client: TusClient, file: Path
) -> None:
    url, killed = server.create("killed"), False

    def progress(done: int) -> None:
        nonlocal killed
        if done > SIZE // 2 and not killed:
            killed = True
            server.kill()

    with pytest.raises(CentralError):
        client.upload(file, url, SIZE, report_progress=progress)
    server.start()
    client.upload(file, url, SIZE)
    assert is_same(server, "killed", file)


def test_an_address_that_is_gone_and_another_length(
    server: TusServer, client: TusClient, file: Path
) -> None:
    with pytest.raises(UploadGoneError):
        client.upload(file, f"http://127.0.0.1:{server.port}/files/none", SIZE)
    url = server.create("shorter", SIZE // 2)
    with pytest.raises(UploadLengthError):
        client.upload(file, url, SIZE)
