"""The court's rules as frozen, typed tables (data in ``kiosk/rules/data``, one file each).

Status of a value: ``L`` in the letter of 2021, ``S`` in a stored public text, ``M`` own wording
or from memory, to be confirmed by a court clerk before release.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kiosk.locale import Language

SourceStatus = Literal["L", "S", "M"]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")]
ClosureRequirement = Literal[
    "law",
    "application",
    "application_or_initiative",
    "ruling",
    "reasoned_ruling",
    "consent_missing",
    "disorder",
]
ExemptionGroup = Literal["person", "claim", "document", "organisation"]
FeeAmount = Literal["claim", "disputed", "notice"]


class TableRow(BaseModel):
    """A row of a table: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Label(TableRow):
    """A label in three languages; a language that was not found is None."""

    kk: str | None = None
    ru: str | None = None
    en: str | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Label:
        if not any((self.kk, self.ru, self.en)):
            raise ValueError("a label needs at least one language")
        return self

    def as_map(self) -> dict[str, str | None]:
        """Return it as a language map (for :meth:`kiosk.locale.Translator.pick`)."""
        return {"kk": self.kk, "ru": self.ru, "en": self.en}

    def text(self, language: str) -> str:
        """Return the label in ``language``, else the first of kk, ru, en."""
        return self.as_map().get(language) or self.kk or self.ru or self.en or ""


class LabelledRow(TableRow):
    """A row with an id, a label and its source."""

    id: Identifier
    label: Label
    status: dict[Language, SourceStatus]
    source: tuple[str, ...] = ()
    note: str = ""


class SlotRule(TableRow):
    """A document that belongs to a document type; an empty slot never refuses the filing (R14)."""

    type: Identifier
    required: bool
    many: bool


class DocumentType(LabelledRow):
    """A type of document that can be filed (tables: 1).

    Attributes:
        kinds: case kinds it is filed in (none: outside a case).
        formats: hearing formats it exists in (R49: a witness's receipt is offline only).
        when_closed: whether it may be filed in a closed case (S19).
        fees: ids of state fees that may be due.
        free_by: id of the ground of exemption by which nobody pays for it.
        visitor: whether a visitor hands it in; others come from a body or arise in the hearing.
        slots: documents that belong to it, in the order of scanning.
    """

    kinds: tuple[Identifier, ...]
    formats: tuple[Identifier, ...] = ("offline", "online", "mixed")
    when_closed: bool = True
    fees: tuple[Identifier, ...] = ()
    free_by: Identifier | None = None
    visitor: bool = True
    slots: tuple[SlotRule, ...]


class ApplicantField(TableRow):
    """A field of the applicant's data; it may be left out unless it is ``required``."""

    id: Literal["name", "iin", "phone", "organisation", "bin"]
    applies: tuple[Literal["person", "entity"], ...]
    required: bool
    status: SourceStatus
    note: str = ""


class CaseKind(LabelledRow):
    """A kind of case with the short name of its code, by language (tables: 2)."""

    code: dict[Language, str]


class Proceeding(LabelledRow):
    """A kind of proceedings within a case kind (tables: 2)."""

    kind: Identifier


class Instance(LabelledRow):
    """A court instance (tables: 2).

    Attributes:
        letter: stands behind the kind in a case number; empty: none does.
    """

    letter: str = ""


class Role(LabelledRow):
    """A role in a hearing (tables: 3)."""

    kinds: tuple[Identifier, ...]
    rights: Literal["control", "participate", "called", "observe"]


class HearingForm(LabelledRow):
    """A value of publicity, format or session (tables: 4)."""

    group: Literal["publicity", "format", "session"]


class LegalBasis(TableRow):
    """A norm on which a remote part may rest (tables: 4; R43-R45)."""

    id: Identifier
    norm: str
    kinds: tuple[Identifier, ...]
    source: tuple[str, ...] = ()


class ClosureGround(LabelledRow):
    """A ground for closing a hearing (tables: 5; АПК 19, УПК 29, КоАП 21).

    Attributes:
        needs: on what it rests: the law itself, an application of a person in the case, a ruling,
            the missing consent of correspondents, mass disorder.
        text: the court writes which circumstances they are.
        never_online: a state secret (R86).
        secret: a secret protected by law: on an application it is heard in the room (R87).
    """

    kinds: tuple[Identifier, ...]
    norms: tuple[str, ...]
    needs: ClosureRequirement
    text: bool = False
    never_online: bool = False
    secret: bool = False
    announcement: Literal["introductory_and_operative", "closed"] = "introductory_and_operative"


class ClosureEffect(TableRow):
    """Effect of closing a hearing (tables: 5)."""

    public_stream: bool
    public_list: Literal["title_hidden"]
    copies: bool
    announcement: Literal["introductory_and_operative"]
    source: tuple[str, ...]


class Permission(LabelledRow):
    """A permission requested from the court (tables: 6); ``consent_kinds`` need consent."""

    default: Literal[False]
    consent_kinds: tuple[Identifier, ...]


class EventType(LabelledRow):
    """A type of protocol event (tables: 7).

    Attributes:
        kinds: case kinds it happens in.
        course: whether it is part of the usual course; otherwise it is possible at any time.
        made_by: ``kiosk`` if the kiosk sets it itself (recess, link lost, ...).
        lasts_until: events with which it ends; empty: it is a moment.
        of: roles of the person whom it concerns, likeliest first; empty: nobody in particular.
        never_of: roles to whom the law does not let it happen (S7): these are not offered.
    """

    kinds: tuple[Identifier, ...]
    course: bool
    made_by: Literal["secretary", "kiosk"]
    of: tuple[Identifier, ...] = ()
    never_of: tuple[Identifier, ...] = ()
    lasts_until: tuple[Identifier, ...] = ()


class NoteTemplate(LabelledRow):
    """A beginning, or the whole, of a note that the secretary keeps."""


class UnrecordedSpan(TableRow):
    """Nothing is captured from the event ``start`` until the event ``until``."""

    start: Identifier = Field(alias="from")
    until: Identifier
    source: tuple[str, ...]


class ProtocolField(LabelledRow):
    """A field of the minutes (tables: 8); ``events`` are listed in it with their times."""

    number: Annotated[int, Field(ge=1)]
    events: tuple[Identifier, ...] = ()


class ProtocolTitle(TableRow):
    """Title of the minutes."""

    label: Label
    status: dict[Language, SourceStatus]
    source: tuple[str, ...]


class SignedBy(TableRow):
    """Roles that sign the minutes."""

    roles: tuple[Identifier, ...]
    source: tuple[str, ...]


class MinutesFields(TableRow):
    """The minutes of some kinds of cases: short (УПК 347-1(2), АПК 282(4)) or full (АПК 282(2)).

    ``is_partial``: the statute's list was not read in full.
    """

    kinds: tuple[Identifier, ...]
    is_partial: bool = False
    note: str = ""
    title: ProtocolTitle
    signed_by: SignedBy
    field: tuple[ProtocolField, ...]


class OathText(TableRow):
    """The oath in a language: the statute's text or why it is missing; never a translation."""

    language: Language
    text: str | None = None
    missing: str | None = None
    status: SourceStatus | None = None
    source: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _text_or_reason(self) -> OathText:
        if (self.text is None) == (self.missing is None):
            raise ValueError("an oath has either its text or the reason why it is missing")
        if self.text is not None and (self.status != "S" or not self.source):
            raise ValueError("an oath's text needs status S and its norm")
        return self


class Oath(TableRow):
    """The oath of a witness (tables: 9)."""

    kinds: tuple[Identifier, ...]
    roles: tuple[Identifier, ...]
    minimum_age: int
    source: tuple[str, ...]
    note: str
    text: tuple[OathText, ...]


class Rate(TableRow):
    """A rate of a state fee (tables: 10), computed in exactly one way.

    Attributes:
        percent: percentage of the claim's amount, at most ``max_mrp`` times the monthly index.
        mrp: multiple of the monthly index.
        same_as: id of another fee, of which ``share_percent`` is due.
        mrp_per_document: multiple of the index per document, plus ``mrp_per_page`` per page.
    """

    percent: Decimal | None = None
    max_mrp: Decimal | None = None
    mrp: Decimal | None = None
    same_as: Identifier | None = None
    share_percent: Decimal = Decimal(100)
    mrp_per_document: Decimal | None = None
    mrp_per_page: Decimal | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Rate:
        ways = (self.percent, self.mrp, self.same_as, self.mrp_per_document)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a rate is computed in exactly one way")
        if (self.mrp_per_document is None) != (self.mrp_per_page is None):
            raise ValueError("mrp_per_document and mrp_per_page belong together")
        return self


class Fee(LabelledRow):
    """A row of the state fee; ``entity`` is None if there is none for legal entities.

    Attributes:
        amount: the sum that a percentage is of: of the claim, the one that the applicant disputes,
            or the one that the disputed tax notice names.
        elsewhere: another court's, so no document of this kiosk has it.
    """

    individual: Rate
    entity: Rate | None = None
    amount: FeeAmount = "claim"
    elsewhere: bool = False


class Exemption(LabelledRow):
    """A ground of exemption that a visitor may name; the court decides (НК 668, 671).

    Attributes:
        norm: the text of the act; ``label`` is a caption for it.
        group: what it hangs on.
        deferred: the fee is due, but only after the decision (АПК 106(3)).
    """

    norm: Label
    group: ExemptionGroup
    deferred: bool = False


class StateFee(TableRow):
    """The state fee, in force from ``valid_from``."""

    valid_from: date
    source: tuple[str, ...]
    note: str
    fee: tuple[Fee, ...]
    exemption: tuple[Exemption, ...]


class Mrp(TableRow):
    """The monthly index (MRP, АЕК) for payment dates from ``valid_from`` to ``valid_until``."""

    valid_from: date
    valid_until: date
    tenge: Decimal
    status: SourceStatus
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Mrp:
        if self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self


class Limit(TableRow):
    """A limit or parameter (tables: 11); ``value`` is None if none was found."""

    id: Identifier
    value: float | int | bool | str | tuple[str, ...] | None = None
    unit: str = ""
    status: SourceStatus = "L"
    source: tuple[str, ...] = ()
    note: str = ""
    missing: str | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> Limit:
        if (self.value is None) == (self.missing is None):
            raise ValueError("a limit has either a value or the reason why it is missing")
        return self


class OnlineService(LabelledRow):
    """Where a visitor does something from home (R7-R18); ``url`` is None if none was found.

    Attributes:
        purpose: what it is for.
        missing: why there is no address.
    """

    purpose: Label
    url: str | None = None
    missing: str | None = None

    @model_validator(mode="after")
    def _url_or_reason(self) -> OnlineService:
        if (self.url is None) == (self.missing is None):
            raise ValueError("a service has either an address or the reason why it is missing")
        return self


class LinkVerdict(LabelledRow):
    """How the measured rate stands to the least one, as a sentence (R31)."""


class CallVerdict(LabelledRow):
    """What people will notice in a call over the measured line, as a sentence (R30)."""


class LinkRemedy(LabelledRow):
    """The one thing that helps on the measured line, as a sentence (R30)."""


class LanguageRow(TableRow):
    """A language of screens and record, with its own name."""

    id: Language
    name: str


class Question(TableRow):
    """A question of the rules about a hearing, asked after its start (R20, R21).

    Attributes:
        formats: asked in these formats only (none: in any); likewise ``publicity``.
        kinds: asked in these kinds of cases only (none: in any).
        flags: asked only where the hearing has all of these (``liberty_at_stake``, …).
        adhoc_only: asked only where no list names the hearing.
        typed: the answer is typed; otherwise it is chosen.
        letters: it is a sentence, not a number.
        when: asked only after one of these answers to another question.
        unless: not asked after one of these answers.
        closure_needs: asked when the ground of closing rests on one of these.
        closure_text: asked when the court writes which circumstances the ground is.
    """

    id: Identifier
    source: tuple[str, ...]
    formats: tuple[Identifier, ...] = ()
    publicity: tuple[Identifier, ...] = ()
    kinds: tuple[Identifier, ...] = ()
    flags: tuple[Identifier, ...] = ()
    adhoc_only: bool = False
    typed: bool = False
    letters: bool = False
    when: dict[Identifier, tuple[str, ...]] = {}
    unless: dict[Identifier, tuple[str, ...]] = {}
    closure_needs: tuple[ClosureRequirement, ...] = ()
    closure_text: bool = False

    def is_due(
        self, hearing: Mapping[str, Any], answers: Mapping[str, Any], ground: ClosureGround | None
    ) -> bool:
        """Return whether it is to be asked, apart from what is answered already.

        Args:
            hearing: its fields; some may be missing.
            answers: the newest answer by question.
            ground: of closing, None while none is named.
        """
        return (
            (not self.formats or hearing.get("format") in self.formats)
            and (not self.publicity or hearing.get("publicity") in self.publicity)
            and (not self.kinds or hearing.get("kind") in self.kinds)
            and all(hearing.get(name) for name in self.flags)
            and (not self.adhoc_only or bool(hearing.get("adhoc")))
            and all(answers.get(name) in values for name, values in self.when.items())
            and not any(answers.get(name) in values for name, values in self.unless.items())
            and (not self.closure_needs or (ground and ground.needs) in self.closure_needs)
            and (not self.closure_text or (ground is not None and ground.text))
        )
