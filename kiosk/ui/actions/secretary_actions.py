"""Actions of the secretary: calls to the recorder and to sync (asyncio, no Kivy)."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from kiosk.api.hearing import Hearing
from kiosk.api.published import Schedule, read_schedule
from kiosk.api.sync import Delivery
from kiosk.errors import KioskError
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.hearing.session.receipts import RECEIPT_PREFIX
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.ui.actions.export_actions import ExportActions
from kiosk.ui.actions.minutes_actions import MinutesActions
from kiosk.ui.actions.people_actions import PeopleActions, PeopleSheet, PersonSheet
from kiosk.ui.actions.quality_actions import QualityActions
from kiosk.ui.actions.recorder_actions import RecorderActions
from kiosk.ui.actions.rehearsal_actions import RehearsalActions
from kiosk.ui.actions.side_panel_actions import SidePanelActions
from kiosk.ui.registry import (
    AdHocPlace,
    DatePlace,
    DeliveryPlace,
    MinutesPlace,
    QualityPlace,
    StaffPlace,
    TodayPlace,
)

EventsShown = Literal["usual", "due", "all"]
SOMEBODY_ELSE = "new"
"""Answer to the question of whom a mark is: nobody of those who are named yet."""
SCAN_RECEIPT = "scan"
"""Answer to the question about a receipt that is not scanned: its card opens."""
MARK_SUBJECT_PREFIX = "mark:"
"""Begins the subject of the question what a marked moment was; the id of the mark follows."""
NOTHING_RECORDED = {
    ("without_minutes", "no"),
    ("nobody_came", "written"),
    ("nobody_came", "none"),
}
"""Answers after which nothing more is to be recorded: whether to end is asked at once."""
RELOAD_SECONDS = 15.0
ASK_DELIVERY_SECONDS = 1.0


class SecretaryActions(RecorderActions):
    """The secretary's place, the list of hearings, and the steps of a hearing.

    Args:
        recorder, sync: the services.
        published: ``published/schedule.json``, read while sync is down.
        on_change: called after every change.
        on_error: called with an error's code.
        zone: of the court.
    """

    def __init__(
        self,
        recorder: LocalClient,
        sync: LocalClient,
        published: Path,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
        zone: ZoneInfo,
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self._sync, self._published, self._zone = sync, published, zone
        self.place: StaffPlace = TodayPlace()
        self.schedule: Schedule | None = None
        self.deliveries: dict[str, Delivery] = {}
        self.postponed: frozenset[str] = frozenset()
        self.events_shown: EventsShown = "usual"
        self.events_page = 0
        self.is_end_asked = False
        self.hidden_oath = 0
        self.answers_page = 0
        self.typed_answer: str | None = None
        self.entered_date: date | None = None
        self._ended_hearings: set[str] = set()
        self.export = ExportActions(recorder, on_change, on_error)
        self.minutes = MinutesActions(recorder, on_change, on_error)
        self.quality = QualityActions(recorder, on_change, on_error)
        self.side_panel = SidePanelActions(recorder, on_change, on_error)
        self.people = PeopleActions(recorder, on_change, on_error)
        self.rehearsal = RehearsalActions(recorder, on_change, on_error)

    def reset(self) -> None:
        """Reset the screens after a sign-in or sign-out."""
        if not isinstance(self.place, DeliveryPlace | MinutesPlace | QualityPlace):
            self.place = TodayPlace()  # minutes stay: the judge confirms after the secretary
        self.is_end_asked = False
        self.events_shown, self.events_page = "usual", 0
        self.side_panel.panel = self.people.sheet = None

    def show(self, place: StaffPlace) -> None:
        """Show the screen of ``place``."""
        self.place = place
        self._notify_change()

    def show_today(self) -> None:
        """Go back to the list of the day."""
        self.show(TodayPlace())

    # -- the list ------------------------------------------------------------------------------

    async def poll_schedule(self, today: Callable[[], date]) -> None:
        """Refresh the list of hearings regularly until cancelled."""
        while True:
            await self.load_schedule(today())
            await asyncio.sleep(RELOAD_SECONDS)

    async def load_schedule(self, day: date) -> None:
        """Read the hearings of ``day`` from sync, else from what sync last published."""
        day = self.entered_date or day
        try:
            answer = await self._sync.get(f"/v1/schedule?date={day.isoformat()}")
            schedule = read_schedule(answer, self._zone)
        except KioskError:
            schedule = await asyncio.to_thread(
                read_published_schedule, self._published, day, self._zone
            )
        if schedule != self.schedule:
            self.schedule = schedule
            self._notify_change()

    def find_hearing(self, hearing_id: str | None) -> Hearing | None:
        """Return the listed hearing with that id."""
        hearings = self.schedule.hearings if self.schedule else ()
        return next((h for h in hearings if h.id == hearing_id), None)

    # -- steps of a hearing --------------------------------------------------------------------

    def forget_hearing(self) -> None:
        """Forget what was open, hidden or postponed: marks of another hearing have its numbers."""
        self.postponed = frozenset()
        self.hidden_oath = self.answers_page = 0
        self.typed_answer = None
        self.is_end_asked, self.events_shown = False, "usual"
        self.side_panel.panel = self.people.sheet = None
        self.people.speaking = ()

    async def start_hearing(self, hearing: Hearing, *, with_minute_before: bool = False) -> None:
        """Start recording ``hearing`` at once.

        Args:
            with_minute_before: keep the sound before it, too, as far as the recorder has it.
        """
        self.forget_hearing()
        more = {"with_minute_before": True} if with_minute_before else {}
        if await self._post("/v1/hearings", hearing=hearing.to_json(), **more):
            self.place = TodayPlace()

    async def decline_minute(self, hearing_id: str) -> None:
        """Overwrite the sound that is kept before a hearing that is due."""
        await self._post("/v1/kept-minute/decline", hearing_id=hearing_id)

    async def start_without_minutes(self, hearing: Hearing) -> None:
        """Start a session of which no minutes are kept: the presiding judge decided so."""
        await self.start_hearing(hearing)
        if not isinstance(self.place, TodayPlace) or self.place.asks:
            return  # it did not start
        subject, value = "without_minutes", "yes"
        await self._post("/v1/hearing/statements", subject=subject, value=value)

    async def start_adhoc_hearing(self) -> None:
        """Start the hearing that was typed in: not on the list."""
        place = self.place
        if not isinstance(place, AdHocPlace):
            return
        day = f"{place.day.isoformat()}T00:00:00.000Z" if place.day else None
        number = place.typed.strip()
        hearing = Hearing(
            id=str(uuid.uuid4()), case_number=number, kind=place.kind, scheduled_at=day, adhoc=True
        )
        await self.start_hearing(hearing)

    async def mark_event(self, event: str, of: str = "") -> None:
        """Mark an event in the hearing; ``of``: id of the person whom it concerns."""
        self.events_shown = "usual"
        self.people.note_speaking()
        await self._mark(event, of)

    async def _mark(self, event: str, of: str) -> None:
        """Mark an event; of nobody where the person was removed meanwhile: it is not lost."""
        body = {"type": event, "of": of}
        try:
            await self._recorder.call("POST", "/v1/hearing/marks", body)
        except ServiceRefusedError as error:
            if of and error.code == "unknown_person":
                await self._mark(event, "")
                return
            self._report_error(error.code)
        except KioskError:
            self._report_error("recorder_down")
        self._notify_change()

    async def answer_call(self) -> None:
        """Say that the secretary is coming: the call of the panel's button ends."""
        await self._post("/v1/call/answer")

    async def end_oath(self, mark: int) -> None:
        """End the oath that is shown."""
        await self._post("/v1/hearing/oath/end", mark=mark)

    async def choose_oath_language(self, language: str) -> None:
        """Show the oath in ``language``: that of the proceedings."""
        await self._post("/v1/hearing/statements", subject="language", value=language)

    def hide_oath(self, mark: int) -> None:
        """Hide the text of an oath; its mark stays."""
        self.hidden_oath = mark
        self._notify_change()

    async def undo_mark(self, mark: int) -> None:
        """Withdraw the newest mark, whose number is ``mark``: two taps take back one."""
        await self._post("/v1/hearing/marks/undo", mark=mark)

    async def start_recess(self) -> None:
        """Stop the capture for a recess."""
        self.side_panel.panel = None
        await self._post("/v1/hearing/recess")

    async def start_retirement(self) -> None:
        """Stop the capture for the deliberation."""
        self.side_panel.panel = None
        await self._post("/v1/hearing/retire")

    async def announce_end_of_recess(self, until: str) -> None:
        """Say when the court goes on (RFC 3339); the hall's display shows it."""
        await self._post("/v1/hearing/statements", subject="recess_until", value=until)

    async def resume_hearing(self) -> None:
        """Start the next part; postponed questions are asked again."""
        self.postponed = frozenset()
        await self._post("/v1/hearing/resume")

    async def end_hearing(self, hearing_id: str, case_number: str) -> None:
        """End the hearing; it is sealed and delivered."""
        if await self._post("/v1/hearing/end", 60.0):
            self.show_delivery(hearing_id, case_number)

    def show_delivery(self, hearing_id: str, case_number: str) -> None:
        """Show the sealing and delivery of a hearing that has ended."""
        self.is_end_asked = False
        self._ended_hearings.add(hearing_id)
        self.deliveries.setdefault(hearing_id, Delivery())
        self.place = DeliveryPlace(hearing_id, case_number)
        self._notify_change()

    async def answer_question(self, subject: str, value: str) -> None:
        """Answer one of the open questions."""
        self.answers_page, self.typed_answer = 0, None
        if (subject, value) == ("publicity", "closed"):  # only closing encrypts
            await self._post("/v1/hearing/close")
            return
        if subject.startswith(OF_WHOM_PREFIX):
            await self._answer_of_whom(int(subject.removeprefix(OF_WHOM_PREFIX)), value)
            return
        if subject.startswith(RECEIPT_PREFIX) and value == SCAN_RECEIPT:
            self.people.open_receipt(int(subject.removeprefix(RECEIPT_PREFIX)))
            return
        body: dict[str, Any] = {"subject": subject, "value": value}
        if subject.startswith(MARK_SUBJECT_PREFIX):
            number = int(subject.removeprefix(MARK_SUBJECT_PREFIX))
            body = {"subject": "mark", "value": {"mark": number, "type": value}}
        accepted = await self._post("/v1/hearing/statements", **body)
        if accepted and (subject, value) in NOTHING_RECORDED:
            self.ask_end(True)
        if accepted and (subject, value) == ("closure_admitted", "permitted"):
            self.side_panel.panel = None
            self.people.show(PeopleSheet())  # by name: each is admitted there (R54)

    async def _answer_of_whom(self, mark: int, person: str) -> None:
        """Say of whom a mark is; for somebody else, their role and name are asked first."""
        if person == SOMEBODY_ELSE:
            self.side_panel.panel = None
            self.people.show(PersonSheet(mark=mark))
        else:
            await self.people.name_mark(mark, person)

    def postpone_question(self, subject: str) -> None:
        """Postpone a question until the next hearing or part."""
        self.postponed |= {subject}
        self.answers_page, self.typed_answer = 0, None
        self._notify_change()

    def show_answers_page(self, page: int) -> None:
        """Show other answers to the question."""
        self.answers_page = page
        self._notify_change()

    def show_answer_keys(self, show: bool) -> None:
        """Show or hide the keys for a typed answer."""
        self.typed_answer = "" if show else None
        self._notify_change()

    def type_answer(self, key: str) -> None:
        """Type one character of the answer (``""``: delete the last)."""
        if self.typed_answer is not None:
            self.typed_answer = (self.typed_answer + key)[:40] if key else self.typed_answer[:-1]
            self._notify_change()

    def ask_end(self, asks: bool) -> None:
        """Ask whether to end the hearing, or cancel that question."""
        self.is_end_asked = asks
        self._notify_change()

    def show_events(self, shown: EventsShown, page: int = 0) -> None:
        """Show a page of the events: the usual ones, all that are due, or every one."""
        self.events_shown, self.events_page = shown, page
        self._notify_change()

    # -- delivery ------------------------------------------------------------------------------

    async def poll_deliveries(self) -> None:
        """Refresh the delivery of ended hearings regularly until cancelled."""
        while True:
            await self.load_deliveries()
            await asyncio.sleep(ASK_DELIVERY_SECONDS)

    async def load_deliveries(self) -> None:
        """Load the delivery of each hearing ended here and not yet delivered."""
        for hearing_id in self._ended_hearings:
            known = self.deliveries.get(hearing_id, Delivery())
            if known.state == "delivered":
                continue
            with contextlib.suppress(KioskError, ValidationError):
                answer = await self._sync.get(f"/v1/hearings/{hearing_id}")
                delivery = Delivery.model_validate(answer)
                if delivery != known:
                    self.deliveries[hearing_id] = delivery
                    self._notify_change()

    # -- typing --------------------------------------------------------------------------------

    def open_adhoc(self, needs_date: bool, today: date) -> None:
        """Open the screen for an ad-hoc hearing, or for the date first if it is unknown."""
        self.show(
            DatePlace(today)
            if needs_date and self.entered_date is None
            else AdHocPlace(day=self.entered_date)
        )

    def enter_date(self, day: date) -> None:
        """Use ``day`` as today's date, as entered by the secretary."""
        self.entered_date = day
        self.show(AdHocPlace(day=day))

    def type_case_number(self, key: str) -> None:
        """Type one character of the case number (``""``: delete the last)."""
        if isinstance(self.place, AdHocPlace):
            place = self.place
            typed = (place.typed + key)[:40] if key else place.typed[:-1]
            self.show(AdHocPlace(typed, place.kind, place.day))

    def choose_kind(self, kind: str) -> None:
        """Choose the case kind of a hearing that is not on the list."""
        if isinstance(self.place, AdHocPlace):
            self.show(AdHocPlace(self.place.typed, kind, self.place.day))


def read_published_schedule(path: Path, day: date, zone: ZoneInfo) -> Schedule:
    """Return the hearings of ``day`` from ``published/schedule.json``; empty if there are none."""
    schedule = read_schedule(read_json_or_none(path), zone)
    hearings = tuple(h for h in schedule.hearings if h.may_be_on(day, zone))
    return schedule.model_copy(update={"hearings": hearings})
