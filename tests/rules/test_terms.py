"""Terms of minutes and remarks as dates. Requirements: S21 (УПК 347(4), АПК 283(4), 284)."""

from __future__ import annotations

from datetime import date

import pytest

from kiosk.rules import load_rules
from kiosk.rules.terms import minutes_due, remarks_decided_by, remarks_until

RULES = load_rules()


@pytest.mark.parametrize(
    ("kind", "ended", "due"),
    [
        ("criminal", date(2026, 11, 27), date(2026, 12, 2)),  # days of the calendar
        ("civil", date(2026, 11, 27), date(2026, 12, 2)),  # a Friday: Monday to Wednesday
        ("civil", date(2026, 11, 28), date(2026, 12, 2)),  # a Saturday
        ("civil", date(2026, 11, 30), date(2026, 12, 3)),
        ("admin_justice", date(2026, 12, 31), date(2027, 1, 5)),  # New Year is not left out
        ("admin_offence", date(2026, 11, 27), None),
        ("", date(2026, 11, 27), None),
    ],
)
def test_minutes_are_due_by_code(kind: str, ended: date, due: date | None) -> None:
    assert minutes_due(RULES, kind, ended) == due


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        ("criminal", date(2026, 12, 7)),  # ten days of the calendar
        ("civil", date(2026, 12, 11)),  # ten working days
        ("admin_justice", date(2026, 12, 11)),
        ("admin_offence", None),
    ],
)
def test_the_longer_term_is_that_of_the_code(kind: str, due: date | None) -> None:
    assert minutes_due(RULES, kind, date(2026, 11, 27), is_complex=True) == due


def test_remarks_are_decided_on_by_the_civil_code_alone() -> None:
    """АПК 285; УПК 349 names no term."""
    assert remarks_decided_by(RULES, "civil", date(2026, 11, 27)) == date(2026, 12, 4)
    assert remarks_decided_by(RULES, "criminal", date(2026, 11, 27)) is None
    assert remarks_decided_by(RULES, "", date(2026, 11, 27)) is None


@pytest.mark.parametrize(
    ("kind", "signed", "last"),
    [
        ("criminal", date(2026, 11, 27), date(2026, 12, 2)),
        ("civil", date(2026, 11, 27), date(2026, 12, 9)),  # five working days, then three
        ("admin_offence", date(2026, 11, 27), None),
    ],
)
def test_remarks_are_possible_by_code(kind: str, signed: date, last: date | None) -> None:
    assert remarks_until(RULES, kind, signed) == last
