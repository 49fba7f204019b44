"""Says a problem of a settings file with its line, its value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Keys = tuple[str | int, ...]
_HEADER = re.compile(r"^\s*\[")


class Contradiction(NamedTuple):
    """Two settings that are each allowed and cannot both hold; ``keys`` leads to the later one."""

    keys: Keys
    message: str


class ContradictionError(ValueError):
    """Settings contradict each other."""

    def __init__(self, found: list[Contradiction]) -> None:
        super().__init__("; ".join(item.message for item in found))
        self.found = found


def say_problems(
    path: Path, text: str, data: Mapping[str, Any], error: ValidationError, model: type[BaseModel]
) -> str:
    """Return the problems of the file ``path``, one a line: ``FILE:LINE: key = value: allowed``.

    Args:
        text, data: content of the file, as it is and as TOML has it.
        model: of the whole file.
    """
    return "\n".join(
        f"{path}:{find_line(text, keys)}: {said}"
        for item in error.errors()
        for keys, said in _say(item, data, model)
    )


def say_contradictions(
    path: Path, text: str, data: Mapping[str, Any], found: Iterable[Contradiction]
) -> Iterator[str]:
    """Yield a line for each of ``found``, as :func:`say_problems`."""
    for keys, message in found:
        yield f"{path}:{find_line(text, keys)}: {_said(keys, data, message)}"


def _say(
    item: ErrorDetails, data: Mapping[str, Any], model: type[BaseModel]
) -> Iterator[tuple[Keys, str]]:
    """Yield the place of each problem of ``item``, and its sentence."""
    keys = tuple(item["loc"])
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, ContradictionError):
        yield from ((place, _said(place, data, message)) for place, message in cause.found)
    elif item["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, keys[:-1])
        near = get_close_matches(str(keys[-1]), allowed, n=1)
        hint = f"; did you mean “{near[0]}”?" if near else ""
        said = f"unknown key “{dotted(keys)}”{hint} Allowed here: {', '.join(allowed)}"
        yield keys, said
    else:
        yield keys, _said(keys, data, item["msg"] if cause is None else str(cause))


def _said(keys: Keys, data: Mapping[str, Any], message: str) -> str:
    value = _value_at(data, keys)
    shown = "" if value is None else f" = {value!r}"
    return f"{dotted(keys) or 'settings'}{shown}: {message}"


def dotted(keys: Keys) -> str:
    """Return ``keys`` as a person writes them; tables of a list count from 1."""
    return ".".join(str(key + 1) if isinstance(key, int) else key for key in keys)


def _allowed_keys(model: type[BaseModel], keys: Keys) -> list[str]:
    """Return the allowed keys of the table at ``keys``."""
    for key in keys:
        if isinstance(key, str):
            annotation = model.model_fields[key].annotation
            inner = next(iter(get_args(annotation)), annotation)
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
    return sorted(model.model_fields)


def _value_at(data: Any, keys: Keys) -> object:  # noqa: ANN401 (TOML of any form)
    """Return the value at ``keys``, or None."""
    for key in keys:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data if not isinstance(data, dict | list) else None


def find_line(text: str, keys: Keys) -> int:
    """Return the number of the line that sets ``keys``, else of its table (tomllib keeps none)."""
    lines = text.splitlines()
    while keys and isinstance(keys[-1], int):
        keys = keys[:-1]
    if not keys:
        return 1
    wanted = re.compile(rf"^\s*\[?\[?\s*[\"']?{re.escape(str(keys[-1]))}[\"']?\b")
    if len(keys) == 1:
        found = (number for number, line in enumerate(lines) if wanted.match(line))
        return next(found, 0) + 1
    start = _find_table(lines, keys[:-1])
    if start is None:  # an inline table, or a key that the file does not have
        return find_line(text, keys[:-1])
    for number in range(start + 1, len(lines)):
        if _HEADER.match(lines[number]):
            break
        if wanted.match(lines[number]):
            return number + 1
    return start + 1


def _find_table(lines: list[str], keys: Keys) -> int | None:
    """Return the index of the header of the table at ``keys``, or None."""
    names = [re.escape(key) for key in keys if isinstance(key, str)]
    header = re.compile(r"^\s*\[\[?\s*" + r"\s*\.\s*".join(names) + r"\s*\]")
    found = [number for number, line in enumerate(lines) if header.match(line)]
    index = next((key for key in keys if isinstance(key, int)), 0)
    return found[index] if index < len(found) else None
