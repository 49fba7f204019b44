"""Today's hearings: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kiosk.api.hearing import Hearing
from kiosk.api.minutes import MinutesSummary
from kiosk.api.published import Schedule
from kiosk.api.recorder import RecorderState
from kiosk.api.sync import Delivery, SyncState
from kiosk.rules.order import Course, keeps_minutes
from kiosk.ui.app_state import AppState
from kiosk.ui.recorder_reader import RECORDER_DOWN
from kiosk.ui.registry import TodayPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import people_speak, staff_at
from kiosk.ui.schedule_age import schedule_age
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, readiness
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext


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
    """The secretary's first screen.

    Attributes:
        keeps_minutes: whether minutes are kept of the chosen hearing.
        asks: its start was tapped all the same, and is to be confirmed.
        remedies: what is not ready, and what to do about each; shown in the place of the list.
    """

    rows: tuple[HearingRow, ...]
    age: str
    age_tone: Tone
    ready: tuple[ReadinessLine, ...]
    chosen: str | None
    start_case: str
    empty: str = ""
    keeps_minutes: bool = True
    asks: bool = False
    remedies: tuple[ReadinessLine, ...] = ()


def view(app: AppState) -> TodayView:
    """Return what the screen shows."""
    secretary = app.secretary
    shown = today_view(
        app.view_context(),
        secretary.schedule,
        getattr(secretary.place, "chosen", None),
        None if app.is_recorder_stale else app.recorder_state,
        app.sync_state if app.sync_connection.is_up else None,
        secretary.deliveries,
        app.recorder_problem or RECORDER_DOWN,
    )
    asks = getattr(secretary.place, "asks", False) and shown.chosen is not None
    due = minutes_line(app.view_context(), secretary.minutes.listed)
    wanted = getattr(secretary.place, "remedies", False)
    remedies = tuple(line for line in shown.ready if line.remedy) if wanted else ()
    return replace(shown, asks=asks, ready=(*due, *shown.ready), remedies=remedies)


def next_hearing(hearings: tuple[Hearing, ...], now: datetime, done: set[str]) -> Hearing | None:
    """Return the hearing to be held next: the earliest not held whose time is not long past."""
    remaining = [hearing for hearing in hearings if hearing.id not in done]
    for hearing in remaining:
        duration = timedelta(minutes=hearing.duration_minutes or 60)
        if hearing.starts_at is None or hearing.starts_at > now - duration:
            return hearing
    return next(iter(remaining), None)


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
    closed_here = recorder.closed_hearings if recorder else ()
    age, tone = schedule_age(context, schedule)
    return TodayView(
        rows=tuple(
            _row(context, h, h is picked, deliveries.get(h.id), h.id in closed_here)
            for h in hearings
        ),
        age=age,
        age_tone=tone,
        ready=readiness(context, recorder, sync, recorder_problem),
        chosen=picked.id if picked else None,
        start_case=picked.case_number if picked else "",
        empty="" if hearings else _("No hearings on the list for today."),
        keeps_minutes=picked is None or _keeps_minutes(context, picked),
    )


def _keeps_minutes(context: ViewContext, hearing: Hearing) -> bool:
    """Return whether minutes are kept of a listed hearing (АПК 179(7), 281(4))."""
    rules = context.labels.rules
    instance = rules.instance_of(hearing.case_number)
    course = Course(kind=hearing.kind, session=hearing.session, instance=instance)
    return keeps_minutes(rules, course)


def minutes_line(
    context: ViewContext, listed: tuple[MinutesSummary, ...]
) -> tuple[ReadinessLine, ...]:
    """Return that minutes are due, with the first day; nothing: none are (S21)."""
    _, days = context.translate.gettext, sorted(row.due for row in listed if row.due)
    if not days:
        return ()
    today = context.now.astimezone(context.zone).date().isoformat()
    late = sum(day < today for day in days)
    if late:
        return (ReadinessLine("minutes", "caution", _("Minutes overdue: {n}", n=late)),)
    first = ".".join(reversed(days[0].split("-")))
    text = _("Minutes to write: {n}, the first by {day}", n=len(days), day=first)
    return (ReadinessLine("minutes", "caution" if days[0] == today else "plain", text),)


def _row(
    context: ViewContext,
    hearing: Hearing,
    chosen: bool,
    delivery: Delivery | None,
    is_closed_here: bool,
) -> HearingRow:
    _ = context.translate.gettext
    closed = hearing.is_closed or is_closed_here
    title = _("Title not shown") if hearing.hides_title or closed else hearing.title
    publicity = _("Not known whether closed") if hearing.hides_title else _("Open")
    parts = [part for part in (title, context.labels.kind(hearing.kind)) if part]
    return HearingRow(
        id=hearing.id,
        time=context.clock_text(hearing.starts_at),
        case_number=hearing.case_number or _("No case number"),
        title=" · ".join(parts),
        publicity=_("Closed") if closed else publicity,
        closed=closed,
        format=context.labels.form(hearing.format) if hearing.format else _("Format not said"),
        chosen=chosen,
        outcome=_outcome(context, delivery),
    )


def _outcome(context: ViewContext, delivery: Delivery | None) -> str:
    """Return how far the delivery of an ended hearing has come; empty: it has not ended."""
    _ = context.translate.gettext
    match delivery.state if delivery else None:
        case None:
            return ""
        case "delivered":
            return _("ended, delivered")
        case "sending":
            return _("ended, being delivered")
        case _:
            return _("ended, waiting for delivery")


# -- samples -------------------------------------------------------------------------------------

FAINT = service_states.microphones(
    witness={"heard": None}, defendant={"state": "quiet"}, plaintiff={"state": "clipping"}
)
BROKEN = service_states.recorder(
    camera={"state": "absent"},
    microphones=service_states.microphones(defendant={"state": "absent", "heard": None}),
    storage={"free_bytes": 9 * 10**9, "hours_left": 2.0, "state": "low"},
    clock={"state": "unsynchronised", "rtc": "kept"},
)
MEASURED = {
    "state": "passed",
    "verdict": "borderline",
    "call": "gaps",
    "remedy": "loss",
    "at": at(9, 40),
    "sentence": {
        "kk": "Бейнебайланыста дыбыс үзіліп естіледі.",
        "ru": "На видеосвязи звук будет прерываться.",
        "en": "In a video call the sound will have gaps.",
    },
    "rate_sentence": {
        "kk": "Шамамен 1 Мбит/с: шекте.",
        "ru": "Около 1 Мбит/с: на пределе.",
        "en": "About 1 Mbit/s: just at the limit.",
    },
    "remedy_sentence": {
        "kk": "Деректер жолда жоғалады. Желі кабелін тексеріңіз, содан кейін соттың АТ қызметіне "
        "хабарлаңыз.",
        "ru": "Данные теряются в пути. Проверьте сетевой кабель, затем сообщите ИТ-службе суда.",
        "en": "Data is lost on the way. Check the network cable, then tell the court's IT.",
    },
}
BUSY = service_states.sync(
    queue={"items": 3, "bytes": 4_100_000_000, "courier": 1},
    uploads={"state": "paced"},
    link_check={"running": False, "last": MEASURED, "next": None},
    forecast={"empty_at": at(18, 30), "endless": False, "full_at": at(23, 0)},
)
UNPROVEN = service_states.recorder(
    mirror={"state": "behind", "behind_bytes": 210_000_000},
    clock={"state": "ok", "rtc": "unkept"},
    court_keys={"state": "unproven", "needed": True},
)
VOLATILE = service_states.recorder(
    storage={"state": "ok", "hours_left": 40.0, "volatile": "yes"},
    alarms=[{"code": "data_volatile", "source": "storage", "since": at(8, 0)}],
)
DELIVERED = Delivery(state="delivered", central_sha256_match=True)
DOWN = service_states.sync("down")


def _minutes_due(day: str) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(TodayPlace())(app)
        rows = (
            MinutesSummary(hearing_id=str(n), due=due) for n, due in enumerate((day, "2026-12-01"))
        )
        app.secretary.minutes.listed = tuple(rows)

    return prepare


def _one_way(direction: str, place: TodayPlace | None = None) -> Prepare:
    """Show a line over which, in one direction alone, nobody is heard."""

    def prepare(app: AppState) -> None:
        rules = app.labels.rules
        rows = (
            rules.call_verdicts[f"unheard_{direction}"],
            rules.link_verdicts[f"below_{direction}"],
            rules.link_remedies[f"rate_{direction}"],
        )
        names = ("sentence", "rate_sentence", "remedy_sentence")
        said = {name: row.label.as_map() for name, row in zip(names, rows, strict=True)}
        found = {"verdict": "below", "call": "unheard", "remedy": "rate", "at": at(9, 40)}
        check = {"running": False, "last": {**found, **said}, "next": None}
        staff_at(place or TodayPlace(), sync=service_states.sync(link_check=check))(app)

    return prepare


SAMPLES: dict[str, Prepare] = {
    "today": staff_at(TodayPlace()),
    "today-line-up": _one_way("up"),
    "today-line-down": _one_way("down"),
    "today-line-remedy": _one_way("up", TodayPlace(remedies=True)),
    "today-broken-remedies": staff_at(TodayPlace(remedies=True), BROKEN, sync=DOWN),
    "today-second-page": staff_at(TodayPlace(None, 1)),
    "today-one-over": staff_at(TodayPlace(), deliveries={service_states.LIST[0]["id"]: DELIVERED}),
    "today-faint": staff_at(TodayPlace(), service_states.recorder(microphones=FAINT)),
    "today-broken": staff_at(TodayPlace(), BROKEN, sync=DOWN),
    "today-recorder-down": staff_at(TodayPlace(), is_up=False),
    "today-offline-old-list": staff_at(
        TodayPlace(), schedule=service_states.schedule(age=26 * 3600), sync=DOWN
    ),
    "today-empty": staff_at(TodayPlace(), schedule={"pulled_at": None, "hearings": []}),
    "today-volatile": staff_at(TodayPlace(), VOLATILE),
    "today-minutes": _minutes_due("2026-11-26"),
    "today-minutes-late": _minutes_due("2026-11-20"),
    "today-less-clear": staff_at(
        TodayPlace(),
        service_states.recorder(
            alarms=[{"code": "morning_transmission_fell", "source": "witness/0.62/0.41"}]
        ),
    ),
    "today-morning": staff_at(
        TodayPlace(),
        service_states.recorder(
            alarms=[
                {"code": "morning_sweep_muffled", "source": "witness/-1/-12"},
                {"code": "morning_camera_dark", "source": "camera"},
            ]
        ),
    ),
    "today-soon": staff_at(
        TodayPlace(),
        schedule=service_states.schedule(
            [service_states.hearing(1, scheduled_at=at(9, 56)), *service_states.LIST[1:]]
        ),
    ),
    "today-speaking": people_speak(staff_at(TodayPlace())),
    "today-speaking-kept": people_speak(staff_at(TodayPlace()), kept_seconds=60),
    "today-no-minutes": staff_at(
        TodayPlace(asks=True),
        schedule=service_states.schedule(
            [service_states.hearing(1, kind="civil", session="conciliation")]
        ),
    ),
    "today-lines": staff_at(TodayPlace(), UNPROVEN, sync=BUSY),
}
