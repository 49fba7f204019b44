"""The court's line of the trials and benchmarks is what it says it is."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.support.network_link import CENTRE_ADDRESS, NetworkLink, unavailable_reason

PROC_SYS = Path("/proc/sys")
SYSCTLS = Path(__file__).resolve().parents[2] / "packaging/host/sysctl.conf"
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


@pytest.mark.root
@needs_links
def test_a_route_by_a_router_has_its_congestion_control_and_the_rate_is_the_routers() -> None:
    with NetworkLink(has_router=True) as link:
        link.set_congestion_control("reno")
        link.shape(10, 5)
        before = link.sent()
        assert round_trip(link) > 0
        assert 1000 < link.sent() - before < 3000
        with socket.create_server((CENTRE_ADDRESS, 0)) as server:
            with link.court():
                client = socket.create_connection(server.getsockname())
            with client:
                assert congestion_control(client) == "reno"


@pytest.mark.root
@needs_links
def test_an_installed_kiosk_sends_with_the_control_that_bears_loss() -> None:
    available = (PROC_SYS / "net/ipv4/tcp_available_congestion_control").read_text("ascii")
    if "bbr" not in available.split():
        pytest.skip("this kernel has not loaded bbr")
    lines = re.findall(r"^-?(net\..+?) *= *(.+)$", SYSCTLS.read_text("utf-8"), re.MULTILINE)
    with NetworkLink() as link, link.court():
        default = PROC_SYS / "net/ipv4/tcp_congestion_control"
        default.write_text("reno", "ascii")
        for name, value in lines:
            (PROC_SYS / name.replace(".", "/")).write_text(value, "ascii")
        with socket.socket() as fresh:
            assert congestion_control(fresh) == "bbr"


def congestion_control(sock: socket.socket) -> str:
    """Return what a socket uses."""
    name = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode("ascii")
