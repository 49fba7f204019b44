"""Requests of ``docs/central-api.yaml`` as typed models; others get 400 ``malformed``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kiosk.central.errors import malformed


def _integral_float(value: object) -> object:
    """Return 78 for 78.0: in JSON they are the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_integral_float)]
Id = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MAX_NUMBER_LENGTH = 200  # of a case
PATH_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
FilePath = Annotated[
    str, Field(pattern=rf"^{PATH_SEGMENT}(/{PATH_SEGMENT}){{0,7}}$", max_length=400)
]
Size = Annotated[WholeNumber, Field(ge=0, le=1 << 40)]
Kind = Literal["hearing", "filing", "report"]
Text100 = Annotated[str, Field(max_length=100)]
Text300 = Annotated[str, Field(max_length=300)]
TimeText = Annotated[str, Field(max_length=40)]
CountField = Annotated[WholeNumber, Field(ge=0, le=1 << 53)]  # a JSON number is exact up to it
SmallCountField = Annotated[WholeNumber, Field(ge=0, le=10_000)]


class RequestModel(BaseModel):
    """A request body: types are exact, unknown keys are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ExtensibleModel(BaseModel):
    """A request body (or a part of one) to which later kiosks may add keys."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class EnrolmentRequest(RequestModel):
    """``POST /v1/enrol``."""

    code: Annotated[str, Field(min_length=12, max_length=64)]
    csr: Annotated[str, Field(max_length=16384)]


class RenewalRequest(RequestModel):
    """``POST /v1/renew``."""

    csr: Annotated[str, Field(max_length=16384)]


class FileEntry(RequestModel):
    """A file of a delivery, by its path inside the delivery's folder."""

    path: FilePath
    size: Size
    sha256: Sha256


class DocumentEntry(FileEntry):
    """A scanned document of a filing."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
    pages: Annotated[WholeNumber, Field(ge=1, le=10_000)]


class Applicant(RequestModel):
    """The applicant, as far as the person gave details."""

    name: Text300 | None = None
    iin: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None


TypeId = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
Tenge = Annotated[str, Field(pattern=r"^[0-9]{1,18}([.][0-9]{1,6})?$")]
#: Keys of a registration added by revision 2; they do not count as content.
REVISION_2_KEYS = frozenset({"document_type", "case_known", "entity", "fee", "slots"})


class Entity(RequestModel):
    """The legal entity that files."""

    name: Text300 | None = None
    bin: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None


class FeeStatement(RequestModel):
    """The applicant's statement on the state fee; amounts in tenge."""

    fee: TypeId
    amount: Tenge | None = None
    hint: Tenge | None = None
    mrp: Tenge | None = None
    paid_on: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    exemption: TypeId | None = None


class RequiredDocument(RequestModel):
    """A document that a filing requires."""

    slot: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,80}$")]
    type: TypeId
    state: Literal["filled", "missing", "empty"]
    required: bool = False
    pages: SmallCountField = 0
    sheets: SmallCountField = 0
    sheets_said: SmallCountField | None = None
    files: Annotated[list[FilePath], Field(max_length=200)] = []


class FilingRegistration(RequestModel):
    """``PUT /v1/filings/{id}``."""

    kiosk_time: AwareDatetime
    provisional: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=100)] | None
    ) = None
    language: Literal["kk", "ru", "en"] = "kk"
    case_kind: Text100 | None = None
    case_number: Annotated[str, Field(max_length=200)] | None = None
    applicant: Applicant | None = None
    not_scanned: Annotated[list[Text300], Field(max_length=100)] = []
    documents: Annotated[list[DocumentEntry], Field(min_length=1, max_length=200)]
    document_type: TypeId | None = None
    case_known: Literal["known", "unknown", "unchecked"] | None = None
    entity: Entity | None = None
    fee: FeeStatement | None = None
    slots: Annotated[list[RequiredDocument], Field(max_length=200)] = []


class CaseQuery(RequestModel):
    """``POST /v1/cases``."""

    number: Annotated[str, Field(min_length=1, max_length=MAX_NUMBER_LENGTH)]


class Participant(ExtensibleModel):
    """A participant of a hearing."""

    name: Text300
    role: Text100


class Hearing(ExtensibleModel):
    """A hearing of the schedule (docs/interfaces.md); ad hoc ones may have an id only."""

    id: Id
    case_number: Annotated[str, Field(max_length=200)] = ""
    title: Annotated[str, Field(max_length=1000)] = ""
    kind: Text100 = ""
    scheduled_at: AwareDatetime | None = None
    duration_minutes: Annotated[WholeNumber, Field(ge=0, le=100_000)] | None = None
    format: Text100 = ""
    publicity: Text100 = ""
    judge: Text300 = ""
    participants: Annotated[list[Participant], Field(max_length=1000)] = []
    adhoc: bool = False


class Part(ExtensibleModel):
    """One part of a hearing's recording."""

    part: Annotated[WholeNumber, Field(ge=1, le=10_000)]
    started_at: AwareDatetime | None = None
    seconds: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    publicity: Text100 = ""
    sources: Annotated[list[Text100], Field(max_length=64)] = []


class HearingManifest(RequestModel):
    """``PUT /v1/hearings/{id}``."""

    kiosk_time: AwareDatetime
    final: bool = True
    hearing: Hearing
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    duration_seconds: Annotated[float, Field(ge=0, le=10_000_000)] | None = None
    parts: Annotated[list[Part], Field(max_length=1000)]
    files: Annotated[list[FileEntry], Field(max_length=100_000)]


class ReportManifest(RequestModel):
    """``PUT /v1/reports/{id}``."""

    kiosk_time: AwareDatetime
    made_at: AwareDatetime | None = None
    passed: SmallCountField
    failed: SmallCountField
    skipped: SmallCountField = 0
    files: Annotated[list[FileEntry], Field(min_length=1, max_length=1000)]


class UploadAnnouncement(FileEntry):
    """``PUT /v1/uploads/{id}``."""

    kind: Kind
    owner: Id


class Head(RequestModel):
    """A signed head of a journal."""

    part: SmallCountField
    count: Annotated[WholeNumber, Field(ge=0, le=1_000_000_000)]
    hash: Sha256
    signature: Annotated[str, Field(max_length=1024)]
    at: AwareDatetime | None = None


class HeadsRequest(RequestModel):
    """``POST /v1/hearings/{id}/heads``."""

    heads: Annotated[list[Head], Field(min_length=1, max_length=1000)]


class Closure(RequestModel):
    """A plain file that an encrypted one has replaced."""

    path: FilePath
    sha256: Sha256
    by: FilePath | None = None
    by_sha256: Sha256 | None = None


class ClosuresRequest(RequestModel):
    """``POST /v1/hearings/{id}/closures``."""

    closures: Annotated[list[Closure], Field(min_length=1, max_length=10_000)]


class Alarm(ExtensibleModel):
    """An active alarm of the kiosk."""

    code: Text100
    source: Text100 | None = None
    since: TimeText | None = None


class QueueLevel(ExtensibleModel):
    """The kiosk's delivery queue."""

    items: CountField = 0
    bytes: CountField = 0
    filings: CountField = 0
    hearings: CountField = 0
    reports: CountField = 0
    empty_at: TimeText | None = None
    endless: bool = False
    courier: CountField = 0


class StorageLevel(ExtensibleModel):
    """The kiosk's disk."""

    free_bytes: CountField = 0
    total_bytes: CountField = 0
    full_at: TimeText | None = None


class RunningHearing(ExtensibleModel):
    """The hearing that is being recorded."""

    hearing: Id | None = None
    phase: Annotated[str, Field(max_length=40)] = ""
    part: CountField = 0
    sources_missing: Annotated[list[Text100], Field(max_length=64)] = []


class SelftestSummary(ExtensibleModel):
    """The newest self-test."""

    id: Id
    at: TimeText = ""
    passed: CountField = 0
    failed: CountField = 0


class CommissioningSummary(SelftestSummary):
    """The newest self-test with which the room was set up."""

    open: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=32)] = []
    """Steps that are still to be done."""


class ListProblem(ExtensibleModel):
    """Why the kiosk could not read a row of a list completely. Holds no personal data."""

    row: CountField
    field: Text100 = ""
    expected: Annotated[str, Field(max_length=40)] = ""


class ListReport(ExtensibleModel):
    """A list of this system that the kiosk could not read completely."""

    rows: CountField
    unreadable: CountField
    problems: Annotated[list[ListProblem], Field(max_length=100)] = []
    list: Annotated[str, Field(max_length=40)]


class RulesPackInForce(ExtensibleModel):
    """The rules pack by which the kiosk computes fees."""

    version: CountField
    valid_from: Annotated[str, Field(max_length=10)] = ""
    valid_until: Annotated[str, Field(max_length=10)] = ""


class Heartbeat(ExtensibleModel):
    """``PUT /v1/state``."""

    kiosk_time: AwareDatetime
    version: Text100
    boot_id: Text100 = ""
    alarms: Annotated[list[Alarm], Field(max_length=200)] = []
    lists: Annotated[list[ListReport], Field(max_length=20)] = []
    queue: QueueLevel = QueueLevel()
    storage: StorageLevel = StorageLevel()
    recording: RunningHearing | None = None
    selftest: SelftestSummary | None = None
    commissioned: CommissioningSummary | None = None
    rules_pack: RulesPackInForce | None = None
    link: dict[str, Any] | None = None


class LiveRoom(ExtensibleModel):
    """``PUT /v1/live``: a room that records, now. Nothing of the case."""

    phase: Annotated[str, Field(max_length=40)] = ""
    levels: Annotated[
        dict[Text100, Annotated[WholeNumber, Field(ge=-120, le=0)]], Field(max_length=32)
    ] = {}
    """Loudness of each microphone, dB of full scale."""
    proof: Annotated[str, Field(max_length=40)] = ""
    proof_age: CountField | None = None


Model = TypeVar("Model", bound=BaseModel)
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse(model: type[Model], body: bytes) -> Model:
    """Return ``body`` (JSON) as ``model``.

    Raises:
        RefusedError: 400, with the place of the first error but never its value: messages end up
            in logs, and requests hold personal data.
    """
    if rb"\u0000" in body and NUL.search(body):  # Postgres cannot read it out of JSON
        raise malformed("body: a text with NUL")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(key) for key in first["loc"]) or "body"
        raise malformed(f"{where}: {first['msg']}") from error
