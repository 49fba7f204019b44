"""Runs the self-test for the screen: live results and questions (asyncio, no Kivy)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from kiosk.api.reports import SelfTestRun
from kiosk.api.sync import LinkCheckStep
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
    run_selftest,
    save_run,
)
from kiosk.selftest.model import Interruption, Question, ReadBadge, ReadTouches
from kiosk.selftest.report import newest_results, read_history, read_reports
from kiosk.selftest.slip import render_slip
from kiosk.selftest.words import MeasuredWords
from kiosk.storage.paths import Paths
from kiosk.ui.actions.asked_person import AskedPerson

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
        progress: what the check of the line has measured so far.
        history: earlier results of each check, newest first.
    """

    results: dict[str, CheckResult] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    running: str | None = None
    question: Question | None = None
    report: str | None = None
    can_save_again: bool = False
    progress: LinkCheckStep | None = None
    history: Mapping[str, tuple[CheckResult, ...]] = field(default_factory=dict)


class SelfTestRunner:
    """Runs the self-test for the screen.

    Args:
        settings, paths: of this kiosk.
        recorder, sync: the services (the recorder's client holds the technician's token).
        read_badge: waits for a badge.
        read_touches: shows the points of the touch test and waits for a finger on each.
        on_change: called after every change.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        recorder: LocalClient,
        sync: LocalClient,
        read_badge: ReadBadge,
        read_touches: ReadTouches,
        on_change: Callable[[], None],
    ) -> None:
        self._settings, self._paths = settings, paths
        self._recorder, self._sync = recorder, sync
        self._read_badge, self._read_touches = read_badge, read_touches
        self._notify_change = on_change
        self._interruption = Interruption()
        self.state = SelfTestState()
        self.last_report: Mapping[str, Any] | None = None
        self._person = AskedPerson(lambda question: self._set(question=question))
        self._unsaved: SelfTestRun | None = None

    @property
    def is_running(self) -> bool:
        """Return whether a run is on."""
        return self.state.running is not None or bool(self.state.waiting)

    async def load(self) -> None:
        """Read the newest result of every check from the reports; a run not saved yet stays."""
        reports = await self._load_history()
        if not self.is_running and self._unsaved is None:
            self._set(results=newest_results(reports))

    async def _load_history(self) -> list[dict[str, Any]]:
        reports = await asyncio.to_thread(read_reports, self._paths)
        self._set(history=read_history(reports))
        return reports

    async def run(self, only: tuple[str, ...] = CHECKS) -> None:
        """Run all checks, or ``only`` these; results come live. Then have the report saved."""
        if self.is_running:
            return
        self._unsaved, self._interruption = None, Interruption()
        self._set(waiting=only, report=None, can_save_again=False)
        try:
            async for event in run_selftest(self._context(), only):
                match event:
                    case RunPlanned(checks=checks):
                        self._set(waiting=checks)
                    case CheckStarted(check=check):
                        rest = tuple(c for c in self.state.waiting if c != check)
                        self._set(running=check, waiting=rest, progress=None)
                    case CheckFinished(result=result):
                        results = {**self.state.results, result.check: result}
                        self._set(results=results, running=None, progress=None)
                    case RunFinished():
                        self._show_end(event)
        except Exception:  # the person must read that it did not work
            log.exception("the self-test failed")
            self._set(report="error")
        finally:
            self._set(running=None, waiting=(), question=None)
        await self._load_history()

    def skip(self) -> None:
        """Skip the check that runs; the next one begins."""
        self._interruption.skip()

    def stop(self, code: str = "cancelled") -> None:
        """End the run; what was tested is reported. ``code``: why."""
        if self.is_running:
            self._set(waiting=())
            self._interruption.stop(code)

    def show_progress(self, step: LinkCheckStep) -> None:
        """Show what the check of the line has measured so far."""
        if self.state.running == "link":
            self._set(progress=step)

    async def draw_slip(self, words: MeasuredWords, court: str) -> Image.Image | None:
        """Return the newest report as a slip; None: there is none."""
        report = self.last_report
        if report is None:
            report = next(iter(await asyncio.to_thread(read_reports, self._paths)), None)
        if report is None:
            return None
        return await asyncio.to_thread(
            render_slip, report, words, court, self._settings.printer.width_dots
        )

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
            ask=self._person.ask,
            read_badge=self._read_badge,
            read_touches=self._read_touches,
            interruption=self._interruption,
        )

    def _show_end(self, end: RunFinished) -> None:
        self._unsaved = end.run if end.path is None else None
        code = end.code or ("saved" if end.path else "error")
        self.last_report = end.report
        self._set(report=code, can_save_again=end.path is None)

    def answer(self, yes: bool) -> None:
        """Take the person's answer."""
        self._person.answer(yes)

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._notify_change()
