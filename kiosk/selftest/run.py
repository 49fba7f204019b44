"""Runs the checks in order and yields an event for each step (R68, R72)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from kiosk.api.reports import NewReport, SelfTestRun, TestedCheck
from kiosk.clocks import format_wall
from kiosk.errors import KioskError
from kiosk.selftest.checks import CHECK_FUNCTIONS
from kiosk.selftest.model import (
    CHECKS,
    CheckFinished,
    CheckResult,
    CheckStarted,
    RunFinished,
    RunPlanned,
    SelfTestContext,
    SelfTestEvent,
)
from kiosk.selftest.report import build_report, deviations, find_baseline, read_reports
from kiosk.selftest.report_request import request_report
from kiosk.selftest.verdict import Verdict

log = logging.getLogger(__name__)
_LEFT_BEHIND_SECONDS = 1.0
"""A check that does not end when it is cancelled is waited for no longer."""


async def run_selftest(
    context: SelfTestContext, only: Sequence[str] | None = None
) -> AsyncIterator[SelfTestEvent]:
    """Run all checks (or ``only`` these), then have the recorder save and sign the report.

    Yields:
        ``RunPlanned``, then ``CheckStarted`` and ``CheckFinished`` per check, then ``RunFinished``.
        A failing device, service or disk is a failed result, never an exception. A run that is
        interrupted (``context.interruption``) ends with the report of what was tested.

    Raises:
        ValueError: ``only`` names an unknown check.
    """
    checks_to_run = CHECKS if only is None else tuple(check for check in CHECKS if check in only)
    if only is not None and (unknown := set(only) - set(CHECKS)):
        raise ValueError(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    started = format_wall()
    earlier = await asyncio.to_thread(read_reports, context.paths)
    baseline = find_baseline(earlier)
    yield RunPlanned(checks_to_run)
    ran: dict[str, CheckResult] = {}
    for check in checks_to_run:
        if context.interruption.ends_run:
            break
        yield CheckStarted(check)
        ran[check] = await run_check(context, check, baseline)
        yield CheckFinished(ran[check])
    run = SelfTestRun(
        started=started,
        ended=format_wall(),
        commissioning=context.commissioning,
        devices=await _devices_in_use(context),
        results=tuple(TestedCheck.model_validate(result.as_json()) for result in ran.values()),
    )
    yield await save_run(context, run)


async def run_check(
    context: SelfTestContext, check: str, baseline: Mapping[str, Any] | None = None
) -> CheckResult:
    """Run one check within its time limit; an error is a failed result, never an exception.

    A check that is interrupted is skipped; what hangs in it (a driver) is left behind.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    context.interruption.begin_check()
    verdict = await _interruptible(context, check)
    measured = dict(verdict.measured)
    return CheckResult(
        check,
        verdict.state,
        verdict.code,
        measured,
        clock() - started,
        deviations=deviations(measured, baseline, check),
        limits=verdict.limits,
    )


async def _interruptible(context: SelfTestContext, check: str) -> Verdict:
    """Return the verdict of the check, of its interruption, or of its time limit."""
    limit = 2 * (context.check_seconds + context.answer_seconds)
    running = asyncio.ensure_future(_verdict(context, check))
    interrupted = asyncio.ensure_future(context.interruption.wait())
    both: set[asyncio.Future[Any]] = {running, interrupted}
    try:
        await asyncio.wait(both, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        if interrupted.done():
            return Verdict("skipped", interrupted.result())
        return Verdict("failed", "test_timed_out", {"limit_s": limit})
    finally:
        for task in both:
            task.cancel()
        await asyncio.wait(both, timeout=_LEFT_BEHIND_SECONDS)


async def _verdict(context: SelfTestContext, check: str) -> Verdict:
    """Return the check's verdict; an error is a failed verdict."""
    try:
        return await CHECK_FUNCTIONS[check](context)
    except KioskError as error:
        log.warning("check “%s” failed: %s: %s", check, error.code, error)
        return Verdict("failed", error.code)
    except Exception as error:
        log.exception("check “%s” failed", check)
        return Verdict("failed", "error", {"error": type(error).__name__})


async def _devices_in_use(context: SelfTestContext) -> tuple[dict[str, Any], ...] | None:
    """Return the devices that the recorder reports in use; None if it does not answer."""
    try:
        return tuple((await context.recorder.get("/v1/devices")).get("devices") or [])
    except KioskError as error:
        log.warning("devices in use are unknown: %s", error)
        return None


async def save_run(context: SelfTestContext, run: SelfTestRun) -> RunFinished:
    """Have the recorder save the report of ``run`` and wake the delivery; return the last event.

    Call it again when it failed: nothing is lost, and nothing is saved twice.
    """
    try:
        saved = await request_report(context, NewReport(kind="selftest", selftest=run))
    except KioskError as error:
        log.error("the report is not saved: %s: %s", error.code, error)
        earlier = await asyncio.to_thread(read_reports, context.paths)
        return RunFinished(run, None, build_report(context.settings, run, earlier), error.code)
    try:
        await context.sync.post("/v1/deliver")
    except KioskError as error:
        log.warning("sync did not accept the report: %s", error)
    return RunFinished(run, context.paths.reports / saved.id, saved.report)
