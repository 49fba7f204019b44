"""A call's own packets over the line, echoed (shape: ``/v1/link/token`` of the contract).

Voice of 64 kbit/s in packets of 20 ms and a picture of 400 kbit/s, spread evenly as a call's pacer
does; then a train of full packets at once, which the narrowest place of the line spreads; then
voice alone while a load fills the line. The echo says when a packet came to the central system and
how many had come: so both directions are told apart. A load in both directions needs more than a
second to fill a line with a long queue; the train tells the rate before.
"""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kiosk.errors import CentralUnreachableError
from kiosk.sync.link_check.line_verdict import Flow, Line, loaded_round_trip_ms
from kiosk.sync.link_check.load import LOAD_S, PAYLOAD_SHARE, Load

# token, sequence, sender's ns, server's ns, packets the server has received
HEADER = struct.Struct(">16sIQQI")
VOICE_BYTES, VOICE_S = 160, 0.02
PICTURE_BYTES, PICTURE_S = 500, 0.01
TRAIN_PACKETS, TRAIN_BYTES = 24, 1200
TRAIN_S = 0.3
"""So long the load waits for the train, which takes 0.24 s at 1 Mbit/s."""
TRAIN_HEAD, TRAIN_LEAST = 5, 12
"""What a shaper lets pass at once tells nothing; nor does a train of which little came."""
TRAIN_MBIT = 5.0
"""Up to this rate a train can be timed. Both err on the low side, so the larger one is taken."""
LEAST_LOAD_BYTES, LOAD_MARGIN = 125_000, 1.25
"""A load's most in each direction: what the slower train's rate, and a margin, carries in its time.
A train of which too little came tells of no fast line."""
SILENCE_S = 1.0
"""Without any echo for so long UDP is blocked."""
UDP_FRAME_BYTES = 42  # Ethernet, IP and UDP
LAST_WAIT_S = (0.3, 1.0)
LOAD_STARTS_S = 0.3
"""A load needs so long to fill the line."""


@dataclass(frozen=True)
class Packet:
    """When a packet is sent (s, since the probe's begin), and its payload in bytes."""

    at: float
    size: int


@dataclass(frozen=True)
class Echo:
    """One echo: when it was sent, seen there and received (ns), and how many had come there."""

    sent: int
    there: int
    received: int
    count: int

    @property
    def round_trip_ms(self) -> float:
        """The round trip."""
        return (self.received - self.sent) / 1e6


@dataclass
class Echoes:
    """The echoes by sequence number; of a duplicate the first counts.

    Attributes:
        call_packets: so many were sent as the call; then comes the train, then voice under load.
        sent: all that were sent.
    """

    call_packets: int
    sent: int = 0
    found: dict[int, Echo] = field(default_factory=dict)

    def call_flows(self) -> tuple[Flow, Flow] | None:
        """Return the call's packets up and down, or None where no echo came."""
        call = {number: echo for number, echo in self.found.items() if number < self.call_packets}
        if not call:
            return None
        last, arrived = max(call) + 1, max(echo.count for echo in call.values())
        arrived = min(last, max(arrived, len(call)))
        everything = self.found.values()
        up = _relative_ms(
            [echo.there - echo.sent for echo in call.values()],
            min(echo.there - echo.sent for echo in everything),
        )
        down = _relative_ms(
            [echo.received - echo.there for echo in call.values()],
            min(echo.received - echo.there for echo in everything),
        )
        return (
            Flow(1 - arrived / last, up, interarrival_jitter_ms(up)),
            Flow(1 - len(call) / arrived, down, interarrival_jitter_ms(down)),
        )

    def round_trip_loss(self) -> float:
        """Return the fraction of the call's packets that did not come back."""
        came = sum(number < self.call_packets for number in self.found)
        return 1 - came / max(1, min(self.sent, self.call_packets))

    def fastest_ms(self) -> float:
        """Return the fastest round trip."""
        return min(echo.round_trip_ms for echo in self.found.values())

    def loaded(self) -> tuple[float | None, float | None]:
        """Return round trip (ms) and loss of the packets under load; None: there were none."""
        first = self._first_loaded
        if self.sent <= first:
            return None, None
        times = [echo.round_trip_ms for number, echo in self.found.items() if number >= first]
        return loaded_round_trip_ms(times), 1 - len(times) / (self.sent - first)

    @property
    def _first_loaded(self) -> int:
        return self.call_packets + TRAIN_PACKETS + round(LOAD_STARTS_S / VOICE_S)

    def train_mbit(self) -> tuple[float, float]:
        """Return at what rate the train came there, and then here, as payload in Mbit/s.

        The way back is never seen faster than the way there. 0: too little came to tell.
        """
        train = range(self.call_packets, self.call_packets + TRAIN_PACKETS)
        echoes = [self.found[number] for number in train if number in self.found]
        return (
            _train_rate([echo.there for echo in echoes]),
            _train_rate([echo.received for echo in echoes]),
        )

    def load_bytes(self) -> int | None:
        """Return how much a load carries at most in each direction; None: no limit."""
        slower = min(self.train_mbit())
        if slower >= TRAIN_MBIT:
            return None
        return max(LEAST_LOAD_BYTES, round(slower * LOAD_MARGIN * LOAD_S * 125_000))

    def voice_mbit(self) -> tuple[float, float]:
        """Return what the voice under load took of the line up and down, as payload."""
        loaded = sorted(
            (number, echo) for number, echo in self.found.items() if number >= self._first_loaded
        )
        if len(loaded) < 2:
            return 0.0, 0.0
        begin, end = loaded[0][1], loaded[-1][1]
        up = (end.count - begin.count) / max(1, end.there - begin.there)
        down = (len(loaded) - 1) / max(1, end.received - begin.received)
        bits = (VOICE_BYTES + UDP_FRAME_BYTES) * 8 * PAYLOAD_SHARE
        sent_mbit = bits / VOICE_S / 1e6  # more never came, whatever the echoes say
        up_mbit, down_mbit = up * bits * 1e3, down * bits * 1e3  # packets a nanosecond
        return min(max(0.0, up_mbit), sent_mbit), min(down_mbit, sent_mbit)


def _train_rate(arrivals_ns: list[int]) -> float:
    times = sorted(arrivals_ns)[TRAIN_HEAD:]
    if len(times) < TRAIN_LEAST or times[-1] <= times[0]:
        return 0.0
    bits = (TRAIN_BYTES + UDP_FRAME_BYTES) * 8 * PAYLOAD_SHARE
    return (len(times) - 1) * bits * 1e3 / (times[-1] - times[0])


def _relative_ms(delays_ns: list[int], least_ns: int) -> tuple[float, ...]:
    return tuple((delay - least_ns) / 1e6 for delay in delays_ns)


def interarrival_jitter_ms(delays_ms: tuple[float, ...]) -> float:
    """Return the jitter of delays in the order of their arrival (RFC 3550, 6.4.1)."""
    jitter = 0.0
    for before, delay in itertools.pairwise(delays_ms):
        jitter += (abs(delay - before) - jitter) / 16
    return jitter


def call_packets(seconds: float) -> list[Packet]:
    """Return the packets of a call of so many seconds in one direction."""
    voice = [Packet(n * VOICE_S, VOICE_BYTES) for n in range(round(seconds / VOICE_S))]
    picture = [
        Packet((n + 0.5) * PICTURE_S, PICTURE_BYTES) for n in range(round(seconds / PICTURE_S))
    ]
    return sorted([*voice, *picture], key=lambda packet: packet.at)


class CallProbe:
    """Sends the packets and takes the echoes, in the calling thread.

    Args:
        address: host and UDP port of the echo.
        token: permits the echo.
        seconds: of the call.
        progress: called a few times a second with the seconds gone; may raise to cancel.
    """

    PROGRESS_S = 0.25

    def __init__(
        self,
        address: tuple[str, int],
        token: bytes,
        seconds: float,
        progress: Callable[[float], None],
    ) -> None:
        self._address, self._token, self._seconds = address, token, seconds
        self._progress, self._reported = progress, 0.0
        self._sock: socket.socket | None = None
        self._began = 0.0
        self.echoes = Echoes(0)
        self._sent_ns: list[int] = []

    def run_call(self, silence_s: float = SILENCE_S) -> bool:
        """Send the call; return False where UDP is blocked: no echo in ``silence_s``."""
        try:
            family, _, _, _, target = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            self._sock = socket.socket(family, socket.SOCK_DGRAM)
            self._sock.connect(target)
        except OSError:
            return False
        packets = call_packets(self._seconds)
        self.echoes, self._sent_ns = Echoes(len(packets)), []
        self._began = time.monotonic()
        for packet in packets:
            if not self._wait(packet.at, silence_s):
                return False
            self._send(packet.size)
        self._wait(max(self._seconds, silence_s if not self.echoes.found else 0), silence_s)
        return bool(self.echoes.found)

    def beside(self, load: Load) -> Line:
        """Send voice beside ``load``; return the line.

        Raises:
            CentralError: a direction of the load gave no result, or nothing is echoed any more
                while both carry: the central system has restarted.
        """
        for _ in range(TRAIN_PACKETS):
            self._send(TRAIN_BYTES)
        self._wait(self._seconds + TRAIN_S)
        load.start(self.echoes.load_bytes())
        self._run_voice(load.is_over)
        echoes = self.echoes
        voice_up, voice_down = echoes.voice_mbit()
        train_up, train_down = echoes.train_mbit()
        down_mbit, up_mbit = load.rates()
        if min(down_mbit, up_mbit) > 0 and max(echoes.found, default=0) < echoes.call_packets:
            raise CentralUnreachableError("link check: the echo ended in the middle")
        flows, (loaded_rtt_ms, loaded_loss) = echoes.call_flows(), echoes.loaded()
        up, down = flows or (Flow(1.0, ()), Flow(1.0, ()))
        return Line(
            up=up,
            down=down,
            rtt_ms=echoes.fastest_ms(),
            loss=echoes.round_trip_loss(),
            loaded_rtt_ms=loaded_rtt_ms,
            loaded_loss=loaded_loss,
            up_mbit=max(up_mbit + voice_up, min(train_up, TRAIN_MBIT)),
            down_mbit=max(down_mbit + voice_down, min(train_down, TRAIN_MBIT)),
        )

    def _run_voice(self, is_over: Callable[[], bool]) -> None:
        """Send voice until ``is_over()``, then wait for the last echoes."""
        begun = self._now()
        for at in _every(VOICE_S):
            self._wait(begun + at)
            if is_over():
                break
            self._send(VOICE_BYTES)
        slowest = max((echo.round_trip_ms for echo in self.echoes.found.values()), default=0.0)
        least, most = LAST_WAIT_S
        end = self._now() + min(most, max(least, 1.5 * slowest / 1000))
        while (
            self.echoes.sent - 1 not in self.echoes.found and self._now() < end
        ):  # then none is left
            self._receive(end)

    def close(self) -> None:
        """Close the socket."""
        if self._sock is not None:
            self._sock.close()

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _wait(self, until: float, silence_s: float = float("inf")) -> bool:
        """Take echoes until ``until``; return False where nothing came for ``silence_s``."""
        while (now := self._now()) < until:
            if now > silence_s and not self.echoes.found:
                return False
            if now - self._reported >= self.PROGRESS_S:
                self._reported = now
                self._progress(now)
            self._receive(until)
        return True

    def _send(self, size: int) -> None:
        assert self._sock is not None
        sent_ns = time.monotonic_ns()
        head = HEADER.pack(self._token, self.echoes.sent, sent_ns, 0, 0)
        self.echoes.sent += 1
        self._sent_ns.append(sent_ns)
        try:
            self._sock.send(head.ljust(size, b"\0"))
        except OSError:  # refused or no route: counts as lost
            return

    def _receive(self, until: float) -> None:
        """Receive one echo, waiting until ``until`` at most."""
        assert self._sock is not None
        left = until - self._now()
        if left <= 0:
            return
        self._sock.settimeout(left)
        try:
            data = self._sock.recv(2048)
        except OSError:  # time-out, or "port unreachable": then do not spin
            time.sleep(min(0.001, max(0.0, until - self._now())))
            return
        received = time.monotonic_ns()
        if len(data) < HEADER.size:
            return
        own, sequence, sent_ns, there, count = HEADER.unpack_from(data)
        # a word of its own on when it was sent would let an echo make a line fast
        if own == self._token and self._sent_ns[sequence : sequence + 1] == [sent_ns]:
            self.echoes.found.setdefault(sequence, Echo(sent_ns, there, received, count))


def _every(seconds: float) -> Iterator[float]:
    number = 0
    while True:
        yield number * seconds
        number += 1
