"""Encodes a scanned page for the document: upright, straight and small.

Text becomes black and white, compressed without loss (CCITT Group 4). A region with colour or tones
(a stamp, a signature, a photograph) is a small JPEG on top of it. A page that consists mostly of
such regions is one JPEG.
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

from kiosk.filing.imaging.bilevel import encode_bilevel, to_bilevel
from kiosk.filing.imaging.page_checks import MIN_SKEW, WORKING_DPI, PageQuality, check_page
from kiosk.filing.imaging.page_pdf import Patch, make_page_pdf
from kiosk.filing.imaging.segmentation import ToneRegion, find_tone_regions
from kiosk.storage.atomic_io import write_bytes

PageKind = Literal["text", "mixed", "grey", "colour"]

_UPSIDE_DOWN = "page_upside_down"
_JPEG_QUALITY = 72
#: Share of the page that patches may cover; above it, the page is one picture.
_MAX_PATCH_SHARE = 0.5
_PREVIEW = (760, 1080)
_THUMBNAIL = (150, 212)
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class EncodedPage:
    """A scanned page, encoded for the document.

    Attributes:
        file: a PDF of one page.
        kind: kind of encoding; ``mixed`` is text with patches in colour or grey.
        size: bytes.
        preview: a JPEG for the screen, at most 760 x 1080.
        thumbnail: a small one, at most 150 x 212.
        quality: its quality.
        turn: degrees clockwise by which the scan was turned: the requested ones, and 180 more if it
            was upside down (``page_upside_down`` in its advice).
    """

    file: Path
    kind: PageKind
    size: int
    preview: Path
    thumbnail: Path
    quality: PageQuality
    turn: int


def prepare_page(page: Path, turn: int, folder: Path, *, may_turn: bool = True) -> EncodedPage:
    """Check ``page`` and encode it for the document and the screen.

    Args:
        page: the scan, ``pages/0001.jpg``.
        turn: degrees clockwise to turn it first: 0, 90, 180, 270.
        folder: for the results ``0001.pdf``, ``0001-preview.jpg`` and ``0001-small.jpg``.
        may_turn: whether to turn a page that is upside down; False if a person turned it.
    """
    image, resolution = read_page(page)
    if turn:
        image = image.transpose(_TURNS[turn])
    # Checks use a smaller picture, made once.
    factor = max(1, round(resolution / WORKING_DPI))
    small = image.reduce(factor)
    quality = check_page(small, resolution / factor)
    if _UPSIDE_DOWN in quality.advice and may_turn:
        image, small = (picture.transpose(Image.Transpose.ROTATE_180) for picture in (image, small))
        turn = (turn + 180) % 360
    elif _UPSIDE_DOWN in quality.advice:
        quality = replace(quality, advice=tuple(c for c in quality.advice if c != _UPSIDE_DOWN))
    kind, regions = classify_page(small, resolution / factor, quality)
    skew = quality.skew if abs(quality.skew) >= MIN_SKEW else 0.0
    data = _encode(image, kind, regions, quality, resolution, skew)
    name = page.stem
    file = folder / f"{name}.pdf"
    write_bytes(file, data)
    preview = folder / f"{name}-preview.jpg"
    thumbnail = folder / f"{name}-small.jpg"
    preview_image = small.convert("L") if kind in ("text", "grey") else small
    _write_previews(preview_image, quality.paper, skew, preview, thumbnail)
    return EncodedPage(file, kind, len(data), preview, thumbnail, quality, turn)


def read_page(page: Path) -> tuple[Image.Image, int]:
    """Return the scan, grey or RGB, and its dots per inch.

    Raises:
        PIL.UnidentifiedImageError: it is no JPEG. No other decoder gets to see it.
    """
    with Image.open(page, formats=("JPEG",)) as opened:
        resolution = round(float(opened.info.get("dpi", (300, 300))[0])) or 300
        if opened.mode in ("L", "RGB"):
            opened.load()  # convert() would copy it
            return opened, resolution
        return opened.convert("L" if opened.mode == "1" else "RGB"), resolution


def classify_page(
    small: Image.Image, resolution: float, quality: PageQuality
) -> tuple[PageKind, list[ToneRegion]]:
    """Return the kind of encoding of a page, and the regions of a ``mixed`` one.

    Args:
        small: the page, about 150 dpi.
        resolution: its dots per inch.
        quality: its quality.
    """
    regions = find_tone_regions(small, resolution, quality.paper)
    if quality.ink == 0 or "page_faint" in quality.advice or "page_dark" in quality.advice:
        # A threshold could lose faint marks.
        return ("colour" if any(region.is_coloured for region in regions) else "grey"), []
    if sum(region.share for region in regions) > _MAX_PATCH_SHARE:
        return ("colour" if any(region.is_coloured for region in regions) else "grey"), []
    return ("mixed" if regions else "text"), regions


def _encode(
    image: Image.Image,
    kind: PageKind,
    regions: Sequence[ToneRegion],
    quality: PageQuality,
    resolution: int,
    skew: float,
) -> bytes:
    """Return the page as a PDF of one page."""
    if kind in ("grey", "colour"):
        whole = image if kind == "colour" else image.convert("L")
        return make_page_pdf(
            _jpeg(_straighten(whole, quality.paper, skew), resolution), (), resolution
        )
    grey = image.convert("L")
    text = encode_bilevel(to_bilevel(grey, quality.paper, resolution, skew), resolution)
    patches = [
        _cut_patch(image if region.is_coloured else grey, region, skew) for region in regions
    ]
    return make_page_pdf(text, patches, resolution)


def _cut_patch(image: Image.Image, region: ToneRegion, skew: float) -> Patch:
    """Return a region of the page for the straightened page, with white paper."""
    box = _rotated_box(region, image.size, skew)
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    angle = math.radians(skew)
    cosine, sine = math.cos(angle), math.sin(angle)
    # From (x, y) in the patch to a dot of the scan: a rotation about the page's centre.
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
    return Patch(_jpeg(_whiten_paper(cut), None), left, top, *size, image.mode == "RGB")


def _rotated_box(
    region: ToneRegion, size: tuple[int, int], skew: float
) -> tuple[int, int, int, int]:
    """Return the box on the straightened page that holds ``region`` of the skewed one."""
    width, height = size
    angle = math.radians(skew)
    xs, ys = [], []
    for across in (region.left, region.right):
        for down in (region.top, region.bottom):
            x, y = across * width - width / 2, down * height - height / 2
            xs.append(x * math.cos(angle) - y * math.sin(angle) + width / 2)
            ys.append(x * math.sin(angle) + y * math.cos(angle) + height / 2)
    return (
        max(0, math.floor(min(xs))),
        max(0, math.floor(min(ys))),
        min(width, math.ceil(max(xs))),
        min(height, math.ceil(max(ys))),
    )


def _whiten_paper(image: Image.Image) -> Image.Image:
    """Return ``image`` with white paper, to match the page around it."""
    table: list[int] = []
    for band in image.getbands():
        counts = np.asarray(image.getchannel(band).histogram())
        paper = 128 + int(np.argmax(counts[128:])) if counts[128:].any() else 255
        table += [min(255, round(value * 252 / paper) + 3) for value in range(256)]
    return image.point(table)


def _straighten(
    image: Image.Image,
    paper: int,
    skew: float,
    resampling: Image.Resampling = Image.Resampling.BILINEAR,
) -> Image.Image:
    """Return the page with level lines; fill the corners with paper."""
    if not skew:
        return image
    fill = paper if image.mode == "L" else (paper,) * 3
    return image.rotate(-skew, resampling, fillcolor=fill)


def _jpeg(image: Image.Image, resolution: int | None) -> bytes:
    """Return a grey or coloured picture as JPEG."""
    out = BytesIO()
    dots = {} if resolution is None else {"dpi": (resolution, resolution)}
    image.save(out, "JPEG", quality=_JPEG_QUALITY, **dots)
    return out.getvalue()


def _write_previews(
    image: Image.Image, paper: int, skew: float, preview: Path, thumbnail: Path
) -> None:
    """Write the pictures for the screen, without syncing: they can be made again."""
    scale = min(1.0, _PREVIEW[0] / image.width, _PREVIEW[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # The nearest dot is good enough before the picture shrinks, and takes a third of the time.
    straight = _straighten(image, paper, skew, Image.Resampling.NEAREST)
    preview_image = straight.resize(size, Image.Resampling.HAMMING)
    preview_image.save(preview, "JPEG", quality=80)
    preview_image.thumbnail(_THUMBNAIL, Image.Resampling.BOX)
    preview_image.save(thumbnail, "JPEG", quality=80)
