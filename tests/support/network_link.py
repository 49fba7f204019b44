"""A court's line: two network namespaces joined by a link of a given rate, delay and loss.

``netem`` is missing in many kernels (containers, small systems): delay and loss are made by a
relay between two TUN devices instead; the rate is always the kernel's (tbf). What a thread starts
inside ``with NetworkLink() as link`` runs at the centre; in ``with link.court()``, at the court.
A machine that sends into a queue of its own sees that it is full and holds back (TCP small queues);
where the queue matters, it is that of a router between the court and the line, as in a courthouse.
Root is needed; :func:`unavailable_reason` says why it cannot be had.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import ipaddress
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.support import netns

CENTRE_ADDRESS, COURT_ADDRESS = "10.77.0.1", "10.77.0.2"
ROUTER_ADDRESS, BEHIND_ROUTER = "10.77.1.1", "10.77.1.2"
DEVICE, LAN = "line0", "lan0"
BUFFER_MS = 400  # what a router in front of a slow line holds back before it drops
PAYLOAD_SHARE = 1448 / 1514  # of a full frame; the rate that tbf keeps is that of frames
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


@functools.cache
def unavailable_reason() -> str | None:
    """Return why there can be no shaped link here, or None."""
    missing = [name for name in ("ip", "tc") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} (iproute2) not installed"
    try:
        with NetworkLink() as link:
            link.shape(10)
    except OSError as error:
        return f"network namespaces refused: {error.strerror}"
    except subprocess.CalledProcessError as error:
        return f"refused: {' '.join(error.cmd)}"
    return None


class NetworkLink:
    """The line between a court and the centre.

    Args:
        delay_ms: in each direction.
        loss: of each direction's packets, 0 to 1.
        jitter_ms: of each direction: up to so much later, evenly, in order.
        has_router: whether the queue before the line is in a router, not in the court's machine.
    """

    def __init__(
        self,
        delay_ms: float = 0.0,
        loss: float = 0.0,
        *,
        jitter_ms: float = 0.0,
        has_router: bool = False,
    ) -> None:
        self._relayed = (delay_ms, loss, jitter_ms) if delay_ms or loss or jitter_ms else None
        self._has_router = has_router
        self._stack = contextlib.ExitStack()
        self._relay_input: IO[str] | None = None
        self._court = self._near = -1  # the court; what is at the court's end of the line

    def __enter__(self) -> NetworkLink:
        with contextlib.ExitStack() as stack:
            self._court = self._near = _make(stack)
            if self._has_router:
                self._near = _make(stack)
            centre = _make(stack)
            stack.enter_context(netns.inside(centre))
            if self._relayed is None:
                _join(self._near, DEVICE)
            else:
                self._relay(stack, *self._relayed)
            _bring_up(DEVICE, CENTRE_ADDRESS)
            with netns.inside(self._near):
                _bring_up(DEVICE, COURT_ADDRESS)
            if self._has_router:
                self._route()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def court(self) -> Iterator[None]:
        """Have the calling thread at the court for a while."""
        with netns.inside(self._court):
            yield

    def shape(
        self, up_mbit: float, down_mbit: float | None = None, *, buffer_ms: int = BUFFER_MS
    ) -> None:
        """Set the rate of frames to the centre (up) and to the court (default: the same).

        What does not leave within ``buffer_ms`` is lost.
        """
        down_mbit = up_mbit if down_mbit is None else down_mbit
        with netns.inside(self._near):
            _shape(DEVICE, up_mbit, buffer_ms)
            if self._has_router:
                _shape(LAN, down_mbit, buffer_ms)
                return
        _shape(DEVICE, down_mbit, buffer_ms)

    def cut(self, *, is_cut: bool = True) -> None:
        """Carry nothing any more, without a word to the court; or again (needs delay or loss)."""
        if self._relayed is None:
            raise ValueError("without a relay the court's own device would go down, too")
        _run("ip", "link", "set", DEVICE, "down" if is_cut else "up")

    def set_quality(self, delay_ms: float, loss: float = 0.0, jitter_ms: float = 0.0) -> None:
        """Set delay, loss and jitter of each direction from now on (needs delay or loss before)."""
        if self._relay_input is None:
            raise ValueError("without a relay the line has no delay and no loss")
        self._relay_input.write(f"{delay_ms} {loss} {jitter_ms}\n")
        self._relay_input.flush()

    def set_congestion_control(self, name: str) -> None:
        """Have new connections of the court use this congestion control (Debian's own: cubic).

        A namespace may have only those as its default that are permitted to everybody; a route may
        have any.
        """
        network = f"{CENTRE_ADDRESS}/24"
        route = [str(ipaddress.ip_network(network, strict=False)), "dev", DEVICE]
        if self._has_router:
            route = ["default", "via", ROUTER_ADDRESS]
        with self.court():
            _run("ip", "route", "replace", *route, "congctl", name)

    def sent(self) -> int:
        """Return the bytes of all frames that have gone to the centre so far."""
        with netns.inside(self._near):
            return _sent(DEVICE)

    def received(self) -> int:
        """Return the bytes of all frames that the centre has sent so far."""
        return _sent(DEVICE)

    def _route(self) -> None:
        """Put the router between the court and the line."""
        _run("ip", "route", "add", f"{BEHIND_ROUTER}/32", "via", COURT_ADDRESS)
        with netns.inside(self._near):
            _join(self._court, LAN)
            _bring_up(LAN, ROUTER_ADDRESS)
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        with self.court():
            _bring_up(LAN, BEHIND_ROUTER)
            _run("ip", "route", "add", "default", "via", ROUTER_ADDRESS)

    def _relay(
        self, stack: contextlib.ExitStack, delay_ms: float, loss: float, jitter_ms: float
    ) -> None:
        """Join both ends with a relay."""
        with netns.inside(self._near):
            court = _open_tun()
        centre = _open_tun()
        command = [sys.executable, "-m", "tests.support.relay", str(court), str(centre)]
        relay = subprocess.Popen(
            [*command, str(delay_ms), str(loss), str(jitter_ms)],
            pass_fds=(court, centre),
            stdin=subprocess.PIPE,
            text=True,
        )
        self._relay_input = relay.stdin
        os.close(court)
        os.close(centre)
        stack.callback(relay.communicate)
        stack.callback(relay.kill)


def _open_tun() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    request = struct.pack("16sH22x", DEVICE.encode("ascii"), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(device, TUNSETIFF, request)
    return device


def _make(stack: contextlib.ExitStack) -> int:
    network = netns.make()
    stack.callback(os.close, network)
    return network


def _join(other: int, device: str) -> None:
    """Join the calling thread's namespace and another one with virtual Ethernet."""
    with netns.inside(other):
        holder = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        peer = ("peer", "name", device, "netns", str(holder.pid))
        _run("ip", "link", "add", device, "type", "veth", *peer)
    finally:
        holder.communicate()


def _bring_up(device: str, address: str) -> None:
    _run("ip", "address", "add", f"{address}/24", "dev", device)
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "set", device, "up")


def _shape(device: str, mbit: float, buffer_ms: int) -> None:
    # One packet at a time: a burst of 64 kB, passed on as one, is nothing that a slow line does.
    _run("ip", "link", "set", "dev", device, "gso_max_segs", "1")
    burst = max(4000, int(mbit * 125_000 * 0.005))  # 5 ms: more would not be the line's rate
    rate = ("rate", f"{int(mbit * 1e6)}bit", "burst", str(burst), "latency", f"{buffer_ms}ms")
    _run("tc", "qdisc", "replace", "dev", device, "root", "tbf", *rate)


def _sent(device: str) -> int:
    answer = _run("ip", "-j", "-s", "link", "show", "dev", device)
    return int(json.loads(answer)[0]["stats64"]["tx"]["bytes"])


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
