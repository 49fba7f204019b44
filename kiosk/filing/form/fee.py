"""Computes the state fee as a hint (R14, table 10), with a QR code to pay it.

It never refuses a filing. If a row of the rules data is missing (the monthly index of the payment
date, a rate), there is no figure but a reason. The kiosk knows no payment scheme: the QR code holds
plain text by the template ``[filing] payment_text``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Literal

import segno

from kiosk.filing.context import FilingContext
from kiosk.filing.errors import StepRefusedError
from kiosk.filing.model import FeeStatement, Filing
from kiosk.locale import Language
from kiosk.rules import Rules
from kiosk.rules.errors import FeeUnknownError
from kiosk.rules.fees import FeeBasis, compute_fee, mrp_on
from kiosk.rules.model import ExemptionGroup

Problem = Literal["no_fee", "choose_fee", "amount_needed", "no_index", "no_rate"]
#: Id of the slot for the proof of payment.
PAYMENT_PROOF_SLOT = "fee_receipt"


@dataclass(frozen=True)
class FeeOption:
    """A fee or a ground of exemption to choose; ``group`` is what a ground hangs on."""

    id: str
    label: str
    group: ExemptionGroup | None = None


@dataclass(frozen=True)
class FeeHint:
    """The fee that may be due.

    Attributes:
        statement: saved with the filing.
        label: name of the fee, in the visitor's language if there is one.
        problem: why there is no figure: ``no_fee`` (none is known for this type), ``choose_fee``
            (several may apply), ``amount_needed``, ``no_index`` (no MRP for the payment date),
            ``no_rate``; None if there is a figure.
        to_pay: tenge; None if there is no figure or an exemption is named.
        payment_text: content of the QR code; empty if there is nothing to pay.
    """

    statement: FeeStatement | None
    label: str
    problem: Problem | None
    to_pay: Decimal | None
    payment_text: str

    def qr_png(self, scale: int = 8) -> bytes:
        """Return the QR code to pay, as PNG; empty if there is nothing to pay."""
        if not self.payment_text:
            return b""
        out = BytesIO()
        segno.make(self.payment_text, error="m", micro=False).save(out, kind="png", scale=scale)
        return out.getvalue()


def fee_options(rules: Rules, document_type: str, language: Language) -> tuple[FeeOption, ...]:
    """Return the fees that may be due for a document type."""
    fee_ids = rules.document_type(document_type).fees
    rows = {row.id: row for row in rules.state_fee.fee}
    return tuple(FeeOption(fee_id, rows[fee_id].label.text(language)) for fee_id in fee_ids)


def exemption_options(rules: Rules, language: Language) -> tuple[FeeOption, ...]:
    """Return the grounds of exemption to choose from; the court decides."""
    return tuple(
        FeeOption(row.id, row.label.text(language), row.group) for row in rules.state_fee.exemption
    )


def fee_hint(
    context: FilingContext,
    filing: Filing,
    paid_on: date,
    *,
    fee_id: str | None = None,
    amount: Decimal | None = None,
    exemption: str | None = None,
) -> FeeHint:
    """Return the fee that may be due for ``filing``.

    Args:
        context: the filing context.
        filing: its document type and applicant decide the fee.
        paid_on: date of payment, which decides the monthly index.
        fee_id: the fee, if several may apply.
        amount: amount of the claim in tenge.
        exemption: ground of exemption that the person chose.

    Raises:
        StepRefusedError: there is no such fee for this type, or no such ground.
    """
    rules, language = context.rules, filing.language
    choices = {
        choice.id: choice.label for choice in fee_options(rules, filing.document_type, language)
    }
    if fee_id is None and len(choices) == 1:
        fee_id = next(iter(choices))
    if exemption is not None and exemption not in {x.id for x in rules.state_fee.exemption}:
        raise StepRefusedError(f"no exemption {exemption}")
    if fee_id is None:
        return FeeHint(None, "", "choose_fee" if choices else "no_fee", None, "")
    if fee_id not in choices:
        raise StepRefusedError(f"no fee {fee_id} for {filing.document_type}")
    statement = FeeStatement(
        fee=fee_id, amount=amount, paid_on=paid_on.isoformat(), exemption=exemption
    )
    due, problem = _fee_or_problem(rules, filing, statement, paid_on)
    if due is not None:
        index = mrp_on(rules, paid_on).tenge
        statement = statement.model_copy(update={"hint": due, "mrp": index})
    to_pay = None if exemption is not None else due
    text = "" if to_pay is None else _payment_text(context, choices[fee_id], to_pay, language)
    return FeeHint(statement, choices[fee_id], problem, to_pay, text)


def _fee_or_problem(
    rules: Rules, filing: Filing, statement: FeeStatement, paid_on: date
) -> tuple[Decimal | None, Problem | None]:
    """Return the fee in tenge, or the reason why there is none."""
    try:
        mrp_on(rules, paid_on)
    except FeeUnknownError:
        return None, "no_index"
    payer: Literal["individual", "entity"] = (
        "entity" if filing.applicant.kind == "entity" else "individual"
    )
    try:
        return compute_fee(
            rules, statement.fee, payer, paid_on, FeeBasis(amount=statement.amount)
        ), None
    except FeeUnknownError:
        return None, "no_rate" if statement.amount is not None else "amount_needed"


def _payment_text(context: FilingContext, purpose: str, due: Decimal, language: Language) -> str:
    values = {
        "{purpose}": purpose,
        "{sum}": format_tenge(due),
        "{court}": context.settings.kiosk.court.get(language, ""),
    }
    text = context.settings.filing.payment_text
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def format_tenge(amount: Decimal) -> str:
    """Return an amount without needless zeros, not rounded (no rule for that was read)."""
    return f"{amount.normalize():f}"
