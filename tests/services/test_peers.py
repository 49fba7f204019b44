"""Which local user may call a service: asked of the kernel, not of the caller."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from kiosk.ipc import LocalClient, errors_as_json, serve_unix
from kiosk.services import peers

SCREEN, RECORDER, SYNC, STRANGER = 3001, 3002, 3003, 3004
CALLER = """
import http.client, socket, sys
for method in ("GET", "POST"):
    connection = http.client.HTTPConnection("kiosk")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(sys.argv[1])
    connection.request(method, "/v1/thing", headers={"X-User": "0"})
    print(connection.getresponse().status)
"""


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have the three users; this service is the recorder."""
    known = {"kiosk-ui": SCREEN, "kiosk-recorder": RECORDER, "kiosk-sync": SYNC}
    monkeypatch.setattr(peers, "_user_id", known.get)
    monkeypatch.setattr(os, "geteuid", lambda: RECORDER)


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize(
    ("user", "reads", "changes"),
    [
        (0, True, True),
        (RECORDER, True, True),
        (SCREEN, True, True),
        (SYNC, True, False),
        (STRANGER, False, False),
    ],
)
def test_the_screen_changes_and_the_other_services_read(
    user: int, reads: bool, changes: bool
) -> None:
    assert peers.may_call(user, "GET") is reads
    assert peers.may_call(user, "POST") is changes
    assert peers.may_call(user, "DELETE") is changes


def test_without_these_users_only_the_own_one_may_call() -> None:
    assert peers.may_call(os.geteuid(), "POST")
    assert not peers.may_call(STRANGER, "GET")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def _serve_and_call(socket: Path, user: str | None) -> tuple[list[int], object]:
    """Return the statuses that ``user`` gets for GET and POST, and the own user's answer."""
    app = web.Application(middlewares=[errors_as_json, peers.check_peer])

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"done": True})

    app.router.add_route("*", "/v1/thing", answer)
    runner = await serve_unix(app, socket, mode=0o666)
    client = LocalClient(socket)
    command = ["/usr/bin/python3", "-c", CALLER, str(socket)]  # every user may run it
    try:
        ran = await asyncio.to_thread(
            subprocess.run, command, user=user, capture_output=True, text=True, check=True
        )
        return [int(line) for line in ran.stdout.split()], await client.post("/v1/thing")
    finally:
        await client.close()
        await runner.cleanup()


@pytest.mark.root
def test_a_stranger_who_can_open_the_socket_is_refused(open_folder: Path) -> None:
    """A socket with too wide a mode is not enough, nor is anything that a caller writes."""
    pwd.getpwnam("nobody")
    statuses, own = asyncio.run(_serve_and_call(open_folder / "s", "nobody"))
    assert statuses == [403, 403]
    assert own == {"done": True}


def test_the_own_user_is_served(open_folder: Path) -> None:
    statuses, own = asyncio.run(_serve_and_call(open_folder / "s", None))
    assert statuses == [200, 200]
    assert json.dumps(own) == '{"done": true}'
