"""The screenshots are drawn in a window, which finds what is cut, small, hidden or overlapping."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kiosk.demo.x_server import Display

pytestmark = pytest.mark.slow


def draw(folder: Path, display: Display, *options: str) -> tuple[int, str, list[Path]]:
    """Run ``kiosk screens``; return exit status, what it said, pictures."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosk.cli", "screens", "--out", str(folder), *options],
        env={**os.environ, "DISPLAY": display.name, "LIBGL_ALWAYS_SOFTWARE": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, done.stdout, sorted(folder.glob("*.png"))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("--only", "recording-question", "--looks", "ru4,kk1"), (1280, 800)),
        (("--only", "fault", "--looks", "ru4"), (1280, 800)),
        (("--only", "today-volatile", "--looks", "kk4,ru4", "--compare-sizes"), (1280, 800)),
        (("--only", "self_test-done", "--looks", "kk4,ru4", "--compare-sizes"), (1280, 800)),
        (("--only", "recording-m", "--looks", "kk1", "--small"), (800, 480)),
        (("--only", "today-line,today-broken", "--looks", "kk4"), (1280, 800)),
        (("--only", "today-line,today-broken", "--looks", "kk1,ru4", "--small"), (800, 480)),
    ],
    ids=["questions", "faults", "volatile", "self-test", "small", "remedies", "small remedies"],
)
def test_nothing_is_cut_small_hidden_or_overlapping(
    options: tuple[str, ...], size: tuple[int, int], display: Display, tmp_path: Path
) -> None:
    """Also in the largest text size, and on a small screen; pictures are not blank."""
    status, said, pictures = draw(tmp_path, display, *options)
    assert status == 0, said
    assert pictures
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.size == size
            colours = picture.getcolors(maxcolors=1 << 20)
            assert colours is None or len(colours) > 50, path.name
