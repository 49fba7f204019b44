"""The number of an existing case, and what is known of the case."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.cases import CaseLookup
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CaseNumberPlace
from kiosk.ui.samples.visit_states import filing
from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class CaseNumberView:
    """The typed case number, and what is known of the case."""

    typed: str
    key_page: int
    is_searching: bool
    answer: str
    detail: str
    tone: Tone
    spoken: str


def view(app: AppState) -> CaseNumberView:
    """Return what is known of the number; an unknown one is accepted too (R14)."""
    _, place = app.translate.gettext, app.visit.place_as(CaseNumberPlace)
    answer, detail, tone = _answer(app, place)
    return CaseNumberView(
        place.typed,
        place.key_page,
        place.is_searching,
        answer,
        detail,
        tone,
        spoken=answer or _("Case number"),
    )


def _answer(app: AppState, place: CaseNumberPlace) -> tuple[str, str, Tone]:
    _, found = app.translate.gettext, place.found
    if place.is_searching:
        return _("Looking for the case…"), "", "plain"
    if found is None:
        return "", "", "plain"
    match found.state:
        case "known":
            kind = app.labels.kind_title(found.kind) if found.kind else ""
            court = app.translate.pick(dict(found.court)) if found.court else ""
            detail = " · ".join(part for part in (kind, court) if part)
            return _("This case is known."), detail, "good"
        case "unknown":
            detail = _("Compare it with your paper. It is taken all the same.")
            return _("The court's list does not have this number."), detail, "caution"
        case "unchecked":
            detail = _("It is taken as you typed it.")
            return _("The number cannot be checked now."), detail, "plain"


KNOWN = CaseLookup("7514-26-00-2/1187", "known", "civil", {"kk": "Бостандық аудандық соты"})
UNKNOWN = CaseLookup("7514-2Ә", "unknown")
SAMPLES = {
    "case_number": filing(CaseNumberPlace()),
    "case_number-typed": filing(CaseNumberPlace("7514-26-00-2/11")),
    "case_number-known": filing(CaseNumberPlace(KNOWN.number, found=KNOWN)),
    "case_number-unknown": filing(CaseNumberPlace(UNKNOWN.number, found=UNKNOWN)),
}
