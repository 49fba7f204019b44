"""No words on the staff's screens get smaller in a larger text size."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kiosk.demo.x_server import Display

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SCREENS = (
    *(("recording", part) for part in ("1/3", "2/3", "3/3")),
    ("pin,people,lock,today,recess", "1/1"),
    ("delivery,export,unfinished,rehearsal,technician_home,upkeep,alarm_log", "1/1"),
    ("self_test,second_storage,support,court_keys,staff_list", "1/1"),
)
"""Words in the names of the states of the staff's screens, shared among the workers."""


@pytest.mark.parametrize(("words", "part"), SCREENS)
def test_no_words_are_smaller_in_the_largest_text_size(
    words: str, part: str, display: Display
) -> None:
    """Every state, in one of the two languages with the longest words; nothing is cut or hidden."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kiosk.cli", "screens", "--only", words, "--part", part),
            *("--looks", "kk4,ru4", "--in-turn", "--compare-sizes"),
        ],
        env={**os.environ, "DISPLAY": display.name, "LIBGL_ALWAYS_SOFTWARE": "1"},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert not done.stdout.endswith("\n0 looks checked\n")
