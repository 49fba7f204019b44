"""Sign-in by badge and PIN, without any network; tokens that end and cannot be forged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.auth.sign_in import (
    FREE_TRIES,
    MAX_TOKEN_S,
    SCRYPT,
    Person,
    StaffDirectory,
    TokenError,
    TokenIssuer,
    UnknownBadgeError,
    UnknownPinError,
    load_token_secret,
)

SALT = b"\x01" * 16


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def row(person: str, badge: str, pin: str | None = None) -> dict[str, Any]:
    hashed = None if pin is None else hashlib.scrypt(pin.encode(), salt=SALT, **SCRYPT).hex()
    digest = hashlib.sha256(SALT + badge.encode()).hexdigest()
    return {
        "person": person,
        "name": "Ә. Қ.",
        "roles": ["secretary"],
        "badge_sha256": digest,
        "pin_scrypt": hashed,
    }


def publish(path: Path, *rows: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"salt": SALT.hex(), "staff": rows}), encoding="utf-8")
    beside.replace(path)


def test_badge_and_pin(tmp_path: Path) -> None:
    path = tmp_path / "staff.json"
    publish(path, row("p1", "CK-1"), row("p2", "CK-2", "4711"))
    staff = StaffDirectory(path)
    assert staff.find_by_badge("CK-2").id == "p2"
    assert staff.find_by_badge(" CK-1\r\n").id == "p1"
    assert staff.find_by_pin("4711").id == "p2"
    for badge in ("", "CK-3", "CK-1x"):
        with pytest.raises(UnknownBadgeError):
            staff.find_by_badge(badge)
    for pin in ("", "4712"):
        with pytest.raises(UnknownPinError):
            staff.find_by_pin(pin)


def test_list_is_read_again_and_a_damaged_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "staff.json"
    staff = StaffDirectory(path)
    with pytest.raises(UnknownBadgeError):
        staff.find_by_badge("CK-1")
    publish(path, row("p1", "CK-1"))
    assert staff.find_by_badge("CK-1").id == "p1"
    path.write_text('{"salt": "zz"')
    assert staff.find_by_badge("CK-1").id == "p1"
    publish(path, row("p3", "CK-3"))
    with pytest.raises(UnknownBadgeError):
        staff.find_by_badge("CK-1")


def test_guessing_pins_is_slowed_down(tmp_path: Path) -> None:
    path, clock = tmp_path / "staff.json", Clock()
    publish(path, row("p2", "CK-2", "4711"))
    staff = StaffDirectory(path, clock)
    for number in range(FREE_TRIES):
        with pytest.raises(UnknownPinError):
            staff.find_by_pin(f"{number:04d}")
    with pytest.raises(UnknownPinError):
        staff.find_by_pin("4711")
    clock.now += 1.1
    assert staff.find_by_pin("4711").id == "p2"
    assert staff.find_by_badge("CK-2").id == "p2"


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
