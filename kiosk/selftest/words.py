"""Measured values in words of the chosen language, with unit, limit and value at commissioning.

:data:`MEASURED` has every value of every check, or says that it is :data:`SILENT`. What it does not
have is never shown: a raw key means nothing to a technician (a test finds each such value).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.reports import Limit
from kiosk.clocks import parse_wall
from kiosk.locale import Translator
from kiosk.selftest.labels import STATE_NAMES
from kiosk.selftest.measurements import (
    ANSWERS,
    MEASURED,
    OF_EVERY_CHECK,
    Code,
    Each,
    Number,
    Person,
    Said,
    Sentence,
    Silent,
    Text,
    Time,
    Value,
    Word,
)
from kiosk.selftest.model import CheckResult


@dataclass(frozen=True)
class MeasuredLine:
    """One measured value in words.

    Attributes:
        name: what was measured.
        value: the value with its unit.
        limit: the limit that holds for it; empty: none.
        before: the value at commissioning; empty: not known, or the same.
        is_outside: whether the value breaks its limit.
    """

    name: str
    value: str
    limit: str = ""
    before: str = ""
    is_outside: bool = False

    @property
    def text(self) -> str:
        """The line as it is printed."""
        beside = "; ".join(part for part in (self.limit, self.before) if part)
        return f"{self.name}: {self.value}" + (f" ({beside})" if beside else "")


@dataclass(frozen=True)
class MeasuredWords:
    """Says measured values.

    Args:
        translate: the translator.
        zone: of the court, for times.
        names: label of each microphone by its name; a microphone without one has its name.
    """

    translate: Translator
    zone: ZoneInfo
    names: Mapping[str, str] = field(default_factory=dict)

    def lines(self, result: CheckResult) -> list[MeasuredLine]:
        """Return the measured values of ``result``, in the order in which the check gives them."""
        values = {**OF_EVERY_CHECK, **MEASURED.get(result.check, {})}
        lines = list(self._lines(values, result.measured, result, ""))
        return sorted(lines, key=lambda line: not line.is_outside)

    def changes(self, now: CheckResult, before: CheckResult) -> list[str]:
        """Return, for each value that is said otherwise than before, both."""
        _ = self.translate.gettext
        said = {line.name: line.value for line in self.lines(before)}
        changes = []
        if now.state != before.state:
            said_now = _(STATE_NAMES[now.state])
            said_now = f"{said_now[:1].lower()}{said_now[1:]}"
            then = {"before": _(STATE_NAMES[before.state]), "now": said_now}
            changes.append(_("{before}, now {now}", **then))
        for line in self.lines(now):
            if line.name in said and said[line.name] != line.value:
                values = {"name": line.name, "before": said[line.name], "now": line.value}
                changes.append(_("{name}: {before}, now {now}", **values))
        return changes

    def headline(self, result: CheckResult) -> str:
        """Return the value that says most; empty: none."""
        values = MEASURED.get(result.check, {})
        main = [
            self._say(value, result.measured[key])
            for key, value in values.items()
            if isinstance(value, Number) and value.is_main and result.measured.get(key) is not None
        ]
        return " / ".join(main)

    def _lines(
        self, values: Mapping[str, Value], measured: object, result: CheckResult, path: str
    ) -> Iterator[MeasuredLine]:
        for key, value in measured.items() if isinstance(measured, Mapping) else ():
            spec, inner = values.get(key), f"{path}.{key}" if path else key
            if spec is None:
                spec = values.get("*")
            if isinstance(spec, Each):
                parts = list(self._lines(spec.values, value, result, inner))
                name = self.translate(spec.name) if spec.name else self.names.get(key, key)
                if parts:
                    yield self._together(name, parts)
            elif spec is not None and not isinstance(spec, Silent):
                yield self._line(spec, value, result, inner)

    def _together(self, name: str, parts: list[MeasuredLine]) -> MeasuredLine:
        """Return the values of a part, as of a microphone, in one line."""
        words = (f"{part.text[:1].lower()}{part.text[1:]}" for part in parts)
        return MeasuredLine(
            name, "; ".join(words), is_outside=any(part.is_outside for part in parts)
        )

    def _line(self, spec: Said, value: object, result: CheckResult, path: str) -> MeasuredLine:
        limit, change = result.limits.get(path), result.deviations.get(path)
        before = ""
        if isinstance(spec, Number) and change and isinstance(value, int | float):
            then = self._say(spec, value - change)
            if then != self._say(spec, value):
                before = self.translate.gettext("at commissioning {value}", value=then)
        return MeasuredLine(
            self.translate(spec.name),
            self._say(spec, value),
            "" if limit is None else self._limit(spec, limit),
            before,
            limit is not None and isinstance(value, int | float) and not limit.holds(value),
        )

    def _limit(self, spec: Value, limit: Limit) -> str:
        _ = self.translate.gettext
        parts = []
        if limit.least is not None:
            parts.append(_("at least {value}", value=self._say(spec, limit.least)))
        if limit.most is not None:
            parts.append(_("at most {value}", value=self._say(spec, limit.most)))
        return ", ".join(parts)

    def _say(self, spec: Value, value: object) -> str:
        """Return ``value`` in words; what cannot be said was not measured."""
        _ = self.translate.gettext
        text = ""
        match spec, value:
            case Person(), (True | False | None):
                text = _(ANSWERS[value])
            case Number(), (int() | float()):
                text = _(spec.unit, n=self._number(value * spec.scale, spec.digits))
            case Word(), (str() | bool()):
                said = spec.words.get(str(value).lower())
                text = _(said) if said else str(value)[:60]
            case Code(), str():
                text = alarm_of(value).say(self.translate)
            case Sentence(), Mapping():
                text = str(value.get(self.translate.language) or "")
            case Time(), str():
                when = parse_wall(value)
                text = when.astimezone(self.zone).strftime("%d.%m.%Y %H:%M") if when else value
            case Text(), (str() | int() | float()):
                text = str(value)[:80]
        return text or _("not measured")

    def _number(self, value: float, digits: int) -> str:
        text = f"{value:.{digits}f}".replace("-", "−")
        return text if self.translate.language == "en" else text.replace(".", ",")
