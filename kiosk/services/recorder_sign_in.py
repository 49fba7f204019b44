"""Sync's view of who is signed in: it asks the recorder, which alone can check a token."""

from __future__ import annotations

from aiohttp import web

from kiosk.api.base import read_leniently
from kiosk.api.recorder import RecorderState
from kiosk.api.upkeep import GET_SIGN_IN, SignedIn
from kiosk.auth.person import Person, RoleError
from kiosk.ipc import LocalClient
from kiosk.services.local_api import bearer_token
from kiosk.storage.paths import Paths

ANSWER_S = 3.0


class RecorderSignIn:
    """Checks callers of sync.

    Args:
        paths: of this kiosk.
    """

    def __init__(self, paths: Paths) -> None:
        self._socket = paths.recorder_socket

    async def authorize(self, request: web.Request, roles: tuple[str, ...]) -> Person:
        """Return who calls, by the token.

        Raises:
            TokenError: nobody; RoleError: somebody who may not.
            ServiceRefusedError: the recorder does not know the token.
            ServiceDownError: the recorder does not answer.
        """
        client = LocalClient(self._socket, bearer_token(request))
        try:
            answer = await client.get(GET_SIGN_IN.path, ANSWER_S)
        finally:
            await client.close()
        signed_in = read_leniently(SignedIn, answer)[0]
        person = Person(signed_in.person, "", signed_in.roles)
        if not person.has_role(roles):
            raise RoleError(f"needs one of the roles {', '.join(roles)}")
        return person

    async def is_hearing_open(self) -> bool:
        """Ask the recorder whether a hearing is open.

        Raises:
            KioskError: it does not answer.
        """
        client = LocalClient(self._socket)
        try:
            answer = await client.get("/v1/state", ANSWER_S)
        finally:
            await client.close()
        return read_leniently(RecorderState, answer)[0].phase.is_open
