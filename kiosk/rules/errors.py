"""Errors of the rules data."""

from __future__ import annotations

from kiosk.errors import KioskError


class RulesError(KioskError):
    """The rules data is malformed or contradicts itself; the message has one line per problem."""

    code = "rules_invalid"
    exit_code = 2


class UnknownRuleError(KioskError, LookupError):
    """No row with this id."""

    code = "rules_invalid"


class FeeUnknownError(KioskError):
    """The state fee cannot be computed from what is known (no rate or MRP for that date, ...)."""

    code = "fee_unknown"
