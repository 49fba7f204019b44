"""Who files: a person or an organisation; everything may be left out."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.applicant import field_problems
from kiosk.filing.model import Applicant
from kiosk.ui.actions.visit.context import APPLICANT_FIELDS
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ApplicantPlace
from kiosk.ui.samples.visit_states import ORGANISATION, filing


@dataclass(frozen=True)
class ApplicantField:
    """One field of the applicant; ``advice`` says what looks wrong."""

    id: str
    label: str
    text: str
    advice: str
    fine: bool


@dataclass(frozen=True)
class ApplicantView:
    """The applicant; only the title is spoken."""

    title: str
    kind: str
    fields: tuple[ApplicantField, ...]
    active_field: str
    key_page: int
    has_capitals: bool
    empty: bool


def view(app: AppState) -> ApplicantView:
    """Return the fields, with problems in words; nothing is refused."""
    place = app.visit.place_as(ApplicantPlace)
    problems = field_problems(place.applicant, app.labels.rules)
    fields = tuple(
        _field(app, place.applicant, field, problems.get(field))
        for field in APPLICANT_FIELDS[place.applicant.kind]
    )
    return ApplicantView(
        title=app.translate.gettext("Who files?"),
        kind=place.applicant.kind,
        fields=fields,
        active_field=place.active_field,
        key_page=place.key_page,
        has_capitals=place.has_capitals,
        empty=not any(field.text for field in fields),
    )


def _field(app: AppState, applicant: Applicant, field: str, problem: str | None) -> ApplicantField:
    _ = app.translate.gettext
    labels = {
        "iin": _("IIN"),
        "bin": _("BIN"),
        "name": _("Who acts for it") if applicant.kind == "entity" else _("Name"),
        "phone": _("Phone"),
        "organisation": _("Organisation"),
    }
    text, advice, fine = str(getattr(applicant, field)), "", False
    if text and problem in ("iin_length", "bin_length"):
        advice = _("{n} of 12 digits", n=sum(c.isdigit() for c in text))
    elif text and problem in ("iin_check_digit", "bin_check_digit"):
        advice = _("A digit is wrong. Compare it with your document.")
    elif text and problem in ("iin_date", "bin_form"):
        advice = _("Such a number is not given. Compare it with your document.")
    elif text and field in ("iin", "bin"):
        advice, fine = _("The number is complete."), True
    elif not text and field in app.labels.rules.applicant_fields and problem is None:
        advice = _("if you wish")
    return ApplicantField(field, labels[field], text, advice, fine)


PERSON = Applicant(name="Ахметов Асқар", iin="900101300017", phone="+7701")
WRONG = PERSON.model_copy(update={"iin": "900101300018"})
SAMPLES = {
    "applicant": filing(ApplicantPlace()),
    "applicant-name": filing(ApplicantPlace(PERSON, "name")),
    "applicant-wrong": filing(ApplicantPlace(WRONG)),
    "applicant-entity": filing(ApplicantPlace(ORGANISATION, "organisation", key_page=1)),
}
