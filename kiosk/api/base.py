"""Base class of the contract's models, and how JSON is compared with a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

Moment = Annotated[
    str, WithJsonSchema({"type": "string", "description": "RFC 3339, UTC, milliseconds (or ``)"})
]
"""Wall time as text (:func:`kiosk.clocks.format_wall`); ``""`` where it is not known."""

OptionalText = Annotated[
    str,
    BeforeValidator(lambda value: "" if value is None else value),
    WithJsonSchema({"type": ["string", "null"]}),
]
"""Text of a request; null is the same as ``""``."""


def _as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else None


LooseText = Annotated[str | None, BeforeValidator(_as_text)]
"""Text that comes from outside: a number becomes text, anything else null."""


class Model(BaseModel):
    """A part of the contract. Frozen; reading ignores unknown keys, so that a newer service fits.

    A field with a default may be missing in JSON from an older service. A service always sends
    every key.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # at its first use: an interrupted hearing resumes sooner
    )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this model, every key included."""
        return self.model_dump(mode="json")


class SparseModel(Model):
    """A model whose null fields are left out of its JSON."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this model without null fields."""
        return self.model_dump(mode="json", exclude_none=True)


M = TypeVar("M", bound=Model)
T = TypeVar("T")


def _read_rows(value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Read a list; with a list of ``problems`` as the context, read it row by row."""
    problems = info.context
    if not isinstance(problems, list):
        return read(value)
    rows: list[Any] = []
    for number, row in enumerate(value if isinstance(value, list) else [value]):
        rows += _read_row(row, read, f"{info.field_name}[{number}]", problems)
    return tuple(rows)


def _read_row(
    row: Any, read: ValidatorFunctionWrapHandler, place: str, problems: list[str]
) -> tuple[Any, ...]:
    """Return the row in a tuple, without its unreadable fields; nothing if one is essential."""
    try:
        return tuple(read((row,)))
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
    problems += [_problem(place, detail["loc"][1:], detail["msg"]) for detail in details]
    fields = {detail["loc"][1] for detail in details if len(detail["loc"]) > 1}
    if not isinstance(row, dict):
        return ()
    try:
        return tuple(read(({key: item for key, item in row.items() if key not in fields},)))
    except ValidationError:
        return ()


def describe_problems(error: ValidationError) -> list[str]:
    """Return what does not fit, field by field, without any value."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return [_problem("", detail["loc"], detail["msg"]) for detail in details]


def _problem(place: str, location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(filter(None, [place, *map(str, location)]))}: {message}"


Rows = Annotated[tuple[T, ...], WrapValidator(_read_rows)]
"""A list that :func:`read_leniently` reads row by row: an odd row never empties it."""


def read_leniently(model: type[M], value: Any) -> tuple[M, list[str]]:
    """Read ``value`` as ``model``; return it and what could not be read in its lists.

    An unreadable field of a row takes its default; a row without an essential field is left out.
    The problems name place and expectation, never the value.

    Raises:
        pydantic.ValidationError: something outside the lists does not fit the model.
    """
    problems: list[str] = []
    return model.model_validate(value, context=problems), problems


class ContractError(ValueError):
    """JSON has keys that the model does not have, or lacks keys that it has."""


def unknown_keys(model: type[Model], value: Any) -> list[str]:
    """Return the path of every key in the JSON ``value`` that ``model`` does not have.

    Raises:
        pydantic.ValidationError: ``value`` does not fit the model at all.
    """
    return list(_surplus(value, model.model_validate(value).to_json()))


def missing_keys(model: type[Model], value: Any) -> list[str]:
    """Return the path of every key of ``model`` that the JSON ``value`` lacks.

    Raises:
        pydantic.ValidationError: ``value`` does not fit the model at all.
    """
    return absent_keys(model.model_validate(value), value)


def absent_keys(read: Model, value: Any) -> list[str]:
    """Return the path of every key of ``read`` that the JSON ``value`` it was read from lacks.

    Rows of lists count by their number, so that a row that was left out may hide another's keys.
    """
    return list(_surplus(read.to_json(), value))


def read_known(model: type[M], value: Any) -> M:
    """Read ``value`` as ``model`` and refuse unknown keys: for samples, which may leave keys out.

    Raises:
        ContractError: a key is unknown; the message names each.
        pydantic.ValidationError: ``value`` does not fit the model at all.
    """
    if unknown := unknown_keys(model, value):
        raise ContractError(f"{model.__name__}: unknown {unknown}")
    return model.model_validate(value)


def read_strictly(model: type[M], value: Any) -> M:
    """Read ``value`` as ``model`` with exactly the model's keys: for tests.

    Raises:
        ContractError: a key is unknown or missing; the message names each.
        pydantic.ValidationError: ``value`` does not fit the model at all.
    """
    unknown, missing = unknown_keys(model, value), missing_keys(model, value)
    if unknown or missing:
        raise ContractError(f"{model.__name__}: unknown {unknown}, missing {missing}")
    return model.model_validate(value)


def _surplus(value: Any, reference: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of keys and rows that ``value`` has and ``reference`` lacks."""
    if isinstance(value, dict) and isinstance(reference, dict):
        for key, item in value.items():
            place = f"{path}.{key}" if path else str(key)
            if key not in reference:
                yield place
            else:
                yield from _surplus(item, reference[key], place)
    elif isinstance(value, list) and isinstance(reference, list):
        for number, item in enumerate(value):
            place = f"{path}[{number}]"
            if number >= len(reference):
                yield place
            else:
                yield from _surplus(item, reference[number], place)
