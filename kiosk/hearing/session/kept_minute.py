"""The minute before a hearing that is due: kept in locked memory until a tap keeps or declines it.

Sound is kept only while the court's list has a hearing that is due and nothing is open here. It is
overwritten when another hearing is due, or none; when it is declined; when a hearing starts without
it; and at the end of the service. A killed process leaves it nowhere: it was never on a disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

from kiosk.api.recorder import KeptBefore
from kiosk.api.states import ClockState
from kiosk.clocks import recording_ns, wall_time
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.session.context import HearingContext
from kiosk.recording.capture.kept_sound import KeptSound
from kiosk.recording.encryption.locked_memory import LockedMemoryError

log = logging.getLogger(__name__)


class KeptMinute:
    """Decides for which hearing sound is kept.

    The steps and :meth:`poll` are called by one thread; :meth:`state` by any.

    Attributes:
        has_failed: the settings want it, and memory cannot be locked.
        is_rehearsing: whether somebody rehearses now, or a sweep sounds; of that nothing is kept
            (R35).
    """

    def __init__(self, context: HearingContext) -> None:
        self._context = context
        self._zone = ZoneInfo(context.settings.kiosk.timezone)
        self._hearing = ""
        self._declined: set[str] = set()
        self.has_failed = False
        self.is_rehearsing: Callable[[], bool] = lambda: False
        self._sound = self._make_sound()

    def _make_sound(self) -> KeptSound | None:
        seconds, sources = self._context.settings.hearing.kept_minute, self._context.sources
        if not seconds or not sources.microphones:
            return None
        try:
            return KeptSound(sources.microphones, seconds, sources.preview)
        except LockedMemoryError as error:
            log.error("no minute before a hearing is kept: %s", error)
            self.has_failed = True
            return None

    def poll(self) -> bool:
        """Follow list, clock and hearing; return whether State has changed."""
        sound = self._sound
        if sound is None or sound.is_attached:
            return False
        due = self._due()
        if due == self._hearing and sound.is_listening == bool(due):
            return False
        sound.wipe()
        self._hearing = due
        if due:
            sound.listen()
        return True

    def _due(self) -> str:
        """Return the id of the hearing that is due and has not begun, empty: none is."""
        context, now = self._context, wall_time()
        if context.current.hearing is not None or clock_state() is ClockState.UNSET:
            return ""
        if self.is_rehearsing():
            return ""
        today = now.astimezone(self._zone).date()
        ended = context.publicity.ended_hearings.on(today)
        for hearing in context.publicity.court_list.hearings_on(today):
            is_over = hearing.id in ended or context.storage.has_begun(hearing.id)
            if hearing.is_due(now) and not is_over and hearing.id not in self._declined:
                return hearing.id
        return ""

    def take(self, hearing: str) -> KeptSound | None:
        """Return what is kept for ``hearing``, which starts now; else overwrite what is kept.

        Args:
            hearing: id of the list; empty: nothing is wanted.
        """
        sound = self._sound
        if sound is None or not sound.is_listening:
            return None
        if hearing and hearing == self._hearing and not self.is_rehearsing():
            return sound
        self._hearing = ""
        sound.wipe()
        return None

    def decline(self, hearing: str) -> None:
        """Overwrite what is kept for ``hearing``, and keep nothing more for it."""
        self._declined.add(hearing)
        self.poll()

    def state(self) -> KeptBefore | None:
        """Return ``kept_before`` of State: None while nothing is kept."""
        sound, hearing = self._sound, self._hearing
        if sound is None or not hearing or not sound.is_listening:
            return None
        seconds = sound.seconds_until(recording_ns())
        return KeptBefore(hearing_id=hearing, seconds=round(seconds, 1)) if seconds else None

    def close(self) -> None:
        """Overwrite what is kept."""
        self._hearing = ""
        if self._sound is not None:
            self._sound.wipe()
