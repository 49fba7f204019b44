"""Readiness in sentences: what works and what does not, with remedies. Never blocks a start."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.alarms import Severity, alarm_of, name_source
from kiosk.api.recorder import RecorderState
from kiosk.api.sync import LinkCheckResult, SyncState
from kiosk.clocks import parse_wall
from kiosk.locale import N_
from kiosk.ui.formatting import size_text
from kiosk.ui.recorder_reader import PARTIAL_STATE
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

UPLOAD_STATES = {
    "paced": N_("Sent slowly for now."),
    "capped": N_("Sent slowly for now."),
    "paused": N_("It waits while a hearing is on."),
    "outside_window": N_("It leaves at the hours that are set."),
}
MINUTES_TOLD = 60
"""The age of a measurement is told in minutes up to so many, then as the time of day."""


@dataclass(frozen=True)
class ReadinessLine:
    """One sentence of readiness; it never blocks a start."""

    item: str
    tone: Tone
    text: str
    remedy: str = ""


def readiness(
    context: ViewContext,
    recorder: RecorderState | None,
    sync: SyncState | None,
    recorder_problem: str = "recorder_down",
) -> tuple[ReadinessLine, ...]:
    """Return the readiness of link, camera, each microphone, disk and clock, in sentences.

    Args:
        recorder: its present State, None where there is none.
        recorder_problem: code of the alarm that says why there is none.
    """
    if recorder is None:
        return _alarm_line(context, "recorder", recorder_problem), link_line(context, sync)
    partial = any(alarm.code == PARTIAL_STATE for alarm in recorder.alarms)
    return (
        *_durability_lines(context, recorder),
        *_morning_lines(context, recorder),
        *((_alarm_line(context, "recorder", PARTIAL_STATE),) if partial else ()),
        _camera_line(context, recorder),
        *_microphone_lines(context, recorder),
        link_line(context, sync),
        *_queue_lines(context, sync),
        _disk_line(context, recorder),
        *_mirror_lines(context, recorder),
        *_key_lines(context, recorder),
        _clock_line(context, recorder),
        *_filing_lines(context, recorder),
    )


def _alarm_line(context: ViewContext, item: str, code: str, source: str = "") -> ReadinessLine:
    alarm = alarm_of(code)
    tone: Tone = "fault" if alarm.severity is Severity.FAULT else "caution"
    remedy = alarm.remedy(context.translate, staff=True)
    return ReadinessLine(item, tone, alarm.say(context.translate, source), remedy)


def _morning_lines(context: ViewContext, recorder: RecorderState) -> list[ReadinessLine]:
    """Return in one line what the morning check found: the first, and how many more there are."""
    found = [alarm for alarm in recorder.alarms if alarm.code.startswith("morning_")]
    if not found:
        return []
    names = {m.name: context.role_label(m) for m in recorder.microphones}
    source = name_source(found[0].source or "", names)
    line = _alarm_line(context, "morning", found[0].code, source)
    if len(found) > 1:
        more = context.translate.gettext("And {n} more.", n=len(found) - 1)
        line = replace(line, text=f"{line.text} {more}")
    return [line]


def _camera_line(context: ViewContext, recorder: RecorderState) -> ReadinessLine:
    _ = context.translate.gettext
    match recorder.camera.state:
        case "ok":
            return ReadinessLine("camera", "good", _("The camera sends a picture"))
        case "starting":
            return ReadinessLine("camera", "plain", _("The camera is starting"))
        case "frozen":
            return _alarm_line(context, "camera", "camera_frozen")
        case "off":
            text = _("The camera is switched on with the recording")
            return ReadinessLine("camera", "plain", text)
        case _:
            return _alarm_line(context, "camera", "camera_absent")


def _microphone_lines(context: ViewContext, recorder: RecorderState) -> list[ReadinessLine]:
    _ = context.translate.gettext
    lines = []
    for microphone in recorder.microphones:
        item, name = f"mic.{microphone.name}", context.role_label(microphone)
        heard = context.clock_text(microphone.heard)
        if microphone.state.is_failing:
            line = _alarm_line(context, item, microphone.state.alarm)
            lines.append(replace(line, text=context.microphone_fault(microphone, name)))
        elif heard:
            text = _("{name}: heard {time}", name=name, time=heard)
            lines.append(ReadinessLine(item, "good", text))
        else:
            lines.append(ReadinessLine(item, "plain", _("{name}: not yet heard", name=name)))
    none = ReadinessLine("mic", "fault", _("No microphone is set up on this kiosk."))
    return lines or [none]


def link_line(context: ViewContext, sync: SyncState | None) -> ReadinessLine:
    """Return what is known of the court's line: what was measured, and what helps (R31, R34)."""
    _ = context.translate.gettext
    if sync is None:
        return _alarm_line(context, "link", "sync_down")
    match sync.link.state:
        case "up" if sync.link_check.running:
            return ReadinessLine("link", "plain", _("The line is being measured"))
        case "up" if sync.link_check.last and sync.link_check.last.sentence:
            return _measured_line(context, sync.link_check.last)
        case "up":
            return ReadinessLine("link", "good", _("The central system answers"))
        case "down":
            return _alarm_line(context, "link", sync.link.problem or "central_unreachable")
        case _:
            return ReadinessLine("link", "plain", _("The central system has not been asked yet"))


def _measured_line(context: ViewContext, result: LinkCheckResult) -> ReadinessLine:
    """Return what a call will be, the rate (R31) on its own, when it was measured, what helps."""
    is_good = result.verdict == "good" and result.call in (None, "heard")
    sentences = (result.sentence, result.rate_sentence)
    words = " ".join(filter(None, (context.translate.pick(sentence) for sentence in sentences)))
    parts = (_measured_age(context, result), words)
    remedy = context.translate.pick(result.remedy_sentence)
    tone: Tone = "good" if is_good else "caution"
    return ReadinessLine("link", tone, " · ".join(filter(None, parts)), remedy)


def _measured_age(context: ViewContext, result: LinkCheckResult) -> str:
    """Return how long ago the line was measured; the day's date where that was not today."""
    measured = parse_wall(result.at)
    if measured is None:
        return ""
    minutes = int((context.now - measured).total_seconds() // 60)
    if 0 <= minutes < MINUTES_TOLD:
        return context.translate.gettext("{n} min ago", n=minutes)
    return _day_time(context, result.at)


def _queue_lines(context: ViewContext, sync: SyncState | None) -> list[ReadinessLine]:
    """Return what waits for delivery, and until when; nothing while nothing waits."""
    _ = context.translate.gettext
    lines: list[ReadinessLine] = []
    if sync is None:
        return lines
    forecast = sync.forecast
    if sync.queue.bytes and sync.queue.items:
        size = size_text(sync.queue.bytes, context.translate)
        parts = [_("Waiting for delivery: {size}", size=size)]
        tone: Tone = "plain"
        if forecast and forecast.endless:
            parts.append(_("The line cannot carry it within a week."))
            tone = "caution"
        elif forecast and forecast.empty_at:
            parts.append(_("Done at {time}", time=_day_time(context, forecast.empty_at)))
        if sync.uploads.state in UPLOAD_STATES:
            parts.append(_(UPLOAD_STATES[sync.uploads.state]))
        lines.append(ReadinessLine("queue", tone, ". ".join(parts)))
    if sync.queue.courier:
        text = _("For the courier: {n}", n=sync.queue.courier)
        lines.append(ReadinessLine("courier", "caution", text))
    if forecast and forecast.full_at:
        day = _day_time(context, forecast.full_at)
        lines.append(ReadinessLine("full", "caution", _("The disk will be full: {day}", day=day)))
    return lines


def _day_time(context: ViewContext, text: str) -> str:
    """Return a time of today as a time, of another day with its date."""
    when = parse_wall(text)
    if when is None:
        return ""
    local = when.astimezone(context.zone)
    same = local.date() == context.now.astimezone(context.zone).date()
    return local.strftime("%H:%M" if same else "%d.%m. %H:%M")


def _mirror_lines(context: ViewContext, recorder: RecorderState) -> tuple[ReadinessLine, ...]:
    _, mirror = context.translate.gettext, recorder.mirror
    match mirror.state:
        case "off":
            return ()
        case "ok":
            return (ReadinessLine("mirror", "good", _("The second copy is kept")),)
        case "behind":
            size = size_text(mirror.behind_bytes, context.translate)
            text = _("The second copy catches up: {size}", size=size)
            return (ReadinessLine("mirror", "plain", text),)
        case state:
            return (_alarm_line(context, "mirror", f"mirror_{state}"),)


def _key_lines(context: ViewContext, recorder: RecorderState) -> tuple[ReadinessLine, ...]:
    """Return whether closed parts can be recorded, where that is needed today."""
    keys = recorder.court_keys
    if keys is None or not keys.needed:
        return ()
    if keys.state == "ok":
        text = context.translate.gettext("Closed parts can be recorded")
        return (ReadinessLine("keys", "good", text),)
    return (_alarm_line(context, "keys", f"court_key_{keys.state}"),)


def _filing_lines(context: ViewContext, recorder: RecorderState) -> tuple[ReadinessLine, ...]:
    """Return that unfinished filings are not protected, while they are not."""
    code = "filing_unprotected"
    found = any(alarm.code == code for alarm in recorder.alarms)
    return (_alarm_line(context, "filings", code),) if found else ()


def _durability_lines(context: ViewContext, recorder: RecorderState) -> tuple[ReadinessLine, ...]:
    """Return that the data is gone at power-off, where it is."""
    match recorder.storage.volatile:
        case "yes":
            return (_alarm_line(context, "durability", "data_volatile"),)
        case "accepted":
            text = context.translate.gettext("Test bench: the data is gone at power-off")
            return (ReadinessLine("durability", "plain", text),)
        case _:
            return ()


def _disk_line(context: ViewContext, recorder: RecorderState) -> ReadinessLine:
    _ = context.translate.gettext
    storage = recorder.storage
    if storage.state in ("ok", "low") and storage.planned and not storage.planned.fits:
        return _alarm_line(context, "disk", "space_short")
    match storage.state:
        case "ok" if storage.hours_left is not None:
            hours = min(999, int(storage.hours_left))
            return ReadinessLine("disk", "good", _("Disk: room for {n} h of recording", n=hours))
        case "ok":
            free = size_text(storage.free_bytes, context.translate)
            return ReadinessLine("disk", "good", _("Disk: {size} free", size=free))
        case "low" | "full" | "slow" | "read_only" | "gone":
            return _alarm_line(context, "disk", f"disk_{storage.state}")
        case _:
            return _alarm_line(context, "disk", "storage_failed")


def _clock_line(context: ViewContext, recorder: RecorderState) -> ReadinessLine:
    """Return whether the time is right, and whether it lasts through a power cut."""
    _ = context.translate.gettext
    clock = recorder.clock
    if clock.state != "ok":
        line = _alarm_line(context, "clock", f"clock_{clock.state}")
        is_kept = clock.state == "unsynchronised" and clock.rtc == "kept"
        kept = _("A battery keeps it.")
        return replace(line, text=f"{line.text} {kept}") if is_kept else line
    match clock.rtc:
        case "kept":
            return ReadinessLine("clock", "good", _("The clock is right, and a battery keeps it"))
        case "absent":
            text = _("The clock is right; no battery keeps it when the power is cut")
            return ReadinessLine("clock", "plain", text)
        case "unkept" | "differs" as state:
            return _alarm_line(context, "clock", f"rtc_{state}")
        case _:
            return ReadinessLine("clock", "good", _("The clock is right"))
