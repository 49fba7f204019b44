"""What is watched besides the media: clock, remote link, reminder, remedies; which alarms count.

:meth:`Attention.poll` is called several times a second by the thread that takes the steps of a
hearing; the rest may be asked by any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kiosk.clocks import wall_text
from kiosk.config import Settings
from kiosk.hearing.monitoring.active_alarms import Found
from kiosk.hearing.monitoring.clock_steps import ClockWatch
from kiosk.hearing.monitoring.listen_back import Listening
from kiosk.hearing.monitoring.remote_link import RemoteLink
from kiosk.hearing.monitoring.resume_reminder import Reminder
from kiosk.hearing.session.current_hearing import OPEN
from kiosk.hearing.session.microphone_remedies import show
from kiosk.hearing.session.open_hearing import Session

POLL_S = 0.25


class Attention:
    """Watches for one room; ``clock`` may be replaced by a test."""

    def __init__(self, settings: Settings) -> None:
        self.clock = ClockWatch()
        self.reminder = Reminder(settings.hearing.remind_minutes)
        self.listening = Listening(settings)
        self._remote = RemoteLink()

    def poll(self, session: Session | None, microphones: list[dict[str, Any]]) -> bool:
        """Look; write into the journals of ``session`` what was found; say whether there was any.

        Args:
            microphones: as the sources report them.
        """
        changed = self.listening.poll(session.capture if session is not None else None)
        phase = session.record.phase if session is not None else "idle"
        if (step := self.clock.poll()) is not None:
            changed = True
            if session is not None and phase in OPEN:
                session.write("clock_stepped", {"seconds": step, "wall": wall_text()})
        recording = session if session is not None and phase == "recording" else None
        hearing = None if recording is None else recording.record.hearing
        for event, source in self._remote.poll(hearing, microphones):
            changed = True
            if recording is not None:
                recording.mark(event, "", source, "remote")
        stopped_at = session.record.stopped_at if session is not None else ""
        if self.reminder.poll(phase, stopped_at) and session is not None:
            changed = True
            fields = {"count": self.reminder.count, "minutes": self.reminder.minutes}
            session.write("reminder", fields)
        return changed

    def show(self, state: dict[str, Any], session: Session | None) -> None:
        """Put roles, remedies and reminder into ``state``."""
        is_open = session is not None and session.record.phase in OPEN
        show(state["microphones"], session.record.roles if session and is_open else None)
        reminder = self.reminder
        state["listening"] = self.listening.state()
        state["reminder"] = (
            {"count": reminder.count, "minutes": reminder.minutes} if reminder.count else None
        )

    def alarms(
        self, found: Iterable[Found], state: dict[str, Any], session: Session | None
    ) -> Iterator[Found]:
        """Yield the alarms that count: ``found`` without what was settled, and those from here."""
        remote = {one["name"] for one in state["microphones"] if one["kind"] == "remote"}
        is_open = session is not None and session.record.phase in OPEN
        for code, source in found:
            if is_open and source in remote and code.startswith("microphone_"):
                continue  # said as a link, where there is one
            if is_open and session and not session.record.roles.serves(source):
                continue
            yield code, source
        for name in sorted(self._remote.lost):
            if session is None or session.record.roles.serves(name):
                yield "remote_link_lost", name
        if self.clock.stepped:
            yield "clock_stepped", "clock"
        if self.reminder.count:
            yield "resume_reminder", "recorder"
