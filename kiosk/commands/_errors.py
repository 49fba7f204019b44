"""What a command says when it cannot go on: one line with what to do, and the exit status."""

from __future__ import annotations

import errno
import logging
import os
import pwd
from collections.abc import Iterator

from kiosk.errors import KioskError

log = logging.getLogger(__name__)

SERVICES = frozenset({"recorder", "sync", "ui", "central"})
OWN_FILES = frozenset({"central", "config", "decrypt", "demo", "screens", "verify"})
"""Commands that work on files of the person who calls them."""
FAILED, USAGE, INTERNAL, NO_PERMISSION, INTERRUPTED, OUTPUT_CLOSED = 1, 2, 70, 77, 130, 141
EVERY_COMMAND = {
    USAGE: "wrong arguments or settings",
    INTERNAL: "a mistake in the program",
    NO_PERMISSION: "no permission: run it with sudo",
    INTERRUPTED: "Ctrl-C",
    OUTPUT_CLOSED: "nobody reads the output (as with | head)",
}
"""Exit statuses that mean the same in every command."""
_SENTENCES = {
    errno.ENOENT: "is not there",
    errno.EISDIR: "is a folder; a file is needed",
    errno.ENOTDIR: "is a file where a folder is needed",
    errno.EEXIST: "is there already, and is no folder",
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "the disk is read-only",
}


def describe(error: Exception, command: str) -> tuple[str, int]:
    """Return the line for the person and the exit status."""
    denied = next((one for one in _causes(error) if isinstance(one, PermissionError)), None)
    if denied is not None:
        return f"{_sentence(error)}; {_who_may(command)}", NO_PERMISSION
    if isinstance(error, KioskError):
        return str(error), error.exit_code
    if isinstance(error, EOFError):
        return "the input ended before it was answered; run it in a terminal", FAILED
    if isinstance(error, OSError):
        return _sentence(error), FAILED
    level = logging.ERROR if command in SERVICES else logging.DEBUG
    log.log(level, "unexpected error", exc_info=error)
    text = f"{type(error).__name__}: {error}".replace("\n", " ")
    return f"unexpected error: {text}; “kiosk --verbose {command} …” shows where", INTERNAL


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield ``error`` and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sentence(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    text = _SENTENCES.get(error.errno or 0, error.strerror or str(error))
    places = [os.fsdecode(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' -> '.join(map(str, places))}: {text}" if places else text


def _who_may(command: str) -> str:
    """Return what somebody without the right can do."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    if user == "root" or user.startswith("kiosk-"):
        return f"{user} has no right to it"
    if command in OWN_FILES:
        return "name a place that you may use, or run it with sudo"
    if command in SERVICES:
        return f"run: sudo systemctl start kiosk-{command}"
    return f"run: sudo kiosk {command.replace('_', '-')}"
