"""Chooses values of a SANE device's options; back ends name the same thing differently."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kiosk.hardware.scanner.errors import ScannerError
from kiosk.hardware.scanner.jobs import SaneJob
from kiosk.hardware.scanner.scanned_page import LONGEST_MM, MM_PER_INCH

_GRAY = re.compile(r"gr[ae]y", re.IGNORECASE)
_COLOUR = re.compile(r"colou?r|rgb", re.IGNORECASE)
#: Modes of one bit or of sixteen, and faster ones of lower quality.
_WORSE = re.compile(r"diffusion|dither|halftone|\bfast\b|\b1[ -]?bit|16|48", re.IGNORECASE)


def pick_source(constraint: object, job: SaneJob) -> str | None:
    """Return SANE's name of the wanted source.

    Raises:
        ScannerError: ``no_feeder`` or ``no_glass``: the scanner has no such source.
    """
    if not isinstance(constraint, list):
        return None
    glass = [n for n in constraint if any(w in n.lower() for w in ("flatbed", "glass", "platen"))]
    feeders = [name for name in constraint if name not in glass]
    if job.source == "glass":
        if not glass:
            raise ScannerError("no glass", code="no_glass")
        return str(glass[0])
    if not feeders:
        raise ScannerError("no feeder", code="no_feeder")
    duplex_feeders = [name for name in feeders if "duplex" in name.lower()]
    simplex_feeders = [
        name for name in feeders if name not in duplex_feeders and "back" not in name.lower()
    ]
    wanted = duplex_feeders if job.duplex else simplex_feeders
    return str((wanted or feeders)[0])


def pick_mode(constraint: object, mode: str) -> str | None:
    """Return SANE's name for eight bits of grey or of each colour, such as ``True Gray``."""
    if not isinstance(constraint, list):
        return None
    pattern = _COLOUR if mode == "colour" else _GRAY
    named = [str(name) for name in constraint if pattern.search(str(name))]
    good = [name for name in named if not _WORSE.search(name)]
    return next(iter(good or named), None)


def nearest_resolution(constraint: object, wanted: int) -> int | None:
    """Return the permitted resolution nearest to ``wanted``."""
    if isinstance(constraint, list) and constraint:
        return int(min(constraint, key=lambda value: abs(value - wanted)))
    if isinstance(constraint, tuple):
        return int(min(max(wanted, constraint[0]), constraint[1]))
    return None


def window(
    limits: dict[str, tuple[float, float]], *, in_pixels: bool, resolution: int
) -> Iterator[tuple[str, float]]:
    """Yield the values of the options of the geometry: the whole width, no more than a long sheet.

    A feeder for rolls offers metres, and sends them: the sheet, and then its own background.

    Args:
        limits: least and greatest value of each option that can be set.
        in_pixels: whether they are pixels and not millimetres.
        resolution: dots per inch.
    """
    longest = LONGEST_MM * resolution // MM_PER_INCH if in_pixels else LONGEST_MM
    for option, (least, greatest) in limits.items():
        if option.startswith("tl"):
            yield option, least
        elif option in ("page_height", "br_y"):
            yield option, max(least, min(greatest, longest))
        else:
            yield option, greatest
