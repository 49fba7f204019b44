"""Identification numbers and case numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.filing.form.applicant import bin_problem, iin_check_digit, iin_problem
from kiosk.rules import case_number_key


def with_check_digit(first: str) -> str | None:
    """Return the whole number for the first 11 digits, or None where there is none."""
    digit = iin_check_digit(first)
    return None if digit is None else f"{first}{digit}"


def test_known_check_digits() -> None:
    # 1*8+2*5+3*0+4*1+5*0+6*1+7*3+8*0+9*0+10*0+11*1 = 60; 60 mod 11 = 5
    assert iin_check_digit("85010130001") == 5
    assert iin_problem("850101300015") is None
    assert iin_problem("850101 300-015") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "iin_length"),
        ("85010130001", "iin_length"),
        ("85010130001x", "iin_length"),
        ("850101300016", "iin_check_digit"),
        ("851301300015", "iin_date"),
        ("850230300015", "iin_date"),
        ("850101900015", "iin_date"),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    assert iin_problem(text) == problem


def test_second_weights_are_used_when_the_first_give_ten() -> None:
    first = next(
        f"850101300{serial:02d}"
        for serial in range(100)
        if sum(int(d) * w for d, w in zip(f"850101300{serial:02d}", range(1, 12), strict=True)) % 11
        == 10
    )
    digit = iin_check_digit(first)
    weights = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
    expected = sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11
    assert digit == (expected if expected < 10 else None)


@given(st.integers(0, 9999), st.integers(0, 9))
def test_exactly_one_check_digit_is_right(serial: int, digit: int) -> None:
    first = f"8501013{serial:04d}"
    whole = with_check_digit(first)
    right = whole is not None and whole[-1] == str(digit)
    assert (iin_problem(first + str(digit)) is None) is right


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("7514-26-00-4/1187", "7514–26–00–4 / 1187"),
        ("1\u0259-5", "1\u04d9-5"),
        ("\u018f-12/26", "\u04d9-12/26"),
        ("2К-15/2026", "2к-15/2026"),
        ("2K-15/2026", "2К-15/2026"),
        ("3599-24-00-2a/2151", "3599-24-00-2а/2151"),
        ("3599 - 24 - 00 - 2А \\ 2151", "3599-24-00-2а/2151"),
        ("6003-25-00-4k/1454 (2)", "6003-25-00-4к/1454(2)"),
        ("6003\u200b-25-00-4\u00adк/1454(2)\u202c", "6003-25-00-4к/1454(2)"),
        ("\ufeff № 6003―25―00―4к/1454(2).", "6003-25-00-4к/1454(2)"),
    ],
)
def test_case_numbers_compare_alike(typed: str, printed: str) -> None:
    assert case_number_key(typed) == case_number_key(printed)


def test_different_case_numbers_differ() -> None:
    assert case_number_key("7514-26-00-4/1187") != case_number_key("7514-26-00-4/1178")
    assert case_number_key("6003-25-00-4к/1454") != case_number_key("6003-25-00-4к/1454(2)")
    assert case_number_key("3599-24-00-2/2151") != case_number_key("3599-24-00-2а/2151")


@pytest.mark.parametrize(
    ("digits", "problem"),
    [
        ("12034500001", "bin_length"),
        ("121300000000", "bin_form"),
        ("120315000000", "bin_form"),
    ],
)
def test_a_bin_that_cannot_be(digits: str, problem: str) -> None:
    assert bin_problem(digits) == problem


@given(st.integers(0, 99999), st.sampled_from("456"), st.sampled_from("0123"))
def test_exactly_one_check_digit_of_a_bin_is_right(serial: int, kind: str, form: str) -> None:
    first = f"1203{kind}{form}{serial:05d}"
    right = iin_check_digit(first)
    good = [digit for digit in "0123456789" if bin_problem(first + digit) is None]
    assert good == ([] if right is None else [str(right)])
