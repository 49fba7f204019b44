"""Registers a filing: gets its number from the central system through sync, or makes one (R3).

A filing is registered at once: sync asks the central system in one small request and answers with
its number, or with a provisional one. If sync does not answer, the kiosk makes the provisional
number here, in the same format ``<kiosk id>-<yymmdd>-<nnn>``. Its ``nnn`` begins at 501 and sync's
at 001, so that no number is used twice. Sync adopts it later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from kiosk.clocks import format_wall
from kiosk.errors import KioskError
from kiosk.filing.errors import FilingDamagedError
from kiosk.filing.folder import FilingFolder, filing_folders, read_registration
from kiosk.filing.model import Filing

log = logging.getLogger(__name__)

#: Sync waits 3 s for the central system; this is a little longer.
REGISTER_TIMEOUT_S = 4.5
_FIRST_LOCAL_NUMBER = 501


@dataclass(frozen=True)
class Registration:
    """Content of ``registration.json``.

    Attributes:
        filing: id of the filing.
        state: ``registered`` by the central system, or ``provisional``.
        number: the number that the visitor gets first.
        provisional: the kiosk's number, or None.
        at: wall time of the registration.
        given_by: ``central``, ``sync`` or ``kiosk`` (sync did not answer).
        documents: path, type, pages, size and SHA-256 of each file.
    """

    filing: str
    state: Literal["registered", "provisional"]
    number: str
    provisional: str | None
    at: str
    given_by: Literal["central", "sync", "kiosk"]
    documents: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for ``registration.json``."""
        return {**asdict(self), "documents": list(self.documents)}


class SyncClient(Protocol):
    """The methods of :class:`kiosk.ipc.LocalClient` that talk to sync."""

    async def post(self, path: str, body: object = None, timeout: float = 10.0) -> dict[str, Any]:
        """``POST path``."""

    async def get(self, path: str, timeout: float = 10.0) -> dict[str, Any]:
        """``GET path``."""


async def register(
    folder: FilingFolder, sync: SyncClient, kiosk_id: str, local_time: datetime
) -> Registration:
    """Register a submitted filing once, and save the result durably; return it.

    Args:
        folder: the filing's folder; its documents are on the disk.
        sync: client of the sync service.
        kiosk_id: first part of a provisional number.
        local_time: now, in the court's time zone.

    Raises:
        StorageError: it cannot be saved.
    """
    filing = folder.filing
    known = folder.registration()
    if known is not None:
        return Registration(**{**known, "documents": tuple(known["documents"])})
    try:
        reply = await sync.post(f"/v1/filings/{filing.id}/register", timeout=REGISTER_TIMEOUT_S)
        registration = _parse_reply(filing, reply)
    except KioskError as error:
        log.warning("filing %s: sync gives no number: %s", filing.id, error)
        number = provisional_number(folder.path.parent, kiosk_id, local_time)
        registration = _build_registration(
            filing, "provisional", number, number, "kiosk", format_wall()
        )
    folder.save_registration(registration.as_json())
    return registration


def provisional_number(root: Path, kiosk_id: str, local_time: datetime) -> str:
    """Return the kiosk's next provisional number for the court's day."""
    prefix = f"{kiosk_id}-{local_time:%y%m%d}-"
    given = [_FIRST_LOCAL_NUMBER - 1]
    for number in _provisional_numbers(filing_folders(root)):
        suffix = number.removeprefix(prefix)
        if suffix != number and suffix.isdigit():
            given.append(int(suffix))
    return f"{prefix}{max(given) + 1:03d}"


def _provisional_numbers(folders: Iterable[Path]) -> Iterable[str]:
    """Yield the provisional numbers of the filings in ``folders``."""
    for path in folders:
        try:
            registration = read_registration(path)
        except FilingDamagedError:
            continue
        if registration and registration.get("provisional"):
            yield str(registration["provisional"])


def _parse_reply(filing: Filing, reply: dict[str, Any]) -> Registration:
    """Return the registration in sync's answer."""
    number = reply.get("number")
    if not isinstance(number, str) or not number:
        raise KioskError("the answer has no number", code="central_contract_unknown")
    if reply.get("state") == "provisional":
        return _build_registration(filing, "provisional", number, number, "sync", reply.get("at"))
    provisional = reply.get("provisional")
    return _build_registration(
        filing, "registered", number, provisional, "central", reply.get("at")
    )


def _build_registration(
    filing: Filing,
    state: Literal["registered", "provisional"],
    number: str,
    provisional: str | None,
    given_by: Literal["central", "sync", "kiosk"],
    at: object,
) -> Registration:
    return Registration(
        filing=filing.id,
        state=state,
        number=number,
        provisional=provisional,
        at=str(at or format_wall()),
        given_by=given_by,
        documents=tuple(document.model_dump(mode="json") for document in filing.documents),
    )
