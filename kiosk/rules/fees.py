"""Computes the state fee by table 10 (Tax Code art. 665): a hint, never a decision.

There is no figure if the rate or the monthly index (MRP) of the payment date is not known. Amounts
are not rounded: the rule of rounding was not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from kiosk.rules.errors import FeeUnknownError, UnknownRuleError
from kiosk.rules.model import Mrp, Rate
from kiosk.rules.rules import Rules

Payer = Literal["individual", "entity"]
FeeNeed = Literal["amount", "counts"]


@dataclass(frozen=True, slots=True)
class FeeBasis:
    """Data from which a fee is computed.

    Attributes:
        amount: amount of the claim in tenge.
        documents: number of documents to copy.
        pages: number of their pages.
    """

    amount: Decimal | None = None
    documents: int | None = None
    pages: int | None = None


def mrp_on(rules: Rules, paid_on: date) -> Mrp:
    """Return the monthly index in force on the date of payment (art. 664(2)).

    Raises:
        FeeUnknownError: there is no row for that date.
    """
    for row in rules.mrp:
        if row.valid_from <= paid_on <= row.valid_until:
            return row
    raise FeeUnknownError(f"no monthly index (MRP) for {paid_on.isoformat()} in the rules data")


def compute_fee(
    rules: Rules, fee_id: str, payer: Payer, paid_on: date, basis: FeeBasis | None = None
) -> Decimal:
    """Return the state fee ``fee_id`` in tenge, not rounded.

    Args:
        rules: the rules data.
        fee_id: id of a row of table 10.
        payer: natural person or legal entity.
        paid_on: date of payment, which decides the index.
        basis: data that the rate needs (amount, documents and pages).

    Raises:
        UnknownRuleError: there is no such fee.
        FeeUnknownError: no rate for this payer or date, no index, or ``basis`` lacks a value.
    """
    if paid_on < rules.state_fee.valid_from:
        raise FeeUnknownError(f"the rates are known from {rules.state_fee.valid_from} only")
    index = mrp_on(rules, paid_on).tenge
    return _amount(rules, _rate(rules, fee_id, payer), payer, index, basis or FeeBasis())


def fee_needs(rules: Rules, fee_id: str, payer: Payer) -> FeeNeed | None:
    """Return what must be asked for the fee: an amount, documents and pages, or nothing (None).

    Raises:
        UnknownRuleError: there is no such fee.
        FeeUnknownError: no rate for this payer.
    """
    rate = _rate(rules, fee_id, payer)
    if rate.same_as is not None:
        return fee_needs(rules, rate.same_as, payer)
    if rate.percent is not None:
        return "amount"
    return None if rate.mrp is not None else "counts"


def _rate(rules: Rules, fee_id: str, payer: Payer) -> Rate:
    """Return the rate of ``fee_id`` for ``payer``."""
    for row in rules.state_fee.fee:
        if row.id == fee_id:
            rate = row.individual if payer == "individual" else row.entity
            if rate is None:
                raise FeeUnknownError(f"fee “{fee_id}” has no rate for a legal entity")
            return rate
    raise UnknownRuleError(f"no fee “{fee_id}” in the rules data")


def _amount(rules: Rules, rate: Rate, payer: Payer, index: Decimal, basis: FeeBasis) -> Decimal:
    """Return the amount in tenge for ``rate``."""
    if rate.percent is not None:
        amount = _percent_of(rate.percent, _require_amount(basis.amount, "the amount of the claim"))
        return amount if rate.max_mrp is None else min(amount, rate.max_mrp * index)
    if rate.mrp is not None:
        return rate.mrp * index
    if rate.same_as is not None:
        whole = _amount(rules, _rate(rules, rate.same_as, payer), payer, index, basis)
        return _percent_of(rate.share_percent, whole)
    per_document, per_page = rate.mrp_per_document, rate.mrp_per_page
    assert per_document is not None  # the loader checks that a rate has exactly one way
    assert per_page is not None
    documents = _require_amount(basis.documents, "the number of documents")
    return index * (
        per_document * documents + per_page * _require_amount(basis.pages, "the page count")
    )


def _percent_of(percent: Decimal, amount: Decimal) -> Decimal:
    return amount * percent / 100


def _require_amount(value: Decimal | int | None, what: str) -> Decimal:
    """Return ``value``; raise FeeUnknownError if it is missing or negative."""
    if value is None:
        raise FeeUnknownError(f"{what} is needed")
    if value < 0:
        raise FeeUnknownError(f"{what} is negative")
    return Decimal(value)
