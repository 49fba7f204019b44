"""A real central system as a process of its own, and kiosks with real certificates."""

from __future__ import annotations

import base64
import json
import signal
import socket
import ssl
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import kiosk.central
from kiosk.central.admin.decisions import DecisionForms
from kiosk.central.admin.page import AdminPage
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.identity.courts import put_kiosk
from kiosk.central.identity.enrolment import create_code
from kiosk.central.live_rooms import LiveRooms
from kiosk.central.server import open_authority, open_database
from kiosk.evidence.chain import ChainHead, head_message
from kiosk.exchange.small_files import CONTENT_TYPE, file_list
from tests.support.forked_process import ForkedProcess, fork_kiosk, run_kiosk
from tests.support.ports import free_port
from tests.support.waiting import wait_for

SEED = Path(kiosk.central.__file__).with_name("demo.toml")
TUS = {"Tus-Resumable": "1.0.0"}
KIOSK_TIME = "2026-11-23T09:30:00.000Z"
TIMEOUT = (30, 60)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a device key."""
    return ec.generate_private_key(ec.SECP256R1())


def csr(key: ec.EllipticCurvePrivateKey, name: str | None) -> str:
    """Return a certificate request (PEM) for ``name``."""
    names = [] if name is None else [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode("ascii")


def session(ca: Path, pair: tuple[str, str] | None = None) -> requests.Session:
    """Return a session that trusts ``ca`` and shows ``pair`` (certificate, key)."""
    made = requests.Session()
    made.trust_env = False
    made.verify = str(ca)
    made.cert = pair
    return made


@dataclass
class Kiosk:
    """An enrolled kiosk: its session, key and files."""

    id: str
    url: str
    http: requests.Session
    key: ec.EllipticCurvePrivateKey
    certificate: Path
    key_file: Path
    ca: Path

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call."""
        return self.http.request(method, self.url + path, timeout=TIMEOUT, **options)

    def get(self, path: str) -> Any:
        """Return the JSON answer of a GET that succeeds."""
        response = self.call("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, path: str, body: Any) -> Any:
        """Return the JSON answer of a PUT that succeeds."""
        response = self.call("PUT", path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def offset(self, address: str) -> int:
        """Return the durable offset of a tus upload."""
        response = self.call("HEAD", address, headers=TUS)
        assert response.status_code == 200, response.headers
        return int(response.headers["Upload-Offset"])

    def patch(self, address: str, offset: int, body: bytes, **headers: str) -> requests.Response:
        """Append bytes."""
        given = TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return self.call("PATCH", address, data=body, headers=given | headers)

    def send(self, missing: list[dict[str, Any]], contents: dict[str, bytes]) -> None:
        """Send every missing file."""
        for file in missing:
            body = contents[file["path"]][file["offset"] :]
            assert self.patch(file["address"], file["offset"], body).status_code == 204
            self.get(f"/v1/uploads/{file['upload']}?wait=20")

    def send_together(
        self, files: Sequence[tuple[dict[str, Any], bytes]], **headers: str
    ) -> requests.Response:
        """Send small files, each with its row of ``missing``, in one request."""
        given = {"Content-Type": CONTENT_TYPE} | headers
        return self.call("POST", "/v1/uploads", data=small_files_body(files), headers=given)

    def tls(self) -> ssl.SSLSocket:
        """Return a bare TLS connection with the kiosk's certificate."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.certificate, self.key_file)
        port = int(self.url.rsplit(":", 1)[1])
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        return context.wrap_socket(plain, server_hostname="localhost")


@dataclass
class Central:
    """The server process on ``data``; a context manager."""

    data: Path
    arguments: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    database: str | None = None
    searchable: bool = False
    process: ForkedProcess | None = None
    kiosks: list[Kiosk] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        """The root certificate's file."""
        return self.data / "authority" / "ca.crt"

    @property
    def url(self) -> str:
        """The server's address."""
        return (self.data / "address").read_text(encoding="utf-8").strip()

    @property
    def log(self) -> Path:
        """What the process has logged."""
        return self.data.with_name(f"{self.data.name}.log")

    def __enter__(self) -> Central:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers; the port stays over restarts."""
        (self.data / "address").unlink(missing_ok=True)
        command = ["central", "--data", str(self.data), "--port", str(self.port)]
        if not self.searchable:
            command.append("--no-searchable")
        command += ["--read-back-hearings", "10000"]  # all tests of a process are one kiosk's
        self.process = self.launch([*command, "--seed", str(SEED), *self.arguments])
        wait_for(self._started, "the central system", 100)
        for kiosk_ in self.kiosks:
            kiosk_.http.close()

    def launch(self, command: list[str]) -> ForkedProcess:
        """Run ``kiosk`` with these arguments."""
        return fork_kiosk(command, self.log)

    def _started(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the central system ended"
        return (self.data / "address").exists()

    def stop(self) -> int:
        """End the process; return its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the process as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def died(self) -> bool:
        """Return whether the process has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def task(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``kiosk central TASK`` on the same data."""
        name, *rest = arguments
        return run_kiosk(["central", name, "--data", str(self.data), *rest])

    def code(self, kiosk_id: str, room: str | None = None, *, replaces: bool = False) -> str:
        """Return a one-time enrolment code, as ``kiosk central enrol-code`` makes it."""
        database = open_database(self.data, self.database)
        authority = open_authority(self.data)
        try:
            with database.write() as connection:
                if room is not None:
                    put_kiosk(connection, "7599", kiosk_id, room)
                return create_code(connection, authority, kiosk_id, replaces=replaces)
        finally:
            database.close()

    def anonymous(self) -> requests.Session:
        """Return a session without a certificate."""
        return session(self.ca)

    def enrol(
        self, kiosk_id: str = "kiosk-0001", room: str | None = None, *, replaces: bool = False
    ) -> Kiosk:
        """Enrol a kiosk with a fresh key."""
        key, code = new_key(), self.code(kiosk_id, room, replaces=replaces)
        answer = self.anonymous().post(
            f"{self.url}/v1/enrol",
            json={"code": code, "csr": csr(key, kiosk_id)},
            timeout=TIMEOUT,
        )
        assert answer.status_code == 200, answer.text
        return self.kiosk(kiosk_id, key, answer.json()["certificate"])

    def kiosk(self, kiosk_id: str, key: ec.EllipticCurvePrivateKey, certificate: str) -> Kiosk:
        """Return a kiosk with this certificate."""
        stem = self.data.parent / uuid.uuid4().hex
        paths = stem.with_suffix(".crt"), stem.with_suffix(".key")
        paths[0].write_text(certificate, encoding="ascii")
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        http = session(self.ca, (str(paths[0]), str(paths[1])))
        made = Kiosk(kiosk_id, self.url, http, key, *paths, self.ca)
        self.kiosks.append(made)
        return made


def admin_page(database: Database, store_folder: Path, code: str = "CODE") -> AdminPage:
    """Return the page for court IT on a database."""
    store = FolderStore(store_folder)
    forms = DecisionForms(
        database, Quarantine(database, store), HearingOwners(database, store), code
    )
    return AdminPage(database, store, forms, LiveRooms())


def write_faults(file: Path, *faults: dict[str, Any]) -> None:
    """Switch faults of a server started with ``--faults FILE``."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(faults), encoding="utf-8")
    beside.replace(file)


def file_of(path: str, content: bytes) -> dict[str, Any]:
    """Return a manifest's entry."""
    return {"path": path, "size": len(content), "sha256": sha256(content).hexdigest()}


def small_files_body(files: Sequence[tuple[dict[str, Any], bytes]]) -> bytes:
    """Return the body of ``POST /v1/uploads``: files, each with its row of ``missing``."""
    rows = ((file["upload"], file["size"], file["sha256"]) for file, _ in files)
    return file_list(rows) + b"".join(content for _, content in files)


def filing_body(*documents: bytes, **more: Any) -> dict[str, Any]:
    """Return a registration of PDF documents of three pages each."""
    listed = [
        file_of(f"document-{n}.pdf", content) | {"type": "claim", "pages": 3}
        for n, content in enumerate(documents, 1)
    ]
    return {"kiosk_time": KIOSK_TIME, "language": "kk", "documents": listed} | more


def hearing_body(hearing: str, files: dict[str, bytes], **more: Any) -> dict[str, Any]:
    """Return a hearing's manifest."""
    return {
        "kiosk_time": KIOSK_TIME,
        "hearing": {"id": hearing, "case_number": "7599-26-00-2/1284", "kind": "civil"},
        "duration_seconds": 20.5,
        "parts": [{"part": 1, "seconds": 20.5, "sources": ["camera", "judge"]}],
        "files": [file_of(path, content) for path, content in files.items()],
    } | more


def new_id() -> str:
    """Return a fresh UUID."""
    return str(uuid.uuid4())


def head_body(
    kiosk: Kiosk,
    hearing: str,
    count: int,
    content: bytes,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> dict[str, Any]:
    """Return a signed head of a part's journal: ``content`` is the last of ``count`` lines."""
    digest = sha256(content).hexdigest()
    message = head_message(hearing, 1, ChainHead(count, digest))
    signature = (key or kiosk.key).sign(message, ec.ECDSA(hashes.SHA256()))
    return {
        "part": 1,
        "count": count,
        "hash": digest,
        "signature": base64.b64encode(signature).decode(),
        "at": KIOSK_TIME,
    }
