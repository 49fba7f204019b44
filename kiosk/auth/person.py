"""Who signs in, and the errors of a sign-in."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from kiosk.errors import SignInError

Place = Literal["screen", "command"]
"""Where somebody signs in: at the touch screen, or with a command of ``kiosk``."""


class UnknownBadgeError(SignInError):
    """No member of staff has this badge."""

    code = "unknown_badge"
    status = 401

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {"wait_seconds": 0}
        super().__init__("no such badge")


class UnknownPinError(SignInError):
    """This PIN is not that person's; ``fields`` says how long the next try must wait, if at all."""

    code = "unknown_pin"
    status = 401

    def __init__(self, wait_seconds: float) -> None:
        self.fields: dict[str, Any] = {"wait_seconds": math.ceil(wait_seconds)}
        super().__init__("not this person's PIN")


class SignInWaitError(SignInError):
    """There were wrong tries just before; ``fields`` says how long to wait."""

    code = "sign_in_wait"
    status = 429

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        self.fields: dict[str, Any] = {"wait_seconds": self.seconds}
        super().__init__(f"too many wrong tries: wait {self.seconds} s")


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
