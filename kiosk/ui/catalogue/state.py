"""What a canned state is, and where all of them begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.ui.catalogue import canned, papers
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Preview, Recorder, Schedule, Staff, Sync


@dataclass(frozen=True)
class State:
    """One state: the picture's name, the screen it must show, how to get there."""

    name: str
    screen: str
    prepare: Callable[[Desk], None]


def base(desk: Desk) -> None:
    """Everything runs and nothing happens."""
    desk.recorder = Recorder.model_validate(canned.recorder())
    desk.sync = Sync.model_validate(canned.sync())
    desk.recorder_at = desk.now()
    desk.recorder_line.up = desk.sync_line.up = True
    desk.office.schedule = Schedule.model_validate(canned.schedule())


def staff(desk: Desk, who: dict[str, Any] = canned.SECRETARY, **recorder: Any) -> None:
    """Somebody is signed in; ``recorder`` replaces the recorder's state."""
    base(desk)
    desk.staff = Staff.model_validate(who)
    if recorder:
        desk.recorder = Recorder.model_validate(recorder)
        desk.levels = canned.LEVELS
        if recorder.get("hearing"):
            picture = papers.courtroom(desk.layout.preview)
            preview = Preview(path=str(picture), width=640, height=360)
            desk.recorder = desk.recorder.model_copy(update={"preview": preview})


def alarm(code: str, source: str | None = None) -> dict[str, Any]:
    """Return an alarm of the recorder."""
    return {"code": code, "source": source, "since": canned.ago(6)}
