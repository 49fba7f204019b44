"""Time stamps: from a real authority (OpenSSL behind HTTP), and everything that can go wrong."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.api.sync import Stamps
from kiosk.config import PathSettings
from kiosk.recording.verify.report import VerifyReport
from kiosk.recording.verify.timestamp import check_timestamp
from kiosk.storage.paths import Paths
from kiosk.sync.delivery.timestamps import TimestampError, TimestampWorker, request_timestamp
from tests.support.hearing_builder import sealed_hearing
from tests.support.identity import Court
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

CONFIG = """
[tsa]
default_tsa = t
[t]
serial = {dir}/serial
signer_cert = {dir}/tsa.crt
signer_key = {dir}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
ess_cert_id_alg = sha256
"""
EXTENSIONS = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n" + (
    "extendedKeyUsage=critical,timeStamping\n"
)


class TimestampAuthority:
    """A time stamp authority on loopback; ``fault`` changes what it answers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.fault = ""
        self.request_count = 0
        (folder / "tsa.cnf").write_text(CONFIG.format(dir=folder))
        (folder / "ext").write_text(EXTENSIONS)
        (folder / "serial").write_text("01\n")
        new = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        self._openssl(f"{new} -x509 -subj /CN=Stamps -days 9 -keyout ca.key -out ca.pem")
        self._openssl(f"{new} -subj /CN=TSA -keyout tsa.key -out tsa.csr")
        self._openssl(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 "
            "-extfile ext -out tsa.crt"
        )
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                authority.answer(self, query)

            def log_message(self, format: str, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _openssl(self, line: str) -> None:
        command = ["openssl", *line.split()]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def reply(self, query: bytes) -> bytes:
        (self.folder / "q").write_bytes(query)
        self._openssl("ts -reply -config tsa.cnf -queryfile q -out r")
        return (self.folder / "r").read_bytes()

    def answer(self, request: http.server.BaseHTTPRequestHandler, query: bytes) -> None:
        self.request_count += 1
        if self.fault == "redirect":
            request.send_response(302)
            request.send_header("Location", self.url + "elsewhere")
            request.end_headers()
            return
        body = self.reply(self._tampered(query))
        if self.fault == "garbage":
            body = b"<html>please log in</html>"
        elif self.fault == "half":
            body = body[: len(body) // 2]
        elif self.fault == "long":
            body = bytes(200_000)
        request.send_response(503 if self.fault == "busy" else 200)
        request.end_headers()
        pieces = [body[i : i + 50] for i in range(0, len(body), 50)]
        for piece in pieces:
            request.wfile.write(piece)
            request.wfile.flush()
            if self.fault == "slow":
                time.sleep(0.3)

    def _tampered(self, query: bytes) -> bytes:
        """Return the query that is answered in truth."""
        if self.fault == "nonce":
            self._openssl("ts -query -data ca.pem -sha512 -cert -out other")
            return (self.folder / "other").read_bytes()
        if self.fault == "hash":  # the digest stands between algorithm and nonce
            at = query.index(b"\x04\x40") + 2
            return query[:at] + bytes(64) + query[at + 64 :]
        return query

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TimestampAuthority]:
    made = TimestampAuthority(tmp_path / "tsa")
    yield made
    made.close()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.from_settings(PathSettings(data=tmp_path / "data", run=tmp_path / "run"))
    sealed_hearing(paths.hearings, Court.make(tmp_path / "court").device(), parts=1)
    return paths


def test_a_sealed_hearing_is_stamped_and_openssl_agrees(
    authority: TimestampAuthority, paths: Paths
) -> None:
    worker = TimestampWorker(paths, authority.url)
    (hearing,) = worker.missing_ids()
    assert worker.request_missing() == 1
    assert worker.missing_ids() == []
    assert worker.request_missing() == 0
    seal = paths.hearings / hearing / "SHA256SUMS.p7s"
    tsr, ca = paths.receipts / f"{hearing}.tsr", authority.folder / "ca.pem"
    report = VerifyReport("x")
    assert check_timestamp(seal, tsr, ca, report).endswith("Z")
    assert report.ok
    check_timestamp(paths.hearings / hearing / "SHA256SUMS", tsr, ca, report)
    assert [problem.code for problem in report.problems] == ["stamp_wrong"]
    other = VerifyReport("x")
    check_timestamp(seal, tsr, paths.hearings.parents[1] / "court" / "ca.pem", other)
    check_timestamp(seal, tsr.with_name("none.tsr"), ca, other)
    assert [problem.code for problem in other.problems] == ["stamp_wrong", "stamp_missing"]


@pytest.mark.parametrize(
    "fault", ["redirect", "garbage", "half", "long", "busy", "slow", "nonce", "hash"]
)
def test_what_is_no_stamp_of_this_is_not_kept(
    authority: TimestampAuthority, paths: Paths, fault: str
) -> None:
    authority.fault = fault
    worker = TimestampWorker(paths, authority.url, timeout_s=1.0)
    with pytest.raises(TimestampError):
        worker.request_missing()
    assert authority.request_count == 1
    assert len(worker.missing_ids()) == 1
    authority.fault = ""
    worker = TimestampWorker(paths, authority.url)
    assert worker.request_missing() == 1


def test_an_authority_that_is_down_is_asked_again(
    authority: TimestampAuthority, paths: Paths
) -> None:
    with pytest.raises(TimestampError):
        request_timestamp(b"seal", "http://127.0.0.1:9/")
    authority.fault = "busy"
    worker = TimestampWorker(paths, authority.url, poll_s=0.01)
    worker.start()
    wait_for(lambda: authority.request_count > 1, "a second request")
    assert worker.state() == Stamps(missing=1, problem="stamp_failed")
    authority.fault = ""
    wait_for(lambda: not worker.missing_ids(), "the stamp")
    nothing = Stamps()
    wait_for(lambda: worker.state() == nothing, "the state without a missing stamp")
    worker.stop()


def test_without_an_authority_nothing_is_asked(paths: Paths) -> None:
    worker = TimestampWorker(paths, "")
    worker.start()
    worker.stop()
    assert len(worker.missing_ids()) == 1
    assert worker.state() is None
