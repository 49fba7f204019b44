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
from typing import Any, Literal

from kiosk.api.published import StaffMember, read_staff
from kiosk.errors import SignInError
from kiosk.storage.atomic_io import read_json, write_bytes

log = logging.getLogger(__name__)
MAX_TOKEN_S = 12 * 3600
SCRYPT = {"n": 16384, "r": 8, "p": 1, "dklen": 32}
"""docs/interfaces.md, ``published/staff.json``."""
FREE_TRIES = 3
"""Wrong PINs before each further one must wait: a PIN has few digits."""
MAX_WAIT_S = 60.0


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
    """A member of staff. ``id`` is what journals keep; the name never enters a log."""

    id: str
    name: str
    roles: tuple[str, ...]

    def has_role(self, roles: Collection[str]) -> bool:
        """Return whether the person has one of ``roles``."""
        return not set(roles).isdisjoint(self.roles)


class StaffDirectory:
    """The staff list as last published; read again when the file changes.

    Args:
        path: ``published/staff.json``.
        clock: seconds that never jump.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._file_version: tuple[int, int] | None = None
        self._salt = b""
        self._rows: tuple[StaffMember, ...] = ()
        self._wrong_pins = 0
        self._wait_until = 0.0

    def find_by_badge(self, badge: str) -> Person:
        """Return whose badge this is.

        Raises:
            UnknownBadgeError: nobody's.
        """
        self._load_if_changed()
        digest = hashlib.sha256(self._salt + badge.strip().encode("utf-8")).hexdigest()
        return self._find("badge_sha256", digest, UnknownBadgeError("no such badge"))

    def find_by_pin(self, pin: str) -> Person:
        """Return whose PIN this is (takes some 50 ms by intention).

        Raises:
            UnknownPinError: nobody's, or there were too many wrong ones just before.
        """
        if self._clock() < self._wait_until:
            raise UnknownPinError("too many wrong PINs")
        self._load_if_changed()
        if not pin or not self._rows:
            raise UnknownPinError("no such PIN")
        digest = hashlib.scrypt(pin.encode("utf-8"), salt=self._salt, **SCRYPT).hex()
        try:
            person = self._find("pin_scrypt", digest, UnknownPinError("no such PIN"))
        except UnknownPinError:
            self._wrong_pins += 1
            if self._wrong_pins >= FREE_TRIES:
                wait = min(MAX_WAIT_S, 2.0 ** (self._wrong_pins - FREE_TRIES))
                self._wait_until = self._clock() + wait
            raise
        self._wrong_pins = 0
        return person

    def _find(
        self, key: Literal["badge_sha256", "pin_scrypt"], digest: str, unknown: SignInError
    ) -> Person:
        for row in self._rows:
            expected = row.badge_sha256 if key == "badge_sha256" else row.pin_scrypt
            if row.roles and hmac.compare_digest((expected or "").encode(), digest.encode()):
                return Person(row.person, row.name, row.roles)
        raise unknown

    def _load_if_changed(self) -> None:
        """Load the list if the file has changed; a damaged file leaves the old list in force."""
        try:
            status = self._path.stat()
            version = (status.st_ino, status.st_mtime_ns)
            if version == self._file_version:
                return
            value = read_json(self._path)
            salt = bytes.fromhex(value["salt"])
            rows = read_staff(value).rows
            self._salt, self._rows, self._file_version = salt, rows, version
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("the staff list cannot be read: %s: %s", type(error).__name__, error)


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
        claims = self._decode(token)
        now = self._clock()
        used = self._last_used.get(token, max(self._started, float(claims["t"])))
        if now - used > self._idle_s or now - float(claims["t"]) > MAX_TOKEN_S:
            self._last_used.pop(token, None)
            raise TokenError("the sign-in has ended")
        self._last_used[token] = now
        return Person(claims["p"], claims["n"], tuple(claims["r"]))

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
