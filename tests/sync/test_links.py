"""The court's line of the trials and benchmarks is what it says it is."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.support.network_link import CENTRE_ADDRESS, NetworkLink, unavailable_reason

needs_links = pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason()))


def echo_once(server: socket.socket) -> None:
    """Send one datagram back."""
    data, peer = server.recvfrom(2048)
    server.sendto(data, peer)


def round_trip(link: NetworkLink) -> float:
    """Return the seconds that one datagram takes from the court to the centre and back."""
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind((CENTRE_ADDRESS, 0))
    with link.court():
        client = socket.socket(type=socket.SOCK_DGRAM)
    client.settimeout(20)
    thread = threading.Thread(target=echo_once, args=(server,))
    thread.start()
    begun = time.monotonic()
    client.sendto(b"x" * 1000, server.getsockname())
    client.recv(2048)
    spent = time.monotonic() - begun
    thread.join()
    server.close()
    client.close()
    return spent


@pytest.mark.root
@needs_links
def test_bytes_are_counted_and_the_court_is_elsewhere() -> None:
    with NetworkLink() as link:
        link.shape(10, 5)
        before = link.sent()
        round_trip(link)
        assert 1000 < link.sent() - before < 3000
        with link.court(), pytest.raises(OSError, match="assign"):
            socket.create_server((CENTRE_ADDRESS, 0))


@pytest.mark.root
@needs_links
def test_delay_is_that_of_both_ways() -> None:
    with NetworkLink(delay_ms=40) as link:
        assert round_trip(link) >= 0.08
