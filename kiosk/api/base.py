"""Base class of the contract's models, and how JSON is compared with a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, WithJsonSchema

Moment = Annotated[
    str, WithJsonSchema({"type": "string", "description": "RFC 3339, UTC, milliseconds (or ``)"})
]
"""Wall time as text (:func:`kiosk.clocks.format_wall`); ``""`` where it is not known."""


class Model(BaseModel):
    """A part of the contract. Frozen; reading ignores unknown keys, so that a newer service fits.

    A field with a default may be missing in JSON from an older service. A service always sends
    every key.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this model, every key included."""
        return self.model_dump(mode="json")


M = TypeVar("M", bound=Model)


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
    return list(_surplus(model.model_validate(value).to_json(), value))


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
