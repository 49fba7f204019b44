"""Tokens that end and cannot be forged."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.auth.person import Person, TokenError
from kiosk.auth.tokens import MAX_TOKEN_S, TokenIssuer, load_token_secret


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


PERSON = Person("p1", "Ә. Қ.", ("secretary",))


def test_token_ends_without_use_and_after_twelve_hours() -> None:
    clock = Clock()
    tokens = TokenIssuer(b"k" * 32, 60.0, clock)
    token = tokens.issue(PERSON)
    for _ in range(5):
        clock.now += 50
        assert tokens.check(token) == PERSON
    clock.now += 61
    with pytest.raises(TokenError):
        tokens.check(token)
    token = tokens.issue(PERSON)
    for _ in range(MAX_TOKEN_S // 50):
        clock.now += 50
        tokens.check(token)
    clock.now += 50
    with pytest.raises(TokenError):
        tokens.check(token)


def test_a_token_that_was_ended_is_nobodys_and_a_look_is_no_use() -> None:
    clock = Clock()
    tokens = TokenIssuer(b"k" * 32, 60.0, clock)
    token, other = tokens.issue(PERSON), tokens.issue(PERSON)
    tokens.end(token)
    clock.now += 40
    assert tokens.owner(other) == PERSON
    assert tokens.issue(PERSON)  # what is old is forgotten meanwhile
    for look in (tokens.check, tokens.owner):
        with pytest.raises(TokenError):
            look(token)
    clock.now += 40
    with pytest.raises(TokenError):
        tokens.owner(other)


def test_token_cannot_be_forged() -> None:
    tokens = TokenIssuer(b"k" * 32, 60.0)
    token = tokens.issue(PERSON)
    body, mac = token.split(".")
    other = TokenIssuer(b"x" * 32, 60.0).issue(Person("p1", "", ("technician",)))
    for forged in ("", ".", "a.b.c", body, f"{body}.", f"{other.split('.')[0]}.{mac}", other):
        with pytest.raises(TokenError):
            tokens.check(forged)


def test_token_outlives_a_restart_of_the_recorder(tmp_path: Path) -> None:
    """Nobody has to sign in again in the middle of a hearing."""
    path, clock = tmp_path / "run" / "token.secret", Clock()
    token = TokenIssuer(load_token_secret(path), 60.0, clock).issue(PERSON)
    assert path.stat().st_mode & 0o777 == 0o600
    clock.now += 100
    assert TokenIssuer(load_token_secret(path), 60.0, clock).check(token) == PERSON


def test_roles() -> None:
    assert PERSON.has_role(("secretary", "judge"))
    assert not PERSON.has_role(("technician",))
