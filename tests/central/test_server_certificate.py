"""The server's own certificate and connections: renewed while it runs, named, limited clearly."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from kiosk.exchange.receipt_signature import check_receipt
from tests.support.central_rig import SEED, Central, filing_body, new_id
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

CONTENT = b"%PDF-1.7 document"
KIOSK = [sys.executable, "-m", "kiosk.cli"]
SHORT_LIVED = """
import sys
from datetime import timedelta
from kiosk.central import server
from kiosk.central.identity import authority
from kiosk.cli import main
authority.SERVER_DAYS = (authority.RENEW_BEFORE + timedelta(seconds=8)) / timedelta(days=1)
server.CERTIFICATE_CHECK_S = 0.2
sys.exit(main(sys.argv[1:]))
"""


def connect(central: Central) -> ssl.SSLSocket:
    """Return a new connection without a device certificate."""
    context = ssl.create_default_context(cafile=central.ca)
    port = int(central.url.rsplit(":", 1)[1])
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except OSError:
        plain.close()
        raise


def ask(connection: ssl.SSLSocket) -> bytes:
    """Return the status line of an answer on a connection."""
    connection.sendall(b"GET /v1/ca.crt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"-----END CERTIFICATE-----\n"):
        block = connection.recv(4096)
        if not block:
            raise ConnectionResetError
        answer += block
    return answer.split(b"\r\n", 1)[0]


def served(central: Central) -> x509.Certificate:
    """Return the certificate that a new connection gets."""
    with connect(central) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


def names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


@contextlib.contextmanager
def running(data: Path, command: list[str], **environment: str) -> Iterator[Central]:
    """Run a server by ``command``, to which its arguments are added, until the end."""
    arguments = ["central", "--data", str(data), "--port", "0", "--no-searchable"]
    seed = ["--seed", str(SEED)]
    process = subprocess.Popen(
        [*command, *arguments, *seed], stdout=subprocess.DEVNULL, env=os.environ | environment
    )
    try:
        wait_for((data / "address").exists, "the server", 100)
        yield Central(data)
    finally:
        process.terminate()
        process.wait()


def test_the_running_server_renews_its_certificate_and_signs_with_the_new_one(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data", [sys.executable, "-c", SHORT_LIVED]) as central:
        kiosk, first = central.enrol(), served(central)
        with connect(central) as held:
            ask(held)  # who never asks is cut off
            renewed = wait_for(
                lambda: (
                    ((now := served(central)).serial_number != first.serial_number and now) or None
                ),
                "a new certificate",
            )
            assert ask(held) == b"HTTP/1.1 200 OK"
        assert renewed.not_valid_after_utc > first.not_valid_after_utc
        assert names_of(renewed) == names_of(first)
        assert renewed.public_key() == first.public_key()
        filing = new_id()
        answer = kiosk.put(f"/v1/filings/{filing}", filing_body(CONTENT))
        kiosk.send(answer["missing"], {"document-1.pdf": CONTENT})
        receipt = wait_for(lambda: kiosk.get(f"/v1/filings/{filing}").get("receipt"), "the receipt")
        check_receipt(receipt, "filing", filing, central.ca)
        signed_by = x509.load_pem_x509_certificate(receipt["certificate"].encode())
        assert signed_by.not_valid_before_utc >= renewed.not_valid_before_utc
        assert signed_by.serial_number != first.serial_number


def test_a_server_for_other_machines_needs_a_name(tmp_path: Path) -> None:
    command = [*KIOSK, "central", "--data", str(tmp_path / "data"), "--host", "0.0.0.0"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "KIOSK_CENTRAL_NAMES" in refused.stderr
    assert not (tmp_path / "data").exists()
    names = "central.court.test 192.0.2.7"
    start = ["sh", "-c", 'exec "$@" --host 0.0.0.0', "sh", *KIOSK]
    with running(tmp_path / "data", start, KIOSK_CENTRAL_NAMES=names) as central:
        assert names_of(served(central)) >= {"central.court.test", "192.0.2.7", "localhost"}


def test_connections_beyond_the_descriptors_are_refused_and_none_hangs(tmp_path: Path) -> None:
    start = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *KIOSK]
    with running(tmp_path / "data", start) as central, contextlib.ExitStack() as held:
        connections: list[ssl.SSLSocket] = []
        refused = 0
        while len(connections) < 256 and not refused:
            try:
                connections.append(held.enter_context(connect(central)))
                ask(connections[-1])
            except TimeoutError:
                pytest.fail(f"connection {len(connections) + 1} hangs")
            except OSError:
                refused += 1
        assert 128 <= len(connections) < 256, "those that were served, and one refused"
        assert ask(connections[0]) == b"HTTP/1.1 200 OK"
        connections.pop().close()

        def connects() -> bool:
            with contextlib.suppress(OSError), connect(central) as another:
                return ask(another) == b"HTTP/1.1 200 OK"
            return False

        wait_for(connects, "a connection in its place")
