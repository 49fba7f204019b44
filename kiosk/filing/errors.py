"""What can go wrong with a filing; codes are those of :mod:`kiosk.alarms`."""

from __future__ import annotations

from kiosk.errors import FilingError


class NoPagesError(FilingError):
    """There is nothing to hand in."""

    code = "no_pages"


class PageFailedError(FilingError):
    """A page cannot be read or prepared."""

    code = "page_failed"


class DocumentTooLargeError(FilingError):
    """One single page is larger than a file may be."""

    code = "document_too_large"


class StepRefusedError(FilingError):
    """This step is not possible in the filing's state."""

    code = "filing_failed"


class FilingDamagedError(FilingError):
    """``filing.json`` cannot be read."""

    code = "filing_failed"


class FilingLockedError(FilingError):
    """It is encrypted, and its key is not here (parked, or left behind by a crash)."""

    code = "filing_locked"


class TicketUnknownError(FilingError):
    """No parked filing belongs to this ticket: used, expired, or of another kiosk."""

    code = "ticket_unknown"
