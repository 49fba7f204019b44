"""Photographs of a desk with paper on it, rendered: perspective, uneven light, noise."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kiosk.hardware.scanner.page_flattener import flatten

SIZE = (1600, 1200)
#: A4 upright, seen at an angle: top left first, clockwise.
A4_CORNERS = ((460.0, 86.0), (1120.0, 126.0), (1180.0, 1120.0), (400.0, 1100.0))

Corners = Sequence[tuple[float, float]]


@functools.cache
def draw_page(seed: int, size: tuple[int, int] = (1240, 1754)) -> Image.Image:
    """Return a page full of lines of words."""
    random = Random(seed)
    page = Image.new("L", size, 250)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(30)
    for row in range(110, size[1] - 110, 50):
        words = "".join(random.choice("abcdefghi klmno prstu") for _ in range(60))
        draw.text((100, row), words[: random.randint(20, 60)], fill=20, font=font)
    return page


def photograph(
    page: Image.Image | None,
    corners: Corners = A4_CORNERS,
    *,
    seed: int = 1,
    hand: bool = False,
    desk: int = 95,
    size: tuple[int, int] = SIZE,
) -> Image.Image:
    """Return a picture of a wooden desk, with ``page`` at ``corners``."""
    noise = np.random.default_rng(seed)
    image = Image.new("L", size, desk)
    if page is not None:
        image = _laid(image, page, corners)
    if hand:
        draw = ImageDraw.Draw(image)
        draw.ellipse((900, 600, 1550, 1000), fill=150)
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    pixels = np.asarray(image, dtype=np.float64) * _light(size)
    pixels = pixels + noise.normal(0, 4, pixels.shape)
    grey = np.clip(pixels, 0, 255)
    colour = np.stack([grey, grey * 0.98, grey * 0.92], axis=2).astype(np.uint8)
    return Image.fromarray(colour, "RGB")


def _light(size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return the light of a lamp at the left; less than two thirds of it reach the right."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    away = np.hypot(columns / size[0] - 0.2, rows / size[1] - 0.3)
    light: npt.NDArray[np.float64] = 1.0 - 0.4 * np.clip(away, 0, 1)
    return light


def _laid(desk: Image.Image, page: Image.Image, corners: Corners) -> Image.Image:
    """Return ``desk`` with ``page`` in perspective: the inverse of flattening it."""
    source = np.array([(0, 0), (page.width, 0), page.size, (0, page.height)], dtype=np.float64)
    width, height = desk.size
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    matrix = np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    mapped = np.c_[target, np.ones(4)] @ matrix.T
    quad = mapped[:, :2] / mapped[:, 2:]
    paper = flatten(page, quad, desk.size)
    mask = Image.new("L", desk.size, 0)
    ImageDraw.Draw(mask).polygon([(x, y) for x, y in corners], fill=255)
    return Image.composite(paper, desk, mask)


def likeness(page: Image.Image, other: Image.Image) -> float:
    """Return the correlation of two pages' letters, whatever the light was."""
    size = (other.width // 2, other.height // 2)
    first, second = (_letters(image.convert("L").resize(size)) for image in (page, other))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def _letters(page: Image.Image) -> npt.NDArray[np.float64]:
    """Return how much darker than the paper around it each place is."""
    small = page.resize((page.width // 8, page.height // 8))
    paper = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(2))
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(1)), dtype=np.float64)
    light = np.asarray(paper.resize(page.size), dtype=np.float64)
    letters: npt.NDArray[np.float64] = (pixels / light)[20:-20, 20:-20]
    return letters
