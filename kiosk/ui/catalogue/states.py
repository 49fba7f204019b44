"""Every state of the screen, canned: what the catalogue draws and the tests check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.ui.catalogue import canned, papers
from kiosk.ui.catalogue.hearing_states import HEARING_STATES
from kiosk.ui.catalogue.secretary_states import SECRETARY_STATES
from kiosk.ui.catalogue.state import State, base
from kiosk.ui.catalogue.technician_states import TECHNICIAN_STATES
from kiosk.ui.desk import Desk
from kiosk.ui.facts import FilingState, Schedule, Sync
from kiosk.ui.frame import Notice
from kiosk.ui.places import (
    Calling,
    ChoosingType,
    Confirming,
    Feeding,
    Listing,
    Looking,
    Refused,
    Registered,
    Registering,
    Scanning,
    Stuck,
    Tracking,
)


def _home(**changes: Any) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        for name, value in changes.items():
            setattr(desk, name, value)

    return prepare


def _visit(
    place: Any,
    pages: int = 0,
    advice: dict[int, tuple[str, ...]] | None = None,
    touched: float = 0.0,
    **changes: Any,
) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        if pages:
            desk.visit.filing = papers.filing(desk, pages, advice)
        desk.visit.place = place
        if isinstance(place, Registered) and desk.visit.filing:
            provisional = bool(changes.get("provisional"))
            desk.visit.handed_in = papers.handed_in(desk.visit.filing, provisional=provisional)
        desk.visit.leaving = bool(changes.get("leaving"))
        if touched:
            now = desk.now()
            desk.now = lambda: now + touched

    return prepare


def _listing(hearings: list[dict[str, Any]] | None, page: int = 0) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        desk.office.schedule = Schedule.model_validate(canned.schedule(hearings))
        desk.visit.place = Listing(page)

    return prepare


ADVICE: dict[int, tuple[str, ...]] = {2: ("page_skewed",), 3: ("page_blurred",), 7: ("page_blank",)}


TRACKED = FilingState(state="accepted", number="7514-26-00-4/1187", as_of=canned.ago(240))


RETURNED = FilingState(state="returned", number="7514-26-00-4/1187", as_of=canned.ago(86400 * 3))


VISITOR_STATES = [
    State("type", "visitor.type", _visit(ChoosingType())),
    State("type-civil", "visitor.type", _visit(ChoosingType("civil"))),
    State("type-criminal-3", "visitor.type", _visit(ChoosingType("criminal", 2))),
    State("feed", "visitor.feed", _visit(Feeding())),
    State("feed-more", "visitor.feed", _visit(Feeding(3), pages=3)),
    State("feed-retake", "visitor.feed", _visit(Feeding(3, retake=2), pages=3)),
    State("feed-glass", "visitor.feed", _visit(Feeding(1, glass=True), pages=1)),
    State("scanning", "visitor.scanning", _visit(Scanning(5), pages=5)),
    *(
        State(f"fault-{code}", "visitor.fault", _visit(Stuck(code, 2, 3), pages=2))
        for code in (
            "scanner_jam",
            "scanner_double_feed",
            "scanner_cover_open",
            "scanner_stalled",
            "scanner_lost",
            "page_incomplete",
        )
    ),
    State("fault-scanner_absent", "visitor.fault", _visit(Stuck("scanner_absent", 0, 1))),
    State("fault-finish", "visitor.fault", _visit(Stuck("scanner_jam", 2, 3, True), pages=2)),
    State("pages", "visitor.pages", _visit(Looking(2), 3, ADVICE)),
    State("pages-blurred", "visitor.pages", _visit(Looking(3), 3, ADVICE)),
    State("pages-many", "visitor.pages", _visit(Looking(7), 14, ADVICE)),
    State("pages-undo", "visitor.pages", _visit(Looking(1, deleted=3), 2)),
    State("confirm", "visitor.confirm", _visit(Confirming(), 3)),
    State("confirm-flagged", "visitor.confirm", _visit(Confirming(), 3, ADVICE)),
    State("registering", "visitor.registering", _visit(Registering(), 3)),
    State("receipt", "visitor.receipt", _visit(Registered(1088.0, "printed"), 3)),
    State("receipt-printing", "visitor.receipt", _visit(Registered(1088.0), 3)),
    State(
        "receipt-provisional",
        "visitor.receipt",
        _visit(Registered(1061.0, "printed"), 3, provisional=True),
    ),
    State(
        "receipt-printer-silent",
        "visitor.receipt",
        _visit(Registered(1041.0, "failed", "printer_silent"), 3),
    ),
    State(
        "receipt-no-paper",
        "visitor.receipt",
        _visit(Registered(1001.0, "failed", "printer_no_paper"), 3),
    ),
    State("refused-disk-full", "visitor.refused", _visit(Refused("disk_full"), 3)),
    State("refused-too-large", "visitor.refused", _visit(Refused("document_too_large"), 3)),
    State("track", "visitor.track", _visit(Tracking())),
    State("track-found", "visitor.track", _visit(Tracking("7514-26-00-4/1187", TRACKED))),
    State("track-returned", "visitor.track", _visit(Tracking("7514-26-00-4/1187", RETURNED))),
    State("track-unknown", "visitor.track", _visit(Tracking("123", unknown=True))),
    State("hearings", "visitor.hearings", _listing(None)),
    State("hearings-none", "visitor.hearings", _listing([])),
    State("called", "visitor.called", _visit(Calling())),
    State("leave", "visitor.leave", _visit(Looking(), 3, leaving=True)),
    State("idle", "visitor.idle", _visit(Looking(), 3, touched=95.0)),
]


HOME_STATES = [
    State("home", "visitor.home", base),
    State("home-offline", "visitor.home", _home(sync=Sync.model_validate(canned.sync("down")))),
    State("home-unknown-badge", "visitor.home", _home(notice=Notice("unknown_badge", until=1e9))),
]


STATES = [*HOME_STATES, *VISITOR_STATES, *SECRETARY_STATES, *HEARING_STATES, *TECHNICIAN_STATES]
