"""The second seal and the secretary's own signature: what holds, and what is found out.

Requirements: S17, S21.
"""

from __future__ import annotations

import base64
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.evidence.person_signature import (
    PersonSignature,
    PersonSignatureError,
    check_person_signature,
    require_person,
)
from kiosk.evidence.seal import seal_folder
from tests.support.hearing_builder import sealed_hearing
from tests.support.identity import Court
from tests.support.minutes_rig import MinutesRig
from tests.support.people_keys import People

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> MinutesRig:
    """Return a kiosk with a sealed hearing and two versions of its minutes."""
    rig = MinutesRig(tmp_path_factory.mktemp("minutes"))
    rig.versions = rig.confirm_twice()
    return rig


@pytest.fixture
def minutes(rig: MinutesRig, tmp_path: Path) -> Path:
    """Return a copy of the first version, to damage."""
    source = rig.sealed(rig.versions[0]["sealed_id"])
    return Path(shutil.copytree(source, tmp_path / "copy"))


def verified(rig: MinutesRig, minutes: Path, hearing: Path | None = None) -> int:
    """Return the exit status of ``kiosk verify``."""
    folder = hearing or rig.recording
    return main(
        ["verify", str(folder), "--ca", str(rig.court.ca), "--quick", "--minutes", str(minutes)]
    )


def test_minutes_and_recording_belong_together(
    rig: MinutesRig, minutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(rig, minutes) == 0
    assert "Ахметова А. Б., Серикова С. С." in capsys.readouterr().out


def test_every_change_of_the_minutes_is_found(
    rig: MinutesRig, minutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = minutes / "minutes.pdf"
    path.write_bytes(path.read_bytes() + b"\n")
    assert verified(rig, minutes) == 1
    assert "minutes/minutes.pdf: " in capsys.readouterr().err
    assert verified(rig, minutes / "nowhere") == 1
    assert "no minutes" in capsys.readouterr().err


def test_minutes_of_another_recording_are_told(
    rig: MinutesRig, minutes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sealed_hearing(tmp_path / "hearings", rig.signer, parts=1)
    assert verified(rig, minutes, other) == 1
    assert "belong to another recording" in capsys.readouterr().err


def test_minutes_that_the_judge_has_not_confirmed_are_told(
    rig: MinutesRig, minutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even under a seal of this kiosk."""
    told = json.loads((minutes / "minutes.json").read_text())
    told["confirmed"] = told["confirmed"][:1]
    (minutes / "minutes.json").write_text(json.dumps(told))
    seal_folder(minutes, rig.signer)
    assert verified(rig, minutes) == 1
    assert "not both confirmed" in capsys.readouterr().err


def test_a_seal_of_another_device_is_told(
    rig: MinutesRig, minutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal_folder(minutes, rig.court.device("kiosk-9999"))
    assert verified(rig, minutes) == 1
    assert "kiosk-9999" in capsys.readouterr().err


# -- the secretary's own signature ---------------------------------------------------------------


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people"))


def check(people: People, minutes: Path, signature: bytes) -> PersonSignature:
    path = minutes.parent / "SHA256SUMS.cms"
    path.write_bytes(signature)
    return check_person_signature(minutes / "SHA256SUMS", path, people.roots)


def refusal(people: People, minutes: Path, signature: bytes) -> str:
    with pytest.raises(PersonSignatureError) as refused:
        check(people, minutes, signature)
    return refused.value.code


@pytest.mark.parametrize("form", ["der", "pem", "base64"])
def test_the_secretarys_signature_holds_in_each_form(
    people: People, minutes: Path, form: str
) -> None:
    content = (minutes / "SHA256SUMS").read_bytes()
    signature = people.sign("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ", content)
    text = base64.encodebytes(signature)
    forms = {
        "der": signature,
        "base64": text,
        "pem": b"-----BEGIN CMS-----\n" + text + b"-----END CMS-----\n",
    }
    signed = check(people, minutes, forms[form])
    assert signed.name == "АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ"
    require_person(signed, "Ахметова А. Б.")
    require_person(signed, "Ахметова Айгул")


def test_what_does_not_hold_is_told_apart(people: People, minutes: Path, tmp_path: Path) -> None:
    content = (minutes / "SHA256SUMS").read_bytes()
    good = people.sign("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ", content)
    assert refusal(people, minutes, b"not a signature") == "signature_malformed"
    assert refusal(people, minutes, b"") == "signature_malformed"
    assert refusal(people, minutes, good[: len(good) // 2]) == "signature_malformed"
    for more in (b"\n", b"hidden" * 1000):
        assert refusal(people, minutes, good + more) == "signature_malformed"
        assert refusal(people, minutes, base64.encodebytes(good + more)) == "signature_malformed"
    assert refusal(people, minutes, b"\x30") == "signature_malformed"
    other = people.sign("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ", content + b" ")
    assert refusal(people, minutes, other) == "signature_other_content"
    expired = people.sign("АХМЕТОВА АЙГҮЛ", "", content, began=10, days=5)
    assert refusal(people, minutes, expired) == "signature_expired"
    foreign = People(tmp_path / "foreign").sign("АХМЕТОВА АЙГҮЛ", "", content)
    assert refusal(people, minutes, foreign) == "signature_untrusted"
    # the device's own seal is no person's signature
    own = (minutes / "SHA256SUMS.p7s").read_bytes()
    assert refusal(people, minutes, own) == "signature_untrusted"


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ("СЕРИКОВА САУЛЕ", "Ахметова А. Б."),
        ("АХМЕТОВА БОТА", "Ахметова А. Б."),
        ("АХМЕТОВ АЙБЕК БОЛАТОВИЧ", "Ахметова А. Б."),
        ("АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ", "А. Б."),
        ("АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ", "-"),
    ],
    ids=["surname", "initials", "form", "initials-alone", "dash"],
)
def test_another_person_is_told(signed: str, expected: str) -> None:
    now = datetime.now(UTC)
    with pytest.raises(PersonSignatureError) as refused:
        require_person(PersonSignature(signed, now, now), expected)
    assert refused.value.code == "signature_other_person"


def test_the_command_names_who_signed_and_no_number_of_hers(
    people: People, minutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (minutes / "SHA256SUMS").read_bytes()
    path = minutes.parent / "s.cms"
    command = ["signature", str(minutes), str(path), "--roots", str(people.roots)]
    path.write_bytes(people.sign("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ", content))
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ" in out
    assert "IIN" not in out
    path.write_bytes(people.sign("СЕРИКОВА САУЛЕ", "", content))
    assert main(command) == 1
    assert "another person" in capsys.readouterr().err


def test_roots_must_be_there(minutes: Path, people: People) -> None:
    assert Court.make(minutes.parent / "court").ca != people.roots
    assert main(["signature", str(minutes), str(minutes / "SHA256SUMS.p7s"), "--roots", "x"]) == 1
