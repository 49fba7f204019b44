"""Detects when the line-out of a conference set loses its link.

A link counts only once it was up in this hearing, or when the hearing is held online or mixed: a
set that nobody uses raises no alarm. The kiosk marks loss and return (R24). The court's line is
monitored apart (:mod:`.court_line`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiosk.api.recorder import Microphone
from kiosk.api.states import MicrophoneKind, MicrophoneState
from kiosk.hearing.session.line_ledger import REMOTE_FORMATS

LOST, RESTORED = "link_lost", "link_restored"


class RemoteLinkMonitor:
    """Monitors all remote sources of one hearing.

    Attributes:
        lost: names of the sources whose link is lost now.
    """

    def __init__(self) -> None:
        self._hearing_id: str | None = None
        self._up: set[str] = set()
        self.lost: set[str] = set()

    def poll(
        self, hearing: Mapping[str, Any] | None, microphones: Iterable[Microphone]
    ) -> list[tuple[str, str]]:
        """Check the sources; return ``(event type, source)`` of each change.

        Args:
            hearing: the hearing that is being recorded now, or None.
            microphones: as in State.
        """
        if hearing is None or hearing["id"] != self._hearing_id:
            self._hearing_id = None if hearing is None else str(hearing["id"])
            self._up, self.lost = set(), set()
        if hearing is None:
            return []
        expected = hearing.get("format") in REMOTE_FORMATS
        changes = []
        for microphone in microphones:
            if microphone.kind != MicrophoneKind.REMOTE:
                continue
            name = microphone.name
            if microphone.state.is_lost:
                if (expected or name in self._up) and name not in self.lost:
                    self.lost.add(name)
                    changes.append((LOST, name))
            elif microphone.state != MicrophoneState.STARTING:
                self._up.add(name)
                if name in self.lost:
                    self.lost.remove(name)
                    changes.append((RESTORED, name))
        return changes
