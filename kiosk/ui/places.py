"""Where somebody is on the screen: the places of visitor and staff, with what they need. Data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from kiosk.ui.facts import FilingState

# -- visitor -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AtHome:
    """The first screen."""


@dataclass(frozen=True)
class ChoosingType:
    """Choosing the document type; ``page`` of the list of ``group``."""

    group: str = "common"
    page: int = 0


@dataclass(frozen=True)
class Feeding:
    """Asked to put the paper in; ``kept`` pages are there already.

    ``glass``: the sheet is laid on the glass, and each is scanned by a tap.
    """

    kept: int = 0
    retake: int | None = None
    glass: bool = False


@dataclass(frozen=True)
class Scanning:
    """Pages are arriving."""

    kept: int = 0
    retake: int | None = None


@dataclass(frozen=True)
class Stuck:
    """Scanning stopped: ``code`` says why; ``sheet`` is the one to put in again."""

    code: str
    kept: int
    sheet: int
    asks: bool = False


@dataclass(frozen=True)
class Looking:
    """Looking the pages over; ``chosen`` counts from 1, ``page`` is of the thumbnails.

    ``deleted``: number of the page that can be taken back.
    """

    chosen: int = 1
    page: int | None = None
    deleted: int | None = None


@dataclass(frozen=True)
class Confirming:
    """Asked once more before the documents are handed in."""


@dataclass(frozen=True)
class Registering:
    """The filing is being made durable and registered."""


@dataclass(frozen=True)
class Registered:
    """The receipt screen; it is wiped at ``until`` (monotonic seconds).

    ``printer``: code of what is wrong with it, when it could not print.
    """

    until: float
    printing: Literal["printing", "printed", "failed"] = "printing"
    printer: str = ""


@dataclass(frozen=True)
class Refused:
    """The filing could not be kept; ``code`` says why."""

    code: str


@dataclass(frozen=True)
class Tracking:
    """Asking where a document is: what is typed, and the answer."""

    typed: str = ""
    answer: FilingState | None = None
    unknown: bool = False


@dataclass(frozen=True)
class Listing:
    """Today's hearings."""

    page: int = 0


@dataclass(frozen=True)
class Calling:
    """The sign that the secretary is needed; ``back`` is where the visitor goes on."""

    back: VisitPlace | None = None


VisitPlace = (
    AtHome
    | ChoosingType
    | Feeding
    | Scanning
    | Stuck
    | Looking
    | Confirming
    | Registering
    | Registered
    | Refused
    | Tracking
    | Listing
    | Calling
)

# -- staff ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Today:
    """The list of hearings; ``chosen`` by hand, or None: the next one by itself."""

    chosen: str | None = None
    page: int = 0


@dataclass(frozen=True)
class AdHoc:
    """A hearing that is not on the list: number typed, kind chosen, date where none is known."""

    typed: str = ""
    kind: str = "civil"
    day: date | None = None


@dataclass(frozen=True)
class AskingDate:
    """No list and no clock: the date is asked."""

    day: date


@dataclass(frozen=True)
class Sealed:
    """The hearing that was just ended, and how its delivery goes."""

    hearing_id: str
    case_number: str = ""


@dataclass(frozen=True)
class AtBench:
    """The technician's self-test."""

    chosen: str | None = None


StaffPlace = Today | AdHoc | AskingDate | Sealed | AtBench


@dataclass(frozen=True)
class PinPad:
    """The PIN pad; only the number of digits is ever drawn."""

    digits: str = field(default="", repr=False)
    wrong: bool = False
