"""The report for the presiding judge on the screen: what is shown, and what the taps do (no Kivy).

Requirements: S18 (УПК 347-1(2-1)).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from kiosk.api.base import read_leniently
from kiosk.api.quality import QualityReport, UnclearPlace
from kiosk.ui.actions.minutes_actions import CALL_SECONDS
from kiosk.ui.actions.recorder_actions import RecorderActions

log = logging.getLogger(__name__)
LEAD_S, AFTER_S, LONGEST_S = 0.5, 1.0, 600.0
"""Played before the first word and after the last one; and at most."""


@dataclass(frozen=True)
class QualityState:
    """What is open.

    Attributes:
        hearing_id: empty: nothing.
        report: None: it is being read.
        page: of the seats and places.
        is_unreadable: the report could not be read.
    """

    hearing_id: str = ""
    report: QualityReport | None = None
    page: int = 0
    is_unreadable: bool = False


class QualityActions(RecorderActions):
    """Reads the report, plays its places, and keeps the judge's word."""

    state = QualityState()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()

    async def open(self, hearing_id: str) -> None:
        """Read the report of a hearing, and what was said of it."""
        self.state = QualityState(hearing_id)
        self._notify_change()
        await self._load()

    async def _load(self) -> None:
        hearing_id = self.state.hearing_id
        report = await self._read(hearing_id)
        if self.state.hearing_id == hearing_id:
            self._set(report=report, is_unreadable=report is None)

    async def refresh(self) -> None:
        """Read it again: somebody else has signed in."""
        await self.open(self.state.hearing_id)

    async def _read(self, hearing_id: str) -> QualityReport | None:
        """Return the report; None: it was refused, or cannot be read."""
        path = f"/v1/minutes/{hearing_id}/quality"
        answer = await self._call("GET", path, None, CALL_SECONDS)
        if answer is None:
            return None
        try:
            return read_leniently(QualityReport, answer)[0]
        except ValidationError as error:
            log.error("a report that cannot be read: %s problems", error.error_count())
            self._report_error("recorder_state_unreadable")
            return None

    def show_page(self, page: int) -> None:
        """Show another page of seats and places."""
        self._set(page=page)

    async def play(self, place: UnclearPlace) -> None:
        """Play a place in the headset, with a moment before and after it."""
        begin = max(0.0, place.part_seconds - LEAD_S)
        seconds = min(LONGEST_S, place.part_seconds - begin + place.seconds + AFTER_S)
        await self._post(
            "/v1/hearing/listen",
            25.0,
            hearing_id=self.state.hearing_id,
            part=place.part,
            part_seconds=round(begin, 2),
            seconds=max(1.0, round(seconds, 2)),
            source=place.source,
        )

    async def stop(self) -> None:
        """Stop what plays."""
        await self._call("DELETE", "/v1/hearing/listen", {})

    async def say(self, *, is_good: bool) -> None:
        """Keep the presiding judge's word: complete and of good quality, or not usable."""
        path = f"/v1/minutes/{self.state.hearing_id}/quality"
        if await self._post(path, CALL_SECONDS, is_good=is_good):
            await self._load()

    async def begin_full_minutes(self) -> bool:
        """Keep full minutes in place of short ones; return whether they are kept now."""
        path = f"/v1/minutes/{self.state.hearing_id}/form"
        is_begun = await self._post(path, CALL_SECONDS, form="full")
        if is_begun:
            await self._load()
        return is_begun
