"""The minutes of a hearing, short or full: drafted by the kiosk, corrected, confirmed, sealed.

The draft belongs to the recorder: a screen that crashes or is switched off loses nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kiosk.api.base import Model, Moment, Rows
from kiosk.api.operations import COURT_ROLES, NoBody, Operation
from kiosk.api.persons import as_one_line
from kiosk.api.quality import READ_QUALITY, QualityWord
from kiosk.api.receipts import KeepReceipt, Receipt, UnscannedReceipts

MAX_LINE_LENGTH = 2000
MAX_LINES = 400
MinutesText = Annotated[
    str, Field(min_length=1, max_length=MAX_LINE_LENGTH), AfterValidator(as_one_line)
]
MinutesLanguage = Literal["kk", "ru"]
MinutesForm = Literal["short", "full"]
"""Full ones where the recording is not complete or not good enough (S18)."""
MinutesStage = Literal["none", "draft", "secretary", "confirmed"]
"""Nobody began; being corrected; confirmed by the secretary; by the presiding judge, too."""
Confirmer = Literal["secretary", "presiding"]


class MinutesLine(Model):
    """A line of a field, and whether a person typed it; else the kiosk made it."""

    text: str
    typed: bool = False


class MinutesRow(Model):
    """A field of the statute: its number, its label, and its lines (none: it is empty)."""

    number: int
    id: str
    label: str
    lines: Rows[MinutesLine] = ()
    removed: int = 0
    """Lines of the recording that a person changed or removed; the journal has them."""


class Confirmation(Model):
    """Who confirmed the minutes, as whom, and when."""

    role: Confirmer
    person: str
    name: str = ""
    at: Moment = ""


class MinutesForSignature(Model):
    """What the secretary signs, as it was written to a drive and read back."""

    drive: str
    folder: str
    digest: str
    """SHA-256 of the file ``SHA256SUMS`` there, hexadecimal."""
    at: Moment = ""


class MinutesSignature(Model):
    """The secretary's own signature, which came back and holds (АПК 283(5))."""

    name: str
    """As her certificate names her."""
    valid_until: Moment = ""
    at: Moment = ""
    """When it was taken from the drive."""


class ShortMinutes(Model):
    """The minutes of a hearing as they stand."""

    hearing_id: str
    case_number: str = ""
    kind: str = ""
    ended: Moment = ""
    language: MinutesLanguage = "kk"
    title: str = ""
    form: MinutesForm = "short"
    is_partial: bool = False
    """The statute's list of fields was not read in full: of full minutes of criminal cases."""
    is_running: bool = False
    """The hearing is not sealed yet: they can be written, not confirmed."""
    late_receipts: Rows[Receipt] = ()
    """Receipts that were scanned after the hearing's end and are kept with these minutes."""
    version: int = 1
    """From 1; a change after both confirmations makes the next one."""
    revision: int = 0
    """Grows with every change; a confirmation names the one that was read."""
    stage: MinutesStage = "draft"
    fields: Rows[MinutesRow] = ()
    empty: tuple[int, ...] = ()
    """Numbers of the fields that are empty; the last one, the day of completion, comes by itself"""
    confirmations: Rows[Confirmation] = ()
    due: str = ""
    """As in the list."""
    is_complex: bool = False
    """The longer term counts, as a person said: complex, of several episodes, or with a jury."""
    remarks_until: str = ""
    """The last day for remarks on confirmed minutes; empty: not confirmed, or no term is known."""
    remarks_decided_by: str = ""
    """The last day for deciding on remarks that were filed on that day; empty: no term is named."""
    quality: QualityWord | None = None
    """What the presiding judge said of the recording last (S18); None: nothing yet."""
    can_undo: bool = False
    sealed_id: str = ""
    """The sealed folder of this version; empty: it is not sealed."""
    handed_out: MinutesForSignature | None = None
    """None: what the secretary signs was not written to a drive yet."""
    signature: MinutesSignature | None = None
    """None: she has not signed this version."""


class MinutesSummary(Model):
    """One hearing and how far its minutes are."""

    hearing_id: str
    case_number: str = ""
    started: Moment = ""
    ended: Moment = ""
    stage: MinutesStage = "none"
    due: str = ""
    """The last day for them (``2026-12-03``); empty: no term is known, or they are confirmed."""
    problem: str = ""
    """Why they cannot be read, or sealed where both have confirmed; empty: they can."""


class MinutesList(Model):
    """The sealed hearings with the stage of their minutes, newest first."""

    hearings: Rows[MinutesSummary] = ()


class EditMinutes(Model):
    """The new lines of a field; none: it is empty."""

    field: str
    lines: Annotated[tuple[MinutesText, ...], Field(max_length=MAX_LINES)] = ()


class ChooseMinutesLanguage(Model):
    """The language of the minutes: that of the proceedings."""

    language: MinutesLanguage


class ChooseMinutesForm(Model):
    """Short or full minutes."""

    form: MinutesForm


class ChooseMinutesTerm(Model):
    """Whether the longer term counts."""

    is_complex: bool


class JudgeQuality(Model):
    """The presiding judge's word on the recording: complete and of good quality, or not usable."""

    is_good: bool


class ConfirmMinutes(Model):
    """Confirms exactly what was read."""

    revision: int


_REFUSALS = ("hearing_unknown", "export_not_sealed", "journal_broken", "storage_failed")
_PATH = "/v1/minutes/{id}"

LIST_MINUTES = Operation(
    "listMinutes",
    "GET",
    "/v1/minutes",
    "The sealed hearings and how far their minutes are, newest first",
    answer=MinutesList,
    roles=COURT_ROLES,
)
OPEN_MINUTES = Operation(
    "openMinutes",
    "POST",
    _PATH,
    "The minutes of a hearing; the first call fills them from its journals",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: _REFUSALS},
)
EDIT_MINUTES = Operation(
    "editMinutes",
    "POST",
    f"{_PATH}/fields",
    "Replace the lines of a field; the earlier ones stay in the journal",
    answer=ShortMinutes,
    request=EditMinutes,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed")},
)
UNDO_MINUTES = Operation(
    "undoMinutes",
    "POST",
    f"{_PATH}/undo",
    "Take the newest change back; nothing is erased",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed", "minutes_nothing_to_undo")},
)
CHOOSE_MINUTES_LANGUAGE = Operation(
    "chooseMinutesLanguage",
    "POST",
    f"{_PATH}/language",
    "Keep the minutes in this language; each has its own changes",
    answer=ShortMinutes,
    request=ChooseMinutesLanguage,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed")},
)
CHOOSE_MINUTES_FORM = Operation(
    "chooseMinutesForm",
    "POST",
    f"{_PATH}/form",
    "Keep short or full minutes; full ones may be begun before the hearing ends",
    answer=ShortMinutes,
    request=ChooseMinutesForm,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed")},
)
KEEP_MINUTES_RECEIPT = Operation(
    "keepMinutesReceipt",
    "POST",
    f"{_PATH}/receipts",
    "Keep the scan of a receipt that was signed after the hearing's end with its minutes",
    answer=ShortMinutes,
    request=KeepReceipt,
    roles=COURT_ROLES,
    errors={
        400: ("receipt_unknown", "receipt_other_hearing", "receipt_no_pdf"),
        409: (*_REFUSALS, "minutes_confirmed", "receipt_scanned_already", "court_key_missing"),
    },
)
LIST_UNSCANNED_RECEIPTS = Operation(
    "listUnscannedReceipts",
    "GET",
    f"{_PATH}/receipts",
    "Events of an ended hearing whose signed receipt was not scanned: for a sheet without a code",
    answer=UnscannedReceipts,
    roles=COURT_ROLES,
    errors={409: _REFUSALS},
)
WITHDRAW_MINUTES_RECEIPT = Operation(
    "withdrawMinutesReceipt",
    "DELETE",
    f"{_PATH}/receipts/{{scan}}",
    "Withdraw a scan of the minutes that is the wrong one; nothing is erased",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={400: ("receipt_unknown",), 409: (*_REFUSALS, "minutes_confirmed")},
)
CHOOSE_MINUTES_TERM = Operation(
    "chooseMinutesTerm",
    "POST",
    f"{_PATH}/term",
    "Say whether the longer term counts: complex, of several episodes, with a jury",
    answer=ShortMinutes,
    request=ChooseMinutesTerm,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed")},
)
CONFIRM_MINUTES = Operation(
    "confirmMinutes",
    "POST",
    f"{_PATH}/confirm",
    "Confirm what was read: the secretary, then the presiding judge; then they are sealed",
    answer=ShortMinutes,
    request=ConfirmMinutes,
    roles=COURT_ROLES,
    errors={
        409: (
            *_REFUSALS,
            "minutes_confirmed",
            "minutes_changed",
            "minutes_secretary_first",
            "minutes_judge_next",
            "minutes_other_person",
        )
    },
)
JUDGE_QUALITY = Operation(
    "judgeQuality",
    "POST",
    f"{_PATH}/quality",
    "Say as the presiding judge whether the recording is complete and of good quality",
    answer=ShortMinutes,
    request=JudgeQuality,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_confirmed", "quality_judge_only")},
)
BEGIN_MINUTES_VERSION = Operation(
    "beginMinutesVersion",
    "POST",
    f"{_PATH}/versions",
    "Begin a new version of confirmed minutes; it cites the former one",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, "minutes_not_confirmed")},
)
_DRIVE_REFUSALS = (
    *("minutes_not_sealed", "minutes_signed", "minutes_drive_absent", "minutes_drives_several"),
    "export_medium_failed",
)
HAND_OUT_MINUTES = Operation(
    "handOutMinutes",
    "POST",
    f"{_PATH}/signature/file",
    "Write what the secretary signs to the drive that is plugged in, and read it back",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: (*_REFUSALS, *_DRIVE_REFUSALS, "export_no_space", "export_differs")},
)
TAKE_MINUTES_SIGNATURE = Operation(
    "takeMinutesSignature",
    "POST",
    f"{_PATH}/signature",
    "Take the secretary's signature from the drive, if it holds; it is sealed and delivered",
    answer=ShortMinutes,
    request=NoBody,
    roles=COURT_ROLES,
    errors={
        409: (
            *_REFUSALS,
            *_DRIVE_REFUSALS,
            "minutes_signature_missing",
            "minutes_roots_missing",
            "signature_malformed",
            "signature_other_content",
            "signature_untrusted",
            "signature_expired",
            "signature_algorithm",
            "signature_other_person",
        )
    },
)
MINUTES_OPERATIONS = (
    LIST_MINUTES,
    OPEN_MINUTES,
    EDIT_MINUTES,
    UNDO_MINUTES,
    CHOOSE_MINUTES_LANGUAGE,
    CHOOSE_MINUTES_FORM,
    CHOOSE_MINUTES_TERM,
    LIST_UNSCANNED_RECEIPTS,
    KEEP_MINUTES_RECEIPT,
    WITHDRAW_MINUTES_RECEIPT,
    READ_QUALITY,
    JUDGE_QUALITY,
    CONFIRM_MINUTES,
    BEGIN_MINUTES_VERSION,
    HAND_OUT_MINUTES,
    TAKE_MINUTES_SIGNATURE,
)
