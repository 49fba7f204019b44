"""Which way up a page of text lies, by the shapes of its letters.

Letters are cut out along the lines of text and compared with the alphabets of the court (Kazakh,
Russian, Latin, figures, punctuation), drawn once upright and once upside down. A letter that
looks the same both ways (о, х, н) says nothing; the others add up. No text is recognised: it
takes a hundredth of the time of an OCR's own look at the orientation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts

Mask = NDArray[np.bool_]
Shapes = NDArray[np.float32]
#: A letter's middle (across, down) and the height of a small letter in its line, in dots.
Window = tuple[float, float, float]

_LETTERS = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі"
    "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯӘҒҚҢӨҰҮҺІ"
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?№%«»()"
)
#: A letter is seen in a window of so many cells; five cells are the height of a small letter.
_ROWS, _COLUMNS, _CELLS_PER_HEIGHT = 11, 11, 5
#: Dots of a strip's width: so narrow that lines are level in it, and columns stay apart.
_STRIP = 300
#: Ink that fills a stripe of that width (dots) over that length is a rule and not a letter.
_RULE_WIDTH, _RULE_LENGTH, _RULE_STEP = 8, 100, 25
_LOWEST, _HIGHEST = 5, 48
#: Width of the widest letter in heights of a small one; wider are letters that touch.
_WIDEST = 1.8
_MOST_LETTERS, _FEW, _LETTERS_NEEDED = 600, 150, 40
#: Evidence from which a page is called upside down, and from which no more letters are asked.
#: Right pages in eleven typefaces never came below -3.6 (figures in an old-style serif).
_UPSIDE_DOWN, _PLAINLY_UPRIGHT = -5.5, 3.0
#: Share of its height by which a slanted letter leans.
_SLANTS = (0.0, 0.2)


@dataclass(frozen=True)
class Way:
    """How surely a page lies upright.

    Attributes:
        evidence: above 0: upright; below: upside down; in units of its own uncertainty.
        letters: how many letters spoke.
    """

    evidence: float
    letters: int

    @property
    def upside_down(self) -> bool:
        """Whether it surely lies upside down; False also where nobody can tell."""
        return self.evidence < _UPSIDE_DOWN


def which_way_up(ink: Mask, skew: float = 0.0) -> Way:
    """Return which way up the text in ``ink`` (True: written; about 150 dpi) lies.

    Args:
        ink: the page.
        skew: degrees by which its lines rise to the right.
    """
    tones = Image.fromarray(ink.view(np.uint8) * np.uint8(255))
    if skew:
        tones = tones.rotate(-skew, Image.Resampling.NEAREST)
        ink = np.asarray(tones) > 0
    ink = _without_rules(ink)
    lefts = range(0, ink.shape[1], _STRIP)
    first = _judge(tones, [window for left in lefts[1::3] for window in _windows(ink, left)], _FEW)
    if first.evidence > _PLAINLY_UPRIGHT:
        return first  # as nearly every page: a third of the time
    return _judge(tones, [window for left in lefts for window in _windows(ink, left)])


def _judge(tones: Image.Image, windows: list[Window], most: int = _MOST_LETTERS) -> Way:
    """Return what the letters in ``windows`` say together; at most about ``most`` are asked."""
    if len(windows) < _LETTERS_NEEDED:
        return Way(0.0, len(windows))
    step = -(-len(windows) // most)
    found = _compare(np.stack([_shape(tones, window) for window in windows[::step]]))
    spread = float(found.std()) or 1.0
    return Way(float(found.mean()) / spread * len(found) ** 0.5, len(found))


def _without_rules(ink: Mask) -> Mask:
    """Return ``ink`` without what runs down the page unbroken: the rules of tables and frames."""
    rows, blocks = ink.shape[0], ink.shape[1] // _RULE_WIDTH
    cells = ink[:, : blocks * _RULE_WIDTH].reshape(rows, blocks, _RULE_WIDTH).any(axis=2)
    if rows <= _RULE_LENGTH or not cells.size:
        return ink
    counts = np.cumsum(cells, axis=0, dtype=np.int32)
    unbroken = counts[_RULE_LENGTH:] - counts[:-_RULE_LENGTH] == _RULE_LENGTH
    found = np.argwhere(unbroken[::_RULE_STEP])
    if not len(found):
        return ink
    cleaned = ink.copy()
    for step, block in found:
        top, left = int(step - 1) * _RULE_STEP, int(block) * _RULE_WIDTH
        bottom = top + _RULE_LENGTH + 2 * _RULE_STEP
        cleaned[max(0, top) : bottom, left : left + _RULE_WIDTH] = False
    return cleaned


def _windows(ink: Mask, left: int) -> Iterator[Window]:
    """Yield the window of each letter in the strip that begins at ``left``."""
    strip = ink[:, left : left + _STRIP]
    written = strip.sum(axis=1)
    for top, bottom in _runs(written > 0):
        zone = _zone(written[top:bottom])
        if zone is None:
            continue
        height = zone[1] - zone[0]
        middle = top + (zone[0] + zone[1]) / 2
        for start, end in _runs(np.any(strip[top:bottom], axis=0)):
            if end - start <= _WIDEST * height:
                yield left + (start + end) / 2, middle, height


def _runs(flags: Any) -> list[tuple[int, int]]:
    """Return begin and end of each run of True."""
    padded = np.concatenate(([False], flags, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _zone(written: NDArray[np.int64]) -> tuple[int, int] | None:
    """Return the rows of a line between which small letters lie; None: not a line of text."""
    if not _LOWEST <= len(written) <= 3 * _HIGHEST:
        return None
    full = np.flatnonzero(written > 0.4 * written.max())
    top, bottom = int(full[0]), int(full[-1]) + 1
    return (top, bottom) if _LOWEST <= bottom - top <= _HIGHEST else None


def _shape(tones: Image.Image, window: Window) -> Shapes:
    """Return the letter in ``window``, reduced to its cells."""
    across, down, height = window
    wide, high = (n * height / _CELLS_PER_HEIGHT / 2 for n in (_COLUMNS, _ROWS))
    left, top, right, bottom = across - wide, down - high, across + wide, down + high
    if left < 0 or top < 0 or right > tones.width or bottom > tones.height:
        return np.zeros(_ROWS * _COLUMNS, np.float32)
    small = tones.resize((_COLUMNS, _ROWS), Image.Resampling.BOX, (left, top, right, bottom))
    return np.asarray(small, np.float32).ravel()


def _compare(shapes: Shapes) -> NDArray[np.float64]:
    """Return for each shape how much nearer it is to an upright letter than to a turned one."""
    upright = _alphabet()
    length = np.linalg.norm(shapes, axis=1, keepdims=True)
    shapes = shapes / np.maximum(length, 1e-6)
    as_is = (shapes @ upright.T).max(axis=1)
    turned = (shapes[:, ::-1] @ upright.T).max(axis=1)
    return np.asarray(as_is - turned, np.float64)


@cache
def _alphabet() -> Shapes:
    """Return the shape of each letter, upright, of length 1."""
    drawn = []
    for path in (fonts.REGULAR, fonts.SEMI_BOLD):
        font = ImageFont.truetype(str(path), 64, layout_engine=ImageFont.Layout.BASIC)
        for measure, letters in (("х", _LETTERS), ("Х", _LETTERS.upper())):
            _, top, _, bottom = font.getbbox(measure, anchor="ms")
            zone = (128 + (top + bottom) / 2, float(bottom - top))
            drawn += [_drawn(letter, font, slant, zone) for letter in letters for slant in _SLANTS]
    shapes = np.stack(drawn)
    lengths = np.linalg.norm(shapes, axis=1, keepdims=True)
    return np.asarray(shapes / lengths, np.float32)


def _drawn(
    letter: str, font: ImageFont.FreeTypeFont, slant: float, zone: tuple[float, float]
) -> Shapes:
    """Return the shape of one letter; ``zone``: middle and height of its small letters."""
    image = Image.new("L", (256, 256))
    ImageDraw.Draw(image).text((128, 128), letter, 255, font, anchor="ms")
    leaning = (1, slant, -128 * slant, 0, 1, 0)
    image = image.transform(image.size, Image.Transform.AFFINE, leaning, Image.Resampling.BILINEAR)
    left, _, right, _ = image.getbbox() or (0, 0, 256, 256)
    return _shape(image, ((left + right) / 2, *zone))
