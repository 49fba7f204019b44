"""Between kiosk and server: names, clocks, certificates, drips, a full or locked server."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.central.identity import authority as central_authority
from kiosk.central.identity.authority import CertificateAuthority
from kiosk.clocks import format_wall, wall_time
from kiosk.errors import CentralError
from kiosk.evidence.certificates import load_key
from kiosk.sync import enrolment
from kiosk.sync.transport import central_session
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import CentralSession, Credentials
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.identity import certificate_request
from tests.support.delivery_rig import KIOSK, Central, Kiosk, temporary_kiosk, wait_problem
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

YEARS = timedelta(days=4000)
ANSWER = b"HTTP/1.1 200 OK\r\nCourt-Contract: 1\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.contextmanager
def serve_answer(context: ssl.SSLContext | None, drip: float = 0.0) -> Iterator[int]:
    """Serve :data:`ANSWER` on a loopback port, byte by byte where ``drip`` seconds are given."""
    end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            while not end.is_set():
                with contextlib.suppress(OSError):
                    plain, _ = listener.accept()
                    plain.settimeout(5)
                    with (
                        plain
                        if context is None
                        else context.wrap_socket(plain, server_side=True) as peer
                    ):
                        peer.recv(65536)
                        for start in range(0, len(ANSWER), 1 if drip else len(ANSWER)):
                            peer.sendall(ANSWER[start : start + (1 if drip else len(ANSWER))])
                            if drip and end.wait(drip):
                                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            end.set()
            thread.join(10)


@pytest.mark.parametrize(
    ("shift", "code"),
    [(timedelta(0), None), (-YEARS, "certificate_invalid"), (YEARS, "certificate_invalid")],
    ids=["right", "ahead by years", "behind by years"],
)
def test_a_clock_wrong_by_years_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: timedelta, code: str | None
) -> None:
    """A server's certificate of another time looks just as a wrong clock here does."""
    court = CertificateAuthority.open(tmp_path / "authority", "court")
    monkeypatch.setattr(central_authority, "wall_time", lambda: wall_time() + shift)
    certificate, key = court.server_files(["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    session = CentralSession(Credentials(None, None, court.root_path))
    with serve_answer(context) as port:
        url = f"https://localhost:{port}/"
        if code is None:
            assert session.request("GET", url).status_code == 200
        else:
            with pytest.raises(CentralError) as caught:
                session.request("GET", url)
            assert caught.value.code == code
    session.close()


def test_an_expired_certificate_is_refused_and_nothing_is_lost(
    template: Path, central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    with temporary_kiosk(template, central.url) as kiosk:
        court = CertificateAuthority.open(central.data / "authority", "")
        monkeypatch.setattr(central_authority, "wall_time", lambda: wall_time() - YEARS)
        csr = certificate_request(load_key(kiosk.paths.device_key), KIOSK)
        kiosk.paths.device_certificate.write_text(court.issue_device(csr, KIOSK).pem)
        monkeypatch.undo()
        # An expired certificate is blamed by a clock that is certain only.
        monkeypatch.setattr(central_session, "is_synchronised", lambda: True)
        kiosk.start_in_thread()
        filing = kiosk.make_filing()
        wait_problem(kiosk, "certificate_invalid")
        assert "certificate_invalid" in kiosk.alarms()
        answer = kiosk.request("POST", f"/v1/filings/{filing}/register")[1]
        assert answer["state"] == "provisional"
        assert (kiosk.paths.filings / filing / "document.pdf").exists()


def test_the_certificate_is_renewed_before_it_expires(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The central system's time counts: the kiosk's own clock may be wrong by years."""
    path = kiosk.paths.device_certificate
    before = x509.load_pem_x509_certificate(path.read_bytes())
    life = before.not_valid_after_utc - before.not_valid_before_utc
    late = before.not_valid_after_utc - life / 4
    answer = CentralClient.check_contract
    monkeypatch.setattr(
        CentralClient,
        "check_contract",
        lambda client: {**answer(client), "wall": format_wall(late)},
    )
    kiosk.start_in_thread()

    def renewed() -> x509.Certificate | None:
        now = x509.load_pem_x509_certificate(path.read_bytes())
        return now if now.serial_number != before.serial_number else None

    now = wait_for(renewed, "the new certificate")
    monkeypatch.undo()
    assert now.public_key() == before.public_key(), "the key stays: one file is replaced"
    report = kiosk.make_report()
    kiosk.wait_delivered("report", report)
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")
    assert isinstance(now.public_key(), ec.EllipticCurvePublicKey)


def test_a_renewal_that_fails_keeps_the_present_certificate(central: Central, kiosk: Kiosk) -> None:
    before = kiosk.paths.device_certificate.read_bytes()
    end = x509.load_pem_x509_certificate(before).not_valid_after_utc
    now = end - timedelta(days=1)
    central.set_faults({"fault": "status", "match": "POST /v1/renew", "status": 500})
    connection = Connection(kiosk.paths, central.url)
    with pytest.raises(CentralError):
        enrolment.renew_if_due(kiosk.paths, connection.client(), now)
    assert kiosk.paths.device_certificate.read_bytes() == before
    central.set_faults()
    assert enrolment.renew_if_due(kiosk.paths, connection.client(), now)
    connection.close()


def test_a_name_that_does_not_resolve_is_named(template: Path) -> None:
    with temporary_kiosk(template, "https://no-such-host.invalid:8443") as kiosk:
        kiosk.start_in_thread()
        wait_problem(kiosk, "dns_failed")
        assert "central_unreachable" in kiosk.alarms()


def test_an_answer_that_drips_in_ends() -> None:
    session = CentralSession(None, requires_contract=False)
    with serve_answer(None, drip=0.4) as port, pytest.raises(CentralError) as caught:
        session.request("GET", f"http://127.0.0.1:{port}/", timeout=(1.0, 1.0))
    assert caught.value.code == "central_timeout"
    session.close()


def test_a_locked_database_of_the_server_is_waited_for(central: Central, kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    wait_problem(kiosk, None)
    with contextlib.closing(sqlite3.connect(central.data / "central.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        report = kiosk.make_report()
        wait_for(lambda: kiosk.state()["link"]["state"] == "down", "the link down")
        assert kiosk.state()["link"]["problem"] in ("central_fault", "central_timeout")
        other.execute("ROLLBACK")
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("report", report)


@pytest.mark.root
def test_a_server_with_a_full_disk_gets_it_all_when_there_is_room_again(template: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="full-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here: not root")
    try:
        shutil.copytree(template / "central", folder / "central")
        shutil.copy(template / "seed.toml", folder)
        central = Central(folder / "central")
        central.start()
        with temporary_kiosk(template, central.url) as kiosk:
            kiosk.start_in_thread()
            wait_problem(kiosk, None)
            hearing = kiosk.make_hearing(video=3_000_000, files=1)
            wait_for(lambda: kiosk.state()["link"]["problem"] == "central_full", "the full disk")
            wait_for(lambda: "central_unreachable" in kiosk.alarms(), "its alarm")
            assert (kiosk.paths.hearings / hearing / "SHA256SUMS").exists()
            room = ["mount", "-o", "remount,size=64m", str(folder)]
            subprocess.run(room, check=True)
            kiosk.request("POST", "/v1/deliver")
            kiosk.wait_delivered("hearing", hearing)
        central.stop()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
