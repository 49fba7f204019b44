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
    """A hint about the state fee; ``choices`` are fees or exemptions, as id and label."""

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
    place, fees = visit.place_as(FeePlace), visit.fee.options
    exemptions = app.filing_service.exemption_options(visit.filing) if visit.filing else ()
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
    if place.exemption is not None:
        text = _("Exemption named. The court decides about it.")
    labels = {option.id: sentence_case(option.label) for option in (*fees, *exemptions)}
    is_fee = place.choosing == "fee"
    options = fees if is_fee else exemptions
    return FeeView(
        label=labels.get(place.fee or "", ""),
        figure=_("{n} tenge", n=group_thousands(format_tenge(to_pay))) if to_pay else "",
        text=text,
        amount=group_thousands(place.amount),
        amount_asked=problem in (None, "amount_needed") or bool(place.amount),
        exempt=labels.get(place.exemption or "", ""),
        code=hint.payment_text if hint and to_pay else "",
        choosing=place.choosing,
        choices=tuple((option.id, labels[option.id]) for option in options),
        chosen=(place.fee if is_fee else place.exemption) or "",
        page=place.page,
        several=len(fees) > 1,
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
    "fee-exempt": _with(fee="property", choosing="exemption"),
    "fee-exempted": _with(fee="property", choosing="amount", exemption="alimony", amount="100000"),
}
