"""The sentence at the top of the screen: which of several it is, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from kiosk.alarms import alarm_of
from kiosk.api.operations import COURT_ROLES
from kiosk.api.recorder import KeptBefore, RecorderState
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.locale import N_
from kiosk.ui.actions.reminder_desk import SIGN_IN, ReminderDesk
from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.actions.sign_in_actions import SignInActions
from kiosk.ui.recorder_reader import RECORDER_DOWN
from kiosk.ui.screen_chrome import Notice, NoticeKey

CALLED, COMING = "secretary_called", N_("I am coming")
SHOWN_S = 8.0


class Situation(Protocol):
    """What decides which sentence is shown."""

    recorder_state: RecorderState | None
    staff: StaffSession | None

    @property
    def is_recorder_stale(self) -> bool:
        """Whether the last State is too old to be believed."""

    @property
    def recorder_problem(self) -> str:
        """Alarm that says why the recorder is not heard."""


class NoticeBoard:
    """Chooses the most important sentence, and answers its buttons.

    A button names the notice that it was drawn for (``about``; None: the present one). Nothing is
    redrawn under a finger: another one may have come since, and then the tap does nothing.

    Args:
        now: monotonic seconds.
        spawn: starts what a button asks for.
        notify: called after each change.

    Attributes:
        passing: one that goes by itself; None: there is none.
    """

    def __init__(
        self,
        situation: Situation,
        reminders: ReminderDesk,
        secretary: SecretaryActions,
        sign_in: SignInActions,
        now: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
        notify: Callable[[], None],
    ) -> None:
        self._situation, self._reminders = situation, reminders
        self._secretary, self._sign_in = secretary, sign_in
        self._now, self._spawn, self._notify = now, spawn, notify
        self.passing: Notice | None = None

    def show(self, code: str) -> None:
        """Show the sentence of an alarm for a few seconds."""
        self.passing = Notice(code, until=self._now() + SHOWN_S)
        self._notify()

    def expire(self) -> None:
        """Remove the sentence that has been shown long enough."""
        if self.passing and self._now() > self.passing.until:
            self.passing = None

    def withdraw_recorder_down(self) -> None:
        """Remove the sentence that the recorder does not answer: it has answered."""
        if self.passing is not None and self.passing.code == RECORDER_DOWN:
            self.dismiss()

    def hide_from_public(self) -> None:
        """Remove a sentence that is for the staff alone: nobody is signed in any more."""
        if self.passing is not None and not alarm_of(self.passing.code).public:
            self.passing = None

    @property
    def present(self) -> Notice | None:
        """The notice that is shown, the most important one."""
        notice = self.passing or self._lasting()
        return notice if notice is not None or self._is_recording else self._reminders.notice()

    @property
    def is_lasting(self) -> bool:
        """Whether the notice cannot be removed: only its cause ends it."""
        return self.passing is None and self._lasting() is not None

    # -- buttons -------------------------------------------------------------------------------

    def dismiss(self, about: NoticeKey | None = None) -> None:
        """Remove the sentence, unless it lasts; a reminder does not come again."""
        if not self._is_meant(about) or self.is_lasting:
            return
        if self.passing is None:
            kept = self._kept_before()
            if self._situation.staff is not None and kept is not None:
                self._spawn(self._secretary.decline_minute(kept.hearing_id))
            self._reminders.dismiss()
        self.passing = None
        self._notify()

    def act(self, about: NoticeKey | None = None) -> None:
        """Answer a call, or start the hearing that a reminder names; that needs a sign-in."""
        if not self._is_meant(about):
            return
        hearing = self._secretary.find_hearing(self._reminders.hearing_id)
        if self._situation.staff is None:
            self._sign_in.open()
        elif self.passing is None and self._call() is not None:
            self._spawn(self._secretary.answer_call())
        elif hearing is not None:
            self._spawn(self._secretary.start_hearing(hearing))

    def start_with_minute_before(self, about: NoticeKey | None = None) -> None:
        """Start the hearing that a reminder names, with the sound that was kept before it."""
        if not self._is_meant(about):
            return
        hearing = self._secretary.find_hearing(self._reminders.hearing_id)
        if self._situation.staff is not None and hearing is not None:
            self._spawn(self._secretary.start_hearing(hearing, with_minute_before=True))

    def _is_meant(self, about: NoticeKey | None) -> bool:
        """Return whether a tap is meant for the notice that is the present one."""
        present = self.present
        return about is None or (present is not None and present.about == about)

    # -- what may be shown ---------------------------------------------------------------------

    def _lasting(self) -> Notice | None:
        return self._call() or self._stale_hearing() or self._volatile_data()

    def _stale_hearing(self) -> Notice | None:
        """Return what to say on screens of an open hearing that show no alarms (a recess)."""
        state, staff = self._situation.recorder_state, self._situation.staff
        if state is None or state.hearing is None or not self._situation.is_recorder_stale:
            return None
        if staff is None or self._is_recording:
            return None
        return Notice(self._situation.recorder_problem, tone="fault", until=self._now())

    def _call(self) -> Notice | None:
        """Return the call of the panel's button; it stays until the secretary is coming."""
        state, staff = self._situation.recorder_state, self._situation.staff
        if state is None or all(row.code != CALLED for row in state.alarms):
            return None
        action = SIGN_IN if staff is None else ""
        if staff is not None and staff.has_role(*COURT_ROLES):
            action = COMING
        return Notice(CALLED, tone="accent", until=self._now(), action=action)

    def _volatile_data(self) -> Notice | None:
        """Return what every screen of the staff says while the data is gone at power-off."""
        state = self._situation.recorder_state
        if state is None or self._situation.staff is None or state.storage.volatile != "yes":
            return None
        return None if self._is_recording else Notice("data_volatile", "fault", self._now())

    @property
    def _is_recording(self) -> bool:
        """Whether the screen of the running hearing shows alarms and reminders itself."""
        state = self._situation.recorder_state
        return state is not None and state.phase == Phase.RECORDING

    def _kept_before(self) -> KeptBefore | None:
        """Return what the recorder keeps before the hearing that the shown reminder names."""
        state = self._situation.recorder_state
        kept = state.kept_before if state is not None else None
        return kept if kept and kept.hearing_id == self._reminders.hearing_id else None
