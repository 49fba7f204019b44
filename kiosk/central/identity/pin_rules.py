"""Which PINs and badges may be set: none that are too easy to guess."""

from __future__ import annotations

import itertools

MIN_DIGITS, MAX_DIGITS = 4, 12
"""Length hardly matters to who has stolen a kiosk's disk: six digits fall in hours. Counted tries
protect the PIN on the screen, ``kiosk central revoke`` protects it after a theft."""
YEARS = range(1900, 2100)
COLUMNS = frozenset({"2580", "0852", "147258369", "159753", "357159"})  # lines on the pad


MAX_BADGE_LENGTH = 200


class WeakPinError(ValueError):
    """A PIN or badge that is not taken; the message says why and never holds it."""


def check_pin(pin: str) -> str:
    """Return ``pin`` if it may be set.

    Raises:
        WeakPinError: wrong length, not digits, or among the first that anybody tries.
    """
    if not (pin.isascii() and pin.isdigit() and MIN_DIGITS <= len(pin) <= MAX_DIGITS):
        raise WeakPinError(f"a PIN has {MIN_DIGITS} to {MAX_DIGITS} digits")
    if _repeats(pin):
        raise WeakPinError("a PIN may not repeat one digit or one group of digits")
    if _is_sequence(pin) or pin in COLUMNS:
        raise WeakPinError("a PIN may not be a row of digits in order, as on the pad")
    if len(pin) == MIN_DIGITS and int(pin) in YEARS:
        raise WeakPinError("a PIN of four digits may not be a year")
    return pin


def check_badge(badge: str) -> str:
    """Return ``badge`` if it may be set.

    Raises:
        WeakPinError: empty or too long.
    """
    if not 1 <= len(badge) <= MAX_BADGE_LENGTH:
        raise WeakPinError(f"a badge has 1 to {MAX_BADGE_LENGTH} characters")
    return badge


def _repeats(pin: str) -> bool:
    """Return whether a shorter group makes the whole PIN: 7777, 1212, 123123."""
    return pin in (pin + pin)[1:-1]


def _is_sequence(pin: str) -> bool:
    """Return whether each digit is one more (or one less) than the last: 1234, 7890, 4321."""
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(pin)}
    return steps in ({1}, {9})
