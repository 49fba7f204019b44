"""Runs the self-test for the screen: live results and questions (asyncio, no Kivy)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from kiosk.api.reports import SelfTestRun
from kiosk.config import Settings
from kiosk.ipc import LocalClient
from kiosk.selftest import (
    CHECKS,
    CheckFinished,
    CheckResult,
    CheckStarted,
    RunFinished,
    RunPlanned,
    SelfTestContext,
    latest_results,
    run_selftest,
    save_run,
)
from kiosk.selftest.model import Question
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SelfTestState:
    """State of the self-test.

    Attributes:
        results: newest result of each check.
        waiting: checks of this run that have not begun.
        running: the check that runs now.
        question: what the person is asked now.
        report: outcome of saving the report of the last run: None (no run yet, or it is being
            saved), ``saved`` or an alarm code.
        can_save_again: whether a report waits to be saved.
    """

    results: dict[str, CheckResult] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    running: str | None = None
    question: Question | None = None
    report: str | None = None
    can_save_again: bool = False


class SelfTestRunner:
    """Runs the self-test for the screen.

    Args:
        settings, paths: of this kiosk.
        recorder, sync: the services (the recorder's client holds the technician's token).
        read_badge: waits for a badge.
        on_change: called after every change.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        recorder: LocalClient,
        sync: LocalClient,
        read_badge: Callable[[float], Awaitable[str | None]],
        on_change: Callable[[], None],
    ) -> None:
        self._settings, self._paths = settings, paths
        self._recorder, self._sync = recorder, sync
        self._read_badge, self._notify_change = read_badge, on_change
        self.state = SelfTestState()
        self._answer: asyncio.Future[bool] | None = None
        self._unsaved: SelfTestRun | None = None

    @property
    def is_running(self) -> bool:
        """Return whether a run is on."""
        return self.state.running is not None or bool(self.state.waiting)

    async def load(self) -> None:
        """Read the newest result of every check from the reports; a run not saved yet stays."""
        results = await asyncio.to_thread(latest_results, self._paths)
        if not self.is_running and self._unsaved is None:
            self._set(results=dict(results))

    async def run(self) -> None:
        """Run all checks; results come live. Then have the report saved."""
        if self.is_running:
            return
        self._unsaved = None
        self._set(waiting=CHECKS, report=None, can_save_again=False)
        try:
            async for event in run_selftest(self._context()):
                match event:
                    case RunPlanned(checks=checks):
                        self._set(waiting=checks)
                    case CheckStarted(check=check):
                        rest = tuple(c for c in self.state.waiting if c != check)
                        self._set(running=check, waiting=rest)
                    case CheckFinished(result=result):
                        results = {**self.state.results, result.check: result}
                        self._set(results=results, running=None)
                    case RunFinished():
                        self._show_end(event)
        except Exception:  # the person must read that it did not work
            log.exception("the self-test failed")
            self._set(report="error")
        finally:
            self._set(running=None, waiting=(), question=None)

    async def save_again(self) -> None:
        """Ask once more to save the report of a run that could not be saved."""
        run = self._unsaved
        if run is None or not self.state.can_save_again:
            return
        self._set(report=None, can_save_again=False)
        self._show_end(await save_run(self._context(), run))

    def _context(self) -> SelfTestContext:
        return SelfTestContext(
            self._settings,
            self._paths,
            self._recorder,
            self._sync,
            ask=self._ask,
            read_badge=self._read_badge,
        )

    def _show_end(self, end: RunFinished) -> None:
        self._unsaved = end.run if end.path is None else None
        code = end.code or ("saved" if end.path else "error")
        self._set(report=code, can_save_again=end.path is None)

    async def _ask(self, question: Question, seconds: float) -> bool | None:
        self._answer = asyncio.get_running_loop().create_future()
        self._set(question=question)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = None
            self._set(question=None)

    def answer(self, yes: bool) -> None:
        """Take the person's answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(yes)

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._notify_change()
