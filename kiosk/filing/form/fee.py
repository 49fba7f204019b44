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
from kiosk.rules.fees import FeeBasis, FeeNeed, Payer, compute_fee, fee_needs, mrp_on
from kiosk.rules.model import Exemption, ExemptionGroup, Fee, FeeAmount

Problem = Literal[
    "no_fee", "free", "choose_fee", "amount_needed", "counts_needed", "no_index", "no_rate"
]
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
        problem: why there is no figure: ``no_fee`` (none is known for this type), ``free`` (nobody
            pays for this type), ``choose_fee`` (several may apply), ``amount_needed``,
            ``counts_needed`` (of documents and their pages), ``no_index`` (no MRP for the payment
            date), ``no_rate``; None if there is a figure.
        to_pay: tenge; None if there is no figure, or an exemption or a deferral is named.
        payment_text: content of the QR code; empty if there is nothing to pay.
        needs: what the fee is computed from, besides the index.
        amount_of: which sum ``amount`` is.
        is_deferred: whether the ground that was named puts the payment off (АПК 106(3)).
    """

    statement: FeeStatement | None
    label: str
    problem: Problem | None
    to_pay: Decimal | None
    payment_text: str
    needs: FeeNeed | None = None
    amount_of: FeeAmount = "claim"
    is_deferred: bool = False

    def qr_png(self, scale: int = 8) -> bytes:
        """Return the QR code to pay, as PNG; empty if there is nothing to pay."""
        if not self.payment_text:
            return b""
        out = BytesIO()
        segno.make(self.payment_text, error="m", micro=False).save(out, kind="png", scale=scale)
        return out.getvalue()


def payer_of(filing: Filing) -> Payer:
    """Return who pays: a legal entity, or a person."""
    return "entity" if filing.applicant.kind == "entity" else "individual"


def fee_options(
    rules: Rules, document_type: str, language: Language, payer: Payer
) -> tuple[FeeOption, ...]:
    """Return the fees that may be due for a document type and that have a rate for ``payer``."""
    return tuple(
        FeeOption(row.id, row.label.text(language)) for row in _fees(rules, document_type, payer)
    )


def _fees(rules: Rules, document_type: str, payer: Payer) -> tuple[Fee, ...]:
    rows = {row.id: row for row in rules.state_fee.fee}
    found = (rows[fee_id] for fee_id in rules.document_type(document_type).fees)
    return tuple(row for row in found if payer == "individual" or row.entity is not None)


def exemption_options(rules: Rules, language: Language, payer: Payer) -> tuple[FeeOption, ...]:
    """Return the grounds of exemption to choose from; the court decides.

    A legal entity has no grounds that hang on a person, nor the deferral of a citizen's claim
    (АПК 106(3)).
    """
    rows = _grounds(rules, payer)
    return tuple(FeeOption(row.id, row.label.text(language), row.group) for row in rows)


def _grounds(rules: Rules, payer: Payer) -> tuple[Exemption, ...]:
    return tuple(
        row
        for row in rules.state_fee.exemption
        if payer == "individual" or not (row.group == "person" or row.deferred)
    )


BOTH_FEES = {"property", "non_property"}
"""Fees that are added where the claim asks for both (НК 665(4))."""


def fee_hint(
    context: FilingContext,
    filing: Filing,
    paid_on: date,
    *,
    fee_id: str | None = None,
    basis: FeeBasis | None = None,
    exemption: str | None = None,
) -> FeeHint:
    """Return the fee that may be due for ``filing``.

    Args:
        context: the filing context.
        filing: its document type and applicant decide the fee.
        paid_on: date of payment, which decides the monthly index.
        fee_id: the fee, if several may apply.
        basis: what the person said: an amount in tenge, or the number of documents and pages.
        exemption: ground of exemption or deferral that the person chose.

    Raises:
        StepRefusedError: there is no such fee for this type, or no such ground for whoever pays.
    """
    rules, language = context.fee_rules(), filing.language
    rows = {row.id: row for row in _fees(rules, filing.document_type, payer_of(filing))}
    if fee_id is None and len(rows) == 1:
        fee_id = next(iter(rows))
    grounds = {row.id: row for row in _grounds(rules, payer_of(filing))}
    if exemption is not None and exemption not in grounds:
        raise StepRefusedError(f"no exemption {exemption}")
    if fee_id is None:
        return FeeHint(None, "", _problem_without_fee(rules, filing, bool(rows)), None, "")
    if fee_id not in rows:
        raise StepRefusedError(f"no fee {fee_id} for {filing.document_type}")
    statement = _statement(fee_id, basis or FeeBasis(), paid_on, exemption)
    due, problem = _fee_or_problem(rules, filing, statement, paid_on)
    if due is not None:
        index = mrp_on(rules, paid_on).tenge
        statement = statement.model_copy(update={"hint": due, "mrp": index})
    to_pay = None if exemption is not None else due
    label = rows[fee_id].label.text(language)
    return FeeHint(
        statement,
        label,
        problem,
        to_pay,
        "" if to_pay is None else _payment_text(context, label, to_pay, language),
        needs=fee_needs(rules, fee_id, payer_of(filing)),
        amount_of=rows[fee_id].amount,
        is_deferred=exemption is not None and grounds[exemption].deferred,
    )


def _problem_without_fee(rules: Rules, filing: Filing, has_choice: bool) -> Problem:
    if has_choice:
        return "choose_fee"
    return "free" if rules.document_type(filing.document_type).free_by else "no_fee"


def _statement(fee_id: str, basis: FeeBasis, paid_on: date, exemption: str | None) -> FeeStatement:
    return FeeStatement(
        fee=fee_id,
        amount=basis.amount,
        documents=basis.documents,
        pages=basis.pages,
        paid_on=paid_on.isoformat(),
        exemption=exemption,
    )


def _fee_or_problem(
    rules: Rules, filing: Filing, statement: FeeStatement, paid_on: date
) -> tuple[Decimal | None, Problem | None]:
    """Return the fee in tenge, or the reason why there is none."""
    payer = payer_of(filing)
    basis = FeeBasis(statement.amount, statement.documents, statement.pages)
    try:
        mrp_on(rules, paid_on)
    except FeeUnknownError:
        return None, "no_index"
    needs = fee_needs(rules, statement.fee, payer)
    if needs == "amount" and basis.amount is None:
        return None, "amount_needed"
    if needs == "counts" and None in (basis.documents, basis.pages):
        return None, "counts_needed"
    try:
        return compute_fee(rules, statement.fee, payer, paid_on, basis), None
    except FeeUnknownError:
        return None, "no_rate"


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
