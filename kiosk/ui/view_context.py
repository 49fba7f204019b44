"""What every view is made with: translator, labels, time zone, current time. No Kivy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.recorder import Microphone
from kiosk.api.states import RefusalReason
from kiosk.locale import N_, Translator
from kiosk.selftest.words import MeasuredWords
from kiosk.ui.formatting import clock_text, sentence_case
from kiosk.ui.rule_labels import RuleLabels

_REFUSALS = {
    RefusalReason.RATE: N_("offers {offered} Hz only"),
    RefusalReason.CHANNELS: N_("has only this many channels: {offered}"),
    RefusalReason.BUSY: N_("another program uses it"),
    RefusalReason.AMBIGUOUS: N_("its setting fits several devices"),
    RefusalReason.NAME: N_("its setting is only a part of a device’s name"),
}


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

    def refusal_text(self, microphone: Microphone) -> str:
        """Return why the device of ``microphone`` cannot be used; empty if it can."""
        refusal = microphone.refusal
        if refusal is None:
            return ""
        offered = ", ".join(map(str, refusal.offered))
        sentence = _REFUSALS.get(refusal.reason, "{detail}")
        return self.translate.gettext(sentence, offered=offered, detail=refusal.detail)

    def microphone_fault(self, microphone: Microphone, name: str) -> str:
        """Return the sentence of a failing microphone's alarm, and why its device refuses."""
        sentence = alarm_of(microphone.state.alarm).say(self.translate, name)
        reason = self.refusal_text(microphone)
        return f"{sentence} {sentence_case(reason)}." if reason else sentence

    def role_label(self, microphone: Microphone) -> str:
        """Return the label of the role that a microphone is set up for."""
        return sentence_case(self.labels.role(microphone.role or microphone.name))

    def microphone_label(self, microphone: Microphone) -> str:
        """Return the label of a microphone's role, or its own name when it serves nobody."""
        return microphone.name if microphone.is_spare else self.role_label(microphone)

    def measured_words(self, microphones: Iterable[Microphone]) -> MeasuredWords:
        """Return what says the values of a self-test; microphones by their labels."""
        names = {microphone.name: self.role_label(microphone) for microphone in microphones}
        return MeasuredWords(self.translate, self.zone, names)
