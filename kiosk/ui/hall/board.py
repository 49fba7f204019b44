"""The display in the hall: who is heard when, and who may enter (R54, R88, R98, S6, S14).

It shows what the recorder says and nothing else. When the recorder is not heard, it says so; times
stay, and number, names and states go: an old "open" could be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kiosk.api.hall import HallCall, HallRow, HallStatus, HallView
from kiosk.config import HallSettings
from kiosk.locale import N_, Translator
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import day_text, sentence_case
from kiosk.ui.hall_state import HallState
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

NOTICES = {
    "under_sixteen": N_(
        "Citizens under sixteen are not admitted to the courtroom, unless they take part in the "
        "case or are witnesses."
    ),
    "address_judge": N_("The judge is addressed as «Құрметті сот» (civil cases)."),
}
"""By setting: S6 (УПК 345(5)) and АПК 19(5); АПК 187(2)."""
RULES = (
    N_("Anybody may watch; nobody is asked for a reason."),
    N_("Whoever watches does not hinder the hearing and does not break its order."),
    N_("Filming, recording and broadcasting need the court’s permission, online too."),
    N_("Not admitted: citizens under sixteen who are neither parties nor witnesses, and people "
       "who are intoxicated."),
)  # fmt: skip
"""Of open hearings held online: R55; R73; R66 with R59-R64; S6 (УПК 345(5))."""
STATUS = {
    HallStatus.LISTED: "",
    HallStatus.NEXT: N_("Next hearing"),
    HallStatus.IN_SESSION: N_("In session"),
    HallStatus.RECESS: N_("Recess"),
    HallStatus.RETIRED: N_("Deliberation room"),
    HallStatus.ENDED: N_("Ended"),
}
ROWS_PER_PAGE = {1: 5, 2: 4, 3: 3, 4: 3}
"""By text size."""
TONES: dict[HallStatus, Tone] = {
    HallStatus.LISTED: "plain",
    HallStatus.NEXT: "accent",
    HallStatus.IN_SESSION: "good",
    HallStatus.RECESS: "caution",
    HallStatus.RETIRED: "caution",
    HallStatus.ENDED: "plain",
}


@dataclass(frozen=True)
class BoardRow:
    """One hearing.

    Attributes:
        number: or what is said in its place of a hidden one.
        title: empty of a hidden one.
        until: when a recess ends.
        entry: who may enter.
        is_closed: nobody else may.
    """

    time: str
    number: str = ""
    title: str = ""
    status: str = ""
    until: str = ""
    entry: str = ""
    tone: Tone = "plain"
    is_closed: bool = False


@dataclass(frozen=True)
class ObserverView:
    """What observers of hearings held online are told, as a page of its own.

    Attributes:
        hearings: time and number of the open ones.
        link: the court's own page; empty: the secretary gives the link.
    """

    title: str
    hearings: tuple[str, ...]
    rules: tuple[str, ...]
    how: str
    link: str


@dataclass(frozen=True)
class BoardView:
    """What the hall sees."""

    court: str
    room: str
    clock: str
    day: str
    rows: tuple[BoardRow, ...]
    calls: tuple[str, ...]
    round: int
    warning: str
    empty: str
    notices: tuple[str, ...]
    sanitary: str
    observer: ObserverView | None


def view(app: AppState) -> BoardView:
    """Return what the display shows, in the language of ``app`` (for the samples)."""
    assert app.hall is not None
    return board_view(app.view_context(), app.hall)


def board_view(context: ViewContext, hall: HallState) -> BoardView:
    """Return what the display shows."""
    _, known = context.translate.gettext, hall.view or HallView()
    is_stale = hall.is_stale
    day = context.now.astimezone(context.zone).date()
    is_day_shown = known.is_day_known and not is_stale
    empty = _("No hearings on the list for today.") if known.is_day_known else ""
    return BoardView(
        court=context.translate.pick(known.court) if known.court else "",
        room=_("Room {room}", room=known.room) if known.room else "",
        clock=context.clock_text(known.wall) if is_day_shown else "",
        day=day_text(day, context.translate) if is_day_shown else "",
        rows=tuple(_row(context, row, is_stale=is_stale) for row in known.rows),
        calls=() if is_stale else tuple(_call(context, known, call) for call in known.calls),
        round=hall.round,
        warning=_warning(context, hall),
        empty="" if known.rows or is_stale else empty,
        notices=tuple(_(NOTICES[name]) for name in hall.settings.notices),
        sanitary=_sanitary(hall.settings, context.translate, day) if is_day_shown else "",
        observer=None if is_stale else _observer(context, known, hall.settings),
    )


def _warning(context: ViewContext, hall: HallState) -> str:
    _ = context.translate.gettext
    if hall.view is None:
        return _("The list cannot be shown now. Please ask the secretary.")
    if hall.is_stale:
        heard = context.clock_text(hall.view.wall)
        return _("No news from the courtroom since {time}. Please ask the secretary.", time=heard)
    if not hall.view.is_day_known:
        return _("The list for today is not known. Please ask the secretary.")
    return ""


def _call(context: ViewContext, known: HallView, call: HallCall) -> str:
    """Return who is called in: the role with a number, never a name."""
    _ = context.translate.gettext
    room = _("Room {room}", room=known.room) if known.room else ""
    who = sentence_case(context.labels.role(call.role)) if call.role else _("Person")
    return _("{room} – please come in: {who}", room=room, who=f"{who} {call.number}")


def _row(context: ViewContext, row: HallRow, *, is_stale: bool) -> BoardRow:
    _, time = context.translate.gettext, context.clock_text(row.starts_at)
    until = context.clock_text(row.until)
    if is_stale:
        return BoardRow(time)
    is_over = row.status is HallStatus.ENDED
    is_closed = row.publicity == "closed" and not is_over
    if row.case is None:
        is_said = row.publicity == "closed"
        number = _("Closed hearing") if is_said else _("Number not shown")
    else:
        number = row.case.number or _("No case number")
    return BoardRow(
        time=time,
        number=number,
        title=row.case.title if row.case is not None else "",
        status=_(STATUS[row.status]) if STATUS[row.status] else "",
        until=_("until {time}", time=until) if until else "",
        entry="" if is_over else _entry(context, row),
        tone=TONES[row.status],
        is_closed=is_closed,
    )


def _entry(context: ViewContext, row: HallRow) -> str:
    """Return who may enter; of an open hearing that has not begun there is nothing to say."""
    _ = context.translate.gettext
    if row.publicity == "closed":
        return _("No outsiders")
    if row.publicity == "unclear":
        return _("Entry: please ask the secretary")
    if row.status is HallStatus.IN_SESSION:
        return _("Open, also online") if row.online else _("Open to everybody")
    return _("Also online") if row.online else ""


def _observer(context: ViewContext, known: HallView, settings: HallSettings) -> ObserverView | None:
    """Return what observers are told; None: no open hearing is held online."""
    _ = context.translate.gettext
    watched = [row for row in known.rows if row.online and row.case is not None]
    if not watched:
        return None
    hearings = []
    for row in watched:
        number = row.case.number if row.case else ""
        words = [context.clock_text(row.starts_at), number or _("No case number")]
        words += [_("internet stream")] if row.is_streamed else []
        hearings.append(" · ".join(word for word in words if word))
    scanned = _("Scan the code: the court’s page opens.")
    asked = _("Ask the secretary of the hearing for the link.")
    return ObserverView(
        title=_("Open hearings held online"),
        hearings=tuple(hearings),
        rules=tuple(_(rule) for rule in RULES),
        how=scanned if settings.observer_url else asked,
        link=settings.observer_url,
    )


def _sanitary(settings: HallSettings, translate: Translator, today: date) -> str:
    """Return the court's own notice where one is set and holds today (R88, R98)."""
    begin, end = settings.sanitary_from, settings.sanitary_to
    if (begin is not None and today < begin) or (end is not None and today > end):
        return ""
    text = translate.pick({str(key): words for key, words in settings.sanitary.items()})
    return text if settings.sanitary else ""


# -- samples -------------------------------------------------------------------------------------
SANITARY = {
    "kk": "Үлгі: соттың өз мәтіні осында тұрады.",
    "ru": "Образец: здесь стоит текст самого суда.",
    "en": "Sample: the court’s own text stands here.",
}


def _rows() -> Iterator[dict[str, Any]]:
    at = service_states.at
    long_title = "Ахметов Айбек Серікұлы – «Қала құрылыс» жауапкершілігі шектеулі серіктестігі"
    yield {"status": "ended", "publicity": "open", "starts_at": at(8, 30),
           "case": {"number": "7514-26-00-2/4509", "title": "Ким О. – Ли С."}}  # fmt: skip
    yield {"status": "in_session", "publicity": "open", "starts_at": at(9, 10),
           "case": {"number": "7514-26-00-2/4511", "title": long_title}}  # fmt: skip
    yield {"status": "next", "publicity": "closed", "starts_at": at(11, 30)}
    yield {"status": "listed", "publicity": "open", "starts_at": at(14, 0),
           "case": {"number": "7514-26-00-3/118", "title": ""}}  # fmt: skip
    yield {"status": "listed", "publicity": "unclear", "starts_at": at(15, 30)}


def _board(
    kind: Literal["rows", "silent", "none"] = "rows",
    changes: dict[str, Any] | None = None,
    *,
    age: float = 0.0,
    calls: tuple[dict[str, Any], ...] = (),
    further_pages: int = 0,
    **settings: Any,
) -> Prepare:
    """Return a display with the sample's rows; ``changes`` are those of the second one.

    Args:
        further_pages: which page after the list is shown, from 1.
    """

    def prepare(app: AppState) -> None:
        clock = [app.now()]
        size = app.display_settings.text_size
        chosen = HallSettings.model_validate({"text_size": size, **settings})
        app.hall = HallState(chosen, lambda: clock[0])
        if kind == "silent":
            return
        rows = list(_rows()) if kind == "rows" else []
        if rows:
            rows[1] = rows[1] | (changes or {})
        court = {str(key): name for key, name in app.settings.kiosk.court.items()}
        view = HallView.model_validate(
            {
                "wall": service_states.ago(age),
                "court": court,
                "room": "4",
                "rows": rows,
                "calls": calls,
            }
        )
        if further_pages:
            pages = -(-len(rows) // ROWS_PER_PAGE[size]) - 1 + further_pages
            clock[0] += pages * chosen.language_seconds * len(chosen.languages)
        app.hall.handle_event("hall", view.to_json())
        clock[0] += age

    return prepare


_CLOSED = {"publicity": "closed", "case": None}
SAMPLES: dict[str, Prepare] = {
    "hall": _board(),
    "hall-closed": _board(changes=_CLOSED, notices=("under_sixteen", "address_judge")),
    "hall-called": _board(
        calls=({"role": "witness", "number": 2}, {"role": "expert", "number": 1})
    ),
    "hall-called-closed": _board(changes=_CLOSED, calls=({"number": 3},)),
    "hall-recess": _board(changes={"status": "recess", "until": service_states.at(10, 15)}),
    "hall-retired": _board(changes={"status": "retired", "until": service_states.at(16, 0)}),
    "hall-online": _board(changes={"online": True}),
    "hall-online-watch": _board(
        changes={"online": True, "is_streamed": True},
        further_pages=1,
        observer_url="https://court.example/observers",
    ),
    "hall-online-ask": _board(changes={"online": True}, further_pages=1),
    "hall-online-rules": _board(changes={"online": True}, further_pages=2),
    "hall-sanitary": _board(sanitary=SANITARY),
    "hall-stale": _board(age=65),
    "hall-none": _board("none"),
    "hall-silent": _board("silent"),
}
