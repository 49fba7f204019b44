"""Checks the applicant's data; it gives advice and never refuses a filing (R14).

The individual identification number (ЖСН, ИИН) has 12 digits: birth date ``YYMMDD``, century and
sex, a serial number, and a check digit. The business one (БСН, БИН) has 12 digits too: year and
month of registration, form, a serial number, and a check digit by the same weights.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from kiosk.filing.model import Applicant
from kiosk.rules import Rules

IinProblem = Literal["iin_length", "iin_date", "iin_check_digit"]
BinProblem = Literal["bin_length", "bin_form", "bin_check_digit"]

_WEIGHTS = (
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2),
)


def iin_problem(text: str) -> IinProblem | None:
    """Return the problem of a typed individual identification number, or None.

    Args:
        text: digits; spaces and dashes are ignored.
    """
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{12}", digits):
        return "iin_length"
    if not _has_birth_date(digits):
        return "iin_date"
    return None if int(digits[11]) == iin_check_digit(digits[:11]) else "iin_check_digit"


def bin_problem(text: str) -> BinProblem | None:
    """Return the problem of a typed business identification number, or None.

    Args:
        text: digits; spaces and dashes are ignored.
    """
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{12}", digits):
        return "bin_length"
    # 5th digit: 4 resident, 5 non-resident legal entity, 6 joint enterprise of sole traders.
    if not 1 <= int(digits[2:4]) <= 12 or digits[4] not in "456":
        return "bin_form"
    return None if int(digits[11]) == iin_check_digit(digits[:11]) else "bin_check_digit"


def field_problems(applicant: Applicant, rules: Rules) -> dict[str, str]:
    """Return the problem of each field that is missing or looks wrong; never a refusal (R14).

    Args:
        applicant: the data entered.
        rules: they say which fields are required.
    """
    found: dict[str, str] = {}
    for field in rules.applicant_fields.values():
        if applicant.kind not in field.applies:
            continue
        value = str(getattr(applicant, field.id)).strip()
        if not value:
            if field.required:
                found[field.id] = "missing"
            continue
        problem = {"iin": iin_problem, "bin": bin_problem}.get(field.id, _no_problem)(value)
        if problem:
            found[field.id] = problem
    return found


def _no_problem(_text: str) -> None:
    return None


def iin_check_digit(first: str) -> int | None:
    """Return the check digit for the first 11 digits; None if no such number is issued."""
    for weights in _WEIGHTS:
        rest = sum(int(digit) * weight for digit, weight in zip(first, weights, strict=True)) % 11
        if rest < 10:
            return rest
    return None


def _has_birth_date(digits: str) -> bool:
    """Return whether the number begins with a date in the century of its 7th digit."""
    century = {"0": 20, "1": 18, "2": 18, "3": 19, "4": 19, "5": 20, "6": 20}.get(digits[6])
    if century is None:
        return False
    try:
        date(century * 100 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return True
