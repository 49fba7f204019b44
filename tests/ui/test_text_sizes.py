"""No words on the staff's screens get smaller in a larger text size."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.demo.x_server import Display
from tests.ui.test_screenshots import draw

pytestmark = pytest.mark.slow
PARTS = 6
SCREENS = (
    *("pin", "people", "lock", "today", "recess", "delivery", "export", "unfinished"),
    *("technician_home", "self_test", "upkeep", "alarm_log", "second_storage", "support"),
    *("court_keys", "staff_list"),
)
"""Other screens of the staff: parts of the names of their states."""


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_no_words_are_smaller_in_the_largest_text_size(
    part: int, display: Display, tmp_path: Path
) -> None:
    """Every state, in the two languages with the longest words; nothing is cut or hidden."""
    options = (
        "--only",
        "recording",
        "--part",
        f"{part}/{PARTS}",
        "--looks",
        "kk4,ru4",
        "--compare-sizes",
    )
    status, said, pictures = draw(tmp_path, display, *options)
    assert status == 0, said
    assert pictures


@pytest.mark.parametrize("screen", SCREENS)
def test_nor_are_they_on_the_other_screens_of_the_staff(
    screen: str, display: Display, tmp_path: Path
) -> None:
    options = ("--only", screen, "--looks", "kk4,ru4", "--compare-sizes")
    status, said, pictures = draw(tmp_path, display, *options)
    assert status == 0, said
    assert pictures
