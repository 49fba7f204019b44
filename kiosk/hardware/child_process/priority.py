"""Lowers the priority of a child process; its work matters more than its priority."""

from __future__ import annotations

import logging
import os

log = logging.getLogger(__name__)


def lower_priority(increment: int) -> None:
    """Make this process nicer by ``increment`` (1 to 19); a sandbox that refuses is only logged."""
    try:
        os.nice(increment)
    except OSError as error:
        log.warning("the priority cannot be lowered: %s", error.strerror)
