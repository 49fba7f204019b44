"""Alarms of the kiosk: severity, consequence and remedies of each code, read from ``alarms.toml``.

Services report codes. Each code has a sentence (the consequence) and its remedies, one for staff
and one for the public (empty where the public never meets it). The sentences are gettext message
ids. No code is ever shown to the public.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from kiosk.locale import Translator

ALARMS_FILE = Path(__file__).with_suffix(".toml")


class Severity(StrEnum):
    """Severity of an alarm, most severe first."""

    FAULT = "fault"
    """Something is being lost or cannot be done; red."""
    WARNING = "warning"
    """Work goes on, but somebody should act; amber."""
    NOTICE = "notice"
    """Good to know; never red."""


class Alarm(BaseModel):
    """One alarm.

    Attributes:
        code: stable identifier, as services send it.
        severity: see :class:`Severity`.
        sentence: consequence, English message id; may hold ``{source}``, or ``{count}`` and
            ``{total}`` where the source is ``1/12``, or ``{source}``, ``{before}`` and ``{now}``
            where it is ``witness/0.62/0.41``.
        staff: remedy for the secretary or technician, English message id.
        public: remedy for a visitor, English message id; empty where the public never meets it.
        aliases: exact codes of the log that mean the same to a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    sentence: str = Field(min_length=1)
    staff: str = Field(min_length=1)
    public: str = ""
    aliases: tuple[str, ...] = ()

    def say(self, translate: Translator, source: str = "") -> str:
        """Return the consequence in the translator's language; ``source`` names the device."""
        text = translate(self.sentence)
        if "{before}" in text:
            source, before, now = values_of(source)
            text = text.replace("{before}", as_written(before, translate.language))
            text = text.replace("{now}", as_written(now, translate.language))
        count, _, total = source.partition("/")
        text = text.replace("{source}", source)
        return text.replace("{count}", count).replace("{total}", total)

    def remedy(self, translate: Translator, *, staff: bool) -> str:
        """Return what to do, for staff or for the public."""
        return translate(self.staff if staff else self.public)


def load_alarms(path: Path = ALARMS_FILE) -> Mapping[str, Alarm]:
    """Return the alarms of ``path`` by code.

    Raises:
        tomllib.TOMLDecodeError: the file is not TOML, or a code has two tables.
        pydantic.ValidationError: an alarm lacks a key or has an unknown one.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType(
        {code: Alarm.model_validate({**table, "code": code}) for code, table in tables.items()}
    )


def index_aliases(alarms: Mapping[str, Alarm]) -> Mapping[str, Alarm]:
    """Return ``alarms`` by code and by alias.

    Raises:
        ValueError: an alias is the code or the alias of another alarm.
    """
    known = dict(alarms)
    for alarm in alarms.values():
        for alias in alarm.aliases:
            if alias in known:
                raise ValueError(f"alarm “{alarm.code}”: alias “{alias}” is already taken")
            known[alias] = alarm
    return MappingProxyType(known)


ALARMS = load_alarms()
"""All alarms by code."""
_BY_CODE_OR_ALIAS = index_aliases(ALARMS)


def alarm_of(code: str) -> Alarm:
    """Return the alarm with ``code``; an unknown code is the general ``error``, never a crash."""
    return _BY_CODE_OR_ALIAS.get(code) or ALARMS["error"]


def as_written(number: str, language: str) -> str:
    """Return a number that an alarm carries (``-42``, ``0.62``) as ``language`` writes it."""
    return number.replace("-", "−").replace(".", "." if language == "en" else ",")


def with_values(device: str, before: float | None, now: float | None, digits: int = 0) -> str:
    """Return the source of an alarm that tells two values of ``device``; None: not measured."""
    values = ("–" if value is None else f"{value:.{digits}f}" for value in (before, now))
    return "/".join((device, *values))


def values_of(source: str) -> tuple[str, str, str]:
    """Return device and values of :func:`with_values`; of an earlier release's source, dashes."""
    device, before, now = [*source.rsplit("/", 2), "–", "–"][:3]
    return device, before, now


def device_of(source: str) -> str:
    """Return the device of the source of an alarm, without the values that it carries."""
    device, *values = source.rsplit("/", 2)
    return device if len(values) == 2 else source


def name_source(source: str, names: Mapping[str, str], unknown: str = "") -> str:
    """Return ``source`` with its device's name of ``names``; values that it carries stay."""
    device, *values = source.rsplit("/", 2)
    if len(values) != 2:
        return names.get(source, unknown)
    return "/".join((names.get(device, unknown), *values))


def is_known(code: str) -> bool:
    """Return whether ``code`` is the code or an alias of an alarm."""
    return code in _BY_CODE_OR_ALIAS


def most_severe(codes: Iterable[str]) -> str | None:
    """Return the most severe of ``codes`` (the first of equals), or None for an empty list."""
    order = list(Severity)
    return min(codes, key=lambda code: order.index(alarm_of(code).severity), default=None)
