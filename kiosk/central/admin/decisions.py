"""Decisions of court IT on its page: release or erase, accept, reassign (open_decisions.py).

The page is served on this machine to everybody who can open it. A decision therefore needs the
code in the file ``admin-code`` of the data folder, which only the server's account and root can
read, and a reason; what cannot be undone has to be confirmed, too. A form of another site cannot
send it: it does not know the code either.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping

from kiosk.central.data.database import Database
from kiosk.central.deliveries.head_check import accept_problem
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.errors import RefusedError, malformed

log = logging.getLogger(__name__)
MAX_FORM_BYTES = 16 << 10
MAX_TEXT = 300
FIELDS = ("action", "hearing", "kiosk", "seen", "reason", "code", "confirmed")
IRREVERSIBLE = frozenset({"erase", "accept"})


class DecisionForms:
    """Handler of the page's forms.

    Args:
        database: held-back recordings.
        quarantine: withheld files.
        owners: whose hearing an id is.
        code: what a form has to hold.
    """

    def __init__(
        self, database: Database, quarantine: Quarantine, owners: HearingOwners, code: str
    ) -> None:
        self._database = database
        self._quarantine = quarantine
        self._owners = owners
        self._code = code

    async def decide(self, form: Mapping[str, object]) -> None:
        """Carry out a decision.

        Raises:
            RefusedError: 403, wrong code; 400, no reason or not confirmed; and those of the
                decision. Nothing was changed.
        """
        values = {key: str(form.get(key, "")).strip() for key in FIELDS}
        reason, code, hearing = values["reason"], values["code"], values["hearing"]
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            raise RefusedError(403, "code_wrong", "the code in the file admin-code is needed")
        if not 0 < len(reason) <= MAX_TEXT:
            raise RefusedError(400, "reason_missing", "reason: who decided, and why")
        action, seen = values["action"], values["seen"]
        if action in IRREVERSIBLE and values["confirmed"] != "yes":
            raise RefusedError(400, "not_confirmed", f"{action} cannot be undone")
        if action == "erase":
            await self._quarantine.erase(hearing, reason, seen)
        elif action == "release":
            await self._quarantine.release(hearing, reason, seen)
        elif action == "reassign":
            await self._owners.reassign(hearing, values["kiosk"], reason, seen)
        elif action == "accept":
            await self._database.run_write(
                lambda connection: accept_problem(connection, hearing, reason, seen)
            )
        else:
            raise malformed("action: erase, release, reassign or accept")
        log.warning("court IT: %s %s", action, hearing)
