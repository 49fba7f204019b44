"""Draw every state of the touch screen, errors included, from sample data.

One PNG per state and look: ``NAME-kk1.png`` is Kazakh in the first text size, ``-ru4`` Russian in
the largest, ``c`` high contrast. Layout problems (text cut, a button too small,
outside the screen or over another one) are printed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from pathlib import Path

HELP = "draw every state of the touch screen into a folder"
EXAMPLES = (
    "kiosk screens --out screens --only home --looks kk1,ru4",
    "kiosk screens --only recess,lock --looks kk4 --compare-sizes",
)
EXIT_STATUS = {0: "nothing is cut, small, hidden or overlapping", 1: "something is; it is listed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the states, the looks and the size of the screen."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="folder for the PNGs; without it the states are checked, and no pictures made",
    )  # fmt: skip
    parser.add_argument(
        "--only", default="", metavar="LIST",
        help="only states with one of these words in their name, such as recess,lock",
    )  # fmt: skip
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="N/M",
        help="only the N-th of M equal parts of these states, to share the work",
    )  # fmt: skip
    parser.add_argument(
        "--looks", default="", metavar="LIST", help="languages and text sizes, such as kk1,ru4,en1c"
    )
    parser.add_argument(
        "--in-turn",
        action="store_true",
        help="each state in one of the looks only: the first in the first, and so on",
    )
    parser.add_argument(
        "--small", action="store_true", help="draw for a screen of 800x480 on 154 mm"
    )
    parser.add_argument(
        "--compare-sizes",
        action="store_true",
        help="list the words that a larger text size makes smaller, too",
    )


def _part(text: str) -> tuple[int, int]:
    """Return N and M of ``N/M``.

    Raises:
        ValueError: there is no such part.
    """
    part, parts = (int(number) for number in text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError(text)
    return part, parts


def run(arguments: argparse.Namespace) -> int:
    """Draw them, on a private X server if there is no display."""
    from kiosk.demo.x_server import x_server

    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not os.environ.get("DISPLAY"):
            width, height = (800, 480) if arguments.small else (1280, 800)
            display = stack.enter_context(x_server(width, height, home / "x.log"))
            os.environ["DISPLAY"] = display.name
        return _draw(arguments, home)


def _draw(arguments: argparse.Namespace, home: Path) -> int:
    from kiosk.ui import screenshots
    from kiosk.ui.kivy_setup import prepare

    size = screenshots.SMALL if arguments.small else screenshots.LARGE
    looks = screenshots.SMALL_VARIANTS if arguments.small else screenshots.VARIANTS
    if arguments.looks:
        looks = tuple(arguments.looks.split(","))
    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    prepare(screenshots.make_settings(home, *size).ui, home / "kivy", max_fps="0")
    from kiosk.ui.screen_loader import all_samples

    part, parts = arguments.part
    words = arguments.only.split(",")
    states = [state for state in all_samples() if any(word in state.name for word in words)]
    states = states[part - 1 :: parts]
    wrong = screenshots.render_all(
        arguments.out,
        states,
        looks,
        size,
        compare_sizes=arguments.compare_sizes,
        in_turn=arguments.in_turn,
    )
    print("\n".join(wrong) or "nothing is cut, small, hidden or overlapping")
    count = len(states) * (1 if arguments.in_turn else len(looks))
    print(f"{count} pictures in {arguments.out}" if arguments.out else f"{count} looks checked")
    return 1 if wrong else 0
