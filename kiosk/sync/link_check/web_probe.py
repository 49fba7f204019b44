"""What a call would have of the line where only HTTPS passes: small requests, one after the other.

TCP sends again what is lost: it comes late, and later than a jitter buffer waits. How many were
lost on the way is not known.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.sync.link_check.call_probe import VOICE_S, interarrival_jitter_ms
from kiosk.sync.link_check.line_verdict import Flow, Line, loaded_round_trip_ms
from kiosk.sync.link_check.load import Load


class WebProbe:
    """Round trips on one open connection, first alone, then beside a load.

    Args:
        round_trip_ms: makes one.
        seconds: how long alone.
        progress: called after each with the seconds gone; may raise to cancel.
    """

    def __init__(
        self,
        round_trip_ms: Callable[[], float],
        seconds: float,
        progress: Callable[[float], None],
    ) -> None:
        self._round_trip_ms, self._seconds, self._progress = round_trip_ms, seconds, progress

    def beside(self, load: Load) -> Line:
        """Measure alone, then beside ``load``; return the line.

        Raises:
            CentralError: the central system does not answer.
        """
        begun = time.monotonic()
        alone = self._repeat(begun, lambda: time.monotonic() - begun >= self._seconds)
        load.start()
        loaded = self._repeat(begun, load.is_over)
        down_mbit, up_mbit = load.rates()
        fastest = min(alone)
        delays = tuple(taken - fastest for taken in alone)
        flow = Flow(0.0, delays, interarrival_jitter_ms(delays))
        return Line(
            up=flow,
            down=flow,
            rtt_ms=fastest,
            loss=None,
            loaded_rtt_ms=loaded_round_trip_ms(loaded),
            up_mbit=up_mbit,
            down_mbit=down_mbit,
        )

    def _repeat(self, begun: float, is_over: Callable[[], bool]) -> list[float]:
        """Make round trips until ``is_over()``, at most 50 a second; at least one."""
        found = [self._round_trip_ms()]
        while not is_over():
            self._progress(time.monotonic() - begun)
            time.sleep(max(0.0, VOICE_S - found[-1] / 1000))
            found.append(self._round_trip_ms())
        return found
