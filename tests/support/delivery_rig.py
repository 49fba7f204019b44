"""A court and a kiosk's delivery: real ``kiosk central`` and ``kiosk sync`` processes over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.cli import main
from kiosk.config import Settings
from kiosk.demo.screen_driver import UnixConnection
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import sign_head
from kiosk.services.sync import SyncService
from kiosk.settings_files import load_settings
from kiosk.storage.atomic_io import write_json
from kiosk.storage.paths import Paths
from kiosk.sync.enrolment import enrol
from tests.support.forked_process import ForkedProcess, fork_kiosk
from tests.support.ports import free_port
from tests.support.waiting import wait_for

KIOSK = "kiosk-0001"
SEED = """
[court]
id = "7514"
name = {kk = "Сынақ соты", ru = "Тестовый суд", en = "Test court"}

[[kiosks]]
id = "kiosk-0001"
room = "1"

[[staff]]
person = "p-1"
name = "A. Secretary"
roles = ["secretary"]
rooms = ["1"]
badge = "badge-1"

[[hearings]]
room = "1"
case_number = "7514-26-00-2/1"
title = "A v. B"
time = "09:30"

[[hearings]]
room = "1"
case_number = "7514-26-00-2/2"
title = "C v. D"
time = "10:30"
day = 2

[[hearings]]
room = "2"
case_number = "7514-26-00-2/3"
title = "E v. F"
time = "10:30"
"""


def short_folder() -> Path:
    """Return a new folder with a short path (Unix sockets)."""
    return Path(tempfile.mkdtemp(prefix="ks-"))


class Process:
    """One ``kiosk`` process that can be started, killed and ended again and again."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.running: ForkedProcess | None = None

    def start_command(self, *arguments: str) -> None:
        """Start ``kiosk ARGUMENTS``."""
        self.running = fork_kiosk(list(arguments), self.log)

    def kill(self) -> None:
        """``kill -9``."""
        assert self.running is not None
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.wait()
        self.running = None

    def stop(self) -> int | None:
        """End it politely; return its exit status."""
        if self.running is None:
            return None
        status = self.running.end()
        self.running = None
        return status


class Central(Process):
    """``kiosk central`` on a port of its own, with faults on demand.

    Args:
        data: its folder, initialised.
        port: the same over restarts.
        address: by which kiosks reach it; anything but ``localhost``: it listens everywhere.
    """

    def __init__(self, data: Path, port: int | None = None, address: str = "localhost") -> None:
        super().__init__(data.parent / "central.log")
        self.data = data
        self.port = port or free_port()
        self.address = address
        self.faults_file = data.parent / "faults.json"

    @property
    def url(self) -> str:
        """Its base address."""
        return f"https://{self.address}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        everywhere = ("--host", "0.0.0.0", "--name", self.address)
        self.start_command(
            *("central", "--data", str(self.data), "--seed", str(self.data.parent / "seed.toml")),
            "--no-searchable",
            *("--port", str(self.port), "--faults", str(self.faults_file)),
            *(() if self.address == "localhost" else everywhere),
        )
        wait_for(self._is_listening, "the central system")

    def _is_listening(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Have these faults from now on; none: all is well."""
        beside = self.faults_file.with_suffix(".new")
        beside.write_text(json.dumps(faults), encoding="utf-8")
        beside.replace(self.faults_file)

    def run_task(self, *arguments: str) -> str:
        """Run one task on its data (here, which is quicker); return what it printed."""
        name, *rest = arguments
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert main(["central", name, "--data", str(self.data), *rest]) == 0
        return printed.getvalue().strip()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read its database."""
        files = [path for path in self.data.rglob("*") if path.suffix in (".db", ".sqlite")]
        with contextlib.closing(sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()


class Kiosk(Process):
    """``kiosk sync`` with its folders: a process to be killed, or quicker, in a thread.

    Args:
        folder: with a short path.
        url: of the central system.
        identity: folder of an enrolled identity to copy; None: not enrolled.
    """

    def __init__(self, folder: Path, url: str, identity: Path | None, **central: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "sync.log")
        self.folder = folder
        self.config = folder / "kiosk.toml"
        self.options: dict[str, dict[str, Any]] = {
            "kiosk": {"id": KIOSK},
            "paths": {"data": f"{folder}/data", "run": f"{folder}/run"},
            "central": {"url": url, "poll_seconds": 0.3, "patch_mib": 1, **central},
            "sync": {},
        }
        self.change_settings("sync")
        self.paths = Paths.from_settings(self.settings.paths)
        self._service: SyncService | None = None
        self._thread: threading.Thread | None = None
        if identity is not None:
            shutil.copytree(identity, self.paths.device_key.parent)

    def change_settings(self, group: str, **values: Any) -> None:
        """Change settings; the next start takes them."""
        self.options[group] |= values
        tables = (
            f"[{name}]\n" + "".join(f"{key} = {json.dumps(values[key])}\n" for key in values)
            for name, values in self.options.items()
        )
        self.config.write_text("".join(tables), encoding="utf-8")
        self.settings: Settings = load_settings(self.config)

    def start(self, seconds: float = 60.0) -> None:
        """Start sync as a process and wait until it answers."""
        self.start_command("--config", str(self.config), "sync")
        wait_for(self.is_answering, "kiosk sync's answer", seconds)

    def start_in_thread(self) -> None:
        """Start sync in a thread of this process and wait until it answers."""
        service = SyncService(self.settings)
        self._thread = threading.Thread(target=lambda: asyncio.run(service.run()), daemon=True)
        self._service = service
        self._thread.start()
        wait_for(self.is_answering, "sync's answer")

    def stop(self) -> int | None:
        """End it politely; return its exit status (None for a thread)."""
        if self._service is not None and self._thread is not None:
            self._service.stop()
            self._thread.join(30)
            assert not self._thread.is_alive(), "sync does not end"
            self._service = self._thread = None
        return super().stop()

    def is_answering(self) -> bool:
        """Say whether sync answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/v1/state")[0] == 200
        return False

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call sync; return status and answer (text where it is not JSON)."""
        connection = UnixConnection(self.paths.sync_socket, 60.0)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return response.status, json.loads(text) if is_json else text

    def get(self, path: str) -> Any:
        """``GET``; the answer."""
        return self.request("GET", path)[1]

    def state(self) -> dict[str, Any]:
        """Return sync's state."""
        return dict(self.get("/v1/state"))

    def alarms(self) -> set[str]:
        """Return the codes of the alarms in force."""
        return {alarm["code"] for alarm in self.state()["alarms"]}

    def wait_state(self, kind: str, item_id: str, state: str, seconds: float = 60.0) -> Any:
        """Wait until an item has a state; return the answer."""
        path = f"/v1/{kind}s/{item_id}"
        return wait_for(
            lambda: (answer := self.get(path)).get("state") == state and answer,
            f"{kind} {state}",
            seconds,
        )

    def wait_delivered(self, kind: str, item_id: str, seconds: float = 60.0) -> None:
        """Wait until an item is delivered and its receipt durable."""
        path = f"/v1/{kind}s/{item_id}"
        wait_for(
            lambda: (
                (answer := self.get(path)).get("delivered") or answer.get("state") == "delivered"
            ),
            f"{kind} delivered",
            seconds,
        )
        assert (self.paths.receipts / f"{item_id}.json").exists()

    # -- what lies in the folders ------------------------------------------------------------
    def make_filing(self, size: int = 50_000, *, submitted: bool = True) -> str:
        """Make a filing as the filing room leaves it; return its id."""
        filing_id = str(uuid.uuid4())
        folder = self.paths.filings / filing_id
        (folder / "pages").mkdir(parents=True)
        pages = [f"pages/{number:04d}.png" for number in (1, 2, 3)]
        for page in pages:
            (folder / page).write_bytes(os.urandom(1000))
        (folder / "document.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(size))
        write_json(
            folder / "filing.json",
            {"state": "submitted", "language": "kk", "document_type": "claim", "pages": pages},
        )
        if submitted:
            (folder / "submitted").touch()
        return filing_id

    def signer(self) -> FileSigner:
        """Return the device's signer."""
        return FileSigner(self.paths.device_key, self.paths.device_certificate)

    def make_hearing(self, video: int = 300_000, files: int = 2, *, sealed: bool = True) -> str:
        """Make a hearing with two parts as the recorder leaves it; return its id."""
        hearing_id = str(uuid.uuid4())
        folder = self.paths.hearings / hearing_id
        signer = self.signer()
        for number in (1, 2):
            part = folder / f"part-{number:02d}"
            for kind, size in (("main", video), ("channels", 20_000)):
                (part / kind / "run-01").mkdir(parents=True)
                for index in range(files):
                    name = f"{kind}/run-01/{index:06d}.m4s"
                    (part / name).write_bytes(os.urandom(size))
            write_json(part / "part.json", {"sources": ["camera", "judge"]})
            self.add_head(hearing_id, number)
            seal_folder(part, signer)
        write_json(folder / "hearing.json", {"id": hearing_id, "kind": "civil", "adhoc": True})
        if sealed:
            seal_folder(folder, signer)
        return hearing_id

    def add_head(self, hearing_id: str, part: int) -> None:
        """Write a media line and a signed head into a part's journal."""
        path = self.paths.hearings / hearing_id / f"part-{part:02d}" / "journal.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        sign = partial(sign_head, self.signer(), hearing_id, part)
        if path.exists():
            journal, _ = JournalFile.reopen(path, sign=sign)
        else:
            journal = JournalFile.create(path, sign=sign)
        journal.append("media", {"bytes": 1})
        journal.close()

    def make_report(self) -> str:
        """Make a signed self-test report; return its id."""
        report_id = str(uuid.uuid4())
        folder = self.paths.reports / report_id
        folder.mkdir(parents=True)
        write_json(folder / "report.json", {"passed": 9, "failed": 1, "checks": []})
        seal_folder(folder, self.signer())
        return report_id


def make_template(folder: Path) -> None:
    """Make a court with one enrolled kiosk: ``central/``, ``seed.toml``, ``identity/``."""
    (folder / "seed.toml").write_text(SEED, encoding="utf-8")
    central = Central(folder / "central")
    code = central.run_task("enrol-code", "--seed", str(folder / "seed.toml"), KIOSK)
    try:
        central.start()
        kiosk = Kiosk(folder / "k", central.url, None)
        enrol(kiosk.paths, KIOSK, code, central.url, None)
        shutil.copytree(kiosk.paths.device_key.parent, folder / "identity")
    finally:
        central.stop()


@contextlib.contextmanager
def temporary_central(template: Path, address: str = "localhost") -> Iterator[Central]:
    """Give a copy of the template's central system, not started; end and remove it."""
    folder = short_folder()
    shutil.copytree(template / "central", folder / "central")
    shutil.copy(template / "seed.toml", folder)
    central = Central(folder / "central", address=address)
    try:
        yield central
    finally:
        central.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def temporary_kiosk(template: Path, url: str) -> Iterator[Kiosk]:
    """Give an enrolled kiosk, not started; end and remove it."""
    folder = short_folder()
    kiosk = Kiosk(folder / "k", url, template / "identity")
    try:
        yield kiosk
    finally:
        kiosk.stop()
        shutil.rmtree(folder, ignore_errors=True)


def count_uploads(central: Central, owner: str, state: str) -> int:
    """Return how many uploads of an item are in a state."""
    query = f"SELECT count(*) FROM uploads WHERE owner = '{owner}' AND state = '{state}'"
    return int(central.query(query)[0][0])


def wait_problem(kiosk: Kiosk, problem: str | None) -> None:
    """Wait until the link has this problem (None: it is up)."""

    def there() -> bool:
        link = kiosk.state()["link"]
        return link["problem"] == problem and (problem is not None or link["state"] == "up")

    wait_for(there, f"link problem {problem}")
