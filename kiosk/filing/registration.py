"""The number of a filing: the central system's through sync, or the kiosk's own (R3).

A filing is registered at once: sync asks the central system in one small request and answers
with its number, or with a provisional one. Where sync itself is dead, the kiosk makes the
provisional number here, in the same format ``<kiosk id>-<yymmdd>-<nnn>``; its ``nnn`` begins at
501, sync's at 001, so that no number is given twice. Sync takes it over when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from kiosk.clocks import wall_text
from kiosk.errors import KioskError
from kiosk.filing.errors import FilingDamagedError
from kiosk.filing.folder import FilingFolder, folders_in, read_registration
from kiosk.filing.model import Filing

log = logging.getLogger(__name__)

#: Sync gives up on the central system after 3 s; a little later we give up on sync.
ASK_SECONDS = 4.5
_FIRST_OWN = 501


@dataclass(frozen=True)
class Registration:
    """What stands in ``registration.json``.

    Attributes:
        filing: id of the filing.
        state: ``registered`` by the central system, or ``provisional``.
        number: the number that the visitor is told first.
        provisional: the kiosk's number, where one was given.
        at: when it was given.
        given_by: ``central``, ``sync`` or ``kiosk`` (sync was dead).
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
    """What is needed of :class:`kiosk.ipc.LocalClient` towards sync."""

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """``POST path``."""

    async def get(self, path: str, timeout: float = 10.0) -> dict[str, Any]:
        """``GET path``."""


async def register(
    folder: FilingFolder, sync: SyncClient, kiosk_id: str, local: datetime
) -> Registration:
    """Return the registration of a submitted filing, kept durably; the same again if asked again.

    Args:
        folder: the filing's folder; its documents are on the disk.
        sync: client of the sync service.
        kiosk_id: first part of a provisional number.
        local: now, in the court's time zone.

    Raises:
        StorageError: it cannot be kept.
    """
    filing = folder.filing
    known = folder.registration()
    if known is not None:
        return Registration(**{**known, "documents": tuple(known["documents"])})
    try:
        told = await sync.post(f"/v1/filings/{filing.id}/register", timeout=ASK_SECONDS)
        registration = _as_told(filing, told)
    except KioskError as error:
        log.warning("filing %s: sync gives no number: %s", filing.id, error)
        number = own_number(folder.path.parent, kiosk_id, local)
        registration = _registration(filing, "provisional", number, number, "kiosk", wall_text())
    folder.keep_registration(registration.as_json())
    return registration


def own_number(root: Path, kiosk_id: str, local: datetime) -> str:
    """Return the next provisional number of the kiosk's own, for the court's day."""
    prefix = f"{kiosk_id}-{local:%y%m%d}-"
    given = [_FIRST_OWN - 1]
    for number in _numbers_in(folders_in(root)):
        tail = number.removeprefix(prefix)
        if tail != number and tail.isdigit():
            given.append(int(tail))
    return f"{prefix}{max(given) + 1:03d}"


def _numbers_in(folders: Iterable[Path]) -> Iterable[str]:
    """Yield the provisional numbers that were given in ``folders``."""
    for path in folders:
        try:
            registration = read_registration(path)
        except FilingDamagedError:
            continue
        if registration and registration.get("provisional"):
            yield str(registration["provisional"])


def _as_told(filing: Filing, told: dict[str, Any]) -> Registration:
    """Return what sync said; anything but ``provisional`` has the central system's number."""
    number = told.get("number")
    if not isinstance(number, str) or not number:
        raise KioskError("the answer has no number", code="central_contract_unknown")
    if told.get("state") == "provisional":
        return _registration(filing, "provisional", number, number, "sync", told.get("at"))
    provisional = told.get("provisional")
    return _registration(filing, "registered", number, provisional, "central", told.get("at"))


def _registration(
    filing: Filing,
    state: Literal["registered", "provisional"],
    number: str,
    provisional: str | None,
    given_by: Literal["central", "sync", "kiosk"],
    at: Any,
) -> Registration:
    return Registration(
        filing=filing.id,
        state=state,
        number=number,
        provisional=provisional,
        at=str(at or wall_text()),
        given_by=given_by,
        documents=tuple(document.model_dump(mode="json") for document in filing.documents),
    )
