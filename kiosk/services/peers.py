"""Decides which local user may call a service, by SO_PEERCRED (unix(7)).

Whoever can open a socket is of the group ``kiosk``. Of these, the touch screen takes steps and
changes; the other services only read. The kernel says who called: no header can be forged.
"""

from __future__ import annotations

import logging
import os
import pwd
import socket
import struct

from aiohttp import web

from kiosk.errors import KioskError
from kiosk.ipc import Handler

log = logging.getLogger(__name__)
SCREEN_USER = "kiosk-ui"
READER_USERS = ("kiosk-recorder", "kiosk-sync")
READ_METHODS = ("GET", "HEAD")
_CREDENTIALS = struct.Struct("3i")


class PeerRefusedError(KioskError):
    """The local user who calls may not do this."""

    code = "peer_refused"
    status = 403


@web.middleware
async def check_peer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the call through if the calling user may make it; log who changes something.

    Raises:
        PeerRefusedError: the user may not.
    """
    pid, user = peer_of(request)
    if not may_call(user, request.method):
        log.warning("%s %s refused to user %d", request.method, request.path, user)
        raise PeerRefusedError(f"user {user} may not call this")
    if request.method not in READ_METHODS:
        log.info("%s from process %d of user %d", request.path, pid, user)
    return await handler(request)


def may_call(user: int, method: str) -> bool:
    """Return whether the user with this id may make a call with this HTTP method.

    The service's own user, the screen's and root may make every call; the users of the other
    services may read. Where these users do not exist, as in a demo, there is only the own one.
    """
    if user in (0, os.geteuid()) or user == _user_id(SCREEN_USER):
        return True
    return method in READ_METHODS and user in map(_user_id, READER_USERS)


def _user_id(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def peer_of(request: web.Request) -> tuple[int, int]:
    """Return process and user id of the caller, as the kernel knows them.

    Raises:
        PeerRefusedError: the connection is gone.
    """
    peer = None if request.transport is None else request.transport.get_extra_info("socket")
    if peer is None:
        raise PeerRefusedError("the caller is gone")
    found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _group = _CREDENTIALS.unpack(found)
    return pid, user
