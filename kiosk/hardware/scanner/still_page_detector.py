"""Detects when a page lies still under the camera and is not scanned yet."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from kiosk.hardware.scanner.page_finder import Points, find_page
from kiosk.hardware.scanner.page_flattener import flatten

#: A page is sampled and averaged to a thumbnail that identifies it; no word is readable in it.
_SAMPLE_SIZE, _THUMBNAIL_SIZE = (384, 512), (96, 128)
#: Least correlation of two previews of the same page; two pages are less alike.
_MIN_CORRELATION = 0.85
#: Contrast (standard deviation) below which a page is blank.
_BLANK_CONTRAST = 4.0
#: Part of the picture's width by which a corner may move while the page lies still.
_CORNER_DRIFT = 0.004
#: Levels by which a block of the picture may change while the page lies still.
_BLOCK_CHANGE = 10.0
_BLOCKS = (16, 12)

PageState = Literal["nothing", "moving", "taken", "ready"]


@dataclass(frozen=True)
class TakenPage:
    """A page that was scanned: its place on the desk and a coarse picture of it.

    Attributes:
        corners: in the reduced picture.
        thumbnail: ``_THUMBNAIL_SIZE`` grey values.
        gone_level: median level of its place below which the page is gone.
    """

    corners: Points
    thumbnail: npt.NDArray[np.uint8]
    gone_level: float

    @classmethod
    def from_preview(cls, grey: Image.Image, corners: Points) -> Self:
        """Return the page at ``corners`` of a preview."""
        thumbnail = _make_thumbnail(grey, corners)
        pixels = np.asarray(grey, dtype=np.float64)
        desk = float(np.percentile(pixels, 5))
        return cls(corners, thumbnail, (desk + float(np.median(thumbnail))) / 2)

    def to_json(self) -> dict[str, Any]:
        """Return the page as JSON for a later run."""
        thumbnail = base64.b64encode(self.thumbnail.tobytes()).decode()
        corners = self.corners.tolist()
        return {"corners": corners, "thumbnail": thumbnail, "gone_level": self.gone_level}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the page from :meth:`to_json`'s value."""
        thumbnail = np.frombuffer(base64.b64decode(value["thumbnail"]), dtype=np.uint8)
        return cls(
            np.array(value["corners"]),
            thumbnail.reshape(_THUMBNAIL_SIZE[::-1]),
            float(value["gone_level"]),
        )

    def is_gone(self, grey: Image.Image) -> bool:
        """Return whether the desk is visible at the page's place (a hand hides less)."""
        return float(np.median(_make_thumbnail(grey, self.corners))) < self.gone_level

    def matches(self, grey: Image.Image, corners: Points) -> bool:
        """Return whether the page at ``corners`` is this one."""
        own, other = (
            thumbnail.astype(np.float64)
            for thumbnail in (self.thumbnail, _make_thumbnail(grey, corners))
        )
        if max(own.std(), other.std()) < _BLANK_CONTRAST:
            return True
        if min(own.std(), other.std()) < _BLANK_CONTRAST / 2:
            return False
        return float(np.corrcoef(own.ravel(), other.ravel())[0, 1]) >= _MIN_CORRELATION


def _make_thumbnail(grey: Image.Image, corners: Points) -> npt.NDArray[np.uint8]:
    sampled = flatten(grey, corners, _SAMPLE_SIZE)
    return np.asarray(sampled.resize(_THUMBNAIL_SIZE, Image.Resampling.BOX), dtype=np.uint8)


class StillPageDetector:
    """Detects from preview to preview whether a page lies still and is not scanned yet.

    Args:
        still_seconds: how long a page must lie still.
        taken_page: a page that was scanned already and may still be there.
    """

    def __init__(self, still_seconds: float, taken_page: TakenPage | None = None) -> None:
        self._still_seconds = still_seconds
        self._taken_page = taken_page
        self._corners: Points | None = None
        self._blocks: npt.NDArray[np.float64] | None = None
        self._still_since = 0.0

    def observe(self, grey: Image.Image, now: float) -> PageState:
        """Return what the preview at ``now`` (seconds) shows; ``ready``: scan the page now."""
        corners = find_page(grey)
        blocks = np.asarray(
            grey.resize(_BLOCKS, Image.Resampling.BOX).convert("F"), dtype=np.float64
        )
        still = self._is_still(corners, blocks, grey.width)
        self._corners, self._blocks = corners, blocks
        if not still:
            self._still_since = now
        if corners is None:
            if self._taken_page is not None and self._taken_page.is_gone(grey):
                self._taken_page = None
            return "nothing"
        if not still or now - self._still_since < self._still_seconds:
            return "moving"
        if self._taken_page is not None and self._taken_page.matches(grey, corners):
            return "taken"
        return "ready"

    def _is_still(
        self, corners: Points | None, blocks: npt.NDArray[np.float64], width: int
    ) -> bool:
        if corners is None or self._corners is None or self._blocks is None:
            return False
        drift = float(np.abs(corners - self._corners).max())
        change = float(np.abs(blocks - self._blocks).max())
        return drift <= _CORNER_DRIFT * width and change <= _BLOCK_CHANGE

    def mark_taken(self, taken_page: TakenPage) -> None:
        """Remember the page that was scanned."""
        self._taken_page = taken_page
