"""Copies for the parties: sealed hearings, removable drives, progress, log, chain receipt."""

from __future__ import annotations

from typing import Literal

from kiosk.api.base import LooseText, Model, Moment, OptionalText, Rows, SparseModel
from kiosk.api.operations import COURT_ROLES, Operation

ExportStage = Literal["checking", "original", "video", "reading_back", "finishing"]
ClosedParts = Literal["none", "some", "all"]
ExportOutcome = Literal["running", "done", "failed", "cancelled"]
EXPORT_REFUSALS = {
    403: ("export_closed", "export_encrypted"),
    409: (
        "export_not_warned",
        "export_not_sealed",
        "export_medium_failed",
        "export_running",
        "hearing_unknown",
    ),
}


class SealedHearing(Model):
    """A sealed hearing on this kiosk."""

    id: str
    case_number: LooseText = None
    title: LooseText = None
    kind: LooseText = None
    """Of the case; with session and number it says whether minutes are kept."""
    session: LooseText = None
    started: Moment = ""
    ended: Moment = ""
    seconds: float = 0.0
    parts: int = 1
    closed: ClosedParts = "none"
    """Which parts are closed: they are not copied."""
    people: Rows[str] = ()
    """Names of the persons at the hearing, to say who takes a copy."""
    needs_warning: bool = False
    """Who takes a copy must be warned first (АПК 282(4))."""
    delivered: bool = False
    damaged: bool = False
    """Its journal cannot be read."""


class SealedHearings(Model):
    """The sealed hearings, newest first."""

    hearings: Rows[SealedHearing] = ()


class RemovableDrive(Model):
    """A removable drive that is mounted and can be written."""

    path: str
    """Where it is mounted; ``medium`` of an export."""
    name: str = ""
    file_system: str = ""
    free_bytes: int = 0
    total_bytes: int = 0


class RemovableDrives(Model):
    """The removable drives that are plugged in."""

    media: Rows[RemovableDrive] = ()


class StartExport(Model):
    """Request for a copy."""

    hearing_id: str
    medium: str
    """``path`` of a removable drive."""
    language: OptionalText = ""
    """In which the page begins: ``kk`` or ``ru``."""
    application: OptionalText = ""
    """By which application; at most 500 characters are kept."""
    given_to: OptionalText = ""
    """Who takes the copy; at most 200 characters are kept."""
    warned: bool = False
    """They were warned; where that is needed (``needs_warning``), nothing is copied without it."""


class StartedExport(Model):
    """The copy is being made; its progress comes as events ``export``."""

    id: str


class ExportEvent(SparseModel):
    """Progress of a copy (event ``export``), and its outcome."""

    id: str = ""
    hearing_id: str = ""
    medium: str = ""
    state: ExportOutcome = "running"
    stage: ExportStage = "checking"
    done: int = 0
    total: int = 0
    """Bytes of all stages together."""
    folder: str | None = None
    files: int | None = None
    bytes: int | None = None
    left_out: tuple[int, ...] | None = None
    """Closed parts, which were not copied."""
    originals: bool | None = None
    """The sealed fragments were copied, too."""
    withheld: int | None = None
    """Stretches that were not copied, because a protected person is heard (S9)."""
    code: str | None = None
    """Why it failed; sentence in :mod:`kiosk.alarms`."""


class ExportLogRow(SparseModel):
    """Who asked for a copy, when, by which application, and what came of it."""

    id: str
    hearing: str = ""
    medium: str = ""
    asked_at: Moment = ""
    by: str = ""
    application: str = ""
    given_to: str = ""
    warned: bool = False
    state: ExportOutcome = "running"
    ended_at: Moment | None = None
    folder: str | None = None
    closed_parts_left_out: tuple[int, ...] | None = None
    code: str | None = None


class Exports(Model):
    """The newest copy of this run of the recorder, and the log of all, newest first."""

    running: ExportEvent | None = None
    copies: Rows[ExportLogRow] = ()


class ChainReceipt(Model):
    """The newest signed head of a hearing's own journal (the integrity slip)."""

    hearing_id: str
    case_number: str = ""
    count: int
    """Lines of the journal."""
    hash: str
    groups: tuple[str, ...]
    """The hash in groups of four characters."""
    signed_at: Moment
    code: str
    """Content of the QR code."""
    sealed: bool
    """The hearing is ended and sealed."""


class ChainReceiptQuery(Model):
    """Which hearing; empty: the one begun last."""

    hearing_id: str = ""


LIST_HEARINGS = Operation(
    "listSealedHearings",
    "GET",
    "/v1/hearings",
    "The sealed hearings on this kiosk, newest first",
    answer=SealedHearings,
    roles=COURT_ROLES,
)
GET_CHAIN_RECEIPT = Operation(
    "getChainReceipt",
    "GET",
    "/v1/hearing/slip",
    "The newest signed head of a hearing's journal, for the parties",
    answer=ChainReceipt,
    query=ChainReceiptQuery,
    roles=COURT_ROLES,
    errors={409: ("slip_none", "hearing_unknown", "journal_broken")},
)
LIST_DRIVES = Operation(
    "listDrives",
    "GET",
    "/v1/exports/media",
    "Removable drives that are mounted and can be written",
    answer=RemovableDrives,
    roles=COURT_ROLES,
)
START_EXPORT = Operation(
    "startExport",
    "POST",
    "/v1/exports",
    "Copy a sealed hearing to a drive; one copy at a time",
    answer=StartedExport,
    request=StartExport,
    status=202,
    roles=COURT_ROLES,
    errors=EXPORT_REFUSALS,
)
LIST_EXPORTS = Operation(
    "listExports",
    "GET",
    "/v1/exports",
    "The newest copy and the log of all copies",
    answer=Exports,
    roles=COURT_ROLES,
)
CANCEL_EXPORT = Operation(
    "cancelExport",
    "DELETE",
    "/v1/exports/{id}",
    "Break a copy off; answers the last event",
    answer=ExportEvent,
    roles=COURT_ROLES,
    errors={409: ("hearing_unknown",)},
)
EXPORT_OPERATIONS = (
    LIST_HEARINGS,
    GET_CHAIN_RECEIPT,
    LIST_DRIVES,
    START_EXPORT,
    LIST_EXPORTS,
    CANCEL_EXPORT,
)
