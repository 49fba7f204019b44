"""Watches the line during a hearing by what flows anyway, without a load of its own (R24, R30).

Judged are the connections that sync has open: levels every 5 s, heartbeats, deliveries. Nothing
acknowledged for :data:`SILENT_S` while something waits for it: the line is silent. What is sent
again and the round trip are rated as a call's loss and delay (ITU-T G.107). The central system may
lose data on its own way to here: that is seen as delay only.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kiosk.sync.link_check.call_quality import SATISFIED, rating
from kiosk.sync.link_check.line_verdict import BUFFER_MS, PACKET_MS
from kiosk.sync.transport.tcp_health import TcpHealth

SILENT_S = 5.0
WINDOW_S = 60.0
"""So far back what was sent again counts."""
RTT_WINDOW_S = 15.0
DISSATISFIED = 70.0
"""G.109: below it many users are dissatisfied; a poor line is good again at 80."""
LEAST_SEGMENTS, LEAST_RETRANSMITTED, LEAST_ROUND_TRIPS = 20, 3, 2
"""Fewer tell nothing."""
State = Literal["good", "silent", "poor"]


@dataclass(frozen=True)
class LineState:
    """How the line is, and since when.

    Attributes:
        since: seconds of the boot clock.
        rtt_ms: round trip lately; None: nothing was acknowledged.
        loss: fraction of the segments that were sent again lately; None: too few were sent.
    """

    state: State
    since: float
    rtt_ms: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class _Sample:
    at: float
    retransmitted: int
    data_segments: int
    rtt_ms: float | None


class LineWatch:
    """The rules; begins with a good line.

    Args:
        now: boot clock, in s, as in all methods.

    Attributes:
        has_carried: whether anything came back so far: until then "good" is a guess.
    """

    def __init__(self, now: float) -> None:
        self._known: dict[int, TcpHealth] = {}
        self._stuck: dict[int, float] = {}
        self._samples: deque[_Sample] = deque()
        self._carried_at = now
        self.has_carried = False
        self._state = LineState("good", now)

    def poll(
        self, found: Iterable[TcpHealth], now: float, unanswered_since: float | None = None
    ) -> LineState:
        """Judge the connections; return how the line is.

        Args:
            found: the open connections.
            unanswered_since: since when nothing answers new connections; None: something does.
        """
        self._take(list(found), now)
        state, since = self._judge(now, unanswered_since)
        if state != self._state.state:
            if self._state.state == "silent":  # what was sent again into silence is no loss
                self._samples.clear()
                state = "good"
            since = since if state == "silent" else now
        else:
            since = self._state.since
        self._state = LineState(state, since, self._rtt_ms(now), self._loss())
        return self._state

    def _take(self, found: list[TcpHealth], now: float) -> None:
        """Note what has happened since the last poll."""
        retransmitted = data_segments = 0
        round_trips = []
        for health in found:
            before = self._known.get(health.port)
            if before is None or before.bytes_acknowledged > health.bytes_acknowledged:
                before = health._replace(bytes_acknowledged=0, bytes_received=0)
            retransmitted += health.retransmitted - before.retransmitted
            data_segments += health.data_segments - before.data_segments
            is_acknowledged = health.bytes_acknowledged > before.bytes_acknowledged
            if is_acknowledged:
                round_trips.append(health.rtt_ms)
            if is_acknowledged or health.bytes_received > before.bytes_received:
                self._carried_at, self.has_carried = now, True
            if is_acknowledged or not health.unacknowledged:
                self._stuck.pop(health.port, None)
            else:
                self._stuck.setdefault(health.port, now)
        self._known = {health.port: health for health in found}
        self._stuck = {port: at for port, at in self._stuck.items() if port in self._known}
        fastest = min(round_trips, default=None)  # others wait behind their own data
        self._samples.append(_Sample(now, retransmitted, data_segments, fastest))
        while self._samples[0].at < now - WINDOW_S:
            self._samples.popleft()

    def _judge(self, now: float, unanswered_since: float | None) -> tuple[State, float]:
        waits = [*self._stuck.values(), *([] if unanswered_since is None else [unanswered_since])]
        if self._state.state == "silent" and self._carried_at <= self._state.since:
            return "silent", self._state.since
        if waits and now - (since := max(self._carried_at, min(waits))) >= SILENT_S:
            return "silent", since
        rated = self._rating(now)
        least = SATISFIED if self._state.state == "poor" else DISSATISFIED
        return ("poor" if rated is not None and rated < least else "good"), now

    def _rating(self, now: float) -> float | None:
        """Return G.107's R of a call over the line; None: too little was sent to tell."""
        rtt_ms, loss = self._rtt_ms(now), self._loss()
        if rtt_ms is None and loss is None:
            return None
        return rating((rtt_ms or 0.0) / 2 + BUFFER_MS[0] + PACKET_MS, loss or 0.0)

    def _rtt_ms(self, now: float) -> float | None:
        recent = [row.rtt_ms for row in self._samples if row.at >= now - RTT_WINDOW_S]
        found = [rtt_ms for rtt_ms in recent if rtt_ms is not None]
        return statistics.median(found) if len(found) >= LEAST_ROUND_TRIPS else None

    def _loss(self) -> float | None:
        sent = sum(row.data_segments for row in self._samples)
        again = sum(row.retransmitted for row in self._samples)
        if sent < LEAST_SEGMENTS:
            return None
        return again / sent if again >= LEAST_RETRANSMITTED else 0.0
