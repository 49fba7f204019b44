"""Link check: a call's own packets, then both directions full; it informs, never blocks (R30-R32).

Under four seconds and 0.6 MB at 1 Mbit/s: the call alone (loss, jitter and delay, each direction
apart), then its voice beside a load in both directions (delay under load, the rate that holds).
Where UDP does not pass, requests over the same HTTPS take the packets' place: what is lost then
shows as late.

Requirements: R71.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from kiosk.api.sync import LinkCheckResult, LinkCheckStep
from kiosk.clocks import format_wall
from kiosk.errors import CentralError, CentralUnreachableError, KioskError, StorageError
from kiosk.sync.context import SyncContext
from kiosk.sync.link_check.call_probe import TRAIN_MBIT, CallProbe
from kiosk.sync.link_check.line_verdict import (
    Direction,
    Line,
    judge,
    rate_verdict,
    round_trips_per_minute,
    slower_direction,
)
from kiosk.sync.link_check.load import LOAD_S, LONG_LOAD_S, Load
from kiosk.sync.link_check.web_probe import WebProbe
from kiosk.sync.transport.central_client import POLL_TIMEOUT, CentralClient
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.link_type import detect_link_type

log = logging.getLogger(__name__)

CALL_S = 1.2
OTHER: Mapping[Direction, Direction] = {"up": "down", "down": "up"}
ALONE_S, ALONE_BYTES = 1.0, 160_000
"""A load in one direction: what is not full by then has enough for R31."""
FAST_BYTES, SAME_SHARE = 4_000_000, 0.8
"""The same on a fast line, where a direction carries less than this share of the other."""
SILENCE_S = (1.0, 3.0)
"""So long an echo is waited for: as long as the first answer over HTTPS took, within these."""
MAX_START_S = 3600.0
ProgressCallback = Callable[[LinkCheckStep], None]
Sentences = Mapping[str, Mapping[str, str | None]]


class LinkCheckRunningError(KioskError):
    """A link check is running already."""

    code = "link_check_running"


class CancelledError(KioskError):
    """The check was cancelled by a person."""

    code = "cancelled"


@dataclass(frozen=True)
class LinkLimits:
    """Limits and words of the verdict (rules data).

    Attributes:
        min_mbit: least goodput in each direction, in Mbit/s (R31).
        borderline: within this fraction of ``min_mbit`` the rate is borderline.
        rates: what each verdict on the rate means, by language.
        calls: what people will notice, by language.
        remedies: what helps, by language.

    The sentence of one direction alone has its name after ``_``: ``gaps_up``.
    """

    min_mbit: float = 1.0
    borderline: float = 0.05
    rates: Sentences = field(default_factory=dict)
    calls: Sentences = field(default_factory=dict)
    remedies: Sentences = field(default_factory=dict)


@dataclass(frozen=True)
class Connections:
    """The three connections of a check: for questions and round trips, and one for each load."""

    control: Connection
    down: Connection
    up: Connection

    def all(self) -> tuple[Connection, ...]:
        """Return them."""
        return (self.control, self.down, self.up)


@dataclass(frozen=True)
class Slot:
    """When a planned check may begin, by the central system.

    Attributes:
        token: its answer, for that check alone.
        start_in_s: seconds from now.
    """

    token: Mapping[str, Any]
    start_in_s: float


class LinkCheck:
    """Runs one check at a time; may be cancelled from another thread.

    Args:
        context: shared state of sync; bulk transfers yield while a check runs.
        connections: of the check.
        limits: rules data.
    """

    def __init__(self, context: SyncContext, connections: Connections, limits: LinkLimits) -> None:
        self._context = context
        self._connections = connections
        self._limits = limits
        self._run_lock = threading.Lock()
        self._cancelled = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether a check runs now."""
        return self._run_lock.locked()

    def cancel(self) -> None:
        """Cancel the running check, if there is one."""
        self._cancelled.set()
        for connection in self._connections.all():
            connection.abort()

    def reserve(self) -> Slot:
        """Ask the central system when a planned check may begin.

        Raises:
            KioskError: it does not say.
        """
        client = self._connections.control.client()
        token = client.call("POST", "/v1/link/token?planned=true", timeout=POLL_TIMEOUT)
        start_in_s: Any = token.get("start_in_s")  # an earlier release gives none
        if not isinstance(start_in_s, int | float) or not 0 <= start_in_s < MAX_START_S:
            return Slot(token, 0.0)
        return Slot(token, float(start_in_s))

    def run(self, report_progress: ProgressCallback, slot: Slot | None = None) -> LinkCheckResult:
        """Check the link; return the result.

        Args:
            report_progress: called with each step of progress.
            slot: of a planned check, which has come.

        Raises:
            LinkCheckRunningError: a check is running already.
            CancelledError: :meth:`cancel` was called.
        """
        if not self._run_lock.acquire(blocking=False):
            raise LinkCheckRunningError("a link check is running already")
        try:
            self._cancelled.clear()
            with self._context.lanes.urgent_work():
                measured = self._measure(report_progress, slot)
            result = LinkCheckResult.model_validate(worded(measured, self._limits))
            try:
                self._context.save_link_check(result)
            except StorageError as error:  # whoever asked has the answer all the same
                log.warning("a link check is not kept: %s", error.code)
            return result
        finally:
            self._run_lock.release()

    def _measure(self, report_progress: ProgressCallback, slot: Slot | None) -> dict[str, Any]:
        result: dict[str, Any] = {
            "at": format_wall(),
            "bearer": detect_link_type(),
            "limit_mbit": self._limits.min_mbit,
        }
        try:
            line, via = self._measure_line(report_progress, slot)
        except (CentralError, requests.RequestException, OSError, KeyError, ValueError) as error:
            self._raise_if_cancelled()
            log.info("link check: %s", getattr(error, "code", type(error).__name__))
            return {**result, "problem": getattr(error, "code", "central_unreachable")}
        return {**result, **reported(line, self._limits), "via": via}

    def _measure_line(
        self, report_progress: ProgressCallback, slot: Slot | None
    ) -> tuple[Line, Literal["udp", "https"]]:
        """Return the line, and over what the call's packets went."""
        begun = time.monotonic()
        control, down, up, token = self._open(slot)
        silence_s = min(max(SILENCE_S[0], time.monotonic() - begun), SILENCE_S[1])
        key = str(token["token"])

        def progress(done: float) -> None:
            self._raise_if_cancelled()
            phase: Literal["call", "load"] = "call" if done < CALL_S else "load"
            report_progress(
                LinkCheckStep(phase=phase, seconds=round(done, 2), of_seconds=CALL_S + LOAD_S)
            )

        def load(seconds: float) -> Load:
            return Load(down, up, key, self._cancelled.is_set, seconds)

        port = _echo_port(token)
        host = control.session.sockets.peer_address() or urlsplit(control.full_url("/")).hostname
        if port is not None and host is not None:
            probe = CallProbe((host, port), bytes.fromhex(key), CALL_S, progress)
            try:
                if probe.run_call(silence_s):
                    line = probe.beside(load(LOAD_S))
                    return self._with_doubtful_direction(line, control, key), "udp"
            finally:
                probe.close()
        web = WebProbe(lambda: self._round_trip_ms(control), CALL_S, progress)
        return web.beside(load(LONG_LOAD_S)), "https"

    def _with_doubtful_direction(self, line: Line, control: CentralClient, key: str) -> Line:
        """Return ``line``; the rate of a direction that the other one held up, measured alone.

        It goes over the connection that is open and idle. If it fails, what is known counts.
        """
        if (doubtful := doubtful_direction(line, self._limits.min_mbit)) is None:
            return line
        direction, most_bytes = doubtful
        try:
            if direction == "up":
                key = str(_token(control)["token"])  # each is good for one upload
            load = Load(control, control, key, self._cancelled.is_set, ALONE_S, direction)
            load.start(most_bytes)
            load.wait()
            down_mbit, up_mbit = load.rates()
        except CentralError as error:
            self._raise_if_cancelled()
            log.info("link check, %s alone: %s", direction, error.code)
            return line
        self._raise_if_cancelled()
        if direction == "down":
            return replace(line, down_mbit=max(line.down_mbit or 0.0, down_mbit))
        return replace(line, up_mbit=max(line.up_mbit or 0.0, up_mbit))

    def _open(
        self, slot: Slot | None
    ) -> tuple[CentralClient, CentralClient, CentralClient, Mapping[str, Any]]:
        """Open all connections at once; return their clients, and the token's answer.

        A very bad line fails now and then: the token is asked for twice, and a load may still
        connect when it begins.
        """
        control, down, up = (connection.client() for connection in self._connections.all())
        with ThreadPoolExecutor(2, thread_name_prefix="link check") as pool:
            ready = [pool.submit(client.check_contract) for client in (down, up)]
            try:
                token = slot.token if slot is not None else _token(control)
            except CentralUnreachableError:
                self._raise_if_cancelled()
                token = _token(control)
            if slot is not None:
                control.check_contract()
            for future in ready:
                if isinstance(error := future.exception(), CentralUnreachableError):
                    log.info("link check: %s", error.code)
        self._raise_if_cancelled()
        return control, down, up, token

    def _round_trip_ms(self, client: CentralClient) -> float:
        """Return how long a small request takes on an open connection, in ms."""
        self._raise_if_cancelled()
        started = time.monotonic()
        client.check_contract()
        return (time.monotonic() - started) * 1000

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError("link check cancelled")


def worded(measured: Mapping[str, Any], limits: LinkLimits) -> dict[str, Any]:
    """Return a result with its sentences in each language."""
    verdict = str(measured.get("verdict", "unreachable"))
    call, direction = measured.get("call"), measured.get("direction")
    slower, remedy = measured.get("rate_direction"), measured.get("remedy")
    rate = _sentence(limits.rates, verdict, slower)
    return {
        **measured,
        "sentence": rate if call is None else _sentence(limits.calls, call, direction),
        "rate_sentence": {} if call is None else rate,
        # the load fills the slower direction first, while a call alone is heard in both
        "remedy_sentence": _sentence(
            limits.remedies, remedy, slower if remedy == "load" else direction
        ),
    }


def _sentence(
    sentences: Sentences, key: str | None, direction: str | None
) -> dict[str, str | None]:
    """Return what is said of ``key``: of that direction alone where there are words for it."""
    return dict(sentences.get(f"{key}_{direction}") or sentences.get(str(key), {}))


def _echo_port(token: Mapping[str, Any]) -> int | None:
    """Return the UDP port that answers; None: there is none, and HTTPS is measured."""
    port = token.get("udp_port")
    return port if type(port) is int and 0 < port < 1 << 16 else None


def _token(client: CentralClient) -> Mapping[str, Any]:
    return client.call("POST", "/v1/link/token", timeout=POLL_TIMEOUT)


def doubtful_direction(line: Line, least_mbit: float) -> tuple[Direction, int] | None:
    """Return the direction of which a load beside the other one says little, and bytes to try it.

    Beside a slow direction its acknowledgements wait; on a fast line each holds the other up.
    """
    rates: dict[Direction, float] = {"up": line.up_mbit or 0.0, "down": line.down_mbit or 0.0}
    worse = judge(line).direction
    if worse is not None:
        better = OTHER[worse]
        return (better, ALONE_BYTES) if rates[better] < least_mbit else None
    slower: Direction = min(rates, key=lambda direction: rates[direction])
    is_held_up = TRAIN_MBIT <= rates[slower] < SAME_SHARE * rates[OTHER[slower]]
    return (slower, FAST_BYTES) if is_held_up else None


def reported(line: Line, limits: LinkLimits) -> dict[str, Any]:
    """Return the fields of the result that follow from what was measured."""
    call, up, down = judge(line), line.up, line.down
    down_mbit, up_mbit = line.down_mbit or 0.0, line.up_mbit or 0.0  # too little came to tell
    verdict = rate_verdict(down_mbit, up_mbit, limits.min_mbit, limits.borderline)
    loaded = line.loaded_rtt_ms
    return {
        "verdict": verdict,
        "state": "failed" if verdict == "below" or call.call == "unheard" else "passed",
        "call": call.call,
        "score": round(call.score, 2),
        "remedy": call.remedy,
        "direction": call.direction,
        "rate_direction": slower_direction(down_mbit, up_mbit, limits.min_mbit)
        if verdict == "below"
        else None,
        "down_mbit": None if line.down_mbit is None else round(line.down_mbit, 3),
        "up_mbit": None if line.up_mbit is None else round(line.up_mbit, 3),
        "rtt_ms": round(line.rtt_ms, 1),
        "loss": None if line.loss is None else round(line.loss, 4),
        "late": round(call.late, 4),
        "jitter_ms": round(max(up.jitter_ms, down.jitter_ms), 2),
        "loaded_rtt_ms": None if loaded is None else round(loaded, 1),
        "loaded_loss": None if line.loaded_loss is None else round(line.loaded_loss, 4),
        "round_trips_per_minute": None if loaded is None else round_trips_per_minute(loaded),
    }
