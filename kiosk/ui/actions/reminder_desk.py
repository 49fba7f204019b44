"""The reminders on the screen: which one is shown, which were dismissed, what is said aloud."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.api.recorder import RecorderState
from kiosk.config import HearingSettings
from kiosk.locale import N_
from kiosk.ui.actions.reminders import FORGOTTEN, SOON, Reminder, ReminderInputs, reminders
from kiosk.ui.actions.speech_watch import SpeechWatch
from kiosk.ui.screen_chrome import Notice

START, SIGN_IN = N_("Start hearing"), N_("Sign in")
STEP_S = 10
PUBLIC = (FORGOTTEN,)
"""What is also said while nobody is signed in; the others may name persons."""


class ReminderDesk:
    """The reminders of one screen.

    Args:
        settings: ``[hearing]``.
        inputs: returns what decides them; it is told whether people speak.
        is_staff: whether somebody is signed in.
        say: says a reminder aloud.
        now: monotonic seconds.
    """

    def __init__(
        self,
        settings: HearingSettings,
        inputs: Callable[[bool], ReminderInputs],
        is_staff: Callable[[], bool],
        say: Callable[[Reminder], None],
        now: Callable[[], float],
    ) -> None:
        self._settings, self._inputs, self._is_staff = settings, inputs, is_staff
        self._say, self._now = say, now
        self._speech = SpeechWatch()
        self._dismissed: set[str] = set()
        self._hidden: set[str] = set()  # by whoever stood before the screen: the staff see it
        self._said: set[str] = set()
        self._kept_hearing, self._kept_seconds = "", 0

    def take(self, state: RecorderState, now: float) -> None:
        """Take a State of the recorder that came at ``now``."""
        self._speech.take(state, now)
        kept = state.kept_before
        self._kept_hearing = kept.hearing_id if kept is not None else ""
        # in steps: a button whose words change every second cannot be read
        self._kept_seconds = int(kept.seconds // STEP_S * STEP_S) if kept is not None else 0

    def due(self) -> Reminder | None:
        """Return the reminder to show now; None: there is none."""
        is_speaking = self._speech.is_speaking(self._now())
        is_staff = self._is_staff()
        gone = self._dismissed if is_staff else self._dismissed | self._hidden
        for reminder in reminders(self._inputs(is_speaking), self._settings):
            is_allowed = is_staff or reminder.code in PUBLIC
            if is_allowed and not reminder.keys <= gone:
                return reminder
        return None

    def notice(self) -> Notice | None:
        """Return the line at the top."""
        reminder = self.due()
        if reminder is None:
            return None
        action, seconds = "", 0
        if reminder.hearing_id:
            action = START if self._is_staff() else SIGN_IN
            seconds = self._kept_seconds if self._is_staff() else 0
        return Notice(
            reminder.code,
            tone="accent" if reminder.code == SOON else "caution",
            source=reminder.source,
            action=action,
            hearing_id=reminder.hearing_id,
            kept_seconds=seconds if self._kept_hearing == reminder.hearing_id else 0,
        )

    @property
    def hearing_id(self) -> str:
        """The hearing that the shown reminder wants started; empty: none."""
        reminder = self.due()
        return reminder.hearing_id if reminder is not None else ""

    def dismiss(self) -> None:
        """Do not show the present reminder again; a visitor cannot take it from the staff."""
        if (reminder := self.due()) is not None:
            (self._dismissed if self._is_staff() else self._hidden).update(reminder.keys)

    def tick(self) -> None:
        """Say a reminder of the next hearing aloud, once, where the settings want it."""
        if not self._settings.remind_aloud:
            return
        for reminder in reminders(self._inputs(False), self._settings):
            if reminder.code == SOON and not reminder.keys <= self._said:
                self._said |= reminder.keys
                self._say(reminder)
