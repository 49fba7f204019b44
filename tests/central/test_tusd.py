"""tusd's hooks, replayed from its documentation, and creation of uploads on a stand-in.

tusd itself, a Go program, is not tried here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from tests.support.central_rig import Central, Kiosk, hearing_body, new_id

pytestmark = pytest.mark.slow

SECRET = "a-secret-of-the-court"
CONTENT = os.urandom(70_000)


class StandIn:
    """Answers ``POST /files/`` as tusd documents it: asks the hook, then gives a Location."""

    def __init__(self) -> None:
        self.hook = ""
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> StandIn:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_post("/files/", self._create)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/files/"

    async def _create(self, request: web.Request) -> web.Response:
        pairs = dict(pair.split(" ", 1) for pair in request.headers["Upload-Metadata"].split(","))
        upload = {
            "ID": "",
            "Size": int(request.headers["Upload-Length"]),
            "SizeIsDeferred": False,
            "Offset": 0,
            "MetaData": {key: base64.b64decode(value).decode() for key, value in pairs.items()},
            "IsPartial": False,
            "IsFinal": False,
            "PartialUploads": None,
            "Storage": None,
        }
        answer = await asyncio.to_thread(post_hook, self.hook, "pre-create", upload)
        self.asked.append(answer.json())
        if answer.json().get("RejectUpload"):
            return web.Response(status=answer.json()["HTTPResponse"]["StatusCode"])
        name = answer.json()["ChangeFileInfo"]["ID"]
        return web.Response(status=201, headers={"Location": f"{self.url}{name}+part"})


def post_hook(url: str, kind: str, upload: dict[str, Any]) -> requests.Response:
    """Post a hook request with all the keys that tusd's documentation shows."""
    event = {
        "Upload": upload,
        "HTTPRequest": {
            "Method": "PATCH",
            "URI": "/files/x",
            "RemoteAddr": "127.0.0.1:59395",
            "Header": {"Host": ["localhost:8080"], "Tus-Resumable": ["1.0.0"]},
        },
    }
    with requests.Session() as http:
        http.trust_env = False
        return http.post(url, data=json.dumps({"Type": kind, "Event": event}), timeout=10)


@pytest.fixture(scope="module")
def tusd() -> Iterator[StandIn]:
    """The stand-in."""
    with StandIn() as made:
        yield made


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory, tusd: StandIn) -> Iterator[Central]:
    """A central system whose uploads tusd receives."""
    os.environ["KIOSK_CENTRAL_TUSD_SECRET"] = SECRET
    data = tmp_path_factory.mktemp("tusd") / "data"
    options = ("--tusd", "https://tus.court.example/files", "--tusd-internal", tusd.url)
    with Central(data, options) as server:
        admin = (data / "admin-address").read_text(encoding="utf-8").strip()
        tusd.hook = f"{admin}/tusd/{SECRET}"
        yield server


@pytest.fixture(scope="module")
def kiosk(central: Central) -> Kiosk:
    """Its kiosk."""
    return central.enrol()


def announced(kiosk: Kiosk) -> tuple[str, dict[str, Any]]:
    hearing = new_id()
    body = hearing_body(hearing, {"a.m4s": CONTENT})
    return hearing, kiosk.put(f"/v1/hearings/{hearing}", body)["missing"][0]


def finished(folder: Path, upload: str, content: bytes) -> dict[str, Any]:
    """Write the file of a complete upload; return tusd's description of it."""
    folder.mkdir(exist_ok=True)
    (folder / upload).write_bytes(content)
    return {
        "ID": f"{upload}+part",
        "Size": len(content),
        "SizeIsDeferred": False,
        "Offset": len(content),
        "MetaData": {"upload": upload},
        "IsPartial": False,
        "IsFinal": False,
        "PartialUploads": None,
        "Storage": {
            "Type": "filestore",
            "Path": str(folder / upload),
            "InfoPath": str(folder / f"{upload}.info"),
        },
    }


def test_uploads_are_made_on_tusd_and_end_in_a_receipt(
    kiosk: Kiosk, tusd: StandIn, tmp_path: Path
) -> None:
    hearing, file = announced(kiosk)
    assert file["address"] == f"https://tus.court.example/files/{file['upload']}+part"
    assert tusd.asked[-1] == {"ChangeFileInfo": {"ID": file["upload"]}}
    again = kiosk.get(f"/v1/hearings/{hearing}")["missing"][0]
    assert again["address"] == file["address"]
    upload = finished(tmp_path / "tusd", file["upload"], CONTENT)
    for _ in range(2):  # a hook may come twice
        assert post_hook(tusd.hook, "post-finish", upload).status_code == 200
    state = kiosk.get(f"/v1/uploads/{file['upload']}?wait=20")
    assert state["server_sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"]["files"][0]["path"] == "a.m4s"


def test_a_wrong_hash_is_found_here_too(kiosk: Kiosk, tusd: StandIn, tmp_path: Path) -> None:
    hearing, file = announced(kiosk)
    upload = finished(tmp_path / "tusd", file["upload"], bytes(len(CONTENT)))
    assert post_hook(tusd.hook, "post-finish", upload).status_code == 200
    assert kiosk.get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "mismatch"
    assert kiosk.get(f"/v1/hearings/{hearing}")["mismatched"] == ["a.m4s"]


def test_only_what_was_announced_may_be_made(kiosk: Kiosk, tusd: StandIn) -> None:
    _, file = announced(kiosk)
    for name, size in ((new_id(), file["size"]), (file["upload"], 1), ("", 5)):
        upload = {"ID": "", "Size": size, "Offset": 0, "MetaData": {"upload": name}}
        answer = post_hook(tusd.hook, "pre-create", upload).json()
        assert answer["RejectUpload"] is True


def test_hooks_need_their_secret_and_a_file_of_their_own(
    kiosk: Kiosk, tusd: StandIn, tmp_path: Path
) -> None:
    _, file = announced(kiosk)
    upload = finished(tmp_path / "tusd", file["upload"], CONTENT)
    wrong = tusd.hook.replace(SECRET, "guess")
    assert post_hook(wrong, "post-finish", upload).status_code == 403
    elsewhere = upload | {"Storage": {"Type": "filestore", "Path": "/etc/passwd"}}
    assert post_hook(tusd.hook, "post-finish", elsewhere).status_code == 400
    early = upload | {"Offset": 5}
    assert post_hook(tusd.hook, "post-finish", early).status_code == 400
    assert kiosk.call("POST", f"/tusd/{SECRET}", json={}).status_code == 404, "not for kiosks"


def test_without_tusd_the_bytes_come_here(kiosk: Kiosk, tusd: StandIn) -> None:
    hook, tusd.hook = tusd.hook, tusd.hook.replace(SECRET, "guess")
    try:
        hearing, file = announced(kiosk)
    finally:
        tusd.hook = hook
    assert file["address"] == f"/v1/tus/{file['upload']}"
    kiosk.send([file], {"a.m4s": CONTENT})
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "complete"
