"""A check that hangs, a person who skips or stops, a hearing that begins: nothing blocks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kiosk.selftest import CheckFinished, CheckStarted, RunFinished, SelfTestContext, run_selftest
from kiosk.selftest import run as selftest_run
from kiosk.selftest.checks import CHECK_FUNCTIONS
from kiosk.selftest.model import Interruption
from kiosk.selftest.verdict import Verdict
from tests.selftest.conftest import Open


async def hang(_context: SelfTestContext) -> Verdict:
    """Never answer, and do not end when cancelled for the first time (a driver that hangs)."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await asyncio.sleep(60)
    raise AssertionError


def hung(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    functions = {**CHECK_FUNCTIONS, check: hang}
    monkeypatch.setattr(selftest_run, "CHECK_FUNCTIONS", functions)
    monkeypatch.setattr(selftest_run, "_LEFT_BEHIND_SECONDS", 0.1)


async def told(events: AsyncIterator[object], interruption: Interruption, how: str) -> list[object]:
    """Return all events; do ``how`` once the clock's check has begun."""
    seen = []
    async for event in events:
        seen.append(event)
        if event == CheckStarted("clock"):
            asyncio.get_running_loop().call_later(0.05, getattr(interruption, how))
    return seen


@pytest.mark.parametrize(("how", "others"), [("skip", ["link"]), ("stop", [])])
def test_a_hung_check_is_skipped_or_ends_the_run(
    open_kiosk: Open, monkeypatch: pytest.MonkeyPatch, how: str, others: list[str]
) -> None:
    hung(monkeypatch, "clock")

    async def story() -> None:
        async with open_kiosk() as kiosk:
            interruption = Interruption()
            context = replace(kiosk.context, interruption=interruption)
            events = run_selftest(context, ("storage", "clock", "link"))
            seen = await told(events, interruption, how)
            found = [(e.result.check, e.result.code) for e in seen if isinstance(e, CheckFinished)]
            expected = [("storage", None), ("clock", "cancelled"), *((c, None) for c in others)]
            assert found == expected
            last = seen[-1]
            assert isinstance(last, RunFinished)
            assert last.path is not None  # what was tested is reported
            assert last.report["skipped"] == 1

    asyncio.run(story())


def test_a_hung_check_ends_at_its_time_limit(
    open_kiosk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung(monkeypatch, "clock")

    async def story() -> None:
        async with open_kiosk() as kiosk:
            context = replace(kiosk.context, check_seconds=0.1, answer_seconds=0.1)
            result = await selftest_run.run_check(context, "clock")
            assert (result.state, result.code) == ("failed", "test_timed_out")

    asyncio.run(story())
