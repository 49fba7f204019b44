"""From a scanned page to the page of the document: turned, straightened, small.

Text becomes black and white, coded without loss (CCITT Group 4). What carries colour or tones (a
stamp, a signature, a photograph) lies upon it as a small JPEG of just that place; a page that is
mostly such is one JPEG. The scan itself is kept beside it until the filing has been delivered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from kiosk.filing.imaging.bilevel import code_bilevel, to_bilevel
from kiosk.filing.imaging.page_checks import STRAIGHTEN_FROM, WORKING_DPI, Looks, look_at
from kiosk.filing.imaging.page_pdf import Patch, make_page
from kiosk.filing.imaging.segmentation import Place, places_with_tones
from kiosk.storage.atomic_io import write_bytes

Kind = Literal["text", "mixed", "grey", "colour"]

_UPSIDE_DOWN = "page_upside_down"
_JPEG_QUALITY = 72
#: Share of the page that patches may cover; above, the page is one picture.
_PATCHES_MOST = 0.5
_PREVIEW = (760, 1080)
_THUMBNAIL = (150, 212)
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Prepared:
    """A page that is ready for the document.

    Attributes:
        file: the coded page, a PDF of one page.
        kind: how it was coded; ``mixed``: text with patches in colour or grey.
        size: bytes.
        preview: a JPEG for the screen, at most 760 x 1080.
        thumbnail: a small one, at most 150 x 212.
        looks: what was seen on it.
        turn: degrees clockwise by which the scan was turned: as asked, or 180 more when it lay
            upside down (``page_upside_down`` in its advice).
    """

    file: Path
    kind: Kind
    size: int
    preview: Path
    thumbnail: Path
    looks: Looks
    turn: int


def prepare_page(page: Path, turn: int, folder: Path, *, may_turn: bool = True) -> Prepared:
    """Look at ``page``, and code it for the document and the screen.

    Args:
        page: the scan, ``pages/0001.jpg``.
        turn: degrees clockwise to turn it first: 0, 90, 180, 270.
        folder: where the results go, as ``0001.pdf``, ``0001-preview.jpg`` and
            ``0001-small.jpg``.
        may_turn: turn it by itself when it lies upside down; not where a person turned it.
    """
    image, resolution = read_page(page)
    if turn:
        image = image.transpose(_TURNS[turn])
    # Everything that is only looked at is done on a smaller picture, made once.
    factor = max(1, round(resolution / WORKING_DPI))
    small = image.reduce(factor)
    looks = look_at(small, resolution / factor)
    if _UPSIDE_DOWN in looks.advice and may_turn:
        image, small = (one.transpose(Image.Transpose.ROTATE_180) for one in (image, small))
        turn = (turn + 180) % 360
    elif _UPSIDE_DOWN in looks.advice:
        looks = replace(looks, advice=tuple(c for c in looks.advice if c != _UPSIDE_DOWN))
    kind, places = kind_of(small, resolution / factor, looks)
    skew = looks.skew if abs(looks.skew) >= STRAIGHTEN_FROM else 0.0
    data = _code(image, kind, places, looks, resolution, skew)
    name = page.stem
    file = folder / f"{name}.pdf"
    write_bytes(file, data)
    preview = folder / f"{name}-preview.jpg"
    thumbnail = folder / f"{name}-small.jpg"
    shown = small.convert("L") if kind in ("text", "grey") else small
    _write_previews(shown, looks.paper, skew, preview, thumbnail)
    return Prepared(file, kind, len(data), preview, thumbnail, looks, turn)


def read_page(page: Path) -> tuple[Image.Image, int]:
    """Return the scan in memory, grey or RGB, and its dots per inch."""
    with Image.open(page) as opened:
        resolution = round(float(opened.info.get("dpi", (300, 300))[0])) or 300
        if opened.mode in ("L", "RGB"):
            opened.load()  # converting to its own mode would copy it
            return opened, resolution
        return opened.convert("L" if opened.mode == "1" else "RGB"), resolution


def kind_of(small: Image.Image, resolution: float, looks: Looks) -> tuple[Kind, list[Place]]:
    """Return how a page is to be coded, and the places of a ``mixed`` one.

    Args:
        small: the page, about 150 dpi.
        resolution: its dots per inch.
        looks: what was seen on it.
    """
    places = places_with_tones(small, resolution, looks.paper)
    if looks.ink == 0 or "page_faint" in looks.advice or "page_dark" in looks.advice:
        # A threshold could lose what can hardly be seen.
        return ("colour" if any(place.coloured for place in places) else "grey"), []
    if sum(place.share for place in places) > _PATCHES_MOST:
        return ("colour" if any(place.coloured for place in places) else "grey"), []
    return ("mixed" if places else "text"), places


def _code(
    image: Image.Image,
    kind: Kind,
    places: Sequence[Place],
    looks: Looks,
    resolution: int,
    skew: float,
) -> bytes:
    """Return the page as a PDF of one page."""
    if kind in ("grey", "colour"):
        whole = image if kind == "colour" else image.convert("L")
        return make_page(_jpeg(_straight(whole, looks.paper, skew), resolution), (), resolution)
    grey = image.convert("L")
    text = code_bilevel(to_bilevel(grey, looks.paper, resolution, skew), resolution)
    patches = [_cut(image if place.coloured else grey, place, skew) for place in places]
    return make_page(text, patches, resolution)


def _cut(image: Image.Image, place: Place, skew: float) -> Patch:
    """Return a place of the page as it lies on the straightened page, its paper white."""
    box = _turned_box(place, image.size, skew)
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    angle = math.radians(skew)
    cosine, sine = math.cos(angle), math.sin(angle)
    # Output (x, y) of the patch -> input dot: about the middle of the page, as Image.rotate does.
    centre_x, centre_y = image.width / 2, image.height / 2
    x, y = left - centre_x, top - centre_y
    matrix = (
        *(cosine, sine, centre_x + cosine * x + sine * y),
        *(-sine, cosine, centre_y - sine * x + cosine * y),
    )
    if skew:
        cut = image.transform(
            size,
            Image.Transform.AFFINE,
            matrix,
            Image.Resampling.BILINEAR,
            fillcolor=(255,) * len(image.getbands()) if image.mode == "RGB" else 255,
        )
    else:
        cut = image.crop(box)
    return Patch(_jpeg(_on_white(cut), None), left, top, *size, image.mode == "RGB")


def _turned_box(place: Place, size: tuple[int, int], skew: float) -> tuple[int, int, int, int]:
    """Return the dots of the straightened page that hold ``place`` of the skewed one."""
    width, height = size
    angle = math.radians(skew)
    xs, ys = [], []
    for across in (place.left, place.right):
        for down in (place.top, place.bottom):
            x, y = across * width - width / 2, down * height - height / 2
            xs.append(x * math.cos(angle) - y * math.sin(angle) + width / 2)
            ys.append(x * math.sin(angle) + y * math.cos(angle) + height / 2)
    return (
        max(0, math.floor(min(xs))),
        max(0, math.floor(min(ys))),
        min(width, math.ceil(max(xs))),
        min(height, math.ceil(max(ys))),
    )


def _on_white(image: Image.Image) -> Image.Image:
    """Return ``image`` with its paper made white, to match the page around it."""
    table: list[int] = []
    for band in image.getbands():
        counts = np.asarray(image.getchannel(band).histogram())
        paper = 128 + int(np.argmax(counts[128:])) if counts[128:].any() else 255
        table += [min(255, round(value * 252 / paper) + 3) for value in range(256)]
    return image.point(table)


def _straight(image: Image.Image, paper: int, skew: float) -> Image.Image:
    """Return the page with its lines level; the corners are filled with paper."""
    if not skew:
        return image
    fill = paper if image.mode == "L" else (paper,) * 3
    return image.rotate(-skew, Image.Resampling.BILINEAR, fillcolor=fill)


def _jpeg(image: Image.Image, resolution: int | None) -> bytes:
    """Return a grey or coloured picture as JPEG."""
    out = BytesIO()
    dots = {} if resolution is None else {"dpi": (resolution, resolution)}
    image.save(out, "JPEG", quality=_JPEG_QUALITY, **dots)
    return out.getvalue()


def _write_previews(
    image: Image.Image, paper: int, skew: float, preview: Path, thumbnail: Path
) -> None:
    """Write the pictures for the screen: quick, and not synced: they can be made again."""
    scale = min(1.0, _PREVIEW[0] / image.width, _PREVIEW[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = _straight(image.resize(size, Image.Resampling.HAMMING), paper, skew)
    shown.save(preview, "JPEG", quality=80)
    shown.thumbnail(_THUMBNAIL, Image.Resampling.BOX)
    shown.save(thumbnail, "JPEG", quality=80)
