"""Run the checks one after the other and tell what happens, live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from kiosk.clocks import wall_text
from kiosk.errors import KioskError
from kiosk.selftest import checks
from kiosk.selftest.model import (
    CHECKS,
    Context,
    Event,
    Finished,
    Planned,
    Reported,
    Result,
    Started,
)
from kiosk.selftest.report import (
    baseline_of,
    build_report,
    deviations,
    read_reports,
    save_report,
)

log = logging.getLogger(__name__)


async def run_selftest(context: Context, only: Sequence[str] | None = None) -> AsyncIterator[Event]:
    """Run all checks (or ``only`` these), then save and seal the report.

    Yields:
        ``Planned``, then ``Started`` and ``Finished`` for each check, then ``Reported``. Nothing
        is raised for a device, service or disk that is ill.

    Raises:
        ValueError: ``only`` names a check that there is not.
    """
    wanted = CHECKS if only is None else tuple(check for check in CHECKS if check in only)
    if only is not None and (unknown := set(only) - set(CHECKS)):
        raise ValueError(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    started = wall_text()
    earlier = await asyncio.to_thread(read_reports, context.layout)
    baseline = baseline_of(earlier)
    yield Planned(wanted)
    ran: dict[str, Result] = {}
    for check in wanted:
        yield Started(check)
        ran[check] = await run_check(context, check, baseline)
        yield Finished(ran[check])
    devices = await _devices(context)
    report = build_report(context, ran, started, devices, earlier)
    yield await _reported(context, report)


async def run_check(
    context: Context, check: str, baseline: Mapping[str, Any] | None = None
) -> Result:
    """Run one check within its time limit; an error is a failed result, never an exception."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    verdict = await _verdict(context, check)
    measured = dict(verdict.measured)
    return Result(
        check,
        verdict.state,
        verdict.code,
        measured,
        clock() - begun,
        deviations=deviations(measured, baseline, check),
    )


async def _verdict(context: Context, check: str) -> checks.Verdict:
    """Return the check's verdict; map everything that it raises to a failed one."""
    limit = 2 * (context.check_seconds + context.answer_seconds)
    try:
        async with asyncio.timeout(limit):
            return await checks.ALL[check](context)
    except KioskError as error:
        log.warning("check “%s” failed: %s: %s", check, error.code, error)
        return checks.Verdict("failed", error.code)
    except TimeoutError:
        return checks.Verdict("failed", "test_timed_out", {"limit_s": limit})
    except Exception as error:
        log.exception("check “%s” failed", check)
        return checks.Verdict("failed", "error", {"error": type(error).__name__})


async def _devices(context: Context) -> list[dict[str, Any]] | None:
    """Return what the recorder says is in use, or None when it does not answer."""
    try:
        return list((await context.recorder.get("/v1/devices")).get("devices") or [])
    except KioskError as error:
        log.warning("devices in use are not known: %s", error)
        return None


async def _reported(context: Context, report: Mapping[str, Any]) -> Reported:
    """Save the report and wake the delivery; say so when it could not be saved."""
    try:
        folder = await asyncio.to_thread(save_report, context, report)
    except KioskError as error:
        log.error("the report cannot be saved: %s", error)
        return Reported(None, report, error.code)
    try:
        await context.sync.post("/v1/deliver")
    except KioskError as error:
        log.warning("delivery is not awake: %s", error)
    return Reported(folder, {"id": folder.name, **report})
