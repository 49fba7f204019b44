"""The report of setting the room up: signed by the recorder, printed, and delivered by sync.

Paper and network may both be missing: the report is on the disk and sealed before either is tried.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiosk.api.base import read_leniently
from kiosk.api.reports import CommissioningStep, SelfTestRun, TestedCheck
from kiosk.api.sync import GET_REPORT_DELIVERY, Delivery
from kiosk.clocks import format_wall
from kiosk.commissioning.labels import unfinished_lines
from kiosk.commissioning.record import STEPS, Record
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.hardware.receipt_printer import PrinterError, ReceiptPrinter
from kiosk.ipc import LocalClient
from kiosk.selftest import CHECKS, CheckResult, SelfTestContext, save_run
from kiosk.selftest.report import find_baseline, read_reports
from kiosk.selftest.slip import render_slip
from kiosk.selftest.words import MeasuredWords
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
_ANSWER_S = 3.0


@dataclass(frozen=True)
class ReportState:
    """What is known of the newest report of this room.

    Attributes:
        report: its content; None: there is none.
        printing: empty: not asked for; ``printing``, ``printed``, or the printer's alarm code.
        is_delivered: the central system has confirmed it.
    """

    report: Mapping[str, Any] | None = None
    printing: str = ""
    is_delivered: bool = False


class CommissioningReport:
    """Makes, prints and follows the report.

    Args:
        paths: of the kiosk.
        sync: says whether it has arrived.
        on_change: called after every change.

    Attributes:
        words: returns what says its values in the language that is chosen now.
    """

    def __init__(self, paths: Paths, sync: LocalClient, on_change: Callable[[], None]) -> None:
        self._paths, self._sync, self._notify_change = paths, sync, on_change
        self.words: Callable[[], MeasuredWords] | None = None
        self.state = ReportState()

    async def load(self) -> None:
        """Read the newest report from the disk, and ask whether it has arrived."""
        report = find_baseline(await asyncio.to_thread(read_reports, self._paths))
        known = self.state.report
        if report is None or known is None or report["id"] != known["id"]:
            self.state = ReportState(report)  # paper and receipt were those of another report
            self._notify_change()
        await self.refresh()

    def reset(self) -> None:
        """Forget all; the disk has it."""
        self.state = ReportState()

    async def save(self, context: SelfTestContext, record: Record) -> str:
        """Have the recorder sign what ``record`` says; return an alarm code, or an empty text."""
        end = await save_run(context, run_of(record))
        if end.path is None:
            return end.code or "error"
        self.state = ReportState(report=end.report)
        self._notify_change()
        return ""

    async def print(self, settings: Settings) -> None:
        """Print it on the printer that the room's settings name."""
        report = self.state.report
        if report is None or self.words is None or self.state.printing == "printing":
            return
        words = self.words()
        self._set(printing="printing")
        try:
            await asyncio.to_thread(_print, report, words, settings)
        except PrinterError as error:
            self._set(printing=error.code)
        except Exception:  # the technician must read that it did not work
            log.exception("the report is not printed")
            self._set(printing="error")
        else:
            self._set(printing="printed")

    async def refresh(self) -> None:
        """Ask sync whether it has arrived; nothing where sync does not answer."""
        report = self.state.report
        if report is None or self.state.is_delivered:
            return
        path = GET_REPORT_DELIVERY.path.replace("{id}", str(report["id"]))
        try:
            delivery = read_leniently(Delivery, await self._sync.get(path, _ANSWER_S))[0]
        except (KioskError, ValueError):
            return
        if delivery.state == "delivered":
            self._set(is_delivered=True)

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()


def _print(report: Mapping[str, Any], words: MeasuredWords, settings: Settings) -> None:
    """Draw ``report`` and print it.

    Raises:
        PrinterError: the exact one.
    """
    court = words.translate.pick({str(k): v for k, v in settings.kiosk.court.items()})
    notes = unfinished_lines(report, words.translate)
    image = render_slip(report, words, court, settings.printer.width_dots, notes)
    ReceiptPrinter(settings.printer).print_image(image)


def run_of(record: Record) -> SelfTestRun:
    """Return the run whose report is the baseline: every check, and every step before it."""
    results = [CheckResult.from_json(record.checks[name]) for name in CHECKS]
    steps = {name: record.result(name) for name in STEPS if name != "report"}
    return SelfTestRun(
        started=record.started or format_wall(),
        ended=format_wall(),
        commissioning=True,
        devices=None,
        results=tuple(TestedCheck.model_validate(row.as_json()) for row in results),
        steps={name: CommissioningStep(**vars(row)) for name, row in steps.items()},
    )
