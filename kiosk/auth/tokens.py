"""Tokens that say who acts.

A token names a person and its roles, is signed with HMAC-SHA256 under a secret of this run, and
ends after a time without use, at the latest after 12 hours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.auth.person import Person, TokenError
from kiosk.storage.atomic_io import write_bytes

MAX_TOKEN_S = 12 * 3600


class TokenIssuer:
    """Issues and checks sign-in tokens.

    Args:
        secret: key of this run.
        idle_s: a token ends so long after its last use.
        clock: seconds that never jump.
    """

    def __init__(
        self, secret: bytes, idle_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._secret = secret
        self._idle_s = idle_s
        self._clock = clock
        self._last_used: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._started = clock()  # last uses before a restart are not known

    def issue(self, person: Person) -> str:
        """Return a new token of ``person``."""
        now = self._clock()
        claims = {"p": person.id, "n": person.name, "r": person.roles, "t": now}
        body = json.dumps(claims | {"x": os.urandom(8).hex()}, ensure_ascii=False).encode()
        token = f"{_encode_base64(body)}.{_encode_base64(self._mac(body))}"
        self._drop_expired(now)
        self._last_used[token] = now
        return token

    def check(self, token: str) -> Person:
        """Return whose token this is; that counts as its use.

        Raises:
            TokenError: it is forged or has ended.
        """
        person = self.owner(token)
        self._last_used[token] = self._clock()
        return person

    def owner(self, token: str) -> Person:
        """Return whose token this is; that is no use of it.

        Raises:
            TokenError: it is forged or has ended.
        """
        claims = self._decode(token)
        now = self._clock()
        used = self._last_used.get(token, max(self._started, float(claims["t"])))
        if now - used > self._idle_s or now - float(claims["t"]) > MAX_TOKEN_S:
            self._last_used.pop(token, None)
            raise TokenError("the sign-in has ended")
        if token in self._ended:
            raise TokenError("signed out")
        return Person(claims["p"], claims["n"], tuple(claims["r"]))

    def end(self, token: str) -> None:
        """End a token: its person has signed out. A restart of the recorder does not know it."""
        self._ended[token] = self._clock()
        self._last_used.pop(token, None)

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            body, mac = (_decode_base64(part) for part in token.split("."))
            if hmac.compare_digest(mac, self._mac(body)):
                return dict(json.loads(body))
        except ValueError:
            pass
        raise TokenError("not signed in")

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()

    def _drop_expired(self, now: float) -> None:
        limit = now - self._idle_s
        self._last_used = {token: used for token, used in self._last_used.items() if used > limit}
        limit = now - MAX_TOKEN_S
        self._ended = {token: ended for token, ended in self._ended.items() if ended > limit}


def _encode_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _decode_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def load_token_secret(path: Path) -> bytes:
    """Return the secret that signs tokens (``token.secret``); made where there is none.

    It outlives a restart of the recorder, so that nobody must sign in again in a hearing; with the
    run folder it goes at the next boot.
    """
    try:
        secret = path.read_bytes()
        if len(secret) >= 32:
            return secret
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = os.urandom(32)
    write_bytes(path, secret, 0o600)
    return secret
