"""Errors of the self-test: which service does not answer."""

from __future__ import annotations

from kiosk.ipc import ServiceDownError


class RecorderDownError(ServiceDownError):
    """The recorder does not answer."""

    code = "recorder_down"


class SyncDownError(ServiceDownError):
    """Sync does not answer."""

    code = "sync_down"
