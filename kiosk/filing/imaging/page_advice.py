"""What the kiosk has to say about a page: advice, never a refusal.

Codes are kept in ``filing.json``; the sentences (gettext message ids) say what is seen first and
what helps then. A page is never dropped on its own: a blank one may hold faint writing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.locale import N_


@dataclass(frozen=True)
class Advice:
    """One code, in words; ``helped`` where the kiosk has mended it itself."""

    code: str
    sentence: str
    remedy: str = ""
    helped: bool = False


_ALL = (
    Advice(
        "page_cut_off",
        N_("Text touches the edge of the page: something may be cut off."),
        N_("Straighten the sheet and scan it again."),
    ),
    Advice(
        "page_blurred",
        N_("The page is blurred."),
        N_("Scan it again; wipe the glass if this happens again."),
    ),
    Advice(
        "page_dark",
        N_("The page is too dark."),
        N_("Close the cover and scan it again."),
    ),
    Advice(
        "page_faint",
        N_("The writing is very faint."),
        N_("Scan it again, or hand the original in as well."),
    ),
    Advice(
        "page_blank",
        N_("The page looks blank."),
        N_("Keep it, or take it out if it is not needed."),
    ),
    Advice(
        "page_sideways",
        N_("The page lies on its side."),
        N_("Turn it."),
    ),
    Advice(
        "page_upside_down",
        N_("The page lay upside down; it was turned."),
        helped=True,
    ),
    Advice(
        "page_skewed",
        N_("The page lay crooked; it was straightened."),
        helped=True,
    ),
)

ADVICE: dict[str, Advice] = {advice.code: advice for advice in _ALL}
"""Advice by code, gravest first."""


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Return ``codes`` gravest first, each once."""
    given = set(codes)
    return tuple(code for code in ADVICE if code in given)
