"""Sign-in by badge or PIN against ``published/staff.json``, and the tokens that say who acts.

The list is what sync pulled last: it works while sync, network and central system are dead. The
list holds only salted hashes. A token names a person and its roles, is signed with HMAC-SHA256
under a secret of this run, and ends after a time without use, at the latest after 12 hours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.errors import SignInError
from kiosk.storage.atomic_io import write_bytes

log = logging.getLogger(__name__)
LONGEST_S = 12 * 3600
SCRYPT = {"n": 16384, "r": 8, "p": 1, "dklen": 32}
"""docs/interfaces.md, ``published/staff.json``."""
FREE_TRIES = 3
"""Wrong PINs before each further one must wait: a PIN has few digits."""
LONGEST_WAIT_S = 60.0


class UnknownBadgeError(SignInError):
    """No member of staff has this badge or PIN."""

    code = "unknown_badge"
    status = 401


class UnknownPinError(SignInError):
    """No member of staff has this PIN, or too many wrong ones came before it."""

    code = "unknown_pin"
    status = 401


class TokenError(SignInError):
    """No token, a forged one, or one that has ended."""

    code = "token_expired"
    status = 401


class RoleError(SignInError):
    """The person is known but the role may not do this."""

    code = "sign_in_refused"
    status = 403


@dataclass(frozen=True)
class Person:
    """A member of staff. ``person`` is the id that journals keep; the name never enters a log."""

    person: str
    name: str
    roles: tuple[str, ...]

    def may(self, roles: Collection[str]) -> bool:
        """Say whether the person has one of ``roles``."""
        return not set(roles).isdisjoint(self.roles)


class Staff:
    """The staff list as last published; read again when the file changes.

    Args:
        path: ``published/staff.json``.
        clock: seconds that never jump.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._salt = b""
        self._rows: list[dict[str, Any]] = []
        self._wrong = 0
        self._wait_until = 0.0

    def by_badge(self, badge: str) -> Person:
        """Return whose badge this is.

        Raises:
            UnknownBadgeError: nobody's.
        """
        self._read()
        digest = hashlib.sha256(self._salt + badge.strip().encode("utf-8")).hexdigest()
        return self._find("badge_sha256", digest, UnknownBadgeError("no such badge"))

    def by_pin(self, pin: str) -> Person:
        """Return whose PIN this is (takes some 50 ms by intention).

        Raises:
            UnknownPinError: nobody's, or there were too many wrong ones just before.
        """
        if self._clock() < self._wait_until:
            raise UnknownPinError("too many wrong PINs")
        self._read()
        if not pin or not self._rows:
            raise UnknownPinError("no such PIN")
        digest = hashlib.scrypt(pin.encode("utf-8"), salt=self._salt, **SCRYPT).hex()
        try:
            person = self._find("pin_scrypt", digest, UnknownPinError("no such PIN"))
        except UnknownPinError:
            self._wrong += 1
            if self._wrong >= FREE_TRIES:
                wait = min(LONGEST_WAIT_S, 2.0 ** (self._wrong - FREE_TRIES))
                self._wait_until = self._clock() + wait
            raise
        self._wrong = 0
        return person

    def _find(self, key: str, digest: str, unknown: SignInError) -> Person:
        for row in self._rows:
            if hmac.compare_digest(str(row.get(key) or ""), digest):
                return Person(str(row["person"]), str(row["name"]), tuple(row["roles"]))
        raise unknown

    def _read(self) -> None:
        """Read the list if it is another; a damaged one leaves the old one in force."""
        try:
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns)
            if stamp == self._stamp:
                return
            value = json.loads(self._path.read_text(encoding="utf-8"))
            salt = bytes.fromhex(value["salt"])
            rows = [row for row in value["staff"] if row["person"] and list(row["roles"])]
            self._salt, self._rows, self._stamp = salt, rows, stamp
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("the staff list cannot be read: %r", error)


class Tokens:
    """Makes and checks sign-in tokens.

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
        self._used: dict[str, float] = {}
        self._begun = clock()  # last uses before a restart are not known

    def issue(self, person: Person) -> str:
        """Return a new token of ``person``."""
        now = self._clock()
        claims = {"p": person.person, "n": person.name, "r": person.roles, "t": now}
        body = json.dumps(claims | {"x": os.urandom(8).hex()}, ensure_ascii=False).encode()
        token = f"{_text(body)}.{_text(self._mac(body))}"
        self._forget_ended(now)
        self._used[token] = now
        return token

    def check(self, token: str) -> Person:
        """Return whose token this is; that counts as its use.

        Raises:
            TokenError: it is forged or has ended.
        """
        claims = self._opened(token)
        now = self._clock()
        used = self._used.get(token, max(self._begun, float(claims["t"])))
        if now - used > self._idle_s or now - float(claims["t"]) > LONGEST_S:
            self._used.pop(token, None)
            raise TokenError("the sign-in has ended")
        self._used[token] = now
        return Person(claims["p"], claims["n"], tuple(claims["r"]))

    def _opened(self, token: str) -> dict[str, Any]:
        try:
            body, mac = (_bytes(part) for part in token.split("."))
            if hmac.compare_digest(mac, self._mac(body)):
                return dict(json.loads(body))
        except ValueError:
            pass
        raise TokenError("not signed in")

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()

    def _forget_ended(self, now: float) -> None:
        limit = now - self._idle_s
        self._used = {token: used for token, used in self._used.items() if used > limit}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def run_secret(path: Path) -> bytes:
    """Return the secret that signs tokens (``run/token.secret``); made where there is none.

    It outlives a restart of the recorder, so that nobody must sign in anew in a hearing; with the
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
