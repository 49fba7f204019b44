"""A filing's number while the visitor waits: the court's within 3 s, else a provisional one."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kiosk.api.rows import read_rows
from kiosk.api.sync import CaseAnswer
from kiosk.errors import CentralError, KioskError
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.registrar import filing_registration_body, register_filing
from kiosk.sync.outbox.manifest import ManifestError
from kiosk.sync.outbox.registrations import Registration
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.connection import Connection

log = logging.getLogger(__name__)

REGISTER_SECONDS = 3.0
REGISTER_TIMEOUT = (2.0, 10.0)  # the request may still succeed after the visitor's answer
CASE_TIMEOUT = (2.0, 3.0)
REGISTRAR_THREADS = 4


class FilingRefusedError(KioskError):
    """The filing's folder cannot be registered as it is."""

    code = "filing_failed"
    status = 409


class RegistrationService:
    """Registers filings in threads that each have a connection of their own.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._executor = ThreadPoolExecutor(REGISTRAR_THREADS, thread_name_prefix="registrar")
        self._thread_local = threading.local()
        self._connectors: list[Connection] = []

    async def register(self, filing_id: str) -> Registration:
        """Return the filing's registration; it has a number, real or provisional.

        Raises:
            FilingRefusedError: its folder lacks what is needed.
        """
        known = self._context.registrations.get(filing_id)
        if known is None or known.number is None:
            known = await self._try_to_register(filing_id)
        return known

    async def _try_to_register(self, filing_id: str) -> Registration:
        """Return the number, real within 3 s or else provisional."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REGISTER_SECONDS
        try:
            body = await asyncio.to_thread(filing_registration_body, self._context, filing_id)
        except ManifestError as error:
            raise FilingRefusedError(str(error)) from error
        request = loop.run_in_executor(self._executor, self._register_now, filing_id, body)
        request.add_done_callback(_ignore_late_error)
        found: Registration | None = None
        try:
            left = deadline - loop.time() - 0.1
            found = await asyncio.wait_for(asyncio.shield(request), max(0.1, left))
        except TimeoutError:
            log.info("registration of %s takes too long: provisional number", filing_id)
        except CentralError as error:
            log.info("registration of %s: %s: %s", filing_id, error.code, error)
        if found is None:
            found = await asyncio.to_thread(
                self._context.registrations.ensure_provisional, filing_id
            )
        self._context.notify_change()
        return found

    def _register_now(self, filing_id: str, body: dict[str, Any]) -> Registration | None:
        """Register in one of the registrars' threads."""
        return register_filing(self._context, self._client(), filing_id, body, REGISTER_TIMEOUT)

    async def find_case(self, number: str) -> CaseAnswer:
        """Ask the central system whether there is such a case, within 3 s.

        Raises:
            CentralError: it cannot be asked, refuses, or its answer cannot be read.
        """
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(
            self._executor, lambda: self._client().find_case(number, CASE_TIMEOUT)
        )
        asking.add_done_callback(_ignore_late_error)
        try:
            async with asyncio.timeout(REGISTER_SECONDS):
                read = read_rows(CaseAnswer, [await asyncio.shield(asking)])
        except TimeoutError as error:
            raise CentralError("no answer in time", code="central_timeout") from error
        self._context.lists.update("cases", read)
        if not read.rows:
            raise CentralError("the answer cannot be read", code="central_fault")
        return read.rows[0]

    def _client(self) -> CentralClient:
        """Return this thread's client, each with a connection of its own."""
        if not hasattr(self._thread_local, "connector"):
            url = self._context.settings.central.url
            self._thread_local.connector = Connection(self._context.paths, url)
            self._connectors.append(self._thread_local.connector)
        client: CentralClient = self._thread_local.connector.client()
        return client

    def close(self) -> None:
        """Abort the running requests and end the threads."""
        for connector in self._connectors:
            connector.abort()
        self._executor.shutdown(wait=False, cancel_futures=True)


def _ignore_late_error(future: asyncio.Future[Any]) -> None:
    """Fetch a late failure, so that it is not reported as forgotten."""
    if not future.cancelled():
        future.exception()
