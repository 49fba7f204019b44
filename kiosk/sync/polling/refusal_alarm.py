"""The alarm about a published file that was refused: its source is the reason."""

from __future__ import annotations

import logging

from kiosk.sync.context import SyncContext

log = logging.getLogger(__name__)


class RefusalAlarm:
    """At most one alarm of a code at a time.

    Args:
        code: of the alarm.
        file: what is refused, as the log names it.
    """

    def __init__(self, context: SyncContext, code: str, file: str) -> None:
        self._alarms, self._code, self._file = context.alarms, code, file
        self._reason = ""

    def show(self, reason: str, text: str) -> None:
        """Raise the alarm in place of the last one.

        Args:
            reason: why the newest file was refused; empty: it was not, and none is raised.
            text: of the log.
        """
        before, self._reason = self._reason, reason
        if before == reason:
            return
        if before:
            self._alarms.clear(self._code, before)
        if reason:
            log.error("the %s is refused: %s", self._file, text)
            self._alarms.raise_alarm(self._code, reason)
