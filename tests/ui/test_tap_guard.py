"""A changed button takes no tap for 0.7 s from its drawing; one that stays takes each."""

from __future__ import annotations

from kiosk.ui.widgets.tap_guard import TapGuard, TapTarget

OATH = TapTarget("rec.mark.oath", "Oath: A", 0, 0, 100, 50)
OF_B = TapTarget("rec.mark.oath", "Oath: B", 0, 0, 100, 50)
RECEIPT = TapTarget("rec.mark.receipt_taken", "Receipt", 0, 0, 100, 50)
RECESS = TapTarget("rec.recess", "Recess", 0, 60, 100, 50)
MOVED = TapTarget("rec.recess", "Recess", 0, 20, 100, 50)


def guard_of(*screens: tuple[TapTarget, ...]) -> tuple[TapGuard, list[float]]:
    """Return a guard that saw ``screens``, the last one at second 10.0, and its clock."""
    clock = [0.0]
    guard = TapGuard(lambda: clock[0])
    for number, targets in enumerate(screens):
        clock[0] = 10.0 + number - (len(screens) - 1)
        guard.note_drawn(targets)
    return guard, clock


def test_a_changed_button_takes_no_tap_until_a_finger_under_way_has_landed() -> None:
    guard, clock = guard_of((OATH, RECESS), (RECEIPT, RECESS))
    assert guard.refuses(RECEIPT, 50, 25)
    assert not guard.refuses(RECESS, 50, 85), "it stayed where it was"
    guard.note_drawn((RECEIPT, RECESS))  # drawn again, nothing changed: no longer than 0.7 s
    clock[0] = 10.69
    assert guard.refuses(RECEIPT, 50, 25)
    clock[0] = 10.71
    assert not guard.refuses(RECEIPT, 50, 25)


def test_the_same_event_of_another_person_is_another_button() -> None:
    guard, _ = guard_of((OATH,), (OF_B,))
    assert guard.refuses(OF_B, 50, 25)


def test_the_same_button_for_another_mark_is_another_one() -> None:
    """Two quick taps on undo take back one mark."""
    last, before = (TapTarget("rec.undo", "", 0, 0, 9, 9, number=mark) for mark in (2, 1))
    guard, clock = guard_of((last,), (before,))
    assert guard.refuses(before, 5, 5)
    clock[0] += 0.8
    assert not guard.refuses(before, 5, 5)
    guard, _ = guard_of((before,), (last,))
    assert not guard.refuses(last, 5, 5), "what was just marked can be taken back at once"


def test_later_puts_off_the_question_that_was_read_and_not_the_one_that_has_just_come() -> None:
    read, new = (TapTarget("ask.later", "Later", 0, 0, 9, 9, about=text) for text in "ab")
    guard, _ = guard_of((read,), (new,))
    assert guard.refuses(new, 5, 5)
    assert not guard.refuses(read, 5, 5)


def test_a_button_that_moved_takes_the_taps_where_it_was_before() -> None:
    guard, _ = guard_of((OATH, RECESS), (MOVED,))
    assert guard.refuses(MOVED, 50, 30), "the oath was there"
    assert not guard.refuses(MOVED, 50, 65)
    assert not guard.refuses(MOVED, 50, 55), "nothing was there"


def test_two_changes_within_a_moment_are_both_remembered() -> None:
    clock = [10.0]
    guard = TapGuard(lambda: clock[0])
    for targets in ((OATH,), (RECESS,), (RECEIPT,)):
        guard.note_drawn(targets)
        clock[0] += 0.3
    assert guard.refuses(RECEIPT, 50, 25), "a finger for the oath may still be under way"


def test_the_keys_of_a_keyboard_change_as_one_types() -> None:
    small, large = (TapTarget(f"key.{c}", c, 0, 0, 9, 9, is_key=True) for c in ("а", "А"))
    guard, _ = guard_of((small,), (large,))
    assert not guard.refuses(large, 5, 5)
    guard, _ = guard_of((small,), (OATH,))
    assert guard.refuses(OATH, 5, 5), "an event is no key"
