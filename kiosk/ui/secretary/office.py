"""What the secretary's taps do: calls to the recorder and to sync. Plain asyncio, no Kivy."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.ui.facts import Delivery, Hearing, Schedule, moment
from kiosk.ui.places import AdHoc, AskingDate, Sealed, StaffPlace, Today
from kiosk.ui.secretary.conduct import Conduct
from kiosk.ui.secretary.copies import Copies
from kiosk.ui.secretary.questions import NAMING

RELOAD_SECONDS = 15.0
ASK_DELIVERY_SECONDS = 1.0


class Office:
    """The secretary's place, the list of hearings, and the hearing's steps.

    Args:
        recorder, sync: the services.
        published: ``published/schedule.json``, read while sync is down.
        on_change: called after every change.
        on_error: called with an error's code.
        do: runs a step in the background.
        zone: of the court.
    """

    def __init__(
        self,
        recorder: LocalClient,
        sync: LocalClient,
        published: Path,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
        do: Callable[[Coroutine[Any, Any, Any]], None],
        zone: ZoneInfo,
    ) -> None:
        self._do, self._zone = do, zone
        self._recorder, self._sync, self._published = recorder, sync, published
        self._changed, self._failed = on_change, on_error
        self.place: StaffPlace = Today()
        self.schedule: Schedule | None = None
        self.deliveries: dict[str, Delivery] = {}
        self.put_off: frozenset[str] = frozenset()
        self.show_all = False
        self.all_page = 0
        self.asks_end = False
        self.answers_page = 0
        self.typing: str | None = None
        self.waiting = False
        self.day: date | None = None
        self._ended: set[str] = set()
        self.copies = Copies(recorder, on_change, on_error)
        self.conduct = Conduct(self._step, on_change)

    def reset(self) -> None:
        """Begin anew: somebody has signed in or out."""
        if not isinstance(self.place, Sealed):
            self.place = Today()
        self.show_all = self.asks_end = False
        self.all_page = 0
        self.conduct.panel = None

    def go(self, place: StaffPlace) -> None:
        """Change the place."""
        self.place = place
        self._changed()

    # -- the list ------------------------------------------------------------------------------

    async def keep_list(self, today: Callable[[], date]) -> None:
        """Keep the list of hearings fresh until cancelled."""
        while True:
            await self.load_list(today())
            await asyncio.sleep(RELOAD_SECONDS)

    async def load_list(self, day: date) -> None:
        """Read the hearings of ``day`` from sync, else from what sync last published."""
        day = self.day or day
        try:
            answer = await self._sync.get(f"/v1/schedule?date={day.isoformat()}")
            found = Schedule.model_validate(answer)
        except (KioskError, ValidationError):
            found = await asyncio.to_thread(read_published, self._published, day, self._zone)
        ordered = tuple(sorted(found.hearings, key=lambda h: h.scheduled_at or ""))
        schedule = Schedule(pulled_at=found.pulled_at, hearings=ordered)
        if schedule != self.schedule:
            self.schedule = schedule
            self._changed()

    def hearing(self, hearing_id: str | None) -> Hearing | None:
        """Return the listed hearing with that id."""
        hearings = self.schedule.hearings if self.schedule else ()
        return next((h for h in hearings if h.id == hearing_id), None)

    # -- steps of a hearing --------------------------------------------------------------------

    async def start(self, hearing: Hearing) -> None:
        """Start recording ``hearing`` at once."""
        self.put_off = frozenset()
        self.asks_end = self.show_all = False
        body = {"hearing": hearing.model_dump()}
        if await self._step("/v1/hearings", body):
            self.place = Today()

    async def start_adhoc(self) -> None:
        """Start the hearing that was typed in: not on the list."""
        place = self.place
        if not isinstance(place, AdHoc):
            return
        day = f"{place.day.isoformat()}T00:00:00.000Z" if place.day else None
        await self.start(
            Hearing(
                id=str(uuid.uuid4()),
                case_number=place.typed.strip(),
                kind=place.kind,
                scheduled_at=day,
                adhoc=True,
            )
        )

    async def mark(self, event: str) -> None:
        """Mark an event of the hearing's course."""
        self.show_all = False
        await self._step("/v1/hearing/marks", {"type": event})

    async def undo(self) -> None:
        """Withdraw the newest mark."""
        await self._step("/v1/hearing/marks/undo")

    async def recess(self) -> None:
        """Stop the capture for a recess."""
        self.conduct.panel = None
        await self._step("/v1/hearing/recess")

    async def retire(self) -> None:
        """Stop the capture for the deliberation."""
        self.conduct.panel = None
        await self._step("/v1/hearing/retire")

    async def resume(self) -> None:
        """Go on with the next part; questions that were put off come back."""
        self.put_off = frozenset()
        await self._step("/v1/hearing/resume")

    async def end(self, hearing_id: str, case_number: str) -> None:
        """End the hearing; it is sealed and delivered."""
        if await self._step("/v1/hearing/end", {}, timeout=60.0):
            self.was_ended(hearing_id, case_number)

    def was_ended(self, hearing_id: str, case_number: str) -> None:
        """Remember that a hearing has ended and show its sealing and delivery."""
        self.asks_end = False
        self._ended.add(hearing_id)
        self.deliveries.setdefault(hearing_id, Delivery())
        self.place = Sealed(hearing_id, case_number)
        self._changed()

    async def answer(self, subject: str, value: str) -> None:
        """Answer one of the open questions."""
        self.answers_page, self.typing = 0, None
        body: dict[str, Any] = {"subject": subject, "value": value}
        if subject.startswith(NAMING):
            number = int(subject.removeprefix(NAMING))
            body = {"subject": "mark", "value": {"mark": number, "type": value}}
        await self._step("/v1/hearing/statements", body)

    def say(self, subject: str, value: str) -> None:
        """Answer one of the open questions, in the background."""
        self._do(self.answer(subject, value))

    def answer_later(self, subject: str) -> None:
        """Put a question off until the next hearing or part."""
        self.put_off |= {subject}
        self.answers_page, self.typing = 0, None
        self._changed()

    def turn_answers(self, page: int) -> None:
        """Show other answers to the question."""
        self.answers_page = page
        self._changed()

    def begin_typing(self) -> None:
        """Show the keys for an answer that is typed."""
        self.typing = ""
        self._changed()

    def end_typing(self) -> None:
        """Put the keys away."""
        self.typing = None
        self._changed()

    def type_answer(self, key: str) -> None:
        """Type one character of the answer (``""``: delete the last)."""
        if self.typing is not None:
            self.typing = (self.typing + key)[:40] if key else self.typing[:-1]
            self._changed()

    def ask_end(self, asks: bool) -> None:
        """Ask whether to end, or leave that question."""
        self.asks_end = asks
        self._changed()

    def all_events(self, show: bool, page: int = 0) -> None:
        """Show every event type, or the usual ones."""
        self.show_all, self.all_page = show, page
        self._changed()

    async def _step(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        timeout: float = 10.0,
        *,
        method: str = "POST",
    ) -> bool:
        self.waiting = True
        try:
            await self._recorder.call(method, path, body or {}, timeout)
        except ServiceRefusedError as error:
            self._failed(error.code)
            return False
        except KioskError:
            self._failed("recorder_down")
            return False
        finally:
            self.waiting = False
            self._changed()
        return True

    # -- delivery ------------------------------------------------------------------------------

    async def keep_deliveries(self) -> None:
        """Keep asking how the delivery of ended hearings goes, until cancelled."""
        while True:
            await self.load_deliveries()
            await asyncio.sleep(ASK_DELIVERY_SECONDS)

    async def load_deliveries(self) -> None:
        """Ask once for each hearing that was ended here and is not delivered yet."""
        for hearing_id in self._ended:
            known = self.deliveries.get(hearing_id, Delivery())
            if known.state == "delivered":
                continue
            with contextlib.suppress(KioskError, ValidationError):
                answer = await self._sync.get(f"/v1/hearings/{hearing_id}")
                delivery = Delivery.model_validate(answer)
                if delivery != known:
                    self.deliveries[hearing_id] = delivery
                    self._changed()

    # -- typing --------------------------------------------------------------------------------

    def ask_adhoc(self, needs_date: bool, today: date) -> None:
        """Ask for a hearing that is not on the list (for its date first, where none is known)."""
        self.go(AskingDate(today) if needs_date and self.day is None else AdHoc(day=self.day))

    def set_day(self, day: date) -> None:
        """Take ``day`` as today's date, on the secretary's word."""
        self.day = day
        self.go(AdHoc(day=day))

    def type_key(self, key: str) -> None:
        """Type one character of the case number (``""``: delete the last)."""
        if isinstance(self.place, AdHoc):
            place = self.place
            typed = (place.typed + key)[:40] if key else place.typed[:-1]
            self.go(AdHoc(typed, place.kind, place.day))

    def choose_kind(self, kind: str) -> None:
        """Choose the case kind of a hearing that is not on the list."""
        if isinstance(self.place, AdHoc):
            self.go(AdHoc(self.place.typed, kind, self.place.day))


def read_published(path: Path, day: date, zone: ZoneInfo) -> Schedule:
    """Return the hearings of ``day`` from ``published/schedule.json``; empty where none is."""
    try:
        value = Schedule.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Schedule()
    return Schedule(
        pulled_at=value.pulled_at,
        hearings=tuple(h for h in value.hearings if _on(h, day, zone)),
    )


def _on(hearing: Hearing, day: date, zone: ZoneInfo) -> bool:
    begins = moment(hearing.scheduled_at)
    return begins is None or begins.astimezone(zone).date() == day
