"""State fee: the check values of table 10, and refusal wherever something is not known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.rules import FeeBasis, FeeUnknownError, Payer, UnknownRuleError, compute_fee, load_rules
from kiosk.rules.fees import fee_needs

RULES = load_rules()
DAY = date(2026, 3, 2)
MILLION = FeeBasis(amount=Decimal(1_000_000))


@pytest.mark.parametrize(
    ("fee", "payer", "claim", "tenge"),
    [
        ("divorce", "individual", None, "1297.5"),
        ("non_property", "individual", None, "2162.5"),
        ("writ", "entity", None, "21625"),
        ("property", "individual", MILLION, "10000"),
        ("property", "entity", MILLION, "30000"),
        ("court_order", "individual", MILLION, "5000"),
        ("court_order", "entity", MILLION, "15000"),
        ("property", "individual", FeeBasis(amount=Decimal(10**12)), "43250000"),
        ("property", "entity", FeeBasis(amount=Decimal(10**12)), "86500000"),
        ("honour", "entity", FeeBasis(amount=Decimal(10**12)), "30000000000"),
        ("act_complaint", "entity", None, "21625"),
        ("tax_audit", "individual", FeeBasis(amount=Decimal(10**12)), "2162500"),
        ("divorce_special", "individual", MILLION, "10000"),
        ("copies", "individual", FeeBasis(documents=2, pages=10), "2162.5"),
        ("cassation_property", "entity", MILLION, "15000"),
        ("cassation_non_property", "individual", None, "1081.25"),
        ("cassation_writ", "individual", None, "10812.5"),
        ("arbitration_cancel_property", "individual", MILLION, "5000"),
        ("arbitration_cancel_non_property", "entity", None, "1081.25"),
        ("cassation_arbitration_property", "individual", MILLION, "2500"),
        ("cassation_arbitration_non_property", "entity", None, "540.625"),
        ("constitutional", "individual", None, "0"),
    ],
)
def test_check_values(fee: str, payer: Payer, claim: FeeBasis | None, tenge: str) -> None:
    assert compute_fee(RULES, fee, payer, DAY, claim) == Decimal(tenge)


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2025, 12, 31), date(2016, 5, 1)])
def test_no_rate_or_index_for_the_date_gives_no_figure(day: date) -> None:
    with pytest.raises(FeeUnknownError):
        compute_fee(RULES, "non_property", "individual", day)


@pytest.mark.parametrize(
    ("fee", "payer", "claim"),
    [
        ("divorce", "entity", None),
        ("property", "individual", None),
        ("property", "individual", FeeBasis(amount=Decimal(-1))),
        ("cassation_property", "individual", None),
        ("copies", "individual", FeeBasis(documents=1)),
    ],
)
def test_what_is_not_known_is_not_guessed(fee: str, payer: Payer, claim: FeeBasis | None) -> None:
    with pytest.raises(FeeUnknownError):
        compute_fee(RULES, fee, payer, DAY, claim)


@pytest.mark.parametrize("payer", ["individual", "entity"])
def test_what_is_asked_for_a_fee_is_enough_to_compute_it(payer: Payer) -> None:
    """No fee asks for an amount and then knows nothing."""
    answers = {"amount": MILLION, "counts": FeeBasis(documents=2, pages=10), None: None}
    for row in RULES.state_fee.fee:
        if payer == "individual" or row.entity is not None:
            compute_fee(RULES, row.id, payer, DAY, answers[fee_needs(RULES, row.id, payer)])


def test_unknown_fee() -> None:
    with pytest.raises(UnknownRuleError, match="no fee “parking”"):
        compute_fee(RULES, "parking", "individual", DAY)


@given(
    st.decimals(min_value=0, max_value=10**12, places=2), st.sampled_from(["property", "honour"])
)
def test_an_entity_never_pays_less_than_a_person(amount: Decimal, fee: str) -> None:
    claim = FeeBasis(amount=amount)
    person = compute_fee(RULES, fee, "individual", DAY, claim)
    assert 0 <= person <= compute_fee(RULES, fee, "entity", DAY, claim)
