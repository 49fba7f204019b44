"""To whom a copy is given, and the warning that the law wants then (АПК 282(4))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.locale import N_, Translator

MAX_NAME = 200
_WITHOUT_WARNING = ("criminal", "admin_offence")
"""Kinds of case whose code names no warning (УПК 347-1(3)); АПК 282(4) wants it."""
_WARNING = N_(
    "Warned when the copy was given (АПК 282(4)): of liability under the law on personal data, and "
    "of the permitted use. Permitted (АПК 282(5)): in proceedings, and to establish facts in "
    "civil, criminal, administrative-offence and disciplinary cases."
)


@dataclass(frozen=True)
class Recipient:
    """Who takes a copy, and whether the secretary said that they were warned."""

    name: str = ""
    is_warned: bool = False

    def as_fields(self) -> Mapping[str, Any]:
        """Return what the log and the copy's list say."""
        return {"given_to": self.name, "warned": self.is_warned}

    def as_text(self, translate: Translator) -> str:
        """Return the lines of the copy's page and statement; empty: nobody was named."""
        if not self.name:
            return ""
        _ = translate
        lines = [_("The copy was given to: {name}", name=self.name)]
        return "\n".join([*lines, *([_(_WARNING)] if self.is_warned else [])])


def needs_warning(kind: str | None) -> bool:
    """Return whether who takes a copy of a case of this kind must be warned.

    Args:
        kind: None: nobody has said it; the case may be a civil one.
    """
    return kind not in _WITHOUT_WARNING
