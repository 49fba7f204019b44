"""What every view is made with: translator, labels, time zone, current time. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.recorder import Microphone
from kiosk.locale import Translator
from kiosk.ui.formatting import clock_text, sentence_case


class Labels(Protocol):
    """Labels of the rules data in the language on the screen."""

    def event(self, event: str) -> str:
        """Return the label of an event type."""

    def role(self, role: str) -> str:
        """Return the label of a role."""

    def kind(self, kind: str) -> str:
        """Return the label of a case kind."""

    def kinds(self) -> tuple[str, ...]:
        """Return the ids of the case kinds."""

    def legal_bases(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and norm of each legal basis of a remote part."""

    def closure_grounds(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and label of each closure ground of a case kind."""

    def form(self, form: str) -> str:
        """Return the label of a format (``online``) or publicity (``closed``)."""

    def event_order(self) -> tuple[str, ...]:
        """Return the ids of the event types a person may mark, in the rules' order."""

    def frequent_events(self) -> tuple[str, ...]:
        """Return the ids of the event types that are needed at any time."""


@dataclass(frozen=True)
class ViewContext:
    """Translator, labels, time zone and current time for one screen."""

    translate: Translator
    labels: Labels
    zone: ZoneInfo
    now: datetime

    def clock_text(self, when: datetime | str | None, seconds: bool = False) -> str:
        """Return a time of day in the court's zone."""
        return clock_text(when, self.zone, seconds)

    def alarm_text(self, code: str) -> str:
        """Return consequence and remedy of an alarm, for the staff."""
        alarm = alarm_of(code)
        return f"{alarm.say(self.translate)} {alarm.remedy(self.translate, staff=True)}"

    def role_label(self, microphone: Microphone) -> str:
        """Return the label of the role that a microphone is set up for."""
        return sentence_case(self.labels.role(microphone.role or microphone.name))

    def microphone_label(self, microphone: Microphone) -> str:
        """Return the label of a microphone's role, or its own name when it serves nobody."""
        return microphone.name if microphone.is_spare else self.role_label(microphone)
