"""Named points at which tests may kill the server (:mod:`kiosk.central.http.fault_injection`)."""

from __future__ import annotations

from collections.abc import Callable

CrashHook = Callable[[str], None]

REGISTER_BEFORE_COMMIT = "register-before-commit"
REGISTER_AFTER_COMMIT = "register-after-commit"
PATCH_BEFORE_SYNC = "patch-before-sync"
PATCH_AFTER_SYNC = "patch-after-sync"
VERIFY_BEFORE_TAKE = "verify-before-take"
VERIFY_AFTER_TAKE = "verify-after-take"
VERIFY_AFTER_COMMIT = "verify-after-commit"
RECEIPT_BEFORE_COMMIT = "receipt-before-commit"
RECEIPT_AFTER_COMMIT = "receipt-after-commit"
ALL = (
    REGISTER_BEFORE_COMMIT,
    REGISTER_AFTER_COMMIT,
    PATCH_BEFORE_SYNC,
    PATCH_AFTER_SYNC,
    VERIFY_BEFORE_TAKE,
    VERIFY_AFTER_TAKE,
    VERIFY_AFTER_COMMIT,
    RECEIPT_BEFORE_COMMIT,
    RECEIPT_AFTER_COMMIT,
)


def no_crash(_name: str) -> None:
    """Do nothing, as in production."""
