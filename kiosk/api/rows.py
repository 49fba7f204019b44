"""Reads lists from outside row by row: an odd row never hides the others.

A list from the court's system is typed by people and exported by software nobody here knows. Each
row is read field by field. An unreadable field takes its default; a row is dropped only if a field
without a default (its id) cannot be read. The reasons say where and what was expected, never what
was there: rows hold personal data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from kiosk.api.base import Model, Moment

YEARS = range(1970, 2200)
"""Years of a believable time. “No end” is often 9999, “not set” 0001 or 1900."""
MAX_REASONS = 20
"""Reasons that are kept of one list; the rows are counted all the same."""

Expected = Literal[
    "text",
    "shorter text",
    "number",
    "whole number",
    "number in range",
    "yes or no",
    "time with offset",
    "list",
    "shorter list",
    "object",
    "id",
    "unique id",
    "known value",
    "value",
]
"""What was expected in place of something unreadable. A word for court IT, not for the public."""
_EXPECTED: dict[str, Expected] = {
    "string_too_long": "shorter text",
    "string": "text",
    "int": "whole number",
    "float": "number",
    "finite": "number in range",
    "greater": "number in range",
    "less": "number in range",
    "bool": "yes or no",
    "time": "time with offset",
    "list": "list",
    "tuple": "list",
    "too_long": "shorter list",
    "model": "object",
    "json": "object",
    "id": "id",
    "literal": "known value",
    "enum": "known value",
}
"""By the beginning of pydantic's error type; the first that fits."""
MAX_ROWS = 5000
"""Rows that are read of a published list: the recorder reads it between two States."""
_MAX_ITEMS = 1000  # of a list within a row
_MAX_ROUNDS = 4  # leaving a field out may show an error that was hidden behind it
_DEPTH = 5  # no model has text below this; JSON may be nested deeper
_NO_TEXT = object()  # in place of text that UTF-8 cannot hold: unreadable as any field
_SURROGATE = re.compile("[\ud800-\udfff]")

M = TypeVar("M", bound=Model)


class RowProblem(Model):
    """Why a row could not be read completely. Holds no personal data."""

    row: int
    """Number of the row in the list, from 1."""
    field: str
    """Path of the field, as ``participants[0].name``; empty: the row itself."""
    expected: Expected


@dataclass(frozen=True)
class ReadRows(Generic[M]):
    """A list as far as it can be read.

    Attributes:
        rows: the readable rows in the order of the list, each key once.
        problems: what could not be read.
        total: how many rows the list has.
    """

    rows: tuple[M, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    total: int = 0

    @property
    def unreadable(self) -> int:
        """How many rows could not be read completely."""
        return len({problem.row for problem in self.problems})


class ListReport(Model):
    """A list from the central system that could not be read completely."""

    list: str
    """``hearings``, ``staff``, ``filings`` or ``cases``."""
    rows: int
    unreadable: int
    """Rows of which at least one field could not be read."""
    problems: tuple[RowProblem, ...] = ()
    """The first reasons."""


def report_of(name: str, read: ReadRows[Any]) -> ListReport:
    """Return what court IT needs to know of a list."""
    problems = read.problems[:MAX_REASONS]
    return ListReport(list=name, rows=read.total, unreadable=read.unreadable, problems=problems)


def _check_time(text: str, info: ValidationInfo) -> str:
    """Return the text of a believable time with its offset; without one, it is the zone's time.

    The zone is the context of the reading; a strict reading has none.
    """
    try:
        moment: datetime | None = datetime.fromisoformat(text)
        if moment and moment.tzinfo is None and isinstance(info.context, ZoneInfo):
            moment = moment.replace(tzinfo=info.context)
            text = moment.isoformat()
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise PydanticCustomError("time", "a time with its offset from UTC is expected")
    return text


def _check_id(text: str) -> str:
    """Return the text of an id; it may not be blank."""
    if not text.strip():
        raise PydanticCustomError("id", "an id is expected")
    return text


ListedText = Annotated[str, Field(coerce_numbers_to_str=True)]
"""Text; a number is read as its digits, and reported."""
ListedId = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_check_id)]
"""An id; without it the row is dropped."""
ListedTime = Annotated[Moment, AfterValidator(_check_time)]
"""A moment of a believable year."""


def read_rows(
    model: type[M],
    rows: object,
    key: str | None = None,
    zone: ZoneInfo | None = None,
    most: int | None = None,
) -> ReadRows[M]:
    """Read a list row by row.

    Args:
        model: of one row; fields without a default are essential.
        rows: the JSON; anything but a list is one unreadable row.
        key: field that names a row. Of rows with the same key, the first is kept.
        zone: in which a time without offset is read; None: such a time is unreadable.
        most: rows that are read at most; each row beyond is a problem.
    """
    items = rows if isinstance(rows, list) else [rows]
    found: list[M] = []
    problems: list[RowProblem] = []
    known: set[Any] = set()
    for number, item in enumerate(items[:most], start=1):
        value, row_problems = read_row(model, item, number, zone)
        problems += row_problems
        if value is None:
            continue
        name = getattr(value, key) if key is not None else None
        if name is not None and name in known:
            problems.append(RowProblem(row=number, field=str(key), expected="unique id"))
            continue
        known.add(name)
        found.append(value)
    problems += [
        RowProblem(row=number, field="", expected="shorter list")
        for number in range(len(items[:most]) + 1, len(items) + 1)
    ]
    return ReadRows(tuple(found), tuple(problems), len(items))


def read_row(
    model: type[M], item: object, number: int = 1, zone: ZoneInfo | None = None
) -> tuple[M | None, list[RowProblem]]:
    """Read one row; return it (None: an essential field is unreadable) and the problems.

    Anything that is not exactly of the model's types is a problem, even where it can be read, as
    the number ``"60"``: the sender should know.
    """
    if not isinstance(item, dict):
        return None, [RowProblem(row=number, field="", expected="object")]
    value = {name: item[name] for name in model.model_fields if name in item}
    too_long = [name for name, field in value.items() if _is_too_long(field)]
    value |= {name: value[name][:_MAX_ITEMS] for name in too_long}
    problems: dict[tuple[int | str, ...], Expected] = {(name,): "shorter list" for name in too_long}
    try:
        read = model.model_validate_json(json.dumps(value), strict=True)
    except (ValidationError, RecursionError) as error:
        details = _details(error)
    else:
        return read, _row_problems(number, problems)
    if not any(detail["type"].startswith("json") for detail in details):
        problems |= {detail["loc"]: _expectation(detail) for detail in details}
    return _read_by_field(model, value, number, zone, problems)


def _read_by_field(
    model: type[M],
    value: dict[str, Any],
    number: int,
    zone: ZoneInfo | None,
    problems: dict[tuple[int | str, ...], Expected],
) -> tuple[M | None, list[RowProblem]]:
    """Read a row without what cannot be read; add to the problems."""
    value = cast(dict[str, Any], _without_surrogates(value))
    read: M | None = None
    for _ in range(_MAX_ROUNDS):
        try:
            read = model.model_validate(value, context=zone)
            break
        except ValidationError as error:
            details = _details(error)
        problems = {detail["loc"]: _expectation(detail) for detail in details} | problems
        for detail in sorted(details, key=lambda detail: _sort_key(detail["loc"]), reverse=True):
            place = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
            value = cast(dict[str, Any], _repaired(value, place, detail))
    return read, _row_problems(number, problems)


def _row_problems(number: int, problems: dict[tuple[int | str, ...], Expected]) -> list[RowProblem]:
    return [
        RowProblem(row=number, field=_path(place), expected=expected)
        for place, expected in problems.items()
    ]


def _is_too_long(field: object) -> bool:
    return isinstance(field, list) and len(field) > _MAX_ITEMS


def _details(error: ValidationError | RecursionError) -> list[ErrorDetails]:
    if isinstance(error, RecursionError):
        return [{"type": "json_invalid", "loc": (), "msg": "", "input": None}]
    return error.errors(include_input=False, include_url=False)


def _without_surrogates(value: Any, depth: int = _DEPTH) -> Any:
    """Return ``value`` without text that UTF-8 cannot hold (half of a surrogate pair).

    No file and no database takes it; pydantic lets it pass where no length is checked.
    """
    if isinstance(value, str):
        return value if value.isascii() or not _SURROGATE.search(value) else _NO_TEXT
    if depth and isinstance(value, dict):
        return {key: _without_surrogates(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list):
        return [_without_surrogates(item, depth - 1) for item in value]
    return value


def _expectation(detail: ErrorDetails) -> Expected:
    kind = detail["type"]
    return next((word for start, word in _EXPECTED.items() if kind.startswith(start)), "value")


def _repaired(value: Any, place: tuple[int | str, ...], detail: ErrorDetails) -> Any:
    """Return a copy of ``value`` without what is at ``place``, or with it cut to its limit."""
    if not place:
        return value
    head, *rest = place
    if rest and isinstance(value, dict) and head in value:
        return value | {head: _repaired(value[head], tuple(rest), detail)}
    if rest and isinstance(value, list) and isinstance(head, int) and head < len(value):
        return [*value[:head], _repaired(value[head], tuple(rest), detail), *value[head + 1 :]]
    limit = detail.get("ctx", {}).get("max_length")
    if isinstance(value, dict) and head in value:
        if limit is not None and detail["type"].endswith("too_long"):
            return value | {head: _cut(value[head], limit)}
        return {key: item for key, item in value.items() if key != head}
    if isinstance(value, list) and isinstance(head, int):
        return [*value[:head], *value[head + 1 :]]
    return value


def _cut(item: Any, limit: int) -> Any:
    return item[:limit] if isinstance(item, str | list) else str(item)[:limit]


def _sort_key(place: tuple[int | str, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((part, 0) if isinstance(part, str) else ("", part) for part in place)


def _path(place: Iterable[int | str]) -> str:
    """Return a place as ``participants[0].name``."""
    return "".join(_steps(place)).lstrip(".")


def _steps(place: Iterable[int | str]) -> Iterator[str]:
    for part in place:
        yield f"[{part}]" if isinstance(part, int) else f".{part}"
