"""Refusals with their HTTP status, as kiosks receive them."""

from __future__ import annotations

from kiosk.errors import KioskError


class RefusedError(KioskError):
    """A request is refused.

    Attributes:
        status: HTTP status.
        retry_after: seconds to wait before another try, or None.
    """

    def __init__(
        self, status: int, code: str, message: str = "", *, retry_after: int | None = None
    ) -> None:
        super().__init__(message or code.replace("_", " "), code=code)
        self.status = status
        self.retry_after = retry_after


def malformed(message: str) -> RefusedError:
    """Return 400: the request is not what the contract says."""
    return RefusedError(400, "malformed", message)


def not_found() -> RefusedError:
    """Return 404: absent or another kiosk's; the answer does not say which."""
    return RefusedError(404, "not_found")


def wrong_owner() -> RefusedError:
    """Return 403: the id belongs to another kiosk."""
    return RefusedError(403, "foreign")


def content_conflict(message: str) -> RefusedError:
    """Return 409: other content is already known under this id."""
    return RefusedError(409, "content_differs", message)
