"""Decisions of court IT on its page: erase or release withheld files, reassign a hearing.

The page is served on this machine to everybody who can open it. A decision therefore needs the
code in the file ``admin-code`` of the data folder, which only the server's account and root can
read, and a reason. A form of another site cannot send it: it does not know the code either.
"""

from __future__ import annotations

import hmac
import logging

from aiohttp import web

from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.errors import RefusedError, malformed

log = logging.getLogger(__name__)
MAX_FORM_BYTES = 16 << 10
MAX_TEXT = 300


class DecisionForms:
    """Handler of the page's forms.

    Args:
        quarantine: withheld files.
        owners: whose hearing an id is.
        code: what a form has to hold.
    """

    def __init__(self, quarantine: Quarantine, owners: HearingOwners, code: str) -> None:
        self._quarantine = quarantine
        self._owners = owners
        self._code = code

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Carry out a decision, then show the page again.

        Raises:
            RefusedError: 403, wrong code; 400, no reason; and those of the decision.
        """
        form = await request.post()
        values = {key: str(form.get(key, "")).strip() for key in ("action", "hearing", "kiosk")}
        reason, code = (str(form.get(key, "")).strip() for key in ("reason", "code"))
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            raise RefusedError(403, "code_wrong", "the code in the file admin-code is needed")
        if not 0 < len(reason) <= MAX_TEXT:
            raise malformed("reason: who decided, and why")
        action, hearing = values["action"], values["hearing"]
        if action == "erase":
            await self._quarantine.erase(hearing, reason)
        elif action == "release":
            await self._quarantine.release(hearing, reason)
        elif action == "reassign":
            await self._owners.reassign(hearing, values["kiosk"], reason)
        else:
            raise malformed("action: erase, release or reassign")
        log.warning("court IT: %s %s", action, hearing)
        return web.Response(status=303, headers={"Location": "/"})
