"""Makes Markdown tables of all settings: key, default, allowed values.

They come from :mod:`kiosk.config`, so that the manual cannot differ from the code (``kiosk config
--table`` prints them; a test compares ``docs/settings.md`` with them).
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from kiosk.config import Settings

_COLUMNS = 118
_TABLE_HEAD = "| key | default | allowed |\n|---|---|---|"


def settings_table() -> str:
    """Return one Markdown table per group of ``kiosk.toml``."""
    schema = Settings.model_json_schema()
    groups = schema["$defs"]
    parts = []
    for name, prop in schema["properties"].items():
        many = prop.get("type") == "array"
        reference = prop["items"] if many else prop
        group = groups[_definition_name(reference)]
        head = f"### `[[{name}]]`" if many else f"### `[{name}]`"
        rows = "\n".join(_rows(group, _defaults(name), groups))
        summary = f"{_wrapped(_summary(name))}\n\n" if _summary(name) else ""
        parts.append(f"{head}\n{summary}{_TABLE_HEAD}\n{rows}")
        if not many:
            parts += _nested_tables(name)
    return "\n\n".join(parts) + "\n"


def _nested_tables(outer: str) -> Iterator[str]:
    """Yield the tables of the groups inside the group ``outer``."""
    for key, field in _model(outer).model_fields.items():
        model, is_many = field.annotation, get_origin(field.annotation) is tuple
        if is_many:
            model = get_args(field.annotation)[0]
        if isinstance(model, type) and issubclass(model, BaseModel):
            schema = model.model_json_schema()
            defaults = {} if is_many else _defaults(outer)[key]
            rows = "\n".join(_rows(schema, defaults, schema.get("$defs", {})))
            summary = _wrapped(_docstring_summary(model))
            head = f"[[{outer}.{key}]]" if is_many else f"[{outer}.{key}]"
            yield f"### `{head}`\n{summary}\n\n{_TABLE_HEAD}\n{rows}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _definition_name(reference: dict[str, Any]) -> str:
    """Return the definition that ``reference`` points to."""
    return str(reference["$ref"]).rsplit("/", 1)[-1]


def _model(name: str) -> type[BaseModel]:
    """Return the model of the group ``name``."""
    annotation = Settings.model_fields[name].annotation
    found = getattr(annotation, "__args__", (annotation,))[0]
    assert isinstance(found, type)
    assert issubclass(found, BaseModel)
    return found


def _summary(name: str) -> str:
    """Return the group's docstring without its own name, on one line."""
    return _docstring_summary(_model(name))


def _docstring_summary(model: type[BaseModel]) -> str:
    """Return the docstring of ``model`` without its own name, on one line."""
    text = " ".join((inspect.getdoc(model) or "").replace("``", "`").split())
    _, _, rest = text.partition("]`: ")
    summary = rest or text.rsplit("]`.", 1)[-1].strip()
    return summary[:1].upper() + summary[1:]


def _defaults(name: str) -> dict[str, Any]:
    """Return the defaults of the group ``name``, as JSON."""
    value = getattr(Settings(), name)
    return dict(value.model_dump(mode="json")) if isinstance(value, BaseModel) else {}


def _rows(group: dict[str, Any], defaults: dict[str, Any], groups: dict[str, Any]) -> Iterator[str]:
    required = set(group.get("required", ()))
    for key, prop in group["properties"].items():
        default = defaults.get(key, prop.get("default"))
        if isinstance(default, dict) and "$ref" in prop:
            continue  # a group inside this one has a table of its own
        shown = "*required*" if key in required else f"`{json.dumps(default, ensure_ascii=False)}`"
        yield f"| `{key}` | {'*none*' if shown == '`null`' else shown} | {_allowed(prop, groups)} |"


def _allowed(prop: dict[str, Any], groups: dict[str, Any]) -> str:
    """Return the values that ``prop`` allows, in words."""
    if "anyOf" in prop:
        words = (
            _allowed(choice, groups) for choice in prop["anyOf"] if choice.get("type") != "null"
        )
        return " or ".join(dict.fromkeys(words))
    if "$ref" in prop:
        return _allowed(groups[_definition_name(prop)], groups)
    if "enum" in prop:
        return ", ".join(f"`{json.dumps(value)}`" for value in prop["enum"])
    if "const" in prop:
        return f"`{json.dumps(prop['const'])}`"
    kind = {"path": "path"}.get(str(prop.get("format")), str(prop.get("type", "any")))
    plain = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
    text = {"string": "text", "object": "table", "array": "list"}.get(kind, plain.get(kind, kind))
    if "minimum" in prop or "maximum" in prop:
        text += f" {prop.get('minimum', '…')} to {prop.get('maximum', '…')}"
    if "multipleOf" in prop:
        text += f", multiple of {prop['multipleOf']}"
    if "pattern" in prop:
        text += f" like `{prop['pattern']}`"
    return text.replace("|", "\\|")
