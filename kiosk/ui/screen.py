"""Which screen is shown: one pure function of what is known, checked exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kiosk.ui.facts import Phase
from kiosk.ui.places import (
    AdHoc,
    AskingDate,
    AskingFee,
    AtBench,
    AtCopies,
    AtHome,
    AtLeftovers,
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
    PinPad,
    Refused,
    Registered,
    Registering,
    Resuming,
    Scanning,
    Sealed,
    StaffPlace,
    Stuck,
    Today,
    Tracking,
    VisitPlace,
)

NAMES_OF_PLACES: dict[type[object], str] = {
    AtHome: "visitor.home",
    ChoosingType: "visitor.type",
    ChoosingCase: "visitor.case",
    NamingCase: "visitor.number",
    Introducing: "visitor.who",
    Gathering: "visitor.slots",
    Counting: "visitor.sheets",
    NamingOriginals: "visitor.originals",
    AskingFee: "visitor.fee",
    Parked: "visitor.parked",
    Resuming: "visitor.resume",
    Feeding: "visitor.feed",
    Scanning: "visitor.scanning",
    Stuck: "visitor.fault",
    Looking: "visitor.pages",
    Confirming: "visitor.confirm",
    Registering: "visitor.registering",
    Registered: "visitor.receipt",
    Refused: "visitor.refused",
    Tracking: "visitor.track",
    Listing: "visitor.hearings",
    Calling: "visitor.called",
    Today: "secretary.today",
    AdHoc: "secretary.adhoc",
    AskingDate: "secretary.date",
    Sealed: "secretary.delivered",
    AtBench: "technician.tests",
    AtCopies: "secretary.copies",
    AtLeftovers: "secretary.leftovers",
    PinPad: "staff.pin",
}

LOOKING = {
    "both": "visitor.pages",
    "large": "visitor.page",
    "all": "visitor.contact",
    "move": "visitor.move",
}


@dataclass(frozen=True)
class Known:
    """What decides on the screen.

    Attributes:
        phase: of the recorder; None while it has never answered.
        has_hearing: a hearing is open.
        staff: somebody is signed in.
        secretary: that person may conduct a hearing.
        visit: where the visitor is.
        place: where the staff are.
        pin: the PIN pad is open.
        idle_left: seconds until the visitor's things are wiped; None: nobody is being warned.
        leaving: the visitor is asked whether to leave the pages.
    """

    phase: Phase | None
    has_hearing: bool
    staff: bool
    secretary: bool
    visit: VisitPlace
    place: StaffPlace
    pin: PinPad | None = None
    idle_left: int | None = None
    leaving: bool = False


def screen_name(known: Known) -> str:
    """Return the name of the screen (``kiosk/ui/README.md``)."""
    if known.pin is not None and not known.staff:
        return "staff.pin"
    if not known.staff:
        return _unattended(known)
    if known.secretary:
        return _secretary(known)
    return "secretary.locked" if _runs(known) else "technician.tests"


def _runs(known: Known) -> bool:
    return known.has_hearing and known.phase not in (None, "idle")


def _unattended(known: Known) -> str:
    if _runs(known):
        return "secretary.locked"
    if known.idle_left is not None:
        return "visitor.idle"
    if known.leaving:
        return "visitor.leave"
    return LOOKING[known.visit.shape] if isinstance(known.visit, Looking) else _place(known.visit)


def _place(place: VisitPlace) -> str:
    return NAMES_OF_PLACES[type(place)]


def _secretary(known: Known) -> str:
    match known.phase if known.has_hearing else None:
        case "recording":
            return "secretary.recording"
        case "recess" | "retired":
            return "secretary.stopped"
        case "sealing":
            return "secretary.sealing"
        case "idle" | None:
            return _desk_of(known.place)
        case never:
            assert_never(never)


def _desk_of(place: StaffPlace) -> str:
    match place:
        case Today() | AdHoc() | AskingDate() | Sealed() | AtBench() | AtCopies() | AtLeftovers():
            return NAMES_OF_PLACES[type(place)]
        case never:
            assert_never(never)
