"""Resumes a parked filing: the code of its ticket is read or typed."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ResumePlace
from kiosk.ui.samples.visit_states import visit

CODE_LENGTH = len("ABCD-EFGH-JKMN-PQRS")


@dataclass(frozen=True)
class ResumeView:
    """What was typed and what came of it."""

    typed: str
    answer: str
    is_searching: bool
    is_complete: bool


def view(app: AppState) -> ResumeView:
    """Return what was typed and what came of it."""
    _, place = app.translate.gettext, app.visit.place_as(ResumePlace)
    answer = ""
    if place.is_unknown:
        answer = _("No kept document belongs to this code. Perhaps its time is over.")
    elif place.is_searching:
        answer = _("Looking for your document…")
    code = place.typed.replace("-", "")
    typed = "-".join(code[n : n + 4] for n in range(0, len(code), 4))
    return ResumeView(typed, answer, place.is_searching, len(typed) >= CODE_LENGTH)


SAMPLES = {
    "resume": visit(ResumePlace()),
    "resume-wrong": visit(ResumePlace("7K3M-Q9TD", is_unknown=True)),
}
