"""A hint about the state fee; never a reason to refuse (R14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kiosk.filing.form.fee import format_tenge
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import group_thousands, sentence_case
from kiosk.ui.registry import FeePlace
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class FeeView:
    """A hint about the state fee.

    ``choices`` are fees, exemptions or groups of them, as id and label.
    """

    label: str
    figure: str
    text: str
    amount: str
    amount_asked: bool
    exempt: str
    code: str
    choosing: str
    choices: tuple[tuple[str, str], ...]
    chosen: str
    page: int
    several: bool


def view(app: AppState) -> FeeView:
    """Return what may be due, and why there is no figure."""
    _, visit = app.translate.gettext, app.visit
    place, language, service = visit.place_as(FeePlace), app.translate.language, app.filing_service
    fees = service.fee_options(visit.filing, language) if visit.filing else ()
    exemptions = service.exemption_options(language)
    hint = place.hint
    problem = hint.problem if hint else "no_rate"
    to_pay = hint.to_pay if hint else None
    problems = {
        "no_fee": _("No state fee is known for this document."),
        "choose_fee": _("Choose what you ask the court for."),
        "amount_needed": _("Type the amount of the claim in tenge."),
        "no_index": _("The fee of this day is not known here. Ask the secretary."),
        "no_rate": _("This fee is not known here. Ask the secretary."),
    }
    text = problems[problem] if problem else _("A hint only. The court decides what is due.")
    if place.choosing in ("exemption_group", "exemption"):
        text = _("What gives you the exemption? The court decides about it.")
    elif place.exemption is not None:
        text = _("Exemption named. The court decides about it.")
    labels = {option.id: sentence_case(option.label) for option in (*fees, *exemptions)}
    is_fee = place.choosing == "fee"
    options = fees if is_fee else [row for row in exemptions if row.group == place.group]
    choices = tuple((option.id, labels[option.id]) for option in options)
    if place.choosing == "exemption_group":
        choices = _exemption_groups(app)
    return FeeView(
        label=labels.get(place.fee or "", ""),
        figure=_("{n} tenge", n=group_thousands(format_tenge(to_pay))) if to_pay else "",
        text=text,
        amount=group_thousands(place.amount),
        amount_asked=problem in (None, "amount_needed") or bool(place.amount),
        exempt=labels.get(place.exemption or "", ""),
        code=hint.payment_text if hint and to_pay else "",
        choosing=place.choosing,
        choices=choices,
        chosen=(place.fee if is_fee else place.exemption) or "",
        page=place.page,
        several=len(fees) > 1,
    )


def _exemption_groups(app: AppState) -> tuple[tuple[str, str], ...]:
    """Return what grounds of exemption hang on, so that a person finds his own among 35."""
    _ = app.translate.gettext
    return (
        ("person", _("Who I am")),
        ("claim", _("What the claim is about")),
        ("document", _("Which paper it is")),
        ("organisation", _("Which organisation I file for")),
    )


def _with(**changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        visit(FeePlace(), 2)(app)
        app.visit.fee.ask()
        app.visit.place = replace(app.visit.place_as(FeePlace), **changes)
        if changes.get("amount"):
            app.visit.fee.type_amount("0")

    return prepare


SAMPLES = {
    "fee-choose": _with(),
    "fee": _with(fee="property", choosing="amount", amount="100000"),
    "fee-exempt": _with(fee="property", choosing="exemption_group"),
    "fee-exempt-claim": _with(fee="property", choosing="exemption", group="claim"),
    "fee-exempt-organisation": _with(
        fee="property", choosing="exemption", group="organisation", page=2
    ),
    "fee-exempted": _with(fee="property", choosing="amount", exemption="alimony", amount="100000"),
}
