"""Readiness in sentences: what works and what does not, with remedies. Never blocks a start."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import Severity, alarm_of
from kiosk.ui.facts import (
    LinkResult,
    Microphone,
    Recorder,
    Sync,
    moment,
)
from kiosk.ui.here import Here
from kiosk.ui.theme import Tone
from kiosk.ui.words import sentence_case, size_text


@dataclass(frozen=True)
class ReadyLine:
    """One sentence of readiness; it never blocks a start."""

    item: str
    tone: Tone
    text: str
    remedy: str = ""


def readiness(here: Here, recorder: Recorder | None, sync: Sync | None) -> tuple[ReadyLine, ...]:
    """Return the readiness of link, camera, each microphone, disk and clock, in sentences."""
    if recorder is None:
        alarm = alarm_of("recorder_down")
        down = ReadyLine(
            "recorder", "fault", alarm.say(here.say), alarm.remedy(here.say, staff=True)
        )
        return (down, _link_line(here, sync))
    return (
        _camera_line(here, recorder),
        *(_microphone_line(here, microphone) for microphone in recorder.microphones),
        *(() if recorder.microphones else (_no_microphones(here),)),
        _link_line(here, sync),
        *_queue_lines(here, sync),
        _disk_line(here, recorder),
        *_mirror_lines(here, recorder),
        *_key_lines(here, recorder),
        _clock_line(here, recorder),
    )


def _alarm_line(here: Here, item: str, code: str, source: str = "") -> ReadyLine:
    alarm = alarm_of(code)
    tone: Tone = "fault" if alarm.severity is Severity.FAULT else "caution"
    return ReadyLine(item, tone, alarm.say(here.say, source), alarm.remedy(here.say, staff=True))


def _no_microphones(here: Here) -> ReadyLine:
    return ReadyLine("mic", "fault", here.say.gettext("No microphone is set up on this kiosk."))


def _camera_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    match recorder.camera.state:
        case "ok":
            return ReadyLine("camera", "good", _("The camera sends a picture"))
        case "starting":
            return ReadyLine("camera", "plain", _("The camera is starting"))
        case "frozen":
            return _alarm_line(here, "camera", "camera_frozen")
        case "off":
            return ReadyLine("camera", "plain", _("The camera is switched on with the recording"))
        case _:
            return _alarm_line(here, "camera", "camera_absent")


def role_of(here: Here, microphone: Microphone) -> str:
    """Return what the microphone is called for people: its role's label."""
    return sentence_case(here.labels.role(microphone.role or microphone.name))


def _microphone_line(here: Here, microphone: Microphone) -> ReadyLine:
    _ = here.say.gettext
    item, name = f"mic.{microphone.name}", role_of(here, microphone)
    match microphone.state:
        case "absent":
            return _alarm_line(here, item, "microphone_absent", name)
        case "dead":
            return _alarm_line(here, item, "microphone_dead", name)
        case "clipping" | "quiet" | "muted" | "humming":
            return _alarm_line(here, item, f"microphone_{microphone.state}", name)
        case _:
            pass
    heard = here.time(microphone.heard)
    if heard:
        return ReadyLine(item, "good", _("{name}: heard {time}", name=name, time=heard))
    return ReadyLine(item, "plain", _("{name}: not yet heard", name=name))


def _link_line(here: Here, sync: Sync | None) -> ReadyLine:
    _ = here.say.gettext
    if sync is None:
        return _alarm_line(here, "link", "sync_down")
    match sync.link.state:
        case "up" if sync.link_check.running:
            return ReadyLine("link", "plain", _("The line is being measured"))
        case "up" if sync.link_check.last and sync.link_check.last.sentence:
            return _measured_line(here, sync.link_check.last)
        case "up":
            return ReadyLine("link", "good", _("The central system answers"))
        case "down":
            return _alarm_line(here, "link", sync.link.problem or "central_unreachable")
        case _:
            return ReadyLine("link", "plain", _("The central system has not been asked yet"))


def _measured_line(here: Here, result: LinkResult) -> ReadyLine:
    tone: Tone = "good" if result.verdict == "good" else "caution"
    said = here.say.pick(result.sentence)
    text = f"{here.time(result.at)} · {said}" if here.time(result.at) else said
    return ReadyLine("link", tone, text)


def _queue_lines(here: Here, sync: Sync | None) -> tuple[ReadyLine, ...]:
    """Return what waits for delivery, and until when; nothing while nothing waits."""
    _ = here.say.gettext
    if sync is None:
        return ()
    lines: list[ReadyLine] = []
    forecast = sync.forecast
    if sync.queue.bytes and sync.queue.items:
        size = size_text(sync.queue.bytes, here.say)
        text, tone = _("Waiting for delivery: {size}", size=size), "plain"
        if forecast and forecast.endless:
            text += ". " + _("The line cannot carry it within a week.")
            tone = "caution"
        elif forecast and forecast.empty_at:
            text += ". " + _("Done at {time}", time=_day_time(here, forecast.empty_at))
        match sync.uploads.state:
            case "paced" | "capped":
                text += ". " + _("Sent slowly for now.")
            case "paused":
                text += ". " + _("It waits while a hearing is on.")
            case "outside_window":
                text += ". " + _("It leaves at the hours that are set.")
            case _:
                pass
        lines.append(ReadyLine("queue", "caution" if tone == "caution" else "plain", text))
    if sync.queue.courier:
        text = _("For the courier: {n}", n=sync.queue.courier)
        lines.append(ReadyLine("courier", "caution", text))
    if forecast and forecast.full_at:
        day = _day_time(here, forecast.full_at)
        lines.append(ReadyLine("full", "caution", _("The disk will be full: {day}", day=day)))
    return tuple(lines)


def _day_time(here: Here, text: str) -> str:
    """Return a time of today as a time, of another day with its date."""
    when = moment(text)
    if when is None:
        return ""
    local = when.astimezone(here.zone)
    same = local.date() == here.now.astimezone(here.zone).date()
    return local.strftime("%H:%M" if same else "%d.%m. %H:%M")


def _mirror_lines(here: Here, recorder: Recorder) -> tuple[ReadyLine, ...]:
    _, mirror = here.say.gettext, recorder.mirror
    match mirror.state:
        case "off":
            return ()
        case "ok":
            return (ReadyLine("mirror", "good", _("The second copy is kept")),)
        case "behind":
            size = size_text(mirror.behind_bytes, here.say)
            text = _("The second copy catches up: {size}", size=size)
            return (ReadyLine("mirror", "plain", text),)
        case state:
            return (_alarm_line(here, "mirror", f"mirror_{state}"),)


def _key_lines(here: Here, recorder: Recorder) -> tuple[ReadyLine, ...]:
    """Return whether closed parts can be recorded, where that is needed today."""
    keys = recorder.court_keys
    if keys is None or not keys.needed:
        return ()
    if keys.state == "ok":
        text = here.say.gettext("Closed parts can be recorded")
        return (ReadyLine("keys", "good", text),)
    return (_alarm_line(here, "keys", f"court_key_{keys.state}"),)


def _disk_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    storage = recorder.storage
    if storage.state in ("ok", "low") and storage.planned and not storage.planned.fits:
        return _alarm_line(here, "disk", "space_short")
    match storage.state:
        case "ok" if storage.hours_left is not None:
            hours = min(999, int(storage.hours_left))
            return ReadyLine("disk", "good", _("Disk: room for {n} h of recording", n=hours))
        case "ok":
            free = size_text(storage.free_bytes, here.say)
            return ReadyLine("disk", "good", _("Disk: {size} free", size=free))
        case "low":
            return _alarm_line(here, "disk", "disk_low")
        case "full":
            return _alarm_line(here, "disk", "disk_full")
        case "slow" | "read_only" | "gone":
            return _alarm_line(here, "disk", f"disk_{storage.state}")
        case _:
            return _alarm_line(here, "disk", "storage_failed")


def _clock_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    match recorder.clock.state:
        case "ok":
            return ReadyLine("clock", "good", _("The clock is right"))
        case "unset":
            return _alarm_line(here, "clock", "clock_unset")
        case _:
            return _alarm_line(here, "clock", "clock_unsynchronised")
