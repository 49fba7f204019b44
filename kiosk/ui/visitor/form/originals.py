"""Originals that do not fit the scanner and are handed in on paper."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import OriginalsPlace
from kiosk.ui.samples.visit_states import filing


@dataclass(frozen=True)
class OriginalChoice:
    """One kind of originals."""

    id: str
    name: str
    icon: str
    is_chosen: bool


@dataclass(frozen=True)
class OriginalsView:
    """The kinds of originals that cannot be scanned."""

    title: str
    choices: tuple[OriginalChoice, ...]


def view(app: AppState) -> OriginalsView:
    """Return the kinds of originals that cannot be scanned."""
    _, chosen = app.translate.gettext, app.visit.record.not_scanned
    kinds = (
        ("disc", _("Disc or memory stick"), "disc"),
        ("passport", _("Passport or identity card"), "passport"),
        ("book", _("Bound book or thick file"), "book-open-page-variant-outline"),
        ("plan", _("Large plan or drawing"), "map-outline"),
        ("photo", _("Photographs"), "image-outline"),
        ("thing", _("Thing as evidence"), "package-variant"),
    )
    return OriginalsView(
        title=_("What does not fit the scanner?"),
        choices=tuple(OriginalChoice(*kind, is_chosen=kind[1] in chosen) for kind in kinds),
    )


SAMPLES = {"originals": filing(OriginalsPlace())}
