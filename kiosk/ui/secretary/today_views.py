"""What the list of today's hearings says, without Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.alarms import alarm_of
from kiosk.ui.facts import (
    Delivery,
    Hearing,
    Recorder,
    Schedule,
    Sync,
    moment,
)
from kiosk.ui.here import Here
from kiosk.ui.secretary.readiness import ReadyLine, readiness
from kiosk.ui.theme import Tone
from kiosk.ui.words import age_text

STALE_HOURS = 12


@dataclass(frozen=True)
class HearingRow:
    """One hearing of the list."""

    id: str
    time: str
    case_number: str
    title: str
    publicity: str
    closed: bool
    format: str
    chosen: bool
    over: str = ""


@dataclass(frozen=True)
class TodayView:
    """The secretary's first screen."""

    rows: tuple[HearingRow, ...]
    age: str
    age_tone: Tone
    ready: tuple[ReadyLine, ...]
    chosen: str | None
    start_case: str
    empty: str = ""


def next_hearing(hearings: tuple[Hearing, ...], now: datetime, done: set[str]) -> Hearing | None:
    """Return the hearing to be held next: the earliest not held whose time is not long past."""
    open_ones = [hearing for hearing in hearings if hearing.id not in done]
    due = [h for h in open_ones if h.begins is None or h.begins > now - _length(h)]
    return next(iter(due or open_ones), None)


def _length(hearing: Hearing) -> timedelta:
    return timedelta(minutes=hearing.duration_minutes or 60)


def today_view(
    here: Here,
    schedule: Schedule | None,
    chosen: str | None,
    recorder: Recorder | None,
    sync: Sync | None,
    deliveries: dict[str, Delivery],
) -> TodayView:
    """Return the list, the readiness and what the one large button starts."""
    hearings = schedule.hearings if schedule else ()
    picked = next((h for h in hearings if h.id == chosen), None) or next_hearing(
        hearings, here.now, set(deliveries)
    )
    _ = here.say.gettext
    age, tone = schedule_age(here, schedule)
    return TodayView(
        rows=tuple(_row(here, h, h is picked, deliveries.get(h.id)) for h in hearings),
        age=age,
        age_tone=tone,
        ready=readiness(here, recorder, sync),
        chosen=picked.id if picked else None,
        start_case=picked.case_number if picked else "",
        empty="" if hearings else _("No hearings on the list for today."),
    )


def _row(here: Here, hearing: Hearing, chosen: bool, delivery: Delivery | None) -> HearingRow:
    _ = here.say.gettext
    closed = hearing.publicity == "closed"
    title = _("Title not shown") if closed else hearing.title
    parts = [part for part in (title, here.labels.kind(hearing.kind)) if part]
    return HearingRow(
        id=hearing.id,
        time=here.time(hearing.begins),
        case_number=hearing.case_number or _("No case number"),
        title=" · ".join(parts),
        publicity=_("Closed") if closed else _("Open"),
        closed=closed,
        format=here.labels.form(hearing.format),
        chosen=chosen,
        over=delivery_word(here, delivery) if delivery else "",
    )


def delivery_word(here: Here, delivery: Delivery | None) -> str:
    """Return how far a finished hearing's delivery has come, in words."""
    _ = here.say.gettext
    match delivery.state if delivery else "":
        case "delivered":
            return _("ended, delivered")
        case "sending":
            return _("ended, being delivered")
        case _:
            return _("ended, waiting for delivery")


def schedule_age(here: Here, schedule: Schedule | None) -> tuple[str, Tone]:
    """Return the age of the list in words, and whether to worry."""
    _ = here.say.gettext
    pulled = moment(schedule.pulled_at) if schedule else None
    if pulled is None:
        return alarm_of("no_schedule").say(here.say), "caution"
    seconds = (here.now - pulled).total_seconds()
    text = _("List received {age} ago", age=age_text(seconds, here.say))
    if seconds < 90:
        text = _("List is up to date")
    return text, "caution" if seconds > STALE_HOURS * 3600 else "plain"
