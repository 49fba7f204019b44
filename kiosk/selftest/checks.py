"""The checks of the self-test: one function each, from a :class:`Context` to a verdict.

What the recorder owns is tested by the recorder (``POST /v1/tests/...``), the link and the
delivery through sync; scanner, printer and badge reader directly. A check raises freely:
:func:`kiosk.selftest.run.run_check` turns every error into a failed result.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from kiosk.errors import HardwareError
from kiosk.hardware.badge_reader import BadgeReader, BadgeReaderAbsentError
from kiosk.hardware.receipt_printer import ReceiptPrinter
from kiosk.hardware.scanner.session import probe_scanner
from kiosk.ipc import ServiceDownError, ServiceRefusedError
from kiosk.selftest.delivery_probe import deliver_probe
from kiosk.selftest.model import Context, Question, State, nobody
from kiosk.selftest.receipt import render_test_receipt

log = logging.getLogger(__name__)
T = TypeVar("T")

_PRESENT_SECONDS = 2.0
_CAPTURE_SECONDS = 2.0
_UNATTENDED_SECONDS = 1.0
_SETTLE_SECONDS = 1.0
_LINK_VERDICTS = {
    "good": None,
    "borderline": "link_borderline",
    "below": "link_below",
    "unreachable": "link_unreachable",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found; :class:`~kiosk.selftest.model.Result` adds name and times."""

    state: State
    code: str | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[Context], Coroutine[Any, Any, Verdict]]

NOT_FITTED = Verdict("skipped", "not_fitted")


class RecorderDownError(ServiceDownError):
    """The recorder does not answer."""

    code = "recorder_down"


class SyncDownError(ServiceDownError):
    """Sync does not answer."""

    code = "sync_down"


async def _recorder(context: Context, path: str, seconds: float) -> Mapping[str, Any]:
    """Return the recorder's answer to a test of ``seconds``."""
    limit = seconds + context.check_seconds
    try:
        return await context.recorder.post(path, {"seconds": seconds}, timeout=limit)
    except ServiceDownError as error:
        raise RecorderDownError(str(error)) from error


async def _sync(call: Awaitable[T]) -> T:
    """Return sync's answer to ``call``; say that it is sync when it does not answer."""
    try:
        return await call
    except ServiceDownError as error:
        raise SyncDownError(str(error)) from error


async def _recorders_own(context: Context, name: str, seconds: float = 0.0) -> Verdict:
    """Return the recorder's verdict of its own test ``name``."""
    try:
        answer = await _recorder(context, f"/v1/tests/{name}", seconds)
    except ServiceRefusedError as error:
        if error.code == "already_recording":
            return Verdict("skipped", "already_recording")
        raise
    return Verdict(_state_of(answer), answer.get("code"), dict(answer.get("measured") or {}))


def _state_of(answer: Mapping[str, Any]) -> State:
    """Return the state in a service's answer; anything unexpected is a failure."""
    state = answer.get("state")
    return state if state in ("passed", "skipped") else "failed"


async def check_camera(context: Context) -> Verdict:
    """Frames per second, dropped frames, brightness; measured by the recorder."""
    if context.settings.camera.back_end == "none":
        return NOT_FITTED
    return await _recorders_own(context, "camera", _CAPTURE_SECONDS)


async def check_microphones(context: Context) -> Verdict:
    """Level and noise of every microphone; measured by the recorder."""
    if not context.settings.microphones:
        return NOT_FITTED
    return await _recorders_own(context, "microphones", _CAPTURE_SECONDS)


async def check_storage(context: Context) -> Verdict:
    """Free space, speed of durable writes, read-back; measured by the recorder."""
    return await _recorders_own(context, "storage")


async def check_clock(context: Context) -> Verdict:
    """Whether the wall clock is set and synchronised; measured by the recorder."""
    return await _recorders_own(context, "clock")


async def check_court_keys(context: Context) -> Verdict:
    """Whether the court can open what is closed here; known to the recorder."""
    return await _recorders_own(context, "court_keys")


async def check_panel(context: Context) -> Verdict:
    """Lamp (only a person can see it) and button; the recorder lights it and listens."""
    if not context.settings.panel.enabled:
        return NOT_FITTED
    seconds = _UNATTENDED_SECONDS if context.ask is nobody else 2 * context.answer_seconds
    testing = asyncio.ensure_future(_recorders_own(context, "panel", seconds))
    try:
        # a refusal (a hearing runs, no lamp) comes at once: then nobody is asked in vain
        await asyncio.wait({testing}, timeout=_SETTLE_SECONDS)
        lamp = await ask_beside(testing, context, "lamp_seen", ends=_is_not_passed)
        if testing.done() and _is_not_passed(testing.result()):
            return testing.result()
        heard = await _hear_button(testing, context) if lamp else None
        measured = dict(testing.result().measured) if testing.done() else {}
    finally:
        await _stop(testing)
    measured |= {"lamp_seen": lamp, "button_pressed": heard}
    if lamp and heard is False:
        return Verdict("failed", "button_not_heard", measured)
    return judged((lamp, heard), measured)


async def _hear_button(testing: asyncio.Future[Verdict], context: Context) -> bool | None:
    """Ask for a press; True only when the recorder has heard it, False when it should have."""
    claimed = await ask_beside(testing, context, "button_pressed")
    if claimed and not testing.done():
        await asyncio.wait({testing}, timeout=_SETTLE_SECONDS)
    if testing.done() and testing.result().measured.get("button_pressed"):
        return True
    return None if claimed is None else False


def _is_not_passed(verdict: Verdict) -> bool:
    return verdict.state != "passed"


def judged(answers: tuple[bool | None, ...], measured: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a person's ``answers``: one "no" fails, silence is no pass."""
    if False in answers:
        return Verdict("failed", "denied_by_person", measured)
    if None in answers:
        return Verdict("skipped", "not_confirmed", measured)
    return Verdict("passed", None, measured)


async def check_scanner(context: Context) -> Verdict:
    """Whether the scanner answers, how fast, and the options that it read back."""
    if not context.settings.scanner.fitted:
        return NOT_FITTED
    info = await probe_scanner(context.settings.scanner)
    measured = {
        "device": info.device,
        "library": info.library,
        "version": info.version,
        "back_end": info.back_end,
        "open_ms": round(info.seconds_to_open * 1000),
        "options": info.options,
    }
    return Verdict("passed", None, measured)


async def check_receipt_printer(context: Context) -> Verdict:
    """Print a test receipt; the printer itself says that it came out, a person that it reads."""
    settings = context.settings
    if not settings.printer.port:
        return NOT_FITTED
    printer = ReceiptPrinter(settings.printer)
    image = render_test_receipt(settings)
    status = await asyncio.to_thread(printer.print_image, image)
    readable = await _asked(context, "receipt_readable")
    measured = {
        "online": status.online,
        "paper_low": status.paper_low,
        "rows": image.height,
        "width_dots": image.width,
        "readable": readable,
    }
    if readable is False:
        return Verdict("failed", "denied_by_person", measured)
    if not status.online:
        return Verdict("failed", "printer_silent", measured)
    return Verdict("passed", None, measured)


async def check_badge_reader(context: Context) -> Verdict:
    """Wait for a badge. Its content is neither kept nor logged, only its length and the wait."""
    if not context.settings.badge.port:
        return NOT_FITTED
    clock = asyncio.get_running_loop().time
    started = clock()
    read = context.read_badge or (lambda seconds: _read_badge_ourselves(context, seconds))
    reading = asyncio.ensure_future(read(context.answer_seconds))
    try:
        await ask_beside(reading, context, "badge_held")
        if not reading.done():
            left = context.answer_seconds - (clock() - started)
            await asyncio.wait({reading}, timeout=max(0.0, left))
        badge = reading.result() if reading.done() else None
    finally:
        await _stop(reading)
    if not badge:
        return Verdict("skipped", "badge_not_read")
    waited = round((clock() - started) * 1000)
    return Verdict("passed", None, {"length": len(badge), "wait_ms": waited})


async def _read_badge_ourselves(context: Context, seconds: float) -> str | None:
    """Open the reader and return the first badge within ``seconds``, or None.

    Raises:
        BadgeReaderAbsentError: the reader is not there.
    """
    loop = asyncio.get_running_loop()
    badges: asyncio.Queue[str] = asyncio.Queue()
    present = asyncio.Event()

    def told(badge: str) -> None:
        loop.call_soon_threadsafe(badges.put_nowait, badge)

    def there(here: bool) -> None:
        if here:
            loop.call_soon_threadsafe(present.set)

    reader = BadgeReader(context.settings.badge, told, there)
    reader.__enter__()
    try:
        try:
            async with asyncio.timeout(_PRESENT_SECONDS):
                await present.wait()
        except TimeoutError:
            raise BadgeReaderAbsentError(f"{context.settings.badge.port}: not there") from None
        try:
            async with asyncio.timeout(seconds):
                return await badges.get()
        except TimeoutError:
            return None
    finally:
        await asyncio.to_thread(reader.close)


async def check_link(context: Context) -> Verdict:
    """Goodput both ways, round trip, loss, jitter; measured by sync against the central system."""
    answer = await _sync(context.sync.post("/v1/link-check", timeout=2 * context.check_seconds))
    measured = {key: value for key, value in answer.items() if key != "state"}
    verdict = str(answer.get("verdict"))
    return Verdict(_state_of(answer), _LINK_VERDICTS.get(verdict, "link_unreachable"), measured)


async def check_delivery(context: Context) -> Verdict:
    """Deliver a small signed folder to the central system and compare its SHA-256."""
    state = await _sync(context.sync.get("/v1/state"))
    queue = state.get("queue") or {}
    measured = {
        "waiting_items": queue.get("items"),
        "waiting_bytes": queue.get("bytes"),
        "last_contact": (state.get("link") or {}).get("last_contact"),
        "database": state.get("database"),
    }
    probe = await _sync(deliver_probe(context))
    measured |= probe.as_measured()
    if probe.central_sha256_match is False:
        return Verdict("failed", "hash_mismatch", measured)
    if not probe.delivered:
        problem = (state.get("link") or {}).get("problem") or "central_unreachable"
        down = (state.get("link") or {}).get("state") != "up"
        return Verdict("failed", problem if down else "delivery_failed", measured)
    return Verdict("passed", None, measured)


async def ask_beside(
    working: asyncio.Future[T],
    context: Context,
    question: Question,
    ends: Callable[[T], bool] = lambda _result: True,
) -> bool | None:
    """Ask ``question`` while ``working`` goes on; None when its result ``ends`` the question.

    The question is taken off the screen (its task is cancelled) as soon as the device answers.
    """
    asking = asyncio.ensure_future(_asked(context, question))
    both: set[asyncio.Future[Any]] = {asking, working}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done() and not ends(working.result()):
            await asyncio.wait({asking})
        return asking.result() if asking.done() else None
    finally:
        await _stop(asking)


async def _asked(context: Context, question: Question) -> bool | None:
    """Return the person's answer, or None: nobody answered in time, or asking itself failed."""
    try:
        async with asyncio.timeout(context.answer_seconds):
            return await context.ask(question, context.answer_seconds)
    except TimeoutError:
        return None
    except HardwareError as error:
        log.warning("asking “%s”: %s", question, error)
        return None


async def _stop(task: asyncio.Future[Any]) -> None:
    """End ``task``; its result does not matter any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen


ALL: Mapping[str, Check] = MappingProxyType(
    {
        "camera": check_camera,
        "microphones": check_microphones,
        "scanner": check_scanner,
        "receipt_printer": check_receipt_printer,
        "badge_reader": check_badge_reader,
        "panel": check_panel,
        "storage": check_storage,
        "clock": check_clock,
        "court_keys": check_court_keys,
        "link": check_link,
        "delivery": check_delivery,
    }
)
"""The checks by id, in the order of :data:`kiosk.selftest.model.CHECKS`."""
