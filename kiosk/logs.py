"""Logging of every command: levels by package, the hearing in each line, stacks on a signal.

``KIOSK_LOG`` sets levels by package: ``KIOSK_LOG=kiosk.sync=DEBUG,kiosk.hearing=WARNING``; a level
alone is that of all packages. ``kill -USR2`` makes a service write the stack of every thread to
its log, also when it hangs.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextvars import ContextVar

ENVIRONMENT_VARIABLE = "KIOSK_LOG"
LINE_FORMAT = "%(levelname)s %(name)s:%(hearing)s %(message)s"

log = logging.getLogger(__name__)
_current = ""
"""The open hearing of this process, for all threads."""
_job: ContextVar[str | None] = ContextVar("hearing of a job", default=None)


def set_up_logging(verbose: bool = False, levels: str | None = None) -> None:
    """Log to standard error, once per process.

    Args:
        levels: levels by package; default: the environment variable.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LINE_FORMAT))
    handler.addFilter(_add_hearing)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
    _set_levels(os.environ.get(ENVIRONMENT_VARIABLE, "") if levels is None else levels)


def _set_levels(levels: str) -> None:
    for entry in filter(None, (part.strip() for part in levels.split(","))):
        name, _, level = entry.rpartition("=")
        try:
            logging.getLogger(name.strip() or None).setLevel(level.strip().upper())
        except ValueError:  # a service starts with a wrong level, too
            log.warning("%s: no level in “%s”", ENVIRONMENT_VARIABLE, entry)


def _add_hearing(record: logging.LogRecord) -> bool:
    job = _job.get()
    record.hearing = _current if job is None else job
    return True


def _label(hearing_id: str, part: int) -> str:
    return f" [hearing {hearing_id[:8]}{f' part {part}' if part else ''}]"


def set_current_hearing(hearing_id: str, part: int = 0) -> None:
    """Name the open hearing in all log lines of this process from now on; ``""``: none is open.

    The id is random: it says nothing about anybody.
    """
    global _current  # noqa: PLW0603 - one hearing at a time per process
    _current = _label(hearing_id, part) if hearing_id else ""


@contextlib.contextmanager
def job_of_hearing(hearing_id: str) -> Iterator[None]:
    """Name another hearing in the log lines of this thread or task: a job for an older one."""
    token = _job.set(_label(hearing_id, 0))
    try:
        yield
    finally:
        _job.reset(token)


def dump_stacks_on_signal() -> None:
    """Write the stack of every thread to standard error on SIGUSR2."""
    if sys.__stderr__ is not None:  # sys.stderr may be replaced by something without a file
        faulthandler.register(signal.SIGUSR2, file=sys.__stderr__, all_threads=True)
