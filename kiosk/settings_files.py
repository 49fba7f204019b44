"""Reads the settings: ``kiosk.toml``, and the room profile over it.

The file is the one of ``--config``, else of ``$KIOSK_CONFIG``, else ``/etc/kiosk/kiosk.toml``. What
a technician may set over it on the screen is in :mod:`kiosk.room_profile`. A wrong key or value of
``kiosk.toml`` raises :class:`~kiosk.errors.ConfigError`, which names the line, the value and what
is allowed.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk import room_profile
from kiosk.config import Settings, minor_contradictions
from kiosk.errors import ConfigError
from kiosk.settings_lines import Keys, dotted, find_line, say_contradictions, say_problems

log = logging.getLogger(__name__)
DEFAULT_PATH = Path("/etc/kiosk/kiosk.toml")
ENVIRONMENT_VARIABLE = "KIOSK_CONFIG"
RETIRED = (("recording", "head_seconds"),)
"""Tables and keys of earlier versions that mean nothing now: an update must not stop a kiosk."""


def settings_path(given: Path | None = None) -> Path:
    """Return the path of the settings file: ``given``, the environment's, or the default."""
    if given is not None:
        return given
    return Path(os.environ.get(ENVIRONMENT_VARIABLE, DEFAULT_PATH))


@dataclass(frozen=True)
class SettingsFile:
    """A file of settings: its text, and its tables as TOML has them."""

    path: Path
    text: str
    tables: dict[str, Any]

    def has(self, keys: Keys) -> bool:
        """Return whether the file sets ``keys``."""
        value: Any = self.tables
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def line_of(self, keys: Keys) -> int:
        """Return the number of the line that sets ``keys``."""
        return find_line(self.text, keys)


@dataclass(frozen=True)
class SettingsFiles:
    """What the two files say: ``kiosk.toml``, and the room profile over it.

    Attributes:
        settings: in force.
        base: ``kiosk.toml``.
        profile: the room profile, without tables if there is none, or it does not count.
        problem: why the room profile does not count; empty: it does, or there is none.
    """

    settings: Settings
    base: SettingsFile
    profile: SettingsFile
    problem: str = ""

    def origins(self) -> Iterator[tuple[str, object, str]]:
        """Yield each setting in force, its value, and ``FILE:LINE`` or "default"."""
        for keys, value in _leaves(self.settings.model_dump(mode="json")):
            yield dotted(keys), value, self._origin(keys)

    def _origin(self, keys: Keys) -> str:
        for file in (self.profile, self.base):
            if keys[0] == "microphones" and "microphones" in file.tables:  # the whole list
                return f"{file.path}:{file.line_of(keys)}" if file.has(keys) else "default"
            if file.has(keys):
                return f"{file.path}:{file.line_of(keys)}"
        return "default"


def load_settings(path: Path) -> Settings:
    """Read and check ``path`` and the room profile over it.

    What contradicts itself and stops no recording is logged, and so is a room profile that does
    not count.

    Raises:
        ConfigError: ``kiosk.toml`` is absent or not TOML, or a key or value is not allowed; the
            message has one line per problem: ``FILE:LINE: key = value: what is allowed``.
    """
    files = load_settings_files(path)
    shown = files.profile if files.profile.tables else files.base
    found = minor_contradictions(files.settings)
    merged = room_profile.merge(files.base.tables, files.profile.tables)
    for said in say_contradictions(shown.path, shown.text, merged, found):
        log.warning("%s", said)
    # Who may not enter the data folder learns it from the command that needs it.
    if files.problem and os.access(files.settings.paths.data, os.X_OK):
        log.error("the room profile does not count, kiosk.toml does: %s", files.problem)
    return files.settings


def load_settings_files(path: Path) -> SettingsFiles:
    """Read and check ``path`` and the room profile over it.

    A profile that is broken stops nothing: then ``kiosk.toml`` counts alone. It stays where it is,
    so that it counts again once its cause is gone (an older version of the program).

    Raises:
        ConfigError: as :func:`load_settings`.
    """
    base = _read_base(path)
    settings = _validate(base, base.tables)
    file = room_profile.room_file(settings.paths.data)
    none = SettingsFile(file, "", {})
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return SettingsFiles(settings, base, none)
    except (OSError, UnicodeDecodeError) as error:
        said = f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}"
        return SettingsFiles(settings, base, none, said)
    try:
        profile = SettingsFile(file, text, _without_retired(room_profile.parse_profile(text)))
        merged = apply_profile(base, profile)
    except room_profile.RoomProfileError as error:
        return SettingsFiles(settings, base, none, f"{file}: {error}")
    except ConfigError as error:
        return SettingsFiles(settings, base, none, str(error))
    return SettingsFiles(merged, base, profile)


def apply_profile(base: SettingsFile, profile: SettingsFile) -> Settings:
    """Return the settings that a room profile makes of ``kiosk.toml``.

    Raises:
        ConfigError: together they are not allowed.
    """
    return _validate(profile, room_profile.merge(base.tables, profile.tables))


def _read_base(path: Path) -> SettingsFile:
    """Return ``kiosk.toml``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: is not there: write it, or give --config FILE") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    try:
        return SettingsFile(path, text, _without_retired(tomllib.loads(text)))
    except (ValueError, RecursionError) as error:  # ValueError: a number of 5000 digits
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _without_retired(tables: dict[str, Any]) -> dict[str, Any]:
    for table, key in RETIRED:
        if isinstance(rows := tables.get(table), dict):
            rows.pop(key, None)
    return tables


def _validate(file: SettingsFile, tables: dict[str, Any]) -> Settings:
    """Return ``tables`` as settings; ``file`` is where the reader looks for what is wrong."""
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        said = say_problems(file.path, file.text, tables, error, Settings)
        raise ConfigError(said) from error


def _leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, object]]:  # noqa: ANN401 (JSON)
    """Yield the values inside ``value`` that are no tables, with the keys that lead to them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, row in enumerate(value):
            yield from _leaves(row, (*keys, index))
    else:
        yield keys, value
