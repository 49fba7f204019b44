"""The staff list of one kiosk: only the pinned court's, only this kiosk's, only until its end."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.certificates import certificate_pem
from kiosk.exchange.receipt_signature import signed_bytes
from kiosk.exchange.staff_list import (
    StaffListError,
    check_staff_list,
    hash_secret,
    is_hash,
    is_secret_of,
)
from tests.support.identity import Court

KIOSK = "kiosk-0001"
ROWS = [{"person": "p-1", "name": "Аружан", "roles": ["secretary"], "pin": None, "badge": None}]


@pytest.fixture
def court(tmp_path: Path) -> Court:
    """Return a court."""
    return Court.make(tmp_path / "court")


def refusal(court: Court, value: dict[str, Any], kiosk: str = KIOSK) -> str:
    """Return the code with which a list is refused."""
    with pytest.raises(StaffListError) as refused:
        check_staff_list(value, kiosk, court.ca, datetime.now(UTC))
    return refused.value.code


def test_a_hash_has_its_own_salt_and_opens_for_its_secret_alone() -> None:
    first, second = hash_secret("4711"), hash_secret("4711")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_secret_of("4711", first)
    assert is_secret_of("4711", second)
    assert is_secret_of(" 4711\r\n", first)
    assert not is_secret_of("4712", first)
    assert not is_secret_of("", first)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4711",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=19456,t=200,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=1,t=1,p=4$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
    ],
)
def test_an_unusable_or_costly_hash_belongs_to_nobody(text: str) -> None:
    assert not is_secret_of("4711", text)


def test_a_signed_list_is_taken_until_its_end(court: Court) -> None:
    value = court.sign_staff(KIOSK, ROWS, days=14)
    now = datetime.now(UTC)
    found = check_staff_list(value, KIOSK, court.ca, now)
    assert found.value["staff"] == ROWS
    assert found.valid_until - found.issued == timedelta(days=14)
    assert check_staff_list(value, KIOSK, court.ca, now - timedelta(days=400))  # clock not set
    with pytest.raises(StaffListError) as refused:
        check_staff_list(value, KIOSK, court.ca, now + timedelta(days=14))
    assert refused.value.code == "staff_list_ended"


def test_a_list_that_the_court_did_not_sign_so_is_refused(court: Court, tmp_path: Path) -> None:
    value = court.sign_staff(KIOSK, ROWS)
    for key in ("signature", "certificate"):
        assert refusal(court, {name: value[name] for name in value if name != key}) == (
            "staff_list_forged"
        )
    added = [*ROWS, ROWS[0] | {"person": "p-2", "pin": hash_secret("0000")}]
    assert refusal(court, value | {"staff": added}) == "staff_list_forged"
    assert refusal(court, value | {"valid_until": "2099-01-01T00:00:00Z"}) == "staff_list_forged"
    other = Court.make(tmp_path / "other").sign_staff(KIOSK, ROWS)
    assert refusal(court, other) == "staff_list_forged"


def test_a_stolen_kiosk_cannot_sign_a_list(court: Court) -> None:
    device = court.device(KIOSK)
    value = court.sign_staff(KIOSK, ROWS)
    value["signature"] = base64.b64encode(device.sign(signed_bytes(value))).decode()
    value["certificate"] = certificate_pem(device.certificate).decode()
    assert refusal(court, value) == "staff_list_forged"


def test_a_list_of_another_kiosk_is_refused(court: Court) -> None:
    assert refusal(court, court.sign_staff("kiosk-0002", ROWS)) == "staff_list_foreign"


def test_before_enrolment_no_list_is_taken(court: Court, tmp_path: Path) -> None:
    with pytest.raises(StaffListError) as refused:
        check_staff_list(
            court.sign_staff(KIOSK, ROWS), KIOSK, tmp_path / "ca.crt", datetime.now(UTC)
        )
    assert refused.value.code == "staff_list_forged"


def test_the_form_of_a_hash() -> None:
    assert is_hash(hash_secret("CK-1"))
    assert not is_hash("$argon2id$v=19$m=0,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43)
