"""What a check says, and how it asks the services and the person at the kiosk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kiosk.api.reports import Limit
from kiosk.errors import HardwareError
from kiosk.ipc import ServiceDownError, ServiceRefusedError
from kiosk.selftest.errors import RecorderDownError, SyncDownError
from kiosk.selftest.model import CheckState, Question, SelfTestContext

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of a check; :class:`~kiosk.selftest.model.CheckResult` adds name and times."""

    state: CheckState
    code: str | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)


NOT_FITTED = Verdict("skipped", "not_fitted")


async def _post_recorder(context: SelfTestContext, path: str, seconds: float) -> Mapping[str, Any]:
    """Return the recorder's answer to a test of ``seconds``."""
    limit = seconds + context.check_seconds
    try:
        body = {"seconds": seconds, "commissioning": context.commissioning}
        return await context.recorder.post(path, body, timeout=limit)
    except ServiceDownError as error:
        raise RecorderDownError(str(error)) from error


async def call_sync(call: Awaitable[T]) -> T:
    """Return sync's answer to ``call``; raise SyncDownError when it does not answer."""
    try:
        return await call
    except ServiceDownError as error:
        raise SyncDownError(str(error)) from error


async def run_recorder_check(context: SelfTestContext, name: str, seconds: float = 0.0) -> Verdict:
    """Return the verdict of the recorder's own test ``name``."""
    try:
        answer = await _post_recorder(context, f"/v1/tests/{name}", seconds)
    except ServiceRefusedError as error:
        if error.code == "already_recording":
            return Verdict("skipped", "already_recording")
        raise
    limits = {
        path: Limit.model_validate(limit) for path, limit in (answer.get("limits") or {}).items()
    }
    measured = dict(answer.get("measured") or {})
    return Verdict(state_of(answer), answer.get("code"), measured, limits)


def state_of(answer: Mapping[str, Any]) -> CheckState:
    """Return the state in a service's answer; anything unexpected is a failure."""
    state = answer.get("state")
    return state if state in ("passed", "skipped") else "failed"


def as_verdict(answers: tuple[bool | None, ...], measured: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a person's ``answers``: a "no" fails, a missing answer skips."""
    if False in answers:
        return Verdict("failed", "denied_by_person", measured)
    if None in answers:
        return Verdict("skipped", "not_confirmed", measured)
    return Verdict("passed", None, measured)


async def ask_while(
    task: asyncio.Future[T],
    context: SelfTestContext,
    question: Question,
    ends: Callable[[T], bool] = lambda _result: True,
) -> bool | None:
    """Ask ``question`` while ``task`` runs; return None when its result ``ends`` the question.

    The question disappears from the screen (its task is cancelled) as soon as the device answers.
    """
    asked = asyncio.ensure_future(ask_person(context, question))
    both: set[asyncio.Future[Any]] = {asked, task}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done() and not ends(task.result()):
            await asyncio.wait({asked})
        return asked.result() if asked.done() else None
    finally:
        await cancel_task(asked)


async def ask_person(context: SelfTestContext, question: Question) -> bool | None:
    """Return the person's answer; None if nobody answered in time or asking failed."""
    try:
        async with asyncio.timeout(context.answer_seconds):
            return await context.ask(question, context.answer_seconds)
    except TimeoutError:
        return None
    except HardwareError as error:
        log.warning("asking “%s”: %s", question, error)
        return None


async def cancel_task(task: asyncio.Future[Any]) -> None:
    """Cancel ``task``; its result is not needed any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # mark it as retrieved
