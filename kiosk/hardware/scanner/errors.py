"""Errors of a scanner, and the SANE texts that they come from.

SANE's errors reach Python as a text without a code (``_sane.error``), so this module maps the texts
of ``sane_strstatus``.
"""

from __future__ import annotations

from kiosk.errors import HardwareError


class ScannerError(HardwareError):
    """Base of the scanner's errors; raised itself for an unexpected text of SANE."""

    code = "scanner_failed"


class ScannerAbsentError(ScannerError):
    """No scanner is configured."""

    code = "scanner_absent"


class ScannerJamError(ScannerError):
    """A sheet is jammed in the feeder."""

    code = "scanner_jam"


class ScannerDoubleFeedError(ScannerError):
    """Two sheets were drawn in together (reported by the scanner's own sensor)."""

    code = "scanner_double_feed"


class ScannerNoPaperError(ScannerError):
    """The feeder is empty."""

    code = "scanner_no_paper"


class ScannerCoverOpenError(ScannerError):
    """A cover or door of the scanner is open."""

    code = "scanner_cover_open"


class ScannerBusyError(ScannerError):
    """Another program uses the scanner, or it is still warming up."""

    code = "scanner_busy"


class ScannerLostError(ScannerError):
    """The scanner does not answer: it is unplugged, switched off or not configured."""

    code = "scanner_lost"


class ScannerPictureError(ScannerError):
    """The scanner answers, but the picture of a page that it sent cannot be read."""

    code = "scanner_picture"


class ScannerResolutionError(ScannerError):
    """The first page came half or twice as large as a usual sheet: with another resolution."""

    code = "scanner_resolution"


class ScannerStalledError(ScannerError):
    """Nothing moved for too long; the child process was killed."""

    code = "scanner_stalled"


class PageIncompleteError(ScannerError):
    """A page arrived cut off, half or not at all; it was not kept."""

    code = "page_incomplete"


_BY_TEXT: tuple[tuple[str, type[ScannerError]], ...] = (
    ("feeder jammed", ScannerJamError),
    ("out of documents", ScannerNoPaperError),
    ("cover is open", ScannerCoverOpenError),
    ("device busy", ScannerBusyError),
    ("warming up", ScannerBusyError),
    ("lamp not ready", ScannerBusyError),
    ("locked for transport", ScannerCoverOpenError),
    ("end of file", PageIncompleteError),
    ("no data", PageIncompleteError),
    ("operation was cancel", PageIncompleteError),
    ("device i/o", ScannerLostError),
    ("access to resource has been denied", ScannerLostError),
    ("invalid argument", ScannerLostError),
)

_BY_CODE: dict[str, type[ScannerError]] = {
    kind.code: kind
    for kind in (
        ScannerAbsentError,
        ScannerJamError,
        ScannerDoubleFeedError,
        ScannerNoPaperError,
        ScannerCoverOpenError,
        ScannerBusyError,
        ScannerLostError,
        ScannerPictureError,
        ScannerResolutionError,
        ScannerStalledError,
        PageIncompleteError,
    )
}


def error_from_text(text: str) -> ScannerError:
    """Return the exact error for a text of ``sane_strstatus`` (unknown: :class:`ScannerError`)."""
    folded = text.lower()
    for part, kind in _BY_TEXT:
        if part in folded:
            return kind(text)
    return ScannerError(text)


def error_from_code(code: str, text: str) -> ScannerError:
    """Return the error with ``code``, as the child process reported it."""
    return _BY_CODE.get(code, ScannerError)(text, code=code)
