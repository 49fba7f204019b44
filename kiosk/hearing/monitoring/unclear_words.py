"""Tells of words that are hard to make out, at most once a minute of each seat (S18).

Whether they are unclear now is measured, and the lamp shows it; how often the sentence is told is
known here, where it is told: a voice detector that is started again knows nothing of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kiosk.api.recorder import AlarmKey
from kiosk.api.states import UnclearSpeech
from kiosk.clocks import NS_PER_S

TOLD_EVERY_NS = 60 * NS_PER_S
"""Of a seat the sentence begins at most once in this time."""
UNCLEAR_ALARMS = frozenset(cause.alarm for cause in UnclearSpeech)


class UnclearSentences:
    """Remembers when the sentence of each seat began, and which are told now; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest_ns = 0
        self._begun_ns: dict[str, int] = {}
        self._told: frozenset[str] = frozenset()

    def limit(self, found: Iterable[AlarmKey], now_ns: int) -> list[AlarmKey]:
        """Return ``found`` without the sentences that are not due; one that is told goes on.

        Args:
            now_ns: recording clock; what is older than the newest call begins and ends nothing.
        """
        rows = list(found)
        unclear = {source for code, source in rows if code in UNCLEAR_ALARMS}
        with self._lock:
            if now_ns >= self._newest_ns:
                self._newest_ns = now_ns
                self._follow(unclear, now_ns)
            told = self._told
        return [row for row in rows if row[0] not in UNCLEAR_ALARMS or row[1] in told]

    def _follow(self, unclear: set[str], now_ns: int) -> None:
        due = {
            source
            for source in unclear - self._told
            if now_ns - self._begun_ns.get(source, -TOLD_EVERY_NS) >= TOLD_EVERY_NS
        }
        self._begun_ns |= dict.fromkeys(due, now_ns)
        self._told = frozenset(due | (self._told & unclear))
