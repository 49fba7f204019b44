"""All screens of the kiosk: the places that lead to them, and where the code of each is.

A place says where the visitor or the staff are, with the state of that screen. To add a screen:

1. here: its place and a line in :data:`SCREENS`;
2. the module of that line, without Kivy: the view, ``view(app)``, and ``SAMPLES`` of its states;
3. beside it ``<module>_screen.py``: the widget class.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from kiosk.api.recorder_calls import ListedPerson
from kiosk.filing.form.cases import CaseLookup
from kiosk.filing.form.fee import FeeHint
from kiosk.filing.model import Applicant
from kiosk.filing.printing.ticket import Ticket
from kiosk.filing.submission.status import FilingStatus

PrintState = Literal["printing", "printed", "failed"]

# -- visitor -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HomePlace:
    """The first screen."""


@dataclass(frozen=True)
class DocumentTypePlace:
    """The document type is chosen; ``page`` of the list of ``group``."""

    group: str = "common"
    page: int = 0


@dataclass(frozen=True)
class CasePlace:
    """The visitor is asked whether a case exists already."""


@dataclass(frozen=True)
class CaseNumberPlace:
    """The number of an existing case is typed or read from a code; ``found`` is the answer."""

    typed: str = ""
    key_page: int = 0
    is_searching: bool = False
    found: CaseLookup | None = None


@dataclass(frozen=True)
class ApplicantPlace:
    """The applicant is typed in; it is stored in the filing when the visitor continues."""

    applicant: Applicant = field(default_factory=Applicant, repr=False)
    active_field: str = "iin"
    key_page: int = 0
    has_capitals: bool = False


@dataclass(frozen=True)
class DocumentsPlace:
    """The documents of the filing; ``chosen`` is a slot, or empty for the next missing one."""

    chosen: str = ""
    page: int = 0


@dataclass(frozen=True)
class SheetCountPlace:
    """The visitor is asked how many sheets were inserted.

    ``has_keypad``: a number above nine is typed. ``declared``: it differs from the scanned count.
    """

    typed: str = ""
    has_keypad: bool = False
    declared: int | None = None


@dataclass(frozen=True)
class OriginalsPlace:
    """Originals that do not fit the scanner are chosen."""


@dataclass(frozen=True)
class FeePlace:
    """The state fee: which fee, an amount or numbers of papers, an exemption.

    ``counting``: which number the keys type where documents and their pages are counted.
    """

    fee: str | None = None
    amount: str = ""
    documents: str = ""
    pages: str = ""
    counting: Literal["documents", "pages"] = "documents"
    exemption: str | None = None
    choosing: Literal["fee", "amount", "exemption_group", "exemption"] = "amount"
    group: str = ""
    page: int = 0
    hint: FeeHint | None = None


@dataclass(frozen=True)
class InsertPaperPlace:
    """The kiosk waits for paper; ``kept`` pages are scanned already.

    ``retake``: number of the page that is scanned again. ``glass``: each sheet is laid on the
    glass and scanned by a tap. ``duplex``: both sides. ``is_sheet_missing``: a sheet that was not
    kept is asked for at the end.
    """

    kept: int = 0
    retake: int | None = None
    glass: bool = False
    duplex: bool = False
    is_sheet_missing: bool = False


@dataclass(frozen=True)
class ScanningPlace:
    """Pages are arriving."""

    kept: int = 0
    retake: int | None = None


@dataclass(frozen=True)
class ScanFaultPlace:
    """Scanning stopped: ``code`` says why; ``sheet`` is the sheet to insert again.

    ``is_finish_asked``: the visitor is asked whether to finish. ``is_sheet_expected``: the scanner
    works again, and the visitor is asked where the sheet is.
    """

    code: str
    kept: int
    sheet: int
    is_finish_asked: bool = False
    is_sheet_expected: bool = False


@dataclass(frozen=True)
class PageReviewPlace:
    """The scanned pages are reviewed; ``chosen`` counts from 1, ``page`` is of the thumbnails.

    ``deleted``: number of the page that can be restored. ``flagged_only``: show only pages that
    may be hard to read. ``layout``: one page beside thumbnails, one page alone, all thumbnails, or
    where to move the page.
    """

    chosen: int = 1
    page: int | None = None
    deleted: int | None = None
    flagged_only: bool = False
    layout: Literal["both", "large", "all", "move"] = "both"


@dataclass(frozen=True)
class SummaryPlace:
    """The visitor checks everything before submitting."""


@dataclass(frozen=True)
class RegisteringPlace:
    """The filing is being stored and registered."""


@dataclass(frozen=True)
class ReceiptPlace:
    """The receipt; the screen is wiped at ``until`` (monotonic seconds).

    ``printer_error``: error code, if printing failed.
    """

    until: float
    printing: PrintState = "printing"
    printer_error: str = ""


@dataclass(frozen=True)
class ParkedPlace:
    """The filing is parked; only the ticket opens it again.

    ``hearing_started``: it was parked because a hearing started. ``until``: monotonic seconds at
    which the screen is wiped.
    """

    ticket: Ticket
    until: float
    printing: PrintState = "printing"
    printer_error: str = ""
    hearing_started: bool = False


@dataclass(frozen=True)
class ResumePlace:
    """The code of a ticket is typed or read."""

    typed: str = field(default="", repr=False)
    is_searching: bool = False
    is_unknown: bool = False


@dataclass(frozen=True)
class FilingFailedPlace:
    """The filing could not be stored; ``code`` says why."""

    code: str


@dataclass(frozen=True)
class DocumentStatusPlace:
    """Where a document is: the code of its receipt, and the answer."""

    reference: str = field(default="", repr=False)
    status: FilingStatus | None = None
    error: str = ""
    printing: PrintState | None = None
    printer_error: str = ""


@dataclass(frozen=True)
class HearingsPlace:
    """Today's hearings."""

    page: int = 0


@dataclass(frozen=True)
class OnlineServicesPlace:
    """What can be done from home; ``chosen``: the service whose code is shown."""

    chosen: str = ""


@dataclass(frozen=True)
class SecretaryCallPlace:
    """The sign that the secretary is needed; ``return_to`` is where the visitor continues."""

    return_to: VisitorPlace | None = None


VisitorPlace = (
    HomePlace
    | DocumentTypePlace
    | CasePlace
    | CaseNumberPlace
    | ApplicantPlace
    | DocumentsPlace
    | SheetCountPlace
    | OriginalsPlace
    | FeePlace
    | ParkedPlace
    | ResumePlace
    | InsertPaperPlace
    | ScanningPlace
    | ScanFaultPlace
    | PageReviewPlace
    | SummaryPlace
    | RegisteringPlace
    | ReceiptPlace
    | FilingFailedPlace
    | DocumentStatusPlace
    | HearingsPlace
    | OnlineServicesPlace
    | SecretaryCallPlace
)

# -- staff ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TodayPlace:
    """The list of hearings; ``chosen`` by hand, or None for the next one.

    ``asks``: whether it is asked if a session is recorded of which no minutes are kept.
    ``remedies``: what to do about all that is not ready, in the place of the list.
    """

    chosen: str | None = None
    page: int = 0
    asks: bool = False
    remedies: bool = False


@dataclass(frozen=True)
class AdHocPlace:
    """A hearing that is not on the list: its number, kind, and date if no clock is known."""

    typed: str = ""
    kind: str = "civil"
    day: date | None = None


@dataclass(frozen=True)
class DatePlace:
    """The date is asked, because there is neither list nor clock."""

    day: date


@dataclass(frozen=True)
class RehearsalPlace:
    """Who takes part hears and sees themselves before the hearing."""


@dataclass(frozen=True)
class DeliveryPlace:
    """The hearing that has just ended, and its delivery."""

    hearing_id: str
    case_number: str = ""


@dataclass(frozen=True)
class TechnicianHomePlace:
    """The technician's first screen."""


@dataclass(frozen=True)
class CameraPlace:
    """The hearing's camera: its picture, and how it is taken.

    Attributes:
        is_in_steps: opened while the room is set up, and leads back there.
    """

    is_in_steps: bool = False


@dataclass(frozen=True)
class UpkeepPlace:
    """The services of the kiosk, and their restart."""


@dataclass(frozen=True)
class AlarmLogPlace:
    """The last alarms of the kiosk."""

    page: int = 0


@dataclass(frozen=True)
class SecondStoragePlace:
    """The second storage, and its adoption."""


@dataclass(frozen=True)
class CourtKeysPlace:
    """The court's keys for closed parts, and their proof."""


@dataclass(frozen=True)
class PaperPlace:
    """The receipt printer, its paper, and a test print."""


@dataclass(frozen=True)
class StaffListPlace:
    """Who may sign in here."""

    page: int = 0


@dataclass(frozen=True)
class SupportPlace:
    """Help by phone."""


@dataclass(frozen=True)
class CommissioningPlace:
    """The room is set up, step by step."""


@dataclass(frozen=True)
class SelfTestPlace:
    """The technician's self-test.

    Attributes:
        chosen: check that is shown large; None: all of them.
        page: of the list, or of the lines of the check.
        shows_history: earlier results of the chosen check.
    """

    chosen: str | None = None
    page: int = 0
    shows_history: bool = False


@dataclass(frozen=True)
class TouchPlace:
    """The touch test: ``touched`` of its points have felt the finger."""

    touched: int = 0


@dataclass(frozen=True)
class ExportPlace:
    """Export of copies for the parties."""


@dataclass(frozen=True)
class MinutesPlace:
    """The short minutes of the sealed hearings."""


@dataclass(frozen=True)
class QualityPlace:
    """The report for the presiding judge on a hearing that has ended."""


@dataclass(frozen=True)
class UnfinishedFilingsPlace:
    """Unfinished filings that a crash left behind; receipts are reprinted."""


TechnicianPlace = (
    TechnicianHomePlace
    | SelfTestPlace
    | TouchPlace
    | CameraPlace
    | CommissioningPlace
    | UpkeepPlace
    | AlarmLogPlace
    | SecondStoragePlace
    | CourtKeysPlace
    | PaperPlace
    | StaffListPlace
    | SupportPlace
)
"""Where a technician may be; a secretary never is."""
StaffPlace = (
    TodayPlace
    | AdHocPlace
    | DatePlace
    | RehearsalPlace
    | DeliveryPlace
    | ExportPlace
    | MinutesPlace
    | QualityPlace
    | UnfinishedFilingsPlace
    | TechnicianPlace
)


@dataclass(frozen=True)
class PeoplePlace:
    """The names of those who may sign in; None: the recorder was not heard yet."""

    people: tuple[ListedPerson, ...] | None = None
    page: int = 0


@dataclass(frozen=True)
class PinPlace:
    """The PIN pad of one person; only the number of digits is ever drawn.

    Attributes:
        is_wrong: the last try was refused.
        wait_until: no further try before this (:attr:`AppState.now`); None: at once.
    """

    person: ListedPerson
    digits: str = field(default="", repr=False)
    is_wrong: bool = False
    wait_until: float | None = None


SignInPlace = PeoplePlace | PinPlace


# -- screens -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScreenDefinition:
    """One screen.

    Attributes:
        name: what automation, samples and documents call it.
        package: under ``kiosk.ui``; its module with the last part of the name has the view and the
            samples.
        place: what leads to it; none: the state of the services or of the visit does.
        widget: ``module:Class`` under ``kiosk.ui``; empty: by name, ``OriginalsScreen`` in
            ``originals_screen`` beside the module ``originals``.
    """

    name: str
    package: str
    place: type[object] | None = None
    widget: str = ""

    @property
    def module(self) -> str:
        """The module of view and samples, under ``kiosk.ui``."""
        return f"{self.package}.{self.name.rpartition('.')[2]}"

    @property
    def widget_path(self) -> tuple[str, str]:
        """The module of the widget, under ``kiosk.ui``, and its class."""
        if self.widget:
            module, _, class_name = self.widget.partition(":")
            return module, class_name
        words = self.name.rpartition(".")[2].split("_")
        return f"{self.module}_screen", "".join(word.capitalize() for word in words) + "Screen"


SCREENS = (
    ScreenDefinition("visitor.home", "visitor.entry", HomePlace),
    ScreenDefinition("visitor.document_type", "visitor.entry", DocumentTypePlace),
    ScreenDefinition("visitor.hearings", "visitor.entry", HearingsPlace),
    ScreenDefinition("visitor.online_services", "visitor.entry", OnlineServicesPlace),
    ScreenDefinition("visitor.secretary_call", "visitor.entry", SecretaryCallPlace),
    ScreenDefinition("visitor.leave_confirmation", "visitor.entry"),
    ScreenDefinition("visitor.idle_warning", "visitor.entry"),
    ScreenDefinition("visitor.case", "visitor.form", CasePlace),
    ScreenDefinition("visitor.case_number", "visitor.form", CaseNumberPlace),
    ScreenDefinition("visitor.applicant", "visitor.form", ApplicantPlace),
    ScreenDefinition("visitor.documents", "visitor.form", DocumentsPlace),
    ScreenDefinition("visitor.sheet_count", "visitor.form", SheetCountPlace),
    ScreenDefinition("visitor.originals", "visitor.form", OriginalsPlace),
    ScreenDefinition("visitor.fee", "visitor.form", FeePlace),
    ScreenDefinition("visitor.insert_paper", "visitor.scan", InsertPaperPlace),
    ScreenDefinition(
        "visitor.scanning",
        "visitor.scan",
        ScanningPlace,
        "visitor.scan.insert_paper_screen:InsertPaperScreen",
    ),
    ScreenDefinition("visitor.scan_fault", "visitor.scan", ScanFaultPlace),
    ScreenDefinition("visitor.page_review", "visitor.pages", PageReviewPlace),
    ScreenDefinition("visitor.page_enlarged", "visitor.pages"),
    ScreenDefinition("visitor.page_overview", "visitor.pages"),
    ScreenDefinition("visitor.page_move", "visitor.pages"),
    ScreenDefinition("visitor.summary", "visitor.submission", SummaryPlace),
    ScreenDefinition("visitor.registering", "visitor.submission", RegisteringPlace),
    ScreenDefinition("visitor.receipt", "visitor.submission", ReceiptPlace),
    ScreenDefinition("visitor.filing_failed", "visitor.submission", FilingFailedPlace),
    ScreenDefinition("visitor.parked", "visitor.tracking", ParkedPlace),
    ScreenDefinition("visitor.resume", "visitor.tracking", ResumePlace),
    ScreenDefinition("visitor.document_status", "visitor.tracking", DocumentStatusPlace),
    ScreenDefinition("secretary.today", "secretary.schedule", TodayPlace),
    ScreenDefinition("secretary.adhoc", "secretary.schedule", AdHocPlace),
    ScreenDefinition("secretary.date", "secretary.schedule", DatePlace),
    ScreenDefinition("secretary.rehearsal", "secretary.schedule", RehearsalPlace),
    ScreenDefinition("secretary.recording", "secretary.running_hearing"),
    ScreenDefinition("secretary.recess", "secretary"),
    ScreenDefinition("secretary.lock", "secretary"),
    ScreenDefinition(
        "secretary.sealing",
        "secretary.sealed_hearing",
        widget="secretary.sealed_hearing.delivery_screen:DeliveryScreen",
    ),
    ScreenDefinition("secretary.delivery", "secretary.sealed_hearing", DeliveryPlace),
    ScreenDefinition("secretary.export", "secretary.sealed_hearing", ExportPlace),
    ScreenDefinition("secretary.minutes", "secretary.sealed_hearing", MinutesPlace),
    ScreenDefinition("secretary.quality", "secretary.sealed_hearing", QualityPlace),
    ScreenDefinition("secretary.unfinished_filings", "secretary", UnfinishedFilingsPlace),
    ScreenDefinition("staff.people", "staff", PeoplePlace),
    ScreenDefinition("staff.pin", "staff", PinPlace),
    ScreenDefinition("technician.home", "technician", TechnicianHomePlace),
    ScreenDefinition("technician.camera", "technician", CameraPlace),
    ScreenDefinition("technician.upkeep", "technician", UpkeepPlace),
    ScreenDefinition("technician.support", "technician", SupportPlace),
    ScreenDefinition("technician.court_keys", "technician", CourtKeysPlace),
    ScreenDefinition("technician.paper", "technician", PaperPlace),
    ScreenDefinition("technician.staff_list", "technician", StaffListPlace),
    ScreenDefinition("technician.alarm_log", "technician", AlarmLogPlace),
    ScreenDefinition("technician.second_storage", "technician", SecondStoragePlace),
    ScreenDefinition("technician.commissioning", "technician.commissioning", CommissioningPlace),
    ScreenDefinition("technician.self_test", "technician", SelfTestPlace),
    ScreenDefinition("technician.touch", "technician", TouchPlace),
    ScreenDefinition("hall.board", "hall"),
)
SCREEN_OF_PLACE = {screen.place: screen.name for screen in SCREENS if screen.place is not None}
