"""The checks of the self-test: one function each, from a :class:`SelfTestContext` to a verdict.

The recorder tests its own devices (``POST /v1/tests/...``), sync the link and the delivery;
scanner, printer and badge reader are tested here. A check may raise any error:
:func:`kiosk.selftest.run.run_check` turns it into a failed result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from kiosk.api.reports import Limit
from kiosk.hardware.badge_reader import BadgeReader, BadgeReaderAbsentError
from kiosk.hardware.receipt_printer import PrinterUnconfirmedError, ReceiptPrinter
from kiosk.selftest.delivery_probe import deliver_probe, save_probe
from kiosk.selftest.model import TOUCH_POINTS, SelfTestContext, unattended
from kiosk.selftest.receipt import render_test_receipt
from kiosk.selftest.scanner_checks import check_scanner
from kiosk.selftest.sound_checks import check_headset, check_speaker, check_transmission
from kiosk.selftest.verdict import (
    NOT_FITTED,
    Verdict,
    as_verdict,
    ask_person,
    ask_while,
    call_sync,
    cancel_task,
    run_recorder_check,
    state_of,
)

_READER_SECONDS = 2.0
_CAPTURE_SECONDS = 2.0
_UNATTENDED_SECONDS = 1.0
_SETTLE_SECONDS = 1.0
_ENROLLED_SECONDS = 5.0
"""A kiosk that was enrolled just now delivers in this time; one that was not never does."""
MAX_MISS_MM = 6.0
"""Half a button: a finger that misses by more hits another one."""
_LINK_CODES = (
    ("call", "unheard", "link_unheard"),
    ("verdict", "below", "link_below"),
    ("call", "gaps", "link_gaps"),
    ("verdict", "borderline", "link_borderline"),
    ("verdict", "good", None),
)
"""The first that fits is what is most wrong with the line."""


Check = Callable[[SelfTestContext], Coroutine[Any, Any, Verdict]]


async def check_camera(context: SelfTestContext) -> Verdict:
    """Frames per second, dropped frames, brightness; measured by the recorder."""
    if context.settings.camera.back_end == "none":
        return NOT_FITTED
    verdict = await run_recorder_check(context, "camera", _CAPTURE_SECONDS)
    if verdict.state != "passed" or context.ask is unattended:
        return verdict
    picture = await ask_person(context, "picture_right")  # sharp, upright: only a person sees it
    measured = {**verdict.measured, "picture": picture}
    if picture is False:
        return Verdict("failed", "denied_by_person", measured, verdict.limits)
    if picture is None and context.commissioning:  # a view that nobody saw is no baseline
        return Verdict("skipped", "not_confirmed", measured, verdict.limits)
    return Verdict("passed", None, measured, verdict.limits)


async def check_microphones(context: SelfTestContext) -> Verdict:
    """Level and noise of every microphone; measured by the recorder."""
    if not context.settings.microphones:
        return NOT_FITTED
    seconds = _CAPTURE_SECONDS if context.ask is unattended else context.answer_seconds
    return await run_recorder_check(context, "microphones", seconds)


async def check_storage(context: SelfTestContext) -> Verdict:
    """Free space, speed of durable writes, read-back; measured by the recorder."""
    return await run_recorder_check(context, "storage")


async def check_mirror(context: SelfTestContext) -> Verdict:
    """Whether the second storage is there, this kiosk's, and writable; tested by the recorder."""
    if context.settings.paths.mirror is None:
        return NOT_FITTED
    return await run_recorder_check(context, "mirror")


async def check_certificate(context: SelfTestContext) -> Verdict:
    """Whether the kiosk's certificate is valid and for how long; read by the recorder."""
    return await run_recorder_check(context, "certificate")


async def check_touch(context: SelfTestContext) -> Verdict:
    """Whether a finger is felt in the four corners and the middle, and where it is."""
    if context.read_touches is None:
        return Verdict("skipped", "only_on_screen")
    missed = await context.read_touches(2 * context.answer_seconds)
    measured: dict[str, Any] = {point: missed.get(point) for point in TOUCH_POINTS}
    limits: dict[str, Limit] = {point: Limit(most=MAX_MISS_MM) for point in missed}
    if not missed:
        return Verdict("skipped", "not_confirmed", measured)
    if len(missed) < len(TOUCH_POINTS):
        return Verdict("failed", "touch_dead", measured, limits)
    is_exact = all(millimetres <= MAX_MISS_MM for millimetres in missed.values())
    return Verdict(
        "passed" if is_exact else "failed", None if is_exact else "touch_inexact", measured, limits
    )


async def check_clock(context: SelfTestContext) -> Verdict:
    """Whether the wall clock is set and synchronised; measured by the recorder."""
    return await run_recorder_check(context, "clock")


async def check_machine(context: SelfTestContext) -> Verdict:
    """Heat, power, file systems and wear of the machine; read by the recorder."""
    return await run_recorder_check(context, "machine")


async def check_court_keys(context: SelfTestContext) -> Verdict:
    """Whether the court has proved that it can open closed parts; known to the recorder."""
    return await run_recorder_check(context, "court_keys")


async def check_panel(context: SelfTestContext) -> Verdict:
    """Lamp (only a person can see it) and button; the recorder lights it and listens."""
    if not context.settings.panel.enabled:
        return NOT_FITTED
    seconds = _UNATTENDED_SECONDS if context.ask is unattended else 2 * context.answer_seconds
    recorder_check = asyncio.ensure_future(run_recorder_check(context, "panel", seconds))
    try:
        # a refusal (a hearing runs, no lamp) comes at once; then no question is shown
        await asyncio.wait({recorder_check}, timeout=_SETTLE_SECONDS)
        lamp = await ask_while(recorder_check, context, "lamp_seen", ends=_is_not_passed)
        if recorder_check.done() and _is_not_passed(recorder_check.result()):
            return recorder_check.result()
        pressed = await _wait_button(recorder_check, context) if lamp else None
        measured = dict(recorder_check.result().measured) if recorder_check.done() else {}
    finally:
        await cancel_task(recorder_check)
    measured |= {"lamp_seen": lamp, "button_pressed": pressed}
    if lamp and pressed is False:
        return Verdict("failed", "button_not_heard", measured)
    return as_verdict((lamp, pressed), measured)


async def _wait_button(
    recorder_check: asyncio.Future[Verdict], context: SelfTestContext
) -> bool | None:
    """Ask for a press; True if the recorder noticed it, False if it should have but did not."""
    claimed = await ask_while(recorder_check, context, "button_pressed")
    if claimed and not recorder_check.done():
        await asyncio.wait({recorder_check}, timeout=_SETTLE_SECONDS)
    if recorder_check.done() and recorder_check.result().measured.get("button_pressed"):
        return True
    return None if claimed is None else False


def _is_not_passed(verdict: Verdict) -> bool:
    return verdict.state != "passed"


async def check_receipt_printer(context: SelfTestContext) -> Verdict:
    """Print a test receipt; the printer confirms the print, if it answers, a person reads it."""
    settings = context.settings
    if not settings.printer.port:
        return NOT_FITTED
    printer = ReceiptPrinter(settings.printer)
    image = render_test_receipt(settings)
    try:
        status = await asyncio.to_thread(printer.print_image, image)
    except PrinterUnconfirmedError:
        status = None
    readable = await ask_person(context, "receipt_readable")
    measured = {
        "online": status.online if status else None,
        "paper_low": status.paper_low if status else None,
        "rows": image.height,
        "width_dots": image.width,
        "readable": readable,
    }
    if readable is False:
        return Verdict("failed", "denied_by_person", measured)
    if status is None and readable is None:
        return Verdict("skipped", "printer_unconfirmed", measured)
    if status and not status.online:
        return Verdict("failed", "printer_silent", measured)
    return Verdict("passed", None, measured)


async def check_badge_reader(context: SelfTestContext) -> Verdict:
    """Wait for a badge. Only its length and the wait are recorded, never its content."""
    if not context.settings.badge.port:
        return NOT_FITTED
    clock = asyncio.get_running_loop().time
    started = clock()
    read = context.read_badge or (lambda seconds: _read_badge(context, seconds))
    badge_read = asyncio.ensure_future(read(context.answer_seconds))
    try:
        await ask_while(badge_read, context, "badge_held")
        if not badge_read.done():
            left = context.answer_seconds - (clock() - started)
            await asyncio.wait({badge_read}, timeout=max(0.0, left))
        badge = badge_read.result() if badge_read.done() else None
    finally:
        await cancel_task(badge_read)
    if not badge:
        return Verdict("skipped", "badge_not_read")
    waited = round((clock() - started) * 1000)
    return Verdict("passed", None, {"length": len(badge), "wait_ms": waited})


async def _read_badge(context: SelfTestContext, seconds: float) -> str | None:
    """Open the reader and return the first badge within ``seconds``, or None.

    Raises:
        BadgeReaderAbsentError: the reader is not connected.
    """
    loop = asyncio.get_running_loop()
    badges: asyncio.Queue[str] = asyncio.Queue()
    present = asyncio.Event()

    def on_badge(badge: str) -> None:
        loop.call_soon_threadsafe(badges.put_nowait, badge)

    def on_presence(is_present: bool) -> None:
        if is_present:
            loop.call_soon_threadsafe(present.set)

    reader = BadgeReader(context.settings.badge, on_badge, on_presence)
    reader.__enter__()
    try:
        try:
            async with asyncio.timeout(_READER_SECONDS):
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


async def check_link(context: SelfTestContext) -> Verdict:
    """How a call over the line will be, and its rate both ways; measured by sync."""
    answer = await call_sync(context.sync.post("/v1/link-check", timeout=2 * context.check_seconds))
    measured = {key: value for key, value in answer.items() if key != "state"}
    least = answer.get("limit_mbit")
    limits = {} if least is None else dict.fromkeys(("down_mbit", "up_mbit"), Limit(least=least))
    fitting = (code for key, value, code in _LINK_CODES if answer.get(key) == value)
    code = next(fitting, "link_unreachable")
    return Verdict(state_of(answer), code, measured, limits)


async def check_delivery(context: SelfTestContext) -> Verdict:
    """Deliver a small signed folder to the central system and compare its SHA-256."""
    state = await call_sync(context.sync.get("/v1/state"))
    queue = state.get("queue") or {}
    measured = {
        "waiting_items": queue.get("items"),
        "waiting_bytes": queue.get("bytes"),
        "last_contact": (state.get("link") or {}).get("last_contact"),
        "database": state.get("database"),
    }
    is_enrolled = (state.get("link") or {}).get("problem") != "not_enrolled"
    limit = context.check_seconds if is_enrolled else min(_ENROLLED_SECONDS, context.check_seconds)
    probe = await call_sync(deliver_probe(context, await save_probe(context), limit))
    measured |= probe.measured_values()
    if probe.central_sha256_match is False:
        return Verdict("failed", "hash_mismatch", measured)
    if not probe.delivered:
        problem = (state.get("link") or {}).get("problem") or "central_unreachable"
        down = (state.get("link") or {}).get("state") != "up"
        return Verdict("failed", problem if down else "delivery_failed", measured)
    return Verdict("passed", None, measured)


CHECK_FUNCTIONS: Mapping[str, Check] = MappingProxyType(
    {
        "camera": check_camera,
        "microphones": check_microphones,
        "speaker": check_speaker,
        "speech_transmission": check_transmission,
        "headset": check_headset,
        "scanner": check_scanner,
        "receipt_printer": check_receipt_printer,
        "badge_reader": check_badge_reader,
        "panel": check_panel,
        "touch": check_touch,
        "storage": check_storage,
        "mirror": check_mirror,
        "clock": check_clock,
        "certificate": check_certificate,
        "machine": check_machine,
        "court_keys": check_court_keys,
        "link": check_link,
        "delivery": check_delivery,
    }
)
"""The checks by id, in the order of :data:`kiosk.selftest.model.CHECKS`."""
