"""Data of the self-test: checks, results, progress events, the context of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from kiosk.api.reports import Limit, SelfTestRun
from kiosk.clocks import format_wall
from kiosk.config import Settings
from kiosk.ipc import LocalClient
from kiosk.storage.paths import Paths

CheckState = Literal["passed", "failed", "skipped", "never_tested"]
Question = Literal[
    "picture_right",
    "loudspeaker_heard",
    "headphones_heard",
    "headset_heard",
    "receipt_readable",
    "badge_held",
    "lamp_seen",
    "button_pressed",
]
AskPerson = Callable[[Question, float], Awaitable[bool | None]]
ReadBadge = Callable[[float], Awaitable[str | None]]
TouchPoint = Literal["top_left", "top_right", "bottom_right", "bottom_left", "middle"]
TOUCH_POINTS: tuple[TouchPoint, ...] = get_args(TouchPoint)
ReadTouches = Callable[[float], Awaitable[Mapping[TouchPoint, float]]]
"""Returns by how many millimetres the finger missed each point; those never touched are absent."""

CHECKS: tuple[str, ...] = (
    "camera",
    "microphones",
    "speaker",
    "speech_transmission",
    "headset",
    "scanner",
    "receipt_printer",
    "badge_reader",
    "panel",
    "touch",
    "storage",
    "mirror",
    "clock",
    "certificate",
    "machine",
    "court_keys",
    "link",
    "delivery",
)
"""Ids of all checks, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check.

    Attributes:
        check: id, one of :data:`CHECKS`.
        state: ``never_tested`` only from :func:`kiosk.selftest.latest_results`.
        code: alarm code with the reason why it did not pass, or None.
        measured: measured values, plain JSON; keys end in their unit (``_ms``, ``_db``).
        seconds: how long the check took.
        at: wall time of its end, RFC 3339.
        deviations: how measured values differ from the baseline of commissioning
            (value now minus value then), by path (``judge.level_db``).
        limits: what measured values must be, by path; old reports have none.
    """

    check: str
    state: CheckState
    code: str | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    at: str = field(default_factory=format_wall)
    deviations: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as in the report."""
        return {
            "check": self.check,
            "state": self.state,
            "code": self.code,
            "measured": dict(self.measured),
            "seconds": round(self.seconds, 3),
            "at": self.at,
            "deviations": dict(self.deviations),
            "limits": {path: limit.to_json() for path, limit in self.limits.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CheckResult:
        """Return the result that :meth:`as_json` wrote.

        Raises:
            KeyError, TypeError: ``value`` is not such a result.
        """
        return cls(
            str(value["check"]),
            value["state"],
            value["code"],
            dict(value["measured"]),
            float(value["seconds"]),
            str(value["at"]),
            dict(value["deviations"]),
            {
                path: Limit.model_validate(limit)
                for path, limit in dict(value.get("limits") or {}).items()
            },
        )


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """The run begins; these checks will run, in this order."""

    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """The check ``check`` begins."""

    check: str


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """A check has ended."""

    result: CheckResult


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run has ended; its report is in the folder ``path`` (``reports/<uuid>/``).

    Attributes:
        run: what was tested; :func:`kiosk.selftest.save_run` saves it again if it must.
        path: the folder, or None if it could not be saved (``code``: the reason).
        report: content of ``report.json``.
        code: alarm code when the report could not be saved or sealed, else None.
    """

    run: SelfTestRun
    path: Path | None
    report: Mapping[str, Any]
    code: str | None = None


SelfTestEvent = RunPlanned | CheckStarted | CheckFinished | RunFinished


async def unattended(question: Question, seconds: float) -> bool | None:
    """Answer nothing: for runs without a person."""
    del question, seconds
    return None


class Interruption:
    """Ends a check early, or the whole run: a person skips or stops it, or a hearing begins.

    Attributes:
        ends_run: whether no further check may begin.
    """

    def __init__(self) -> None:
        self.ends_run = False
        self._now = asyncio.Event()
        self._code = ""

    def skip(self, code: str = "cancelled") -> None:
        """Skip the check that runs; ``code``: why."""
        self._code = code
        self._now.set()

    def stop(self, code: str = "cancelled") -> None:
        """Skip the check that runs, and all after it."""
        self.ends_run = True
        self.skip(code)

    def begin_check(self) -> None:
        """Forget that an earlier check was skipped."""
        if not self.ends_run:
            self._now.clear()

    async def wait(self) -> str:
        """Wait until the check is to end; return why."""
        await self._now.wait()
        return self._code


@dataclass(frozen=True)
class SelfTestContext:
    """Everything that a run needs.

    Attributes:
        settings: settings of this kiosk.
        paths: its folders.
        recorder: client of the recorder, with a technician's token.
        sync: client of sync.
        ask: asks the person at the kiosk.
        read_badge: waits for a badge if the caller owns the reader; None: the self-test opens it.
        read_touches: shows the points of the touch test and waits for a finger on each; None: the
            caller has no screen.
        answer_seconds: time limit of one answer.
        check_seconds: time limit of one check, without the answers.
        commissioning: store this run as the baseline for later runs.
        interruption: ends a check or the run early.
    """

    settings: Settings
    paths: Paths
    recorder: LocalClient
    sync: LocalClient
    ask: AskPerson = unattended
    read_badge: ReadBadge | None = None
    read_touches: ReadTouches | None = None
    answer_seconds: float = 20.0
    check_seconds: float = 30.0
    commissioning: bool = False
    interruption: Interruption = field(default_factory=Interruption)
