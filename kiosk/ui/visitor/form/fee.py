"""A hint about the state fee; never a reason to refuse (R14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kiosk.filing.form.fee import BOTH_FEES, FeeHint, format_tenge
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import group_thousands, sentence_case
from kiosk.ui.registry import FeePlace
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class FeeView:
    """A hint about the state fee.

    ``choices`` are fees, exemptions or groups of them, as id and label. ``needs``: what the keys
    type; empty where nothing is asked. ``counts``: what is counted, as id, label and number.
    """

    label: str
    figure: str
    text: str
    needs: str
    asked: str
    amount: str
    counts: tuple[tuple[str, str, str], ...]
    counting: str
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
    exemptions = service.exemption_options(visit.filing, language) if visit.filing else ()
    hint = place.hint
    to_pay = hint.to_pay if hint else None
    labels = {option.id: sentence_case(option.label) for option in (*fees, *exemptions)}
    is_fee = place.choosing == "fee"
    options = fees if is_fee else [row for row in exemptions if row.group == place.group]
    choices = tuple((option.id, labels[option.id]) for option in options)
    if place.choosing == "exemption_group":
        offered = {option.group for option in exemptions}
        choices = tuple(row for row in _exemption_groups(app) if row[0] in offered)
    needs = hint.needs if hint and not place.exemption else None
    return FeeView(
        label=labels.get(place.fee or "", ""),
        figure=_("{n} tenge", n=group_thousands(format_tenge(to_pay))) if to_pay else "",
        text=_text(app, place, {option.id for option in fees}),
        needs=needs or "",
        asked=_asked(app, hint) if needs else "",
        amount=group_thousands(place.amount),
        counts=(
            ("documents", _("Documents"), place.documents),
            ("pages", _("Their pages"), place.pages),
        ),
        counting=place.counting,
        exempt=labels.get(place.exemption or "", ""),
        code=hint.payment_text if hint and to_pay else "",
        choosing=place.choosing,
        choices=choices,
        chosen=(place.fee if is_fee else place.exemption) or "",
        page=place.page,
        several=len(fees) > 1,
    )


def _text(app: AppState, place: FeePlace, fees: set[str]) -> str:
    """Return what is to be done, or why there is no figure."""
    _, hint = app.translate.gettext, place.hint
    if place.choosing in ("exemption_group", "exemption"):
        return _("What gives you the exemption? The court decides about it.")
    if hint and hint.is_deferred:
        return _("Nothing is to be paid before the decision. The court decides about it.")
    if place.exemption is not None:
        return _("Exemption named. The court decides about it.")
    problem = hint.problem if hint else "no_rate"
    problems = {
        "no_fee": _("No state fee is known for this document."),
        "free": _("Nobody pays a state fee for this document."),
        "choose_fee": _choice(app, fees),
        "amount_needed": _asked(app, hint),
        "counts_needed": _asked(app, hint),
        "no_index": _("The fee of this day is not known here. Ask the secretary."),
        "no_rate": _("This fee is not known here. Ask the secretary."),
    }
    if problem:
        return problems[problem]
    if hint and hint.needs == "counts":  # НК 672(1)1): when the court hands the copies out
        return _("To be paid when you get the copies. A hint only: the court decides what is due.")
    said = _("To be paid before you file. A hint only: the court decides what is due.")
    return f"{said} {_index(app, hint)}".rstrip()


def _choice(app: AppState, fees: set[str]) -> str:
    """Return what the choice of a fee asks, and that two may be due."""
    _ = app.translate.gettext
    said = _("Choose what you ask the court for.")
    if fees >= BOTH_FEES:
        said += " " + _("Whoever asks for money and for something else pays for both.")
    return said


def _index(app: AppState, hint: FeeHint | None) -> str:
    """Return the year and the monthly index of the payment date, by which the fee is computed."""
    if hint is None or hint.statement is None or hint.statement.mrp is None:
        return ""
    year = (hint.statement.paid_on or "")[:4]
    value = group_thousands(format_tenge(hint.statement.mrp))
    return app.translate.gettext("MRP of {year}: {n} tenge.", year=year, n=value)


def _asked(app: AppState, hint: FeeHint | None) -> str:
    """Return what is to be typed for the fee."""
    _ = app.translate.gettext
    if hint is None or hint.needs is None:
        return ""
    if hint.needs == "counts":
        return _("Type how many documents are copied, and their pages.")
    return {
        "claim": _("Type the amount of the claim in tenge."),
        "disputed": _("Type the amount that you dispute, in tenge."),
        "notice": _("Type the disputed amount from the tax notice, penalties included, in tenge."),
    }[hint.amount_of]


def _exemption_groups(app: AppState) -> tuple[tuple[str, str], ...]:
    """Return what grounds of exemption hang on, so that a person finds his own among them."""
    _ = app.translate.gettext
    return (
        ("person", _("Who I am")),
        ("claim", _("What the claim is about")),
        ("document", _("Which paper it is")),
        ("organisation", _("Which organisation I file for")),
    )


def _with(document: str = "", **changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        visit(FeePlace(), 2)(app)
        if document:
            assert app.visit.filing is not None
            app.visit.filing.update_details(document_type=document)
        app.visit.fee.ask()
        app.visit.place = replace(app.visit.place_as(FeePlace), **changes)
        if changes.get("amount"):
            app.visit.fee.type_amount("0")
        elif changes.get("fee"):
            app.visit.fee.count(app.visit.place_as(FeePlace).counting)

    return prepare


SAMPLES = {
    "fee-choose": _with(),
    "fee": _with(fee="property", choosing="amount", amount="100000"),
    "fee-disputed": _with("admin_claim", fee="tax_audit", choosing="amount"),
    "fee-copies": _with("copy_request", fee="copies", documents="2", pages="10", counting="pages"),
    "fee-cassation": _with("cassation"),
    "fee-free": _with("private_appeal"),
    "fee-deferred": _with(
        fee="property", choosing="amount", exemption="consumer_deferral", amount="100000"
    ),
    "fee-exempt": _with(fee="property", choosing="exemption_group"),
    "fee-exempt-claim": _with(fee="property", choosing="exemption", group="claim"),
    "fee-exempt-organisation": _with(
        fee="property", choosing="exemption", group="organisation", page=2
    ),
    "fee-exempted": _with(fee="property", choosing="amount", exemption="alimony", amount="100000"),
}
