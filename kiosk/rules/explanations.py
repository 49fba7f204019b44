"""What is explained to a person, and what one signs: rows of ``explanations.toml`` (R47-R51)."""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.rules.model import Identifier, SourceStatus, TableRow

RECEIPT_EVENTS = ("receipt_taken", "non_disclosure_receipt")
"""Events at which a person signs: the kiosk prints the receipt and takes its scan (R47, R48)."""


class LawText(TableRow):
    """A provision in one language: its norm, and its text where that was read."""

    norm: str
    text: str = ""


class Explanation(TableRow):
    """What is said to a person, or signed by him.

    Attributes:
        events: at which it is said or signed.
        roles: of the person; none: any.
        minor: whether the person is under sixteen; None: either (S12).
    """

    id: Identifier
    events: tuple[Identifier, ...]
    roles: tuple[Identifier, ...] = ()
    kinds: tuple[Identifier, ...]
    minor: bool | None = None
    status: SourceStatus
    source: tuple[str, ...]
    note: str = ""
    kk: LawText
    ru: LawText

    def law_text(self, language: str) -> LawText:
        """Return it in ``language``; in Kazakh where the law has no such language."""
        return self.ru if language == "ru" else self.kk


def spoken_events(rows: Iterable[Explanation]) -> frozenset[str]:
    """Return the events at which something is explained aloud, and not only signed."""
    return frozenset(event for row in rows for event in row.events) - set(RECEIPT_EVENTS)


def explanation_for(
    rows: Iterable[Explanation], event: str, kind: str, role: str = "", *, minor: bool = False
) -> Explanation | None:
    """Return what is said or signed at ``event``; None: nothing that the rules know.

    Args:
        kind: of the case; empty: not known, and so is the norm.
        role: of the person; empty: not said, and only what concerns everybody fits.
        minor: whether the person is under sixteen.
    """
    return next(
        (
            row
            for row in rows
            if event in row.events
            and kind in row.kinds
            and (not row.roles or role in row.roles)
            and row.minor in (None, minor)
        ),
        None,
    )
