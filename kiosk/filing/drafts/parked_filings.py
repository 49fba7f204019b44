"""Unfinished filings that are not open: parked with a ticket, or left after a crash."""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from kiosk.clocks import format_wall, parse_wall, wall_time
from kiosk.filing.context import FilingContext
from kiosk.filing.draft_encryption import DraftKey, key_from_code
from kiosk.filing.drafts.open_filing import OpenFiling
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, TicketUnknownError
from kiosk.filing.folder import (
    ESCROW_KEY_FILE,
    TICKET_KEY_FILE,
    WIPED_PREFIX,
    DraftHeader,
    FilingFolder,
    filing_folders,
    read_header,
)
from kiosk.filing.printing.receipt import to_png
from kiosk.filing.printing.ticket import Ticket, draw_ticket, format_code, new_code, normalise_code
from kiosk.locale import Translator
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import write_bytes

log = logging.getLogger(__name__)


class RecorderClient(Protocol):
    """The methods of :class:`kiosk.ipc.LocalClient` that talk to the recorder."""

    async def post(self, path: str, body: object = None, timeout: float = 10.0) -> dict[str, Any]:
        """``POST path``."""


@dataclass(frozen=True)
class UnfinishedFiling:
    """A draft that is not open, by its header.

    Attributes:
        filing_id: its id.
        created_at: wall time of its creation.
        page_count: number of its pages.
        parked_until: end of its parking; None if it was left after a crash or power cut.
        is_recoverable: whether a signed-in secretary may open it.
    """

    filing_id: str
    created_at: str
    page_count: int
    parked_until: datetime | None
    is_recoverable: bool


class ParkedFilings:
    """Parks, resumes, recovers and lists unfinished filings.

    Args:
        context: the filing context.
        ages: how long each has been parked, left or delivered.
    """

    def __init__(self, context: FilingContext, ages: Ages) -> None:
        self._context = context
        self._ages = ages

    async def park(self, filing: OpenFiling) -> Ticket:
        """Park a draft: wrap its key under the ticket's code and destroy it in memory.

        Raises:
            StorageError: it cannot be written; the filing stays open.
        """
        code, folder, context = new_code(), filing.folder, self._context
        if folder.key is None or folder.filing.state != "draft":
            raise FilingLockedError("only a draft is parked")
        until = context.to_local(
            wall_time() + timedelta(hours=context.settings.filing.parked_hours)
        )
        wrapping = await asyncio.to_thread(key_from_code, code, folder.filing.id)
        write_bytes(folder.path / TICKET_KEY_FILE, wrapping.encrypt(folder.key.secret), 0o600)
        filing.close()
        language = folder.filing.language
        folder.park(format_wall(until))
        image = draw_ticket(
            code,
            until,
            context.settings.kiosk.court.get(language, ""),
            context.settings.kiosk.room,
            Translator(language),
            width=context.settings.printer.width_dots,
        )
        return Ticket(folder.filing.id, format_code(code), until, to_png(image))

    async def resume(self, text: str) -> OpenFiling:
        """Return the filing of a ticket (its QR code's text, or the code as typed).

        The printed end refuses nobody, the wall clock may be wrong: it ends with the filing.

        Raises:
            TicketUnknownError: no parked filing belongs to it.
        """
        code = normalise_code(text)
        if code is None:
            raise TicketUnknownError("not a ticket's code")
        for path, header in self._headers():
            if header.parked_until is not None:
                secret = await asyncio.to_thread(_unwrap_key, path, code, header.id)
                if secret is not None:
                    return self._reopen(path, secret)
        raise TicketUnknownError("no parked filing with this ticket")

    def list_unfinished(self, open_ids: set[str]) -> list[UnfinishedFiling]:
        """Return the drafts that are not open, newest first.

        Args:
            open_ids: ids of the open ones.
        """
        found = []
        for path, header in self._headers():
            if header.id not in open_ids:
                until = header.parked_until
                found.append(
                    UnfinishedFiling(
                        filing_id=header.id,
                        created_at=header.created_at,
                        page_count=sum(1 for _ in (path / "pages").glob("[0-9]*")),
                        parked_until=parse_wall(until),
                        is_recoverable=until is None
                        and (not header.sealed or (path / ESCROW_KEY_FILE).exists()),
                    )
                )
        return sorted(found, key=lambda filing: filing.created_at, reverse=True)

    async def recover(self, filing_id: str, recorder: RecorderClient) -> OpenFiling:
        """Open a draft left after a crash, for a secretary.

        Args:
            filing_id: one of :meth:`list_unfinished`.
            recorder: client of the recorder that carries the secretary's sign-in token.

        Raises:
            ServiceRefusedError: not signed in as a secretary, or the time is over.
            FilingLockedError: it is parked, or no key is kept for a secretary.
        """
        path = self._context.paths.filings / filing_id
        header = read_header(path)
        if header is None or header.parked_until is not None:
            raise FilingLockedError("parked: only the ticket opens it")
        try:
            wrapped = (path / ESCROW_KEY_FILE).read_bytes()
        except OSError as error:
            raise FilingLockedError("no key was kept for a secretary") from error
        reply = await recorder.post(
            "/v1/filing-keys/open", {"wrapped": base64.b64encode(wrapped).decode("ascii")}
        )
        return self._reopen(path, base64.b64decode(str(reply.get("key", ""))))

    def list_abandoned(self, open_ids: set[str], older_than_seconds: float) -> list[Path]:
        """Return the folders of drafts to wipe: parked too long, or left after a crash.

        Call it every minute: it sees when one is parked or left.

        Args:
            open_ids: ids of the open drafts.
            older_than_seconds: how long one that a crash left is kept.
        """
        parked_seconds = self._context.settings.filing.parked_hours * 3600
        limits = {
            _age_key(header): (path, older_than_seconds)
            if header.parked_until is None
            else (path, parked_seconds)
            for path, header in self._headers()
            if header.id not in open_ids
        }
        ages = self._ages.of("left or parked", limits)
        return [path for key, (path, limit) in limits.items() if ages[key] >= limit]

    def _reopen(self, path: Path, secret: bytes) -> OpenFiling:
        folder = FilingFolder.open(path, self._context.paths.filing_work, DraftKey(secret))
        folder.unpark()
        filing = OpenFiling(self._context, folder)
        filing.escrow_key()
        return filing

    def _headers(self) -> list[tuple[Path, DraftHeader]]:
        paths = (
            p
            for p in filing_folders(self._context.paths.filings)
            if not p.name.startswith(WIPED_PREFIX)
        )
        found = ((path, read_header(path)) for path in paths)
        return [(path, header) for path, header in found if header is not None]


def _unwrap_key(path: Path, code: str, filing_id: str) -> bytes | None:
    """Return the filing's key, or None if the code does not unwrap it."""
    try:
        return key_from_code(code, filing_id).decrypt_file(path / TICKET_KEY_FILE)
    except FilingDamagedError:
        return None


def _age_key(header: DraftHeader) -> str:
    """Return the key of a draft's age: parked again, it is young again."""
    return f"{header.id} {header.parked_until or ''}".strip()
