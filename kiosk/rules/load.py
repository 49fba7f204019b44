"""Reads and checks the rules data: malformed rows, unknown references, look-alike letters."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from kiosk.rules import model
from kiosk.rules.errors import RulesError
from kiosk.rules.explanations import Explanation
from kiosk.rules.order_model import Order
from kiosk.rules.rules import Rules
from kiosk.rules.text import has_latin_schwa

DATA_FOLDER = Path(__file__).parent / "data"
FORMAT_VERSION = 1

M = TypeVar("M", bound=BaseModel)


class _RowWithId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_RowWithId)


class _Reader:
    """Reads tables from a folder and collects all problems."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []

    def read_file(self, name: str) -> dict[str, Any]:
        """Return the content of ``name``.toml (read once)."""
        if name not in self._files:
            self._files[name] = self._read(self._folder / f"{name}.toml")
        return self._files[name]

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{path.name}: cannot be read: {error}")
            return {}
        for number, line in enumerate(text.splitlines(), 1):
            if has_latin_schwa(line):
                self.problems.append(f"{path.name}:{number}: Latin schwa; the Cyrillic ә is meant")
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(f"{path.name}: not TOML: {error}")
            return {}

    def validate_row(self, kind: type[M], name: str, value: object) -> M | None:
        """Return ``value`` as ``kind``, or add its problems and return None."""
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            who = f" “{value['id']}”" if isinstance(value, dict) and "id" in value else ""
            for item in error.errors():
                where = ".".join(str(key) for key in item["loc"])
                self.problems.append(f"{name}.toml{who}: {where or 'row'}: {item['msg']}")
            return None

    def read_rows(self, kind: type[M], name: str, key: str) -> tuple[M, ...]:
        """Return the array of tables ``key`` of ``name``.toml."""
        values = self.read_file(name).get(key, [])
        if not values:
            self.problems.append(f"{name}.toml: no [[{key}]]")
        read = (self.validate_row(kind, name, value) for value in values)
        return tuple(row for row in read if row is not None)

    def index_rows(self, rows: Iterable[R], name: str) -> dict[str, R]:
        """Return ``rows`` by id; an id that is there twice is a problem."""
        found: dict[str, R] = {}
        for row in rows:
            if row.id in found:
                self.problems.append(f"{name}.toml: “{row.id}” is there twice")
            found[row.id] = row
        return found

    def raise_problems(self) -> None:
        """Raise a :class:`RulesError` with all problems, if there are any."""
        if self.problems:
            raise RulesError("rules data:\n" + "\n".join(self.problems))


SHORT_PROTOCOLS = ("short_protocol", "short_protocol_civil")
FULL_PROTOCOLS = ("full_protocol", "full_protocol_civil")
"""Files of the short and the full minutes, each for its kinds of cases."""


def load_rules(folder: Path = DATA_FOLDER) -> Rules:
    """Return the checked rules of ``folder``.

    Raises:
        RulesError: it has one line per problem with file, row and reason.
    """
    reader = _Reader(folder)
    header = reader.read_file("rules")
    if header.get("format") != FORMAT_VERSION:
        reader.problems.append(
            f"rules.toml: format {header.get('format')}; this kiosk reads {FORMAT_VERSION}"
        )
    table_sources = {
        "document_types": (model.DocumentType, "document_types", "document_type"),
        "applicant_fields": (model.ApplicantField, "applicant", "field"),
        "case_kinds": (model.CaseKind, "case_kinds", "case_kind"),
        "proceedings": (model.Proceeding, "case_kinds", "proceeding"),
        "instances": (model.Instance, "case_kinds", "instance"),
        "roles": (model.Role, "roles", "role"),
        "forms": (model.HearingForm, "forms", "form"),
        "legal_bases": (model.LegalBasis, "forms", "legal_basis"),
        "closure_grounds": (model.ClosureGround, "closure_grounds", "ground"),
        "permissions": (model.Permission, "permissions", "permission"),
        "events": (model.EventType, "events", "event"),
        "note_templates": (model.NoteTemplate, "notes", "template"),
        "limits": (model.Limit, "limits", "limit"),
        "link_verdicts": (model.LinkVerdict, "limits", "link_verdict"),
        "call_verdicts": (model.CallVerdict, "limits", "call_verdict"),
        "link_remedies": (model.LinkRemedy, "limits", "link_remedy"),
        "online_services": (model.OnlineService, "online_services", "service"),
        "languages": (model.LanguageRow, "languages", "language"),
        "questions": (model.Question, "rules", "question"),
        "explanations": (Explanation, "explanations", "explanation"),
    }
    tables: dict[str, Any] = {
        field: MappingProxyType(reader.index_rows(reader.read_rows(kind, name, key), name))
        for field, (kind, name, key) in table_sources.items()
    }
    tables["order"] = reader.validate_row(Order, "order", reader.read_file("order"))
    tables["unrecorded_spans"] = reader.read_rows(model.UnrecordedSpan, "events", "not_recorded")
    tables["mrp"] = reader.read_rows(model.Mrp, "mrp", "mrp")
    for table, names in (("short_protocols", SHORT_PROTOCOLS), ("full_protocols", FULL_PROTOCOLS)):
        tables[table] = tuple(
            reader.validate_row(model.MinutesFields, name, reader.read_file(name)) for name in names
        )
    tables["oath"] = reader.validate_row(model.Oath, "oath", reader.read_file("oath"))
    tables["state_fee"] = reader.validate_row(
        model.StateFee, "state_fee", reader.read_file("state_fee")
    )
    effect = reader.read_file("closure_grounds").get("effect")
    tables["closure_effect"] = reader.validate_row(model.ClosureEffect, "closure_grounds", effect)
    reader.raise_problems()
    rules = Rules(
        version=str(header["version"]),
        checked=header["checked"],
        note=str(header["note"]),
        **tables,
    )
    reader.problems.extend(_find_contradictions(rules))
    reader.raise_problems()
    return rules


def load_mrp(folder: Path = DATA_FOLDER) -> tuple[model.Mrp, ...]:
    """Return the monthly indices of the release alone.

    Raises:
        RulesError: the file is not as it should be.
    """
    reader = _Reader(folder)
    rows = reader.read_rows(model.Mrp, "mrp", "mrp")
    reader.raise_problems()
    return rows


def _find_contradictions(rules: Rules) -> Iterator[str]:
    """Yield every reference to an absent row and every overlap of dates."""
    fees = {row.id for row in rules.state_fee.fee}
    references = (
        ("case kind", rules.case_kinds.keys(), _referenced_kinds(rules)),
        ("event", rules.events.keys(), _referenced_events(rules)),
        ("role", rules.roles.keys(), _referenced_roles(rules)),
        ("document type", rules.document_types.keys(), _referenced_types(rules)),
        ("fee", fees, _referenced_fees(rules)),
        ("exemption", {row.id for row in rules.state_fee.exemption}, _referenced_grounds(rules)),
        ("form", rules.forms.keys(), _referenced_forms(rules)),
    )
    for name, known, named in references:
        for place, identifier in named:
            if identifier not in known:
                yield f"{place}: no {name} “{identifier}”"
    spans = sorted(rules.mrp, key=lambda row: row.valid_from)
    for earlier, later in pairwise(spans):
        if later.valid_from <= earlier.valid_until:
            yield f"mrp.toml: {later.valid_from} is within the row before it"
    turns = [n for n, step in enumerate(rules.order.step) if step.when == "turn"]
    if turns and turns[-1] - turns[0] + 1 != len(turns):
        yield "order.toml: the steps of a person's turn do not stand together"
    yield from _find_protocol_contradictions(rules)


def _find_protocol_contradictions(rules: Rules) -> Iterator[str]:
    names = (*SHORT_PROTOCOLS, *FULL_PROTOCOLS)
    for name, protocol in zip(names, _protocols(rules), strict=True):
        numbers = [row.number for row in protocol.field]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{name}.toml: the fields are not numbered 1, 2, 3, ..."
    for table, protocols in (("short", rules.short_protocols), ("full", rules.full_protocols)):
        kinds = [kind for protocol in protocols for kind in protocol.kinds]
        if sorted(kinds) != sorted(rules.case_kinds):
            yield f"{table}_protocol: each kind of case needs exactly one"


def _protocols(rules: Rules) -> tuple[model.MinutesFields, ...]:
    return (*rules.short_protocols, *rules.full_protocols)


def _referenced_kinds(rules: Rules) -> Iterator[tuple[str, str]]:
    rows: list[tuple[str, Any]] = [
        *((f"document_types.toml “{row.id}”", row) for row in rules.document_types.values()),
        *((f"roles.toml “{row.id}”", row) for row in rules.roles.values()),
        *((f"closure_grounds.toml “{row.id}”", row) for row in rules.closure_grounds.values()),
        *((f"events.toml “{row.id}”", row) for row in rules.events.values()),
        *((f"forms.toml “{row.id}”", row) for row in rules.legal_bases.values()),
        *((f"order.toml step “{row.event}”", row) for row in rules.order.step),
        *((f"order.toml follow “{row.after}”", row) for row in rules.order.follow),
        *(("order.toml announcement", row) for row in rules.order.announcement),
        *(("order.toml without_minutes", row) for row in rules.order.without_minutes),
        *((f"rules.toml “{row.id}”", row) for row in rules.questions.values()),
        ("oath.toml", rules.oath),
        *((f"explanations.toml “{row.id}”", row) for row in rules.explanations.values()),
    ]
    for place, row in rows:
        for kind in row.kinds:
            yield place, kind
    for proceeding in rules.proceedings.values():
        yield f"case_kinds.toml “{proceeding.id}”", proceeding.kind
    for permission in rules.permissions.values():
        for kind in permission.consent_kinds:
            yield f"permissions.toml “{permission.id}”", kind


def _referenced_events(rules: Rules) -> Iterator[tuple[str, str]]:
    for step in rules.order.step:
        names = (step.event, *step.once, *step.needed_for)
        yield from ((f"order.toml step “{step.event}”", name) for name in names)
    for follow in rules.order.follow:
        names = (follow.after, *follow.expect, *follow.once_done)
        yield from (("order.toml follow", name) for name in names)
    for event in rules.events.values():
        yield from ((f"events.toml “{event.id}”", name) for name in event.lasts_until)
    for span in rules.unrecorded_spans:
        yield from (("events.toml not_recorded", name) for name in (span.start, span.until))
    for protocol in _protocols(rules):
        for field in protocol.field:
            yield from ((f"protocol “{field.id}”", name) for name in field.events)
    for row in rules.explanations.values():
        yield from ((f"explanations.toml “{row.id}”", name) for name in row.events)


def _referenced_roles(rules: Rules) -> Iterator[tuple[str, str]]:
    yield from (("oath.toml", name) for name in rules.oath.roles)
    for row in rules.explanations.values():
        yield from ((f"explanations.toml “{row.id}”", name) for name in row.roles)
    for event in rules.events.values():
        names = (*event.of, *event.never_of)
        yield from ((f"events.toml “{event.id}”", name) for name in names)
    for protocol in _protocols(rules):
        yield from (("protocol", name) for name in protocol.signed_by.roles)
    for step in rules.order.step:
        names = rules.order.roles_of((*step.of, *step.with_roles, *step.met_by))
        yield from ((f"order.toml step “{step.event}”", name) for name in names)


def _referenced_types(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", slot.type) for slot in row.slots)


def _referenced_fees(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", name) for name in row.fees)
    for fee in rules.state_fee.fee:
        for rate in (fee.individual, fee.entity):
            if rate is not None and rate.same_as is not None:
                yield f"state_fee.toml “{fee.id}”", rate.same_as


def _referenced_grounds(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        if row.free_by is not None:
            yield f"document_types.toml “{row.id}”", row.free_by


def _referenced_forms(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", name) for name in row.formats)
    for follow in rules.order.follow:
        yield from ((f"order.toml follow “{follow.after}”", name) for name in follow.formats)
    for absent in rules.order.without_minutes:
        if absent.session is not None:
            yield "order.toml without_minutes", absent.session
    for question in rules.questions.values():
        names = (*question.formats, *question.publicity)
        yield from ((f"rules.toml “{question.id}”", name) for name in names)
