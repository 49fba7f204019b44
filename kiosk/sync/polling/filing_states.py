"""Keeps the states of registered filings: what has changed comes in pages, from a cursor on.

The cursor is kept in memory: a restart reads the list once from its beginning. One filing is asked
for by itself at each poll all the same, the longest unasked first: that heals what a cursor cannot
know (a central database restored from a backup, an answer that another one overtook, a kiosk that
went to another court).
"""

from __future__ import annotations

import logging
from typing import Any

from kiosk.api.published import FilingAnswer
from kiosk.api.rows import read_rows
from kiosk.clocks import format_wall
from kiosk.errors import CentralError, CentralUnreachableError
from kiosk.sync.context import SyncContext
from kiosk.sync.transport.central_client import CentralClient, is_of_one_request
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)

LISTS_CHANGES = 5
"""Revision of the contract since which there is a list of changes."""
ASKED_WITHOUT_LIST = 20
PAGES_PER_POLL = 10


class FilingStates:
    """States of this kiosk's filings.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._cursor: str | None = None

    def pull(self, client: CentralClient) -> None:
        """Take what has changed; one filing that cannot be read holds up no other.

        Raises:
            CentralError: the link fails, or the list of changes is refused.
        """
        has_list = client.revision >= LISTS_CHANGES
        answers = self._ask(client, 1 if has_list else ASKED_WITHOUT_LIST)
        try:
            if has_list:
                self._take_changes(client, answers)
        finally:
            if answers:
                self._context.lists.update("filings", read_rows(FilingAnswer, answers))

    def _take_changes(self, client: CentralClient, answers: list[object]) -> None:
        """Take the pages after the cursor; a long list goes on at the next poll."""
        registrations = self._context.registrations
        for _ in range(PAGES_PER_POLL):
            try:
                page = client.fetch_filing_changes(self._cursor)
            except RefusedError as error:
                if self._cursor is None or error.code != "cursor_unknown":
                    raise
                log.warning("the list of filings is read anew: %s", error)
                self._cursor = None
                continue
            rows, following = page.get("filings"), page.get("next")
            if not isinstance(rows, list) or not isinstance(following, str):
                raise CentralUnreachableError("answer without filings", code="central_fault")
            waiting = registrations.unsettled_filings()
            for row in rows:
                filing_id = row.get("filing") if isinstance(row, dict) else None
                if isinstance(filing_id, str) and filing_id in waiting:
                    registrations.save_answer(filing_id, row)
            answers += rows
            self._cursor = following
            if not page.get("more"):
                registrations.confirm(format_wall())
                return

    def _ask(self, client: CentralClient, count: int) -> list[object]:
        """Ask for the states of a few filings; return the answers."""
        registrations = self._context.registrations
        answers: list[object] = []
        for filing_id in registrations.open_filings(count):
            answer: dict[str, Any] | None = None
            try:
                answer = client.item_status("filing", filing_id)
            except CentralError as error:
                if not is_of_one_request(error):
                    raise
                log.warning("state of filing %s: %s", filing_id, error)
            registrations.save_answer(filing_id, answer or {})
            answers += [answer] if answer is not None else []
        return answers
