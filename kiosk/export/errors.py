"""Reasons why a copy for the parties cannot be made."""

from __future__ import annotations

from kiosk.errors import RecordingError


class ExportError(RecordingError):
    """A copy cannot be made; each reason has its own code."""

    code = "export_failed"
    status = 409


class NotSealedError(ExportError):
    """The hearing is not sealed yet: only sealed recordings may leave."""

    code = "export_not_sealed"


class ClosedHearingError(ExportError):
    """The hearing was closed: no copies are made (УПК 347-1(3), S19)."""

    code = "export_closed"
    status = 403


class EncryptedHearingError(ClosedHearingError):
    """All of it is encrypted to the court: only the court can open and copy it."""

    code = "export_encrypted"


class NoSpaceError(ExportError):
    """The drive has too little space."""

    code = "export_no_space"


class DriveError(ExportError):
    """The drive is gone, read-only or not writable."""

    code = "export_medium_failed"


class DriveBusyError(ExportError):
    """Another copy is being written to the same drive."""

    code = "export_running"


class SourceChangedError(ExportError):
    """The recording on this kiosk differs from what was sealed: no copy of it is made."""

    code = "export_source_changed"


class ReadBackError(ExportError):
    """The data read back from the drive differs from what was written."""

    code = "export_differs"


class CancelledError(ExportError):
    """The copy was cancelled."""

    code = "export_cancelled"
