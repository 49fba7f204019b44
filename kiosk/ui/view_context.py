"""What every view is made with: translator, labels, time zone, current time. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.recorder import Microphone
from kiosk.locale import Translator
from kiosk.ui.formatting import clock_text, sentence_case
from kiosk.ui.rule_labels import RuleLabels


@dataclass(frozen=True)
class ViewContext:
    """Translator, labels, time zone and current time for one screen."""

    translate: Translator
    labels: RuleLabels
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
