"""Detects whether a page of text is upside down, by the shapes of its letters.

It cuts letters out of the lines of text and compares them with the court's alphabets (Kazakh,
Russian, Latin, figures, punctuation), upright and upside down. A letter that looks the same both
ways (о, х, н) gives no evidence; the others add up. It recognises no text, so it takes a hundredth
of the time of an OCR program's orientation check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.fonts.drawing import load_font

Mask = NDArray[np.bool_]
Shapes = NDArray[np.float32]
#: A letter's middle (across, down) and the height of a small letter in its line, in dots.
Window = tuple[float, float, float]

_LETTERS = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі"
    "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯӘҒҚҢӨҰҮҺІ"
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?№%«»()"
)
#: Cells of a letter's window; five cells are the height of a small letter.
_ROWS, _COLUMNS, _CELLS_PER_HEIGHT = 11, 11, 5
#: Width of a strip in dots: narrow, so that lines are level in it and columns separate.
_STRIP = 300
#: Ink that fills a stripe of this width over this length (dots) is a rule, not a letter.
_RULE_WIDTH, _RULE_LENGTH, _RULE_STEP = 8, 100, 25
_MIN_HEIGHT, _MAX_HEIGHT = 5, 48
#: Width of the widest letter in heights of a small one; wider shapes are touching letters.
_MAX_WIDTH = 1.8
_MAX_LETTERS, _SAMPLE_LETTERS, _MIN_LETTERS = 600, 150, 40
#: Evidence below which a page is upside down, and above which a sample of letters is enough.
#: Upright pages in eleven typefaces never came below -3.6 (figures in an old-style serif).
_UPSIDE_DOWN_BELOW, _UPRIGHT_ABOVE = -5.5, 3.0
#: Share of its height by which a slanted letter leans.
_SLANTS = (0.0, 0.2)


@dataclass(frozen=True)
class Orientation:
    """Orientation of a page, with its evidence.

    Attributes:
        evidence: above 0 upright, below 0 upside down; in units of its own uncertainty.
        letter_count: how many letters were compared.
    """

    evidence: float
    letter_count: int

    @property
    def is_upside_down(self) -> bool:
        """Whether the page is certainly upside down; False if that is unclear."""
        return self.evidence < _UPSIDE_DOWN_BELOW


def detect_orientation(ink: Mask, skew: float = 0.0) -> Orientation:
    """Return the orientation of the text in ``ink`` (True: written; about 150 dpi).

    Args:
        ink: the page.
        skew: degrees by which its lines rise to the right.
    """
    tones = Image.fromarray(ink.view(np.uint8) * np.uint8(255))
    if skew:
        tones = tones.rotate(-skew, Image.Resampling.NEAREST)
        ink = np.asarray(tones) > 0
    ink = _remove_rules(ink)
    lefts = range(0, ink.shape[1], _STRIP)
    first = _measure(
        tones,
        [window for left in lefts[1::3] for window in _letter_windows(ink, left)],
        _SAMPLE_LETTERS,
    )
    if first.evidence > _UPRIGHT_ABOVE:
        return first  # nearly every page: a third of the time
    return _measure(tones, [window for left in lefts for window in _letter_windows(ink, left)])


def _measure(
    tones: Image.Image, windows: list[Window], max_letters: int = _MAX_LETTERS
) -> Orientation:
    """Return the orientation by about ``max_letters`` of the letters in ``windows``."""
    if len(windows) < _MIN_LETTERS:
        return Orientation(0.0, len(windows))
    step = -(-len(windows) // max_letters)
    found = _upright_scores(np.stack([_letter_shape(tones, window) for window in windows[::step]]))
    spread = float(found.std()) or 1.0
    return Orientation(float(found.mean()) / spread * len(found) ** 0.5, len(found))


def _remove_rules(ink: Mask) -> Mask:
    """Return ``ink`` without unbroken vertical lines: the rules of tables and frames."""
    rows, blocks = ink.shape[0], ink.shape[1] // _RULE_WIDTH
    # Eight dots are the bytes of one number.
    cells = np.ascontiguousarray(ink[:, : blocks * _RULE_WIDTH]).view(np.uint64) != 0
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


def _letter_windows(ink: Mask, left: int) -> Iterator[Window]:
    """Yield the window of each letter in the strip that begins at ``left``."""
    strip = ink[:, left : left + _STRIP]
    written = strip.sum(axis=1)
    for top, bottom in _find_runs(written > 0):
        zone = _find_small_letter_zone(written[top:bottom])
        if zone is None:
            continue
        height = zone[1] - zone[0]
        middle = top + (zone[0] + zone[1]) / 2
        for start, end in _find_runs(np.any(strip[top:bottom], axis=0)):
            if end - start <= _MAX_WIDTH * height:
                yield left + (start + end) / 2, middle, height


def _find_runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each run of True."""
    padded = np.concatenate(([False], flags, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _find_small_letter_zone(written: NDArray[np.int64]) -> tuple[int, int] | None:
    """Return first and last row of a line's small letters, or None if it is no line of text."""
    if not _MIN_HEIGHT <= len(written) <= 3 * _MAX_HEIGHT:
        return None
    full = np.flatnonzero(written > 0.4 * written.max())
    top, bottom = int(full[0]), int(full[-1]) + 1
    return (top, bottom) if _MIN_HEIGHT <= bottom - top <= _MAX_HEIGHT else None


def _letter_shape(tones: Image.Image, window: Window) -> Shapes:
    """Return the letter in ``window``, reduced to its cells."""
    across, down, height = window
    wide, high = (n * height / _CELLS_PER_HEIGHT / 2 for n in (_COLUMNS, _ROWS))
    left, top, right, bottom = across - wide, down - high, across + wide, down + high
    if left < 0 or top < 0 or right > tones.width or bottom > tones.height:
        return np.zeros(_ROWS * _COLUMNS, np.float32)
    small = tones.resize((_COLUMNS, _ROWS), Image.Resampling.BOX, (left, top, right, bottom))
    return np.asarray(small, np.float32).ravel()


def _upright_scores(shapes: Shapes) -> NDArray[np.float64]:
    """Return how much more each shape resembles an upright letter than a turned one."""
    upright = _alphabet_shapes()
    length = np.linalg.norm(shapes, axis=1, keepdims=True)
    shapes = shapes / np.maximum(length, 1e-6)
    as_is = (shapes @ upright.T).max(axis=1)
    turned = (shapes[:, ::-1] @ upright.T).max(axis=1)
    return np.asarray(as_is - turned, np.float64)


@cache
def _alphabet_shapes() -> Shapes:
    """Return the shape of each letter, upright, of length 1."""
    drawn = []
    for path in (fonts.REGULAR, fonts.SEMI_BOLD):
        font = load_font(path, 64)
        for measure, letters in (("х", _LETTERS), ("Х", _LETTERS.upper())):
            _, top, _, bottom = font.getbbox(measure, anchor="ms")
            zone = (128 + (top + bottom) / 2, float(bottom - top))
            drawn += [
                _draw_letter_shape(letter, font, slant, zone)
                for letter in letters
                for slant in _SLANTS
            ]
    shapes = np.stack(drawn)
    lengths = np.linalg.norm(shapes, axis=1, keepdims=True)
    return np.asarray(shapes / lengths, np.float32)


def _draw_letter_shape(
    letter: str, font: ImageFont.FreeTypeFont, slant: float, zone: tuple[float, float]
) -> Shapes:
    """Return the shape of one letter; ``zone``: middle and height of its small letters."""
    image = Image.new("L", (256, 256))
    ImageDraw.Draw(image).text((128, 128), letter, 255, font, anchor="ms")
    leaning = (1, slant, -128 * slant, 0, 1, 0)
    image = image.transform(image.size, Image.Transform.AFFINE, leaning, Image.Resampling.BILINEAR)
    left, _, right, _ = image.getbbox() or (0, 0, 256, 256)
    return _letter_shape(image, ((left + right) / 2, *zone))
