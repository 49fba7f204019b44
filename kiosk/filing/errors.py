"""Errors of a filing; their codes are those of :mod:`kiosk.alarms`."""

from __future__ import annotations

from kiosk.errors import FilingError


class NoPagesError(FilingError):
    """The filing has no pages to submit."""

    code = "no_pages"


class PageFailedError(FilingError):
    """A page cannot be read or prepared."""

    code = "page_failed"


class DocumentTooLargeError(FilingError):
    """A single page is larger than a file may be."""

    code = "document_too_large"


class StepRefusedError(FilingError):
    """The filing's state does not allow this step."""

    code = "filing_failed"


class FilingDamagedError(FilingError):
    """``filing.json`` cannot be read."""

    code = "filing_failed"


class FilingLockedError(FilingError):
    """The filing's key is not in memory: it is parked, or abandoned after a crash."""

    code = "filing_locked"


class TicketUnknownError(FilingError):
    """No parked filing belongs to this ticket: it is used, expired, or of another kiosk."""

    code = "ticket_unknown"
