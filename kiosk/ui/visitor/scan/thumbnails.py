"""Scanned pages as small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.model import Page
from kiosk.filing.service import PageChecked


@dataclass(frozen=True)
class Thumbnail:
    """A page as a small picture; ``position`` counts from 1. ``stamp`` changes with the picture."""

    position: int
    picture: Path | None
    is_flagged: bool
    stamp: int = 0


def make_thumbnails(
    pages: Sequence[Page], checks: Mapping[int, PageChecked]
) -> tuple[Thumbnail, ...]:
    """Return the thumbnails of ``pages``; flagged are those that may be hard to read."""
    found = []
    for position, page in enumerate(pages, start=1):
        check = checks.get(page.number)
        picture = check.thumbnail if check else None
        is_flagged = any(_needs_attention(code) for code in check.advice) if check else False
        found.append(Thumbnail(position, picture, is_flagged, file_stamp(picture)))
    return tuple(found)


def _needs_attention(code: str) -> bool:
    advice = ADVICE.get(code)
    return advice is None or not advice.is_fixed


def file_stamp(picture: Path | None) -> int:
    """Return when ``picture`` was written, 0 for none."""
    try:
        return picture.stat().st_mtime_ns if picture else 0
    except OSError:
        return 0
