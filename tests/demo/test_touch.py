"""A touch of the screen: whether it was taken is told by the screen's own counters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from kiosk.demo.touch import touch_widget
from kiosk.errors import KioskError

ITEM = {"x": 10, "y": 20, "w": 100, "h": 51}
BEFORE = {"touches": 3, "refused": 1}


def touch(*answers: dict[str, Any]) -> tuple[bool | None, list[tuple[str, ...]]]:
    """Touch a screen that says ``answers``, the last one on and on; return what was run, too."""
    told: Iterator[dict[str, Any]] = chain(answers, repeat(answers[-1]))
    commands: list[tuple[str, ...]] = []
    taken = touch_widget(ITEM, lambda: next(told), lambda *c: commands.append(c), 0.1)
    return taken, commands


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        ({"touches": 4, "refused": 1}, True),
        ({"touches": 4, "refused": 2}, False),
        (BEFORE, None),
        ({}, None),
        ({"touches": 1, "refused": 0}, None),
    ],
    ids=["taken", "refused", "none came", "gone", "started anew"],
)
def test_the_counters_say_what_became_of_it(after: dict[str, Any], taken: bool | None) -> None:
    """A screen that is busy at first answers later; the middle is clicked once."""
    found, commands = touch({}, BEFORE, BEFORE, after)
    assert found is taken
    assert commands == [("xdotool", "mousemove", "60", "46"), ("xdotool", "click", "1")]


def test_a_screen_that_does_not_answer_is_not_touched() -> None:
    with pytest.raises(KioskError, match="the screen"):
        touch({})
