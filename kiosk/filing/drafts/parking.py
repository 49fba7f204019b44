"""Unfinished filings that nobody stands before: parked with a ticket, or left by a crash."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from kiosk.clocks import wall_text, wall_time
from kiosk.filing.context import FilingRoom
from kiosk.filing.draft_encryption import FilingKey, key_from_code
from kiosk.filing.drafts.draft_filing import OpenFiling
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, TicketUnknownError
from kiosk.filing.folder import (
    KEEPER_KEY,
    TICKET_KEY,
    WIPED,
    FilingFolder,
    Shell,
    folders_in,
    read_shell,
)
from kiosk.filing.printing.receipt import to_png
from kiosk.filing.printing.ticket import Ticket, draw_ticket, new_code, normal_code, shown_code
from kiosk.locale import Translator
from kiosk.storage.atomic_io import write_bytes

log = logging.getLogger(__name__)


class RecorderClient(Protocol):
    """What is needed of :class:`kiosk.ipc.LocalClient` towards the recorder."""

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """``POST path``."""


@dataclass(frozen=True)
class Unfinished:
    """A draft that nobody has open: what can be said of it without its key.

    Attributes:
        filing_id: its id.
        created_at: when it was begun (wall time).
        pages: how many pages lie there.
        parked_until: until when it is parked; None: a crash or power cut left it.
        recoverable: whether a secretary who signed in may open it.
    """

    filing_id: str
    created_at: str
    pages: int
    parked_until: datetime | None
    recoverable: bool


class Parking:
    """Parks, resumes, recovers and wipes what is unfinished.

    Args:
        room: the filing room.
        clock: seconds that never jump.
    """

    def __init__(self, room: FilingRoom, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._clock = clock
        self._seen: dict[str, float] = {}

    def see(self, filing_id: str) -> None:
        """Begin the time after which a draft is left behind."""
        self._seen[filing_id] = self._clock()

    async def park(self, filing: OpenFiling) -> Ticket:
        """Park a draft: its key goes onto the ticket and out of memory.

        Raises:
            StorageError: it cannot be written; the filing stays open.
        """
        code, folder, room = new_code(), filing.folder, self._room
        if folder.key is None or folder.filing.state != "draft":
            raise FilingLockedError("only a draft is parked")
        until = room.local(wall_time() + timedelta(hours=room.settings.filing.parked_hours))
        wrapping = await asyncio.to_thread(key_from_code, code, folder.filing.id)
        write_bytes(folder.path / TICKET_KEY, wrapping.seal(folder.key.secret), 0o600)
        filing.abandon()
        language = folder.filing.language
        folder.park(wall_text(until))
        image = draw_ticket(
            code,
            until,
            room.settings.kiosk.court.get(language, ""),
            room.settings.kiosk.room,
            Translator(language),
            width=room.settings.printer.width_dots,
        )
        return Ticket(folder.filing.id, shown_code(code), until, to_png(image))

    async def resume(self, text: str) -> OpenFiling:
        """Return the filing of a ticket (its QR code's text, or the code as typed).

        Raises:
            TicketUnknownError: no parked filing belongs to it.
        """
        code = normal_code(text)
        if code is None:
            raise TicketUnknownError("not a ticket's code")
        for path, shell in self._shells():
            if shell.parked_until is not None and not _over(shell):
                secret = await asyncio.to_thread(_with_code, path, code, shell.id)
                if secret is not None:
                    return self._opened(path, secret)
        raise TicketUnknownError("no parked filing with this ticket")

    def unfinished(self, mine: set[str]) -> list[Unfinished]:
        """Return the drafts that nobody has open, newest first.

        Args:
            mine: ids of those that are open.
        """
        found = []
        for path, shell in self._shells():
            if shell.id not in mine:
                self._seen.setdefault(shell.id, self._clock())
                until = shell.parked_until
                found.append(
                    Unfinished(
                        filing_id=shell.id,
                        created_at=shell.created_at,
                        pages=sum(1 for _ in (path / "pages").glob("[0-9]*")),
                        parked_until=None if until is None else datetime.fromisoformat(until),
                        recoverable=until is None
                        and (not shell.sealed or (path / KEEPER_KEY).exists()),
                    )
                )
        return sorted(found, key=lambda one: one.created_at, reverse=True)

    async def recover(self, filing_id: str, recorder: RecorderClient) -> OpenFiling:
        """Open what a crash left behind, for a secretary.

        Args:
            filing_id: one of :meth:`unfinished`.
            recorder: client of the recorder that carries the secretary's sign-in token.

        Raises:
            ServiceRefusedError: not signed in as a secretary, or the time is over.
            FilingLockedError: no key was kept for a secretary.
        """
        path = self._room.layout.filings / filing_id
        shell = read_shell(path)
        if shell is None or shell.parked_until is not None:
            raise FilingLockedError("parked: only the ticket opens it")
        try:
            wrapped = (path / KEEPER_KEY).read_bytes()
        except OSError as error:
            raise FilingLockedError("no key was kept for a secretary") from error
        told = await recorder.post(
            "/v1/filing-keys/open", {"wrapped": base64.b64encode(wrapped).decode("ascii")}
        )
        return self._opened(path, base64.b64decode(str(told.get("key", ""))))

    def left_behind(self, mine: set[str], older_than_seconds: float) -> list[Path]:
        """Return the folders of drafts to be wiped: expired tickets, and what a crash left.

        Args:
            mine: ids of drafts that are open.
            older_than_seconds: since this process first saw it; a clock that jumps at the start
                does not count.
        """
        doomed = []
        for path, shell in self._shells():
            if shell.id in mine:
                continue
            seen = self._seen.setdefault(shell.id, self._clock())
            old = self._clock() - seen >= older_than_seconds
            if (old and shell.parked_until is None) or _over(shell):
                doomed.append(path)
        return doomed

    def _opened(self, path: Path, secret: bytes) -> OpenFiling:
        folder = FilingFolder.open(path, self._room.layout.filing_work, FilingKey(secret))
        folder.unpark()
        filing = OpenFiling(self._room, folder)
        filing.protect()
        return filing

    def _shells(self) -> list[tuple[Path, Shell]]:
        paths = (p for p in folders_in(self._room.layout.filings) if not p.name.startswith(WIPED))
        found = ((path, read_shell(path)) for path in paths)
        return [(path, shell) for path, shell in found if shell is not None]


def _with_code(path: Path, code: str, filing_id: str) -> bytes | None:
    """Return the filing's key, if the code opens it."""
    try:
        return key_from_code(code, filing_id).open_file(path / TICKET_KEY)
    except FilingDamagedError:
        return None


def _over(shell: Shell) -> bool:
    """Return whether a ticket's time is over."""
    if shell.parked_until is None:
        return False
    try:
        return wall_time() >= datetime.fromisoformat(shell.parked_until)
    except ValueError:
        return True
