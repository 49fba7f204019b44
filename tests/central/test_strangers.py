"""What somebody without a certificate can make the server do: little, and not for long."""

from __future__ import annotations

import json
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
import requests
from cryptography import x509

from kiosk.central.errors import RefusedError
from kiosk.central.http.rate_limit import MAX_KEYS, RateLimit
from tests.support.central_rig import TIMEOUT, Central, csr, new_key

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    """A server of its own: the limits are counted by address."""
    with Central(tmp_path_factory.mktemp("strangers") / "data") as server:
        yield server


def connect(server: Central) -> ssl.SSLSocket:
    """Return a TLS connection without a certificate."""
    context = ssl.create_default_context(cafile=server.ca)
    port = int(server.url.rsplit(":", 1)[1])
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    return context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 31457280\r\n", b"Transfer-Encoding: chunked\r\n"]
)
def test_a_large_body_is_refused_before_it_is_read(fresh: Central, framing: bytes) -> None:
    head = b"POST /v1/enrol HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    block = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    body = b"" if b"Length" in framing else block * 2  # 64 KiB of 30 MiB
    with connect(fresh) as stranger:
        stranger.sendall(head + framing + b"\r\n" + body)
        assert stranger.recv(100).startswith(b"HTTP/1.1 413 ")


def test_wrong_codes_are_limited_write_nothing_and_stop_no_right_one(fresh: Central) -> None:
    key = new_key()
    address, body = f"{fresh.url}/v1/enrol", {"csr": csr(key, None)}
    database = sqlite3.connect(fresh.data / "central.db", isolation_level=None)
    with fresh.anonymous() as stranger, closing(database):
        database.execute("BEGIN IMMEDIATE")  # whoever needs the write lock waits, then gets 503
        answers = [
            stranger.post(address, json=body | {"code": f"AAAABBBB{n:04}"}, timeout=TIMEOUT)
            for n in range(25)
        ]
        database.execute("ROLLBACK")
        statuses = [answer.status_code for answer in answers]
        assert statuses == [403] * 20 + [429] * 5
        assert answers[-1].json()["code"] == "too_many"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        right = body | {"code": fresh.code("kiosk-0001")}
        assert stranger.post(address, json=right, timeout=TIMEOUT).status_code == 200


def test_the_revocation_list_is_signed_when_it_changes_only(fresh: Central) -> None:
    def fetch(**headers: str) -> requests.Response:
        address = f"{fresh.url}/v1/ca.crl"
        return fresh.anonymous().get(address, headers=headers, timeout=TIMEOUT)

    first = fetch()
    assert fetch().content == first.content, "ECDSA signs the same list differently each time"
    again = fetch(**{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    fresh.enrol("kiosk-0002")
    assert fresh.task("revoke", "kiosk-0002").returncode == 0
    changed = fetch(**{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    listed = x509.load_pem_x509_crl(changed.content)
    assert len(listed) == len(x509.load_pem_x509_crl(first.content)) + 1


@pytest.mark.parametrize("sent", [b"", b"GET /v1/contract HTTP/1.1\r\nHost: local"])
def test_half_a_head_holds_no_connection(fresh: Central, sent: bytes) -> None:
    with connect(fresh) as stranger:
        stranger.sendall(sent)
        assert stranger.recv(100) == b"", "closed by the server, not by this side's 60 s"


def test_a_head_that_cannot_be_read_is_a_problem_and_is_not_logged(fresh: Central) -> None:
    with connect(fresh) as stranger:
        stranger.sendall(b"GET /v1/contract HTTP/1.1\r\nbad head: Ivanov\r\n\r\n")
        answer = b"".join(iter(partial(stranger.recv, 4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"Court-Contract: " in head
    assert json.loads(body)["code"] == "malformed"
    logged = fresh.log.read_text(encoding="utf-8")
    assert "central" in logged
    assert "Ivanov" not in logged
    assert "Traceback" not in logged


def test_a_connection_between_two_requests_is_kept(fresh: Central) -> None:
    with connect(fresh) as caller:
        for pause in (0, 11):  # longer than the limit of a head; keep-alive lasts 75 s
            time.sleep(pause)
            caller.sendall(b"GET /v1/ca.crt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"-----END CERTIFICATE-----" not in received:
                received += caller.recv(65536)


def test_a_limit_forgets_what_is_over_and_holds_no_more_keys_than_it_may() -> None:
    now = 0.0
    limit = RateLimit(2, 60.0, lambda: now)
    for _ in range(2):
        limit.check("a")
        limit.count("a")
    with pytest.raises(RefusedError) as refused:
        limit.check("a")
    assert (refused.value.status, refused.value.retry_after) == (429, 60)
    limit.check("b")
    now = 60.0
    limit.check("a")
    for number in range(MAX_KEYS + 5):
        limit.count(str(number))
    limit.count("0")
    limit.check("0")
