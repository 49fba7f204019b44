"""The room profile: what a technician chose on the screen, as a second file over ``kiosk.toml``.

No service may write ``/etc/kiosk``. The recorder keeps the profile in ``paths.data/room/room.toml``
and all services read it over ``kiosk.toml``: its keys replace those of the same table, and its list
of microphones replaces the whole list. It holds tables of the room and its devices alone; where the
kiosk keeps its files and whom it trusts is said in ``kiosk.toml`` alone.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TABLES: Mapping[str, frozenset[str] | None] = {
    "kiosk": frozenset({"court", "room", "language"}),
    "camera": None,
    "microphones": None,
    "scanner": None,
    "printer": None,
    "badge": None,
    "headset": None,
    "voice": None,
}
"""What a profile may set: tables, and of each the keys (None: all)."""
FILE_NAME = "room.toml"


class RoomProfileError(ValueError):
    """A profile sets what is not the room's, or is no TOML."""


def room_file(data: Path) -> Path:
    """Return the path of the profile, given ``paths.data``."""
    return data / "room" / FILE_NAME


def parse_profile(text: str) -> dict[str, Any]:
    """Return the tables of a profile.

    Raises:
        RoomProfileError: it is no TOML, or sets what is not the room's.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a number of 5000 digits
        raise RoomProfileError(f"not TOML: {error}") from error
    check_profile(tables)
    return tables


def check_profile(tables: Mapping[str, Any]) -> None:
    """Raise :class:`RoomProfileError` if ``tables`` set what is not the room's."""
    for name, table in tables.items():
        if name not in TABLES:
            raise RoomProfileError(f"[{name}] is not the room's: only kiosk.toml may have it")
        allowed = TABLES[name]
        foreign = set(table) - allowed if allowed and isinstance(table, Mapping) else set()
        if foreign:
            raise RoomProfileError(f"{name}.{min(foreign)} is not the room's: see kiosk.toml")


def merge(base: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the keys of ``profile`` over its own; lists are replaced whole."""
    merged = dict(base)
    for key, value in profile.items():
        own = merged.get(key)
        is_table = isinstance(own, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(own or {}, value) if is_table else value
    return merged


def format_profile(tables: Mapping[str, Any]) -> str:
    """Return ``tables`` as TOML.

    Raises:
        RoomProfileError: a value cannot be written as TOML.
    """
    try:
        text = "\n".join(_lines((), tables)) + "\n"
        text.encode("utf-8")  # half of a surrogate pair is no text
    except (TypeError, ValueError, RecursionError) as error:
        raise RoomProfileError(f"cannot be written as TOML: {error}") from error
    if parse_profile(text) != tables:
        raise RoomProfileError("cannot be written as TOML without a change")
    return text


def _lines(keys: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table: its own values first, then the tables inside it."""
    inner = {key: value for key, value in table.items() if _is_table(value)}
    yield from (
        f"{_key(key)} = {_value(value)}"
        for key, value in table.items()
        if key not in inner and value is not None
    )
    for key, value in inner.items():
        path = ".".join(map(_key, (*keys, key)))
        for row in value if isinstance(value, list | tuple) else (value,):
            yield f"\n[[{path}]]" if isinstance(value, list | tuple) else f"\n[{path}]"
            yield from _lines((*keys, key), row)


def _is_table(value: object) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(row, Mapping) for row in value)
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    """Return a key, bare where TOML allows it."""
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else _value(key)


def _value(value: object) -> str:
    """Return a value as TOML has it: as JSON, whose escapes TOML shares, but for DEL."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")
