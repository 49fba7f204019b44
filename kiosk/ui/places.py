"""Where somebody is on the screen: the places of visitor and staff, with what they need. Data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from kiosk.filing.form.cases import FoundCase
from kiosk.filing.form.fee import FeeHint
from kiosk.filing.model import Applicant
from kiosk.filing.printing.ticket import Ticket
from kiosk.filing.submission.status import Standing

Printing = Literal["printing", "printed", "failed"]

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
class ChoosingCase:
    """Asked whether there is a case already."""


@dataclass(frozen=True)
class NamingCase:
    """The number of an existing case is typed, or held to the reader; ``found`` is the answer."""

    typed: str = ""
    keys: int = 0
    asking: bool = False
    found: FoundCase | None = None


@dataclass(frozen=True)
class Introducing:
    """Who files: ``entry`` is being typed; kept with the filing when the visitor goes on."""

    applicant: Applicant = field(default_factory=Applicant, repr=False)
    entry: str = "iin"
    keys: int = 0
    capitals: bool = False


@dataclass(frozen=True)
class Gathering:
    """The filing's documents in turn; ``chosen``: a slot, or empty: the next one."""

    chosen: str = ""
    page: int = 0


@dataclass(frozen=True)
class Counting:
    """Asked how many sheets were put in; ``pad``: more than nine; ``said``: another number."""

    typed: str = ""
    pad: bool = False
    said: int | None = None


@dataclass(frozen=True)
class NamingOriginals:
    """What does not fit the scanner is chosen."""


@dataclass(frozen=True)
class AskingFee:
    """The state fee: which one, the amount of the claim, an exemption."""

    fee: str | None = None
    amount: str = ""
    exemption: str | None = None
    choosing: Literal["fee", "amount", "exemption"] = "amount"
    page: int = 0
    hint: FeeHint | None = None


@dataclass(frozen=True)
class Feeding:
    """Asked to put the paper in; ``kept`` pages are there already.

    ``glass``: the sheet is laid on the glass, and each is scanned by a tap. ``duplex``: both
    sides. ``again``: a sheet was not kept and is asked for at the end.
    """

    kept: int = 0
    retake: int | None = None
    glass: bool = False
    duplex: bool = False
    again: bool = False


@dataclass(frozen=True)
class Scanning:
    """Pages are arriving."""

    kept: int = 0
    retake: int | None = None


@dataclass(frozen=True)
class Stuck:
    """Scanning stopped: ``code`` says why; ``sheet`` is the one to put in again.

    ``asks``: whether to finish. ``awaited``: mended, and the sheet's whereabouts are asked for.
    """

    code: str
    kept: int
    sheet: int
    asks: bool = False
    awaited: bool = False


@dataclass(frozen=True)
class Looking:
    """Looking the pages over; ``chosen`` counts from 1, ``page`` is of the thumbnails.

    ``deleted``: number of the page that can be taken back. ``flagged``: only pages that may be
    hard to read. ``shape``: one page beside the small ones, one alone, all, or where to move it.
    """

    chosen: int = 1
    page: int | None = None
    deleted: int | None = None
    flagged: bool = False
    shape: Literal["both", "large", "all", "move"] = "both"


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
    printing: Printing = "printing"
    printer: str = ""


@dataclass(frozen=True)
class Parked:
    """The filing is kept for the holder of the ticket; everything else of it is gone.

    ``because``: a hearing started. ``until``: monotonic seconds at which the screen is wiped.
    """

    ticket: Ticket
    until: float
    printing: Printing = "printing"
    printer: str = ""
    because: bool = False


@dataclass(frozen=True)
class Resuming:
    """A ticket's code is typed, or held to the reader."""

    typed: str = field(default="", repr=False)
    working: bool = False
    wrong: bool = False


@dataclass(frozen=True)
class Refused:
    """The filing could not be kept; ``code`` says why."""

    code: str


@dataclass(frozen=True)
class Tracking:
    """Asking where a document is, by its receipt's code: the code held, and the answer."""

    reference: str = field(default="", repr=False)
    answer: Standing | None = None
    problem: str = ""
    printing: Printing | None = None
    printer: str = ""


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
    | ChoosingCase
    | NamingCase
    | Introducing
    | Gathering
    | Counting
    | NamingOriginals
    | AskingFee
    | Parked
    | Resuming
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


@dataclass(frozen=True)
class AtCopies:
    """Copies for the parties."""


@dataclass(frozen=True)
class AtLeftovers:
    """What a crash left of visitors' documents; receipts printed again."""


StaffPlace = Today | AdHoc | AskingDate | Sealed | AtBench | AtCopies | AtLeftovers


@dataclass(frozen=True)
class PinPad:
    """The PIN pad; only the number of digits is ever drawn."""

    digits: str = field(default="", repr=False)
    wrong: bool = False
