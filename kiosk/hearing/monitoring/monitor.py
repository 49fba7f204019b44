"""Monitors everything except the media: clock, links, reminder; filters the alarms.

:meth:`HearingMonitor.poll` is called several times a second by the thread that takes the steps of a
hearing; any thread may call the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kiosk.api.recorder import AlarmKey, Microphone, RecorderState
from kiosk.api.states import MicrophoneKind, Phase
from kiosk.clocks import format_wall
from kiosk.config import Settings
from kiosk.hearing.monitoring.clock_steps import ClockStepDetector
from kiosk.hearing.monitoring.court_line import CourtLineMonitor
from kiosk.hearing.monitoring.listen_back import ListenBack
from kiosk.hearing.monitoring.remote_link import RemoteLinkMonitor
from kiosk.hearing.monitoring.resume_reminder import ResumeReminder
from kiosk.hearing.monitoring.unclear_words import UnclearSentences
from kiosk.hearing.session.microphone_remedies import with_duties
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.storage.paths import Paths

POLL_S = 0.25


class HearingMonitor:
    """Monitors one room; a test may replace ``clock_steps`` and ``court_line``."""

    def __init__(self, settings: Settings) -> None:
        self.clock_steps = ClockStepDetector()
        self.reminder = ResumeReminder(settings.hearing.remind_minutes)
        self.listen_back = ListenBack(settings)
        self._remote_links = RemoteLinkMonitor()
        self._unclear_sentences = UnclearSentences()
        self.court_line = CourtLineMonitor(Paths.from_settings(settings.paths).line)

    def poll(self, hearing: OpenHearing | None, microphones: list[Microphone]) -> bool:
        """Check once; journal what changed in ``hearing``; return whether anything changed.

        Args:
            microphones: as the sources report them.
        """
        changed = self.listen_back.poll(hearing.capture if hearing is not None else None)
        phase = hearing.state.phase if hearing is not None else Phase.IDLE
        if (step := self.clock_steps.poll()) is not None:
            changed = True
            if hearing is not None and phase.is_open:
                hearing.append("clock_stepped", {"seconds": step, "wall": format_wall()})
        recording = hearing if hearing is not None and phase == Phase.RECORDING else None
        details = None if recording is None else recording.state.details
        for event, source in self._remote_links.poll(details, microphones):
            changed = True
            if recording is not None:
                recording.add_mark(event, "", source, "remote")
        changed |= self.court_line.poll(hearing)
        stop = hearing.state.stop if hearing is not None else ("", 0, "")
        if self.reminder.poll(phase, *stop) and hearing is not None:
            changed = True
            fields = {"count": self.reminder.count, "minutes": self.reminder.minutes}
            hearing.append("reminder", fields)
        return changed

    def describe_microphones(
        self, microphones: list[Microphone], hearing: OpenHearing | None
    ) -> tuple[Microphone, ...]:
        """Return ``microphones`` with their duties in ``hearing`` and the possible remedies."""
        is_open = hearing is not None and hearing.state.phase.is_open
        return with_duties(microphones, hearing.state.roles if hearing and is_open else None)

    def alarms(
        self,
        found: Iterable[AlarmKey],
        state: RecorderState,
        hearing: OpenHearing | None,
        now_ns: int,
    ) -> Iterator[AlarmKey]:
        """Yield ``found`` without what is settled or was just told, then this monitor's alarms."""
        yield from self._unclear_sentences.limit(_unsettled(found, state, hearing), now_ns)
        for name in sorted(self._remote_links.lost):
            if hearing is None or hearing.state.roles.is_serving(name):
                yield "remote_link_lost", name
        yield from self.court_line.alarms()
        if self.clock_steps.has_stepped:
            yield "clock_stepped", "clock"
        if self.reminder.count:
            yield "resume_reminder", "recorder"


def _unsettled(
    found: Iterable[AlarmKey], state: RecorderState, hearing: OpenHearing | None
) -> Iterator[AlarmKey]:
    """Yield ``found`` without what remedies have settled, or is said of a remote link."""
    remote = {mic.name for mic in state.microphones if mic.kind == MicrophoneKind.REMOTE}
    is_open = hearing is not None and hearing.state.phase.is_open
    for code, source in found:
        if is_open and source in remote and code.startswith("microphone_"):
            continue  # said as a link, where there is one
        if is_open and hearing and not hearing.state.roles.is_serving(source):
            continue
        yield code, source
