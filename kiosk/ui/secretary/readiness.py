"""Readiness in sentences: what works and what does not, with remedies. Never blocks a start."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import Severity, alarm_of
from kiosk.ui.facts import (
    Microphone,
    Recorder,
    Sync,
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
        _disk_line(here, recorder),
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
        case "up":
            return ReadyLine("link", "good", _("The central system answers"))
        case "down":
            return _alarm_line(here, "link", sync.link.problem or "central_unreachable")
        case _:
            return ReadyLine("link", "plain", _("The central system has not been asked yet"))


def _disk_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    storage = recorder.storage
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
