"""View of today's hearings (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.alarms import alarm_of
from kiosk.ui.formatting import age_text
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, readiness
from kiosk.ui.service_models import (
    Delivery,
    Hearing,
    RecorderState,
    Schedule,
    SyncState,
    parse_time,
)
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

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
    outcome: str = ""


@dataclass(frozen=True)
class TodayView:
    """The secretary's first screen."""

    rows: tuple[HearingRow, ...]
    age: str
    age_tone: Tone
    ready: tuple[ReadinessLine, ...]
    chosen: str | None
    start_case: str
    empty: str = ""


def next_hearing(hearings: tuple[Hearing, ...], now: datetime, done: set[str]) -> Hearing | None:
    """Return the hearing to be held next: the earliest not held whose time is not long past."""
    remaining = [hearing for hearing in hearings if hearing.id not in done]
    due = [h for h in remaining if h.starts_at is None or h.starts_at > now - _duration(h)]
    return next(iter(due or remaining), None)


def _duration(hearing: Hearing) -> timedelta:
    return timedelta(minutes=hearing.duration_minutes or 60)


def today_view(
    context: ViewContext,
    schedule: Schedule | None,
    chosen: str | None,
    recorder: RecorderState | None,
    sync: SyncState | None,
    deliveries: dict[str, Delivery],
    recorder_problem: str = "recorder_down",
) -> TodayView:
    """Return the list, the readiness and what the one large button starts."""
    hearings = schedule.hearings if schedule else ()
    picked = next((h for h in hearings if h.id == chosen), None) or next_hearing(
        hearings, context.now, set(deliveries)
    )
    _ = context.translate.gettext
    age, tone = schedule_age(context, schedule)
    return TodayView(
        rows=tuple(_row(context, h, h is picked, deliveries.get(h.id)) for h in hearings),
        age=age,
        age_tone=tone,
        ready=readiness(context, recorder, sync, recorder_problem),
        chosen=picked.id if picked else None,
        start_case=picked.case_number if picked else "",
        empty="" if hearings else _("No hearings on the list for today."),
    )


def _row(
    context: ViewContext, hearing: Hearing, chosen: bool, delivery: Delivery | None
) -> HearingRow:
    _ = context.translate.gettext
    closed = hearing.publicity == "closed"
    title = _("Title not shown") if closed else hearing.title
    parts = [part for part in (title, context.labels.kind(hearing.kind)) if part]
    return HearingRow(
        id=hearing.id,
        time=context.clock_text(hearing.starts_at),
        case_number=hearing.case_number or _("No case number"),
        title=" · ".join(parts),
        publicity=_("Closed") if closed else _("Open"),
        closed=closed,
        format=context.labels.form(hearing.format),
        chosen=chosen,
        outcome=delivery_word(context, delivery) if delivery else "",
    )


def delivery_word(context: ViewContext, delivery: Delivery | None) -> str:
    """Return how far a finished hearing's delivery has come, in words."""
    _ = context.translate.gettext
    match delivery.state if delivery else "":
        case "delivered":
            return _("ended, delivered")
        case "sending":
            return _("ended, being delivered")
        case _:
            return _("ended, waiting for delivery")


def schedule_age(context: ViewContext, schedule: Schedule | None) -> tuple[str, Tone]:
    """Return the age of the list in words, and whether to worry."""
    _ = context.translate.gettext
    pulled = parse_time(schedule.pulled_at) if schedule else None
    if pulled is None:
        return alarm_of("no_schedule").say(context.translate), "caution"
    seconds = (context.now - pulled).total_seconds()
    text = _("List received {age} ago", age=age_text(seconds, context.translate))
    if seconds < 90:
        text = _("List is up to date")
    return text, "caution" if seconds > STALE_HOURS * 3600 else "plain"
