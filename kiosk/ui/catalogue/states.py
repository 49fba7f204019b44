"""Every state of the screen, canned: what the catalogue draws and the tests check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kiosk.filing.form.cases import FoundCase
from kiosk.filing.model import Applicant
from kiosk.filing.service import Ticket
from kiosk.filing.submission.status import Standing
from kiosk.ui.catalogue import canned, papers
from kiosk.ui.catalogue.hearing_states import HEARING_STATES
from kiosk.ui.catalogue.secretary_states import SECRETARY_STATES
from kiosk.ui.catalogue.state import State, base
from kiosk.ui.catalogue.technician_states import TECHNICIAN_STATES
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Schedule, Sync
from kiosk.ui.frame import Notice
from kiosk.ui.places import (
    AskingFee,
    Calling,
    ChoosingCase,
    ChoosingType,
    Confirming,
    Counting,
    Feeding,
    Gathering,
    Introducing,
    Listing,
    Looking,
    NamingCase,
    NamingOriginals,
    Parked,
    Refused,
    Registered,
    Registering,
    Resuming,
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
        if pages or isinstance(place, Feeding | Stuck | Scanning):
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
REFERENCE = "urn:uuid:00000000-0000-4000-8000-000000000001"
TRACKED = Standing(
    "accepted",
    ("received", "registered", "sent", "accepted"),
    "7514-26-00-4/1187",
    None,
    None,
    canned.NOW,
    240.0,
)
RETURNED = Standing(
    "returned",
    ("received", "registered", "sent", "returned"),
    "7514-26-00-4/1187",
    None,
    "Қол қойылмаған",
    canned.NOW,
    86400.0 * 3,
)
TICKET = Ticket("f", "7K3M-Q9TD-04XW-HB6P", canned.NOW + timedelta(hours=24), b"")
WHO = Applicant(name="Ахметов Асқар", iin="900101300017", phone="+7701")
FIRM = Applicant(kind="entity", organisation="«Қала құрылыс» ЖШС", bin="990140000126")
KNOWN = FoundCase("7514-26-00-2/1187", "known", "civil", {"kk": "Бостандық аудандық соты"})


def _fee(**changes: Any) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        _visit(AskingFee(), 2)(desk)
        desk.visit.telling.ask_fee()
        step = replace(desk.visit.place, **changes)
        desk.visit.place = step
        if changes.get("amount"):
            desk.visit.telling.amount_key("0")

    return prepare


def _slots(place: Any = None, *, said: int | None = None, **changes: Any) -> Any:
    def prepare(desk: Desk) -> None:
        _visit(place or Gathering(), 3)(desk)
        filing = desk.visit.filing
        assert filing is not None
        for slot in changes.get("skip", ()):
            filing.skip_slot(slot)
        filing.choose_slot("claim")
        if said is not None:
            filing.count_sheets(said, "claim")
        filing.describe(
            not_scanned=changes.get("originals", ()), applicant=changes.get("who", Applicant())
        )

    return prepare


VISITOR_STATES = [
    State("type", "visitor.type", _visit(ChoosingType())),
    State("type-civil", "visitor.type", _visit(ChoosingType("civil"))),
    State("type-criminal-3", "visitor.type", _visit(ChoosingType("criminal", 2))),
    State("case", "visitor.case", _slots(ChoosingCase())),
    State("number", "visitor.number", _slots(NamingCase())),
    State("number-typed", "visitor.number", _slots(NamingCase("7514-26-00-2/11"))),
    State("number-known", "visitor.number", _slots(NamingCase(KNOWN.number, found=KNOWN))),
    State(
        "number-unknown",
        "visitor.number",
        _slots(NamingCase("7514-2Ә", found=FoundCase("7514-2Ә", "unknown"))),
    ),
    State("who", "visitor.who", _slots(Introducing())),
    State("who-name", "visitor.who", _slots(Introducing(WHO, "name"))),
    State(
        "who-wrong",
        "visitor.who",
        _slots(Introducing(WHO.model_copy(update={"iin": "900101300018"}))),
    ),
    State("who-entity", "visitor.who", _slots(Introducing(FIRM, "organisation", keys=1))),
    State("slots", "visitor.slots", _slots()),
    State("slots-fee", "visitor.slots", _slots(Gathering("fee_receipt"), said=3)),
    State(
        "slots-skipped",
        "visitor.slots",
        _slots(Gathering("power_of_attorney"), skip=("power_of_attorney",), originals=("Диск",)),
    ),
    State("slots-there", "visitor.slots", _slots(Gathering("claim"), said=4)),
    State("sheets", "visitor.sheets", _slots(Counting())),
    State("sheets-pad", "visitor.sheets", _slots(Counting("12", pad=True))),
    State("sheets-fewer", "visitor.sheets", _slots(Counting(said=4))),
    State("sheets-more", "visitor.sheets", _slots(Counting(said=2))),
    State("originals", "visitor.originals", _slots(NamingOriginals())),
    State("fee-choose", "visitor.fee", _fee()),
    State("fee", "visitor.fee", _fee(fee="property", choosing="amount", amount="100000")),
    State("fee-exempt", "visitor.fee", _fee(fee="property", choosing="exemption")),
    State(
        "fee-exempted",
        "visitor.fee",
        _fee(fee="property", choosing="amount", exemption="alimony", amount="100000"),
    ),
    State("parked", "visitor.parked", _visit(Parked(TICKET, 1088.0, "printed"))),
    State(
        "parked-no-paper",
        "visitor.parked",
        _visit(Parked(TICKET, 1088.0, "failed", "printer_no_paper", because=True)),
    ),
    State("resume", "visitor.resume", _visit(Resuming())),
    State("resume-wrong", "visitor.resume", _visit(Resuming("7K3M-Q9TD", wrong=True))),
    State("feed", "visitor.feed", _visit(Feeding())),
    State("feed-again", "visitor.feed", _visit(Feeding(3, again=True), pages=3)),
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
    State(
        "fault-sheet-awaited",
        "visitor.fault",
        _visit(Stuck("scanner_jam", 2, 3, awaited=True), pages=2),
    ),
    State("fault-finish", "visitor.fault", _visit(Stuck("scanner_jam", 2, 3, True), pages=2)),
    State("pages", "visitor.pages", _visit(Looking(2), 3, ADVICE)),
    State("pages-blurred", "visitor.pages", _visit(Looking(3), 3, ADVICE)),
    State("pages-many", "visitor.pages", _visit(Looking(7), 14, ADVICE)),
    State("pages-flagged", "visitor.pages", _visit(Looking(3, flagged=True), 14, ADVICE)),
    State("pages-large", "visitor.page", _visit(Looking(2, shape="large"), 3, ADVICE)),
    State("pages-contact", "visitor.contact", _visit(Looking(7, shape="all"), 60, ADVICE)),
    State("pages-move", "visitor.move", _visit(Looking(7, shape="move"), 14, ADVICE)),
    State("pages-undo", "visitor.pages", _visit(Looking(1, deleted=3), 2)),
    State("confirm", "visitor.confirm", _slots(Confirming())),
    State("confirm-flagged", "visitor.confirm", _visit(Confirming(), 3, ADVICE)),
    State(
        "confirm-full",
        "visitor.confirm",
        _slots(
            Confirming(), said=3, who=FIRM, skip=("fee_receipt",), originals=("Диск", "Паспорт")
        ),
    ),
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
    State("track-found", "visitor.track", _visit(Tracking(REFERENCE, TRACKED))),
    State(
        "track-returned",
        "visitor.track",
        _visit(Tracking(REFERENCE, RETURNED, printing="failed", printer="printer_no_paper")),
    ),
    State("track-unknown", "visitor.track", _visit(Tracking(REFERENCE, problem="not_found"))),
    State("track-offline", "visitor.track", _visit(Tracking(REFERENCE, problem="sync_down"))),
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
