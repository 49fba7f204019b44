"""Makes a PDF of an encoded page: a picture with patches in colour on top of it.

Encoded pictures go into it unchanged. :mod:`.pdf` makes the document of these files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import img2pdf  # type: ignore[import-untyped]
import pikepdf
from pikepdf import Array, Dictionary, Name

from kiosk.filing.errors import PageFailedError

_POINTS_PER_INCH = 72


@dataclass(frozen=True)
class Patch:
    """A JPEG on the page, with its upper left corner at ``left``, ``top`` (dots)."""

    jpeg: bytes
    left: int
    top: int
    width: int
    height: int
    is_coloured: bool


def make_page_pdf(picture: bytes, patches: Sequence[Patch], resolution: int) -> bytes:
    """Return a PDF with one page.

    Args:
        picture: the whole page as TIFF (Group 4, one strip) or JPEG, with its resolution.
        patches: pictures on top of it.
        resolution: dots per inch of page and patches.

    Raises:
        PageFailedError: the picture cannot be added.
    """
    try:
        plain: bytes = img2pdf.convert(picture, engine=img2pdf.Engine.internal, nodate=True)
    except (img2pdf.ImageOpenError, img2pdf.AlphaChannelError, ValueError, OSError) as error:
        raise PageFailedError(f"a page cannot be added: {error}") from error
    if not patches:
        return plain
    with pikepdf.open(BytesIO(plain)) as pdf:
        page = pdf.pages[0]
        height = float(page.mediabox[3])
        drawn = [_add_patch(pdf, page, patch, height, resolution) for patch in patches]
        page.contents_add("\n".join(drawn).encode("ascii"))
        out = BytesIO()
        pdf.save(out)
    return out.getvalue()


def _add_patch(
    pdf: pikepdf.Pdf, page: pikepdf.Page, patch: Patch, height: float, resolution: int
) -> str:
    """Add a patch to the page's resources; return the operators that draw it."""
    picture = pikepdf.Stream(pdf, patch.jpeg)
    picture.stream_dict = Dictionary(
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=patch.width,
        Height=patch.height,
        ColorSpace=Name.DeviceRGB if patch.is_coloured else Name.DeviceGray,
        BitsPerComponent=8,
        Filter=Array([Name.DCTDecode]),
    )
    name = page.add_resource(picture, Name.XObject)
    left, top, wide, high = (
        side * _POINTS_PER_INCH / resolution
        for side in (patch.left, patch.top, patch.width, patch.height)
    )
    return f"q {wide:.4f} 0 0 {high:.4f} {left:.4f} {height - top - high:.4f} cm {name} Do Q"
