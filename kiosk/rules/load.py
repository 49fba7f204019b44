"""Read the rules data and check it: malformed rows, unknown references, look-alike letters."""

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
from kiosk.rules.rules import Rules
from kiosk.rules.text import has_latin_schwa

DATA = Path(__file__).parent / "data"
FORMAT = 1

M = TypeVar("M", bound=BaseModel)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_HasId)


class _Reader:
    """Reads tables out of one folder and gathers every problem, instead of the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []

    def file(self, name: str) -> dict[str, Any]:
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

    def one(self, kind: type[M], name: str, value: Any) -> M | None:
        """Return ``value`` as ``kind``; None, and a problem, where it is not one."""
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            who = f" “{value['id']}”" if isinstance(value, dict) and "id" in value else ""
            for item in error.errors():
                where = ".".join(str(key) for key in item["loc"])
                self.problems.append(f"{name}.toml{who}: {where or 'row'}: {item['msg']}")
            return None

    def rows(self, kind: type[M], name: str, key: str) -> tuple[M, ...]:
        """Return the array of tables ``key`` of ``name``.toml."""
        values = self.file(name).get(key, [])
        if not values:
            self.problems.append(f"{name}.toml: no [[{key}]]")
        read = (self.one(kind, name, value) for value in values)
        return tuple(row for row in read if row is not None)

    def table(self, rows: Iterable[R], name: str) -> dict[str, R]:
        """Return ``rows`` by id; an id that comes twice is a problem."""
        found: dict[str, R] = {}
        for row in rows:
            if row.id in found:
                self.problems.append(f"{name}.toml: “{row.id}” stands there twice")
            found[row.id] = row
        return found

    def raise_problems(self) -> None:
        """Raise all problems as one :class:`RulesError`, if there are any."""
        if self.problems:
            raise RulesError("rules data:\n" + "\n".join(self.problems))


def load_rules(folder: Path = DATA) -> Rules:
    """Return the checked rules of ``folder``.

    Raises:
        RulesError: one line per problem, naming file, row and what is wrong.
    """
    read = _Reader(folder)
    head = read.file("rules")
    if head.get("format") != FORMAT:
        read.problems.append(f"rules.toml: format {head.get('format')}; this kiosk reads {FORMAT}")
    simple = {
        "document_types": (model.DocumentType, "document_types", "document_type"),
        "applicant_fields": (model.ApplicantField, "applicant", "field"),
        "case_kinds": (model.CaseKind, "case_kinds", "case_kind"),
        "proceedings": (model.Proceeding, "case_kinds", "proceeding"),
        "instances": (model.Instance, "case_kinds", "instance"),
        "roles": (model.Role, "roles", "role"),
        "forms": (model.Form, "forms", "form"),
        "legal_bases": (model.LegalBasis, "forms", "legal_basis"),
        "closure_grounds": (model.ClosureGround, "closure_grounds", "ground"),
        "permissions": (model.Permission, "permissions", "permission"),
        "events": (model.EventType, "events", "event"),
        "limits": (model.Limit, "limits", "limit"),
        "link_verdicts": (model.LinkVerdict, "limits", "link_verdict"),
        "languages": (model.LanguageRow, "languages", "language"),
        "questions": (model.Question, "rules", "question"),
    }
    tables: dict[str, Any] = {
        field: MappingProxyType(read.table(read.rows(kind, name, key), name))
        for field, (kind, name, key) in simple.items()
    }
    tables["orders"] = read.rows(model.Order, "events", "order")
    tables["follows"] = read.rows(model.Follow, "events", "follow")
    tables["not_recorded"] = read.rows(model.NotRecorded, "events", "not_recorded")
    tables["mrp"] = read.rows(model.Mrp, "mrp", "mrp")
    tables["short_protocol"] = read.one(
        model.ShortProtocol, "short_protocol", read.file("short_protocol")
    )
    tables["oath"] = read.one(model.Oath, "oath", read.file("oath"))
    tables["state_fee"] = read.one(model.StateFee, "state_fee", read.file("state_fee"))
    effect = read.file("closure_grounds").get("effect")
    tables["closure_effect"] = read.one(model.ClosureEffect, "closure_grounds", effect)
    read.raise_problems()
    rules = Rules(
        version=str(head["version"]), checked=head["checked"], note=str(head["note"]), **tables
    )
    read.problems.extend(_contradictions(rules))
    read.raise_problems()
    return rules


def _contradictions(rules: Rules) -> Iterator[str]:
    """Yield every reference to a row that is not there, and every overlap of dates."""
    fees = {row.id for row in rules.state_fee.fee}
    references = (
        ("case kind", rules.case_kinds.keys(), _kinds_named(rules)),
        ("event", rules.events.keys(), _events_named(rules)),
        ("role", rules.roles.keys(), _roles_named(rules)),
        ("document type", rules.document_types.keys(), _types_named(rules)),
        ("fee", fees, _fees_named(rules)),
        ("form", rules.forms.keys(), _forms_named(rules)),
    )
    for name, known, named in references:
        for place, identifier in named:
            if identifier not in known:
                yield f"{place}: no {name} “{identifier}”"
    spans = sorted(rules.mrp, key=lambda row: row.valid_from)
    for earlier, later in pairwise(spans):
        if later.valid_from <= earlier.valid_until:
            yield f"mrp.toml: {later.valid_from} lies in the row before it"
    numbers = [row.number for row in rules.short_protocol.field]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "short_protocol.toml: the fields are not numbered 1, 2, 3, ..."


def _kinds_named(rules: Rules) -> Iterator[tuple[str, str]]:
    rows: list[tuple[str, Any]] = [
        *((f"document_types.toml “{row.id}”", row) for row in rules.document_types.values()),
        *((f"roles.toml “{row.id}”", row) for row in rules.roles.values()),
        *((f"closure_grounds.toml “{row.id}”", row) for row in rules.closure_grounds.values()),
        *((f"events.toml “{row.id}”", row) for row in rules.events.values()),
        *((f"forms.toml “{row.id}”", row) for row in rules.legal_bases.values()),
        *((f"events.toml order of “{row.event}”", row) for row in rules.orders),
        *((f"events.toml follow “{row.after}”", row) for row in rules.follows),
        ("oath.toml", rules.oath),
    ]
    for place, row in rows:
        for kind in row.kinds:
            yield place, kind
    for ground in rules.closure_grounds.values():
        for kind in ground.assumed_kinds:
            yield f"closure_grounds.toml “{ground.id}”", kind
    for proceeding in rules.proceedings.values():
        yield f"case_kinds.toml “{proceeding.id}”", proceeding.kind
    for permission in rules.permissions.values():
        for kind in permission.consent_kinds:
            yield f"permissions.toml “{permission.id}”", kind


def _events_named(rules: Rules) -> Iterator[tuple[str, str]]:
    for order in rules.orders:
        yield from (("events.toml order", name) for name in (order.before, order.event))
    for follow in rules.follows:
        names = (follow.after, *follow.expect, *follow.once_done)
        yield from (("events.toml follow", name) for name in names)
    for span in rules.not_recorded:
        yield from (("events.toml not_recorded", name) for name in (span.start, span.until))
    for field in rules.short_protocol.field:
        yield from ((f"short_protocol.toml “{field.id}”", name) for name in field.events)


def _roles_named(rules: Rules) -> Iterator[tuple[str, str]]:
    yield from (("oath.toml", name) for name in rules.oath.roles)
    yield from (("short_protocol.toml", name) for name in rules.short_protocol.signed_by.roles)


def _types_named(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", slot.type) for slot in row.slots)


def _fees_named(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", name) for name in row.fees)
    for fee in rules.state_fee.fee:
        for rate in (fee.individual, fee.entity):
            if rate is not None and rate.same_as is not None:
                yield f"state_fee.toml “{fee.id}”", rate.same_as


def _forms_named(rules: Rules) -> Iterator[tuple[str, str]]:
    for row in rules.document_types.values():
        yield from ((f"document_types.toml “{row.id}”", name) for name in row.formats)
    for condition in (*rules.orders, *rules.follows):
        yield from (("events.toml", name) for name in condition.formats)
    for question in rules.questions.values():
        names = (*question.formats, *question.publicity)
        yield from ((f"rules.toml “{question.id}”", name) for name in names)
