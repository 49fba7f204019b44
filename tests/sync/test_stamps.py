"""Time stamps: from a real authority (OpenSSL behind HTTP), and everything that can go wrong."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import Paths
from kiosk.recording.verify.report import Report
from kiosk.recording.verify.timestamp import check_stamp
from kiosk.storage.paths import Layout
from kiosk.sync.delivery.timestamps import Stamper, StampError, stamp
from tests.identity import Court
from tests.recording.builder import sealed_hearing
from tests.waiting import wait_for

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


class Authority:
    """A time stamp authority on loopback; ``fault`` changes what it answers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.fault = ""
        self.asked = 0
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
        self.asked += 1
        if self.fault == "redirect":
            request.send_response(302)
            request.send_header("Location", self.url + "elsewhere")
            request.end_headers()
            return
        body = self.reply(self._other(query))
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

    def _other(self, query: bytes) -> bytes:
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
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path / "tsa")
    yield made
    made.close()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.of(Paths(data=tmp_path / "data", run=tmp_path / "run"))
    sealed_hearing(layout.hearings, Court.make(tmp_path / "court").device(), parts=1)
    return layout


def test_a_sealed_hearing_is_stamped_and_openssl_agrees(
    authority: Authority, layout: Layout
) -> None:
    stamper = Stamper(layout, authority.url)
    (hearing,) = stamper.missing()
    assert stamper.stamp_missing() == 1
    assert stamper.missing() == []
    assert stamper.stamp_missing() == 0
    seal = layout.hearings / hearing / "SHA256SUMS.p7s"
    tsr, ca = layout.receipts / f"{hearing}.tsr", authority.folder / "ca.pem"
    report = Report("x")
    assert check_stamp(seal, tsr, ca, report).endswith("Z")
    assert report.ok
    check_stamp(layout.hearings / hearing / "SHA256SUMS", tsr, ca, report)
    assert [one.code for one in report.problems] == ["stamp_wrong"]
    other = Report("x")
    check_stamp(seal, tsr, layout.hearings.parents[1] / "court" / "ca.pem", other)
    check_stamp(seal, tsr.with_name("none.tsr"), ca, other)
    assert [one.code for one in other.problems] == ["stamp_wrong", "stamp_missing"]


@pytest.mark.parametrize(
    "fault", ["redirect", "garbage", "half", "long", "busy", "slow", "nonce", "hash"]
)
def test_what_is_no_stamp_of_this_is_not_kept(
    authority: Authority, layout: Layout, fault: str
) -> None:
    authority.fault = fault
    stamper = Stamper(layout, authority.url, time_limit_s=1.0)
    with pytest.raises(StampError):
        stamper.stamp_missing()
    assert authority.asked == 1
    assert len(stamper.missing()) == 1
    authority.fault = ""
    stamper = Stamper(layout, authority.url)
    assert stamper.stamp_missing() == 1


def test_an_authority_that_is_down_is_asked_again(authority: Authority, layout: Layout) -> None:
    with pytest.raises(StampError):
        stamp(b"seal", "http://127.0.0.1:9/")
    authority.fault = "busy"
    stamper = Stamper(layout, authority.url, look_s=0.01)
    stamper.start()
    wait_for(lambda: authority.asked > 1, "a second request")
    assert stamper.listed() == {"missing": 1, "problem": "stamp_failed"}
    authority.fault = ""
    wait_for(lambda: not stamper.missing(), "the stamp")
    nothing = {"missing": 0, "problem": None}
    wait_for(lambda: stamper.listed() == nothing, "the state without a missing stamp")
    stamper.stop()


def test_without_an_authority_nothing_is_asked(layout: Layout) -> None:
    stamper = Stamper(layout, "")
    stamper.start()
    stamper.stop()
    assert len(stamper.missing()) == 1
    assert stamper.listed() is None
