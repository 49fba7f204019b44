"""When does a page lie under the camera, still, and not yet taken?"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from kiosk.hardware.scanner.page_finder import Points, find_page
from kiosk.hardware.scanner.page_flattener import flatten

#: Sampled, then averaged, to tell one page from another; no word can be read in it.
_SAMPLED, _PRINT = (384, 512), (96, 128)
#: Two looks at the same page are at least so alike (correlation), two pages are not.
_ALIKE = 0.85
#: Contrast (standard deviation) below which a page is blank.
_BLANK = 4.0
#: Part of the picture's width by which a corner may wander while the page "lies still".
_CORNER_DRIFT = 0.004
#: Levels by which a block of the picture may change meanwhile.
_BLOCK_CHANGE = 10.0
_BLOCKS = (16, 12)

View = Literal["nothing", "moving", "taken", "ready"]


@dataclass(frozen=True)
class Seen:
    """A page that was taken: where it lay and roughly what it looked like.

    Attributes:
        corners: in the reduced picture.
        look: ``_PRINT`` grey values.
        dark: mean level below which the page is gone from its place.
    """

    corners: Points
    look: npt.NDArray[np.uint8]
    dark: float

    @classmethod
    def of(cls, grey: Image.Image, corners: Points) -> Self:
        """Return what is to be known of the page at ``corners``."""
        look = _print(grey, corners)
        pixels = np.asarray(grey, dtype=np.float64)
        desk = float(np.percentile(pixels, 5))
        return cls(corners, look, (desk + float(np.median(look))) / 2)

    def to_json(self) -> dict[str, Any]:
        """Return it for :meth:`from_json` of a later run."""
        look = base64.b64encode(self.look.tobytes()).decode()
        return {"corners": self.corners.tolist(), "look": look, "dark": self.dark}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote."""
        look = np.frombuffer(base64.b64decode(value["look"]), dtype=np.uint8)
        return cls(np.array(value["corners"]), look.reshape(_PRINT[::-1]), float(value["dark"]))

    def is_gone(self, grey: Image.Image) -> bool:
        """Return whether the desk shows where the page was (a hand alone hides less)."""
        return float(np.median(_print(grey, self.corners))) < self.dark

    def is_at(self, grey: Image.Image, corners: Points) -> bool:
        """Return whether the page at ``corners`` is this one."""
        ours, theirs = (look.astype(np.float64) for look in (self.look, _print(grey, corners)))
        if max(ours.std(), theirs.std()) < _BLANK:
            return True
        if min(ours.std(), theirs.std()) < _BLANK / 2:
            return False
        return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]) >= _ALIKE


def _print(grey: Image.Image, corners: Points) -> npt.NDArray[np.uint8]:
    sampled = flatten(grey, corners, _SAMPLED)
    return np.asarray(sampled.resize(_PRINT, Image.Resampling.BOX), dtype=np.uint8)


class Watch:
    """Judges look after look.

    Args:
        still_seconds: how long a page must lie still.
        seen: a page that was taken already and may still lie there.
    """

    def __init__(self, still_seconds: float, seen: Seen | None = None) -> None:
        self._still_seconds = still_seconds
        self._seen = seen
        self._corners: Points | None = None
        self._blocks: npt.NDArray[np.float64] | None = None
        self._still_since = 0.0

    def look(self, grey: Image.Image, now: float) -> View:
        """Return what this look, ``now`` (seconds), shows; ``ready``: take the page now."""
        corners = find_page(grey)
        blocks = np.asarray(
            grey.resize(_BLOCKS, Image.Resampling.BOX).convert("F"), dtype=np.float64
        )
        still = self._is_still(corners, blocks, grey.width)
        self._corners, self._blocks = corners, blocks
        if not still:
            self._still_since = now
        if corners is None:
            if self._seen is not None and self._seen.is_gone(grey):
                self._seen = None
            return "nothing"
        if not still or now - self._still_since < self._still_seconds:
            return "moving"
        if self._seen is not None and self._seen.is_at(grey, corners):
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

    def took(self, seen: Seen) -> None:
        """Remember the page that was taken."""
        self._seen = seen
