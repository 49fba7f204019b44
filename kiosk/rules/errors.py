"""Errors of the rules data."""

from __future__ import annotations

from kiosk.errors import KioskError


class RulesError(KioskError):
    """The rules data is malformed or contradicts itself; the message has one line per problem."""

    code = "rules_invalid"
    exit_code = 2


class UnknownRuleError(KioskError, LookupError):
    """There is no row with this id."""

    code = "rules_invalid"


class FeeUnknownError(KioskError):
    """The state fee cannot be computed: a rate, the MRP for the date, ... is missing."""

    code = "fee_unknown"
