"""Advice on scanned pages; the kiosk never refuses a page (R6).

``filing.json`` keeps the codes. Each sentence (gettext message id) says what is seen, and the
remedy says what helps. The kiosk never deletes a page: a blank one may hold faint writing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.locale import N_


@dataclass(frozen=True)
class PageAdvice:
    """Sentence and remedy of a code; ``is_fixed`` if the kiosk corrects the page itself."""

    code: str
    sentence: str
    remedy: str = ""
    is_fixed: bool = False


_ADVICE_IN_ORDER = (
    PageAdvice(
        "page_cut_off",
        N_("Text touches the edge of the page: something may be cut off."),
        N_("Straighten the sheet and scan it again."),
    ),
    PageAdvice(
        "page_blurred",
        N_("The page is blurred."),
        N_("Scan it again; wipe the glass if this happens again."),
    ),
    PageAdvice(
        "page_dark",
        N_("The page is too dark."),
        N_("Close the cover and scan it again."),
    ),
    PageAdvice(
        "page_faint",
        N_("The writing is very faint."),
        N_("Scan it again, or hand the original in as well."),
    ),
    PageAdvice(
        "page_blank",
        N_("The page looks blank."),
        N_("Keep it, or take it out if it is not needed."),
    ),
    PageAdvice(
        "page_sideways",
        N_("The page lies on its side."),
        N_("Turn it."),
    ),
    PageAdvice(
        "page_upside_down",
        N_("The page lay upside down; it was turned."),
        is_fixed=True,
    ),
    PageAdvice(
        "page_skewed",
        N_("The page lay crooked; it was straightened."),
        is_fixed=True,
    ),
)

ADVICE: dict[str, PageAdvice] = {advice.code: advice for advice in _ADVICE_IN_ORDER}
"""Advice by code, most severe first."""


def sort_advice(codes: Iterable[str]) -> tuple[str, ...]:
    """Return ``codes`` most severe first, each once."""
    given = set(codes)
    return tuple(code for code in ADVICE if code in given)
