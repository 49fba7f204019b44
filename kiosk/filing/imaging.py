"""From a scanned page to the page of the document: turned, straightened, small.

Text alone becomes black and white, coded without loss (CCITT Group 4); whatever carries colour
(a stamp, a signature) stays in colour, whatever has tones (a photograph) stays grey. The scan
itself is kept beside it until the filing has been delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from kiosk.filing.checks import STRAIGHTEN_FROM, Looks, look_at
from kiosk.storage.durable import write_bytes

Kind = Literal["text", "grey", "colour"]

_CHROMA, _COLOUR_SHARE = 48, 0.00012
_TONE_TILE, _TONE_SHARE = 16, 0.004
_LOCAL_RADIUS_MM = 2.0
_INK_BELOW_AROUND, _INK_BELOW_PAPER, _SOLID_INK = 22, 30, 0.45
_JPEG_QUALITY = 72
_PREVIEW = (760, 1080)
_THUMBNAIL = (150, 212)


@dataclass(frozen=True)
class Prepared:
    """A page that is ready for the document.

    Attributes:
        file: the coded page.
        kind: how it was coded.
        size: bytes.
        preview: a JPEG for the screen, at most 760 x 1080.
        thumbnail: a small one, at most 150 x 212.
        looks: what was seen on it.
    """

    file: Path
    kind: Kind
    size: int
    preview: Path
    thumbnail: Path
    looks: Looks


def prepare_page(page: Path, turn: int, folder: Path) -> Prepared:
    """Look at ``page``, and code it for the document and the screen.

    Args:
        page: the scan, ``pages/0001.png``.
        turn: degrees clockwise that the person turned it: 0, 90, 180, 270.
        folder: where the results go, as ``0001.tif`` or ``0001.jpg``, ``0001-preview.jpg`` and
            ``0001-small.jpg``.
    """
    with Image.open(page) as opened:
        resolution = round(float(opened.info.get("dpi", (300, 300))[0])) or 300
        image = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    if turn:
        image = image.rotate(-turn, expand=True)
    looks = look_at(image, resolution)
    kind = kind_of(image, looks)
    if kind != "colour":
        image = image.convert("L")
    if abs(looks.skew) >= STRAIGHTEN_FROM:
        image = straighten(image, looks)
    name = page.stem
    file = folder / f"{name}{'.tif' if kind == 'text' else '.jpg'}"
    other = folder / f"{name}{'.jpg' if kind == 'text' else '.tif'}"
    data = code_text(image, looks, resolution) if kind == "text" else code_tones(image, resolution)
    write_bytes(file, data)
    other.unlink(missing_ok=True)
    preview = folder / f"{name}-preview.jpg"
    thumbnail = folder / f"{name}-small.jpg"
    _write_previews(image, preview, thumbnail)
    return Prepared(file, kind, len(data), preview, thumbnail, looks)


def kind_of(image: Image.Image, looks: Looks) -> Kind:
    """Return how a page is to be coded."""
    if image.mode == "RGB" and has_colour(image):
        return "colour"
    grey = np.asarray(image.convert("L").reduce(2))
    if looks.ink == 0 or "page_faint" in looks.advice or "page_dark" in looks.advice:
        return "grey"  # a threshold could lose what can hardly be seen
    return "grey" if _has_tones(grey, looks.paper) else "text"


def has_colour(image: Image.Image) -> bool:
    """Return whether there is ink in colour on the page (tinted paper does not count)."""
    pixels = np.asarray(image.reduce(3)).astype(np.int16)
    tint = np.median(pixels.reshape(-1, 3)[::97], axis=0)
    red, green, blue = (pixels[:, :, band] - int(tint[band] - tint.mean()) for band in range(3))
    far = np.maximum(np.abs(red - green), np.abs(green - blue))
    chroma = np.maximum(far, np.abs(blue - red))
    return float((chroma > _CHROMA).mean()) > _COLOUR_SHARE


def _has_tones(grey: NDArray[np.uint8], paper: int) -> bool:
    """Return whether parts of the page are neither paper nor ink, as in a photograph."""
    rows, columns = (side // _TONE_TILE * _TONE_TILE for side in grey.shape)
    tiles = grey[:rows, :columns].reshape(
        rows // _TONE_TILE, _TONE_TILE, columns // _TONE_TILE, _TONE_TILE
    )
    brightest, mean = tiles.max(axis=(1, 3)), tiles.mean(axis=(1, 3))
    tones = (brightest < paper - 25) & (mean > 70)
    return float(tones.mean()) > _TONE_SHARE


def straighten(image: Image.Image, looks: Looks) -> Image.Image:
    """Return the page with its lines level; the corners are filled with paper."""
    fill = looks.paper if image.mode == "L" else (looks.paper,) * 3
    return image.rotate(-looks.skew, Image.Resampling.BILINEAR, fillcolor=fill)


def code_text(image: Image.Image, looks: Looks, resolution: int) -> bytes:
    """Return a grey page in black and white as TIFF with CCITT Group 4, without loss."""
    around = _brightness_around(image, resolution)
    grey, below = np.asarray(image), np.asarray(ImageChops.subtract(around, image))
    darker = (below > _INK_BELOW_AROUND) & (grey < looks.paper - _INK_BELOW_PAPER)
    solid = grey < looks.paper * _SOLID_INK
    return _tiff(Image.fromarray(~(darker | solid)), resolution)


def _brightness_around(image: Image.Image, resolution: int) -> Image.Image:
    """Return the mean brightness around each dot, computed at an eighth of the size."""
    radius = max(1, round(_LOCAL_RADIUS_MM / 25.4 * resolution / 8))
    small = image.reduce(8).filter(ImageFilter.BoxBlur(radius))
    return small.resize(image.size, Image.Resampling.BILINEAR)


def _tiff(image: Image.Image, resolution: int) -> bytes:
    """Return a bilevel image as TIFF in one strip: it goes into the PDF byte for byte."""
    out = BytesIO()
    image.save(
        out,
        "TIFF",
        compression="group4",
        dpi=(resolution, resolution),
        tiffinfo={278: image.height},
    )
    return out.getvalue()


def code_tones(image: Image.Image, resolution: int) -> bytes:
    """Return a grey or coloured page as JPEG."""
    out = BytesIO()
    image.save(out, "JPEG", quality=_JPEG_QUALITY, dpi=(resolution, resolution))
    return out.getvalue()


def _write_previews(image: Image.Image, preview: Path, thumbnail: Path) -> None:
    """Write the pictures for the screen: quick, and not synced: they can be made again."""
    factor = max(1, min(image.width // _PREVIEW[0], image.height // _PREVIEW[1]))
    small = image.reduce(factor)
    small.thumbnail(_PREVIEW)
    small.save(preview, "JPEG", quality=80)
    small.thumbnail(_THUMBNAIL)
    small.save(thumbnail, "JPEG", quality=80)
