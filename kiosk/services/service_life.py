"""Since when a service runs, and why it was started: noted in its folder below ``/run``.

The unit keeps this folder over a restart (``RuntimeDirectoryPreserve=restart``), and a boot empties
it. A process that ends in order notes why; where the note is missing, it failed.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import kiosk
from kiosk.api.upkeep import ServiceStatus, StartReason
from kiosk.clocks import NS_PER_S, boot_id, recording_ns
from kiosk.storage.atomic_io import read_json_or_none, write_json
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
NOTE = "life.json"


class ServiceLife:
    """The life of this process, as far as the next one must know of it.

    Args:
        run: the service's own folder below ``/run``.
    """

    def __init__(self, run: Path) -> None:
        self._note = run / NOTE
        self._began_ns = recording_ns()
        self._boot = boot_id()
        self._reason, self._starts = StartReason.BOOT, 1
        self.end_reason = StartReason.STOPPED

    def begin(self) -> None:
        """Read how the process before this one ended; note that this one runs."""
        before = _read(self._note)
        if before.get("boot") == self._boot:
            self._reason = _reason_of(before.get("ended"))
            starts = before.get("starts")
            self._starts = starts + 1 if isinstance(starts, int) else 1
        self._write(None)

    def end(self) -> None:
        """Note that this process ends in order, for :attr:`end_reason`."""
        self._write(self.end_reason)

    def status(self) -> ServiceStatus:
        """Return version, age and reason."""
        return ServiceStatus(
            version=kiosk.__version__,
            up_seconds=round((recording_ns() - self._began_ns) / NS_PER_S, 1),
            reason=self._reason,
            starts=self._starts,
        )

    def _write(self, ended: StartReason | None) -> None:
        """Write the note; a full ``/run`` stops no service."""
        note = {"boot": self._boot, "starts": self._starts, "ended": ended}
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._note, note, 0o600)
        except STORAGE_ERRORS as error:
            log.warning("the note of this service's life cannot be written: %s", error)


def _read(note: Path) -> dict[str, Any]:
    value = read_json_or_none(note)
    return value if isinstance(value, dict) else {}


def _reason_of(ended: object) -> StartReason:
    """Return why a service is started whose last process noted ``ended``."""
    known = (StartReason.TECHNICIAN, StartReason.STOPPED)
    return next((reason for reason in known if reason == ended), StartReason.FAILED)
