"""Staff in the database: PINs and badges, the seed file, revoked kiosks, an earlier release."""

from __future__ import annotations

import asyncio
import hashlib
import html
import io
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.central.admin.findings import FleetSnapshot, KioskStatus, collect_findings
from kiosk.central.admin.page import AdminView
from kiosk.central.admin.texts import PIN_REASONS, REFUSALS, SENTENCES, AdminTexts
from kiosk.central.data.database import Database
from kiosk.central.identity import courts, staff
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.identity.enrolment import Kiosk
from kiosk.central.identity.pin_rules import WeakPinError, check_pin
from kiosk.central.identity.seed import Seed
from kiosk.central.identity.staff_lists import StaffListIssuer, list_tag
from kiosk.central.server import open_authority, open_database
from kiosk.cli import main
from kiosk.clocks import format_wall, parse_wall, wall_time
from kiosk.errors import CentralError
from kiosk.exchange.staff_list import check_staff_list, is_secret_of
from kiosk.locale import Language, Translator
from tests.support.central_rig import admin_page

pytestmark = pytest.mark.slow

PIN, OTHER_PIN = "2718", "6173"
COURT = {"id": "7599", "name": {"en": "Court"}}
ROOMS = {"kiosk-0001": "1", "kiosk-0002": "2"}


def seed(**people: dict[str, object]) -> Seed:
    """Return a seed with two rooms, a kiosk in each, and these people."""
    rows = [
        {"person": person, "name": person.title(), "roles": ["secretary"], "rooms": ["1"]} | more
        for person, more in people.items()
    ]
    kiosks = [{"id": kiosk, "room": room} for kiosk, room in ROOMS.items()]
    return Seed.model_validate({"court": COURT, "kiosks": kiosks, "staff": rows})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = open_database(tmp_path / "data")
    yield made
    made.close()


class Lists:
    """The lists that kiosks get."""

    def __init__(self, database: Database, data: Path) -> None:
        authority = open_authority(data)
        self.ca = authority.root_path
        signer = ReceiptSigner(*authority.server_files(["localhost"]))
        self.database, self.issuer = database, StaffListIssuer(database, signer)

    def issue(self, kiosk: str) -> dict[str, dict[str, object]]:
        """Return the rows of a kiosk's list by person; it is signed for this kiosk."""
        value = self.value(kiosk)
        check_staff_list(value, kiosk, self.ca, wall_time())
        return {row["person"]: row for row in value["staff"]}

    def value(self, kiosk: str) -> dict[str, Any]:
        """Return a kiosk's list as it is sent."""
        with self.database.read() as connection:
            court = courts.load_court(connection, "7599")
        return asyncio.run(self.issuer.issue(Kiosk(kiosk, ROOMS[kiosk], court)))


@pytest.fixture
def lists(database: Database, tmp_path: Path) -> Lists:
    """The lists of the two kiosks."""
    return Lists(database, tmp_path / "data")


def revoke(database: Database, kiosk: str, kind: staff.Kind = "pin") -> list[str]:
    with database.write() as connection:
        return staff.expose_credentials(connection, kiosk, kind)


def member(database: Database, person: str) -> staff.Member:
    with database.read() as connection:
        return {row.person: row for row in staff.list_members(connection)}[person]


def test_a_list_holds_the_people_of_its_room_and_no_others(
    database: Database, lists: Lists
) -> None:
    people = seed(
        anna={"pin": PIN, "badge": "CK-2-1"},
        boris={"rooms": ["2"], "pin": PIN},
        clara={"rooms": "all", "roles": ["judge"], "badge": "CK-1-1"},
        gone={"rooms": [], "pin": PIN},
        nobody={"rooms": "all", "roles": [], "pin": PIN},
    )
    assert courts.apply_seed(database, people) == []
    first, second = lists.issue("kiosk-0001"), lists.issue("kiosk-0002")
    assert (list(first), list(second)) == (["anna", "clara"], ["boris", "clara"])
    assert is_secret_of(PIN, str(first["anna"]["pin"]))
    assert is_secret_of("CK-2-1", str(first["anna"]["badge"]))
    assert first["clara"]["pin"] is None
    assert first["anna"]["pin"] != second["boris"]["pin"], "a salt each: equal PINs do not show"


def test_reading_the_seed_again_changes_nothing(database: Database, lists: Lists) -> None:
    people = seed(anna={"pin": PIN, "badge": "CK-2-1"})
    courts.apply_seed(database, people)
    before = lists.issue("kiosk-0001")
    courts.apply_seed(database, people)
    assert lists.issue("kiosk-0001") == before
    courts.apply_seed(database, seed(anna={"pin": OTHER_PIN}))
    after = lists.issue("kiosk-0001")["anna"]
    assert is_secret_of(OTHER_PIN, str(after["pin"]))
    assert after["badge"] == before["anna"]["badge"]


def test_a_pin_set_by_command_outlives_the_next_reading_of_the_seed(
    database: Database, lists: Lists
) -> None:
    courts.apply_seed(database, seed(anna={"pin": PIN}))
    staff.set_credential(database, "7599", "anna", "pin", OTHER_PIN)
    courts.apply_seed(database, seed(anna={"pin": PIN}))
    assert is_secret_of(OTHER_PIN, str(lists.issue("kiosk-0001")["anna"]["pin"]))


def test_a_revoked_kiosk_makes_its_pins_invalid_for_every_kiosk_and_no_others(
    database: Database, lists: Lists
) -> None:
    people = seed(
        anna={"pin": PIN, "badge": "CK-2-1"},
        boris={"rooms": ["2"], "pin": PIN},
        clara={"rooms": "all", "pin": OTHER_PIN},
    )
    courts.apply_seed(database, people)
    for kiosk in ROOMS:
        lists.issue(kiosk)
    assert revoke(database, "kiosk-0001") == ["anna", "clara"]
    first, second = lists.issue("kiosk-0001"), lists.issue("kiosk-0002")
    assert (first["anna"]["pin"], second["clara"]["pin"]) == (None, None)
    assert is_secret_of("CK-2-1", str(first["anna"]["badge"])), "badges stay"
    assert is_secret_of(PIN, str(second["boris"]["pin"])), "another room's people keep theirs"
    assert courts.apply_seed(database, people) == ["anna", "clara"], "nor does the seed bring it"
    assert lists.issue("kiosk-0001")["anna"]["pin"] is None
    for person, pin in (("anna", PIN), ("clara", OTHER_PIN)):
        with pytest.raises(CentralError, match="revoked"):
            staff.set_credential(database, "7599", person, "pin", pin)
    staff.set_credential(database, "7599", "anna", "pin", "8264")
    assert is_secret_of("8264", str(lists.issue("kiosk-0001")["anna"]["pin"]))
    assert member(database, "anna").pin == "valid"
    assert member(database, "clara").needs_pin
    assert revoke(database, "kiosk-0001", "badge") == ["anna"], "if court IT says so"
    assert not member(database, "anna").has_badge


def test_a_pin_that_comes_back_is_known_to_be_the_one_that_the_kiosk_held(
    database: Database, lists: Lists
) -> None:
    """The kiosk holds the first PIN; another and the first again were set before the theft."""
    courts.apply_seed(database, seed(anna={"pin": PIN}))
    lists.issue("kiosk-0001")
    for pin in (OTHER_PIN, PIN):
        staff.set_credential(database, "7599", "anna", "pin", pin)
    assert revoke(database, "kiosk-0001") == ["anna"]


def test_a_pin_that_no_revoked_kiosk_was_given_stays(database: Database, lists: Lists) -> None:
    courts.apply_seed(database, seed(anna={"pin": PIN}))
    lists.issue("kiosk-0001")
    staff.set_credential(database, "7599", "anna", "pin", OTHER_PIN)
    assert revoke(database, "kiosk-0001") == []
    assert member(database, "anna").pin == "valid"
    with pytest.raises(CentralError, match="revoked"):
        staff.set_credential(database, "7599", "anna", "pin", PIN)


def test_a_list_is_given_again_until_it_changes_or_is_a_day_old(
    database: Database, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    courts.apply_seed(database, seed(anna={"pin": PIN}))
    first = lists.value("kiosk-0001")
    assert lists.value("kiosk-0001") == first
    begin, end = (parse_wall(first[key]) for key in ("issued", "valid_until"))
    assert begin is not None
    assert end is not None
    assert (end - begin).days == 30
    staff.set_credential(database, "7599", "anna", "pin", OTHER_PIN)
    last = lists.value("kiosk-0001")
    assert list_tag(last) != list_tag(first)
    for days in (1.001, -1):  # a day later; or a server whose clock was put back
        now = wall_time() + timedelta(days=days)
        monkeypatch.setattr("kiosk.central.identity.staff_lists.wall_time", lambda now=now: now)
        new = lists.value("kiosk-0001")
        assert list_tag(new) != list_tag(last)
        assert new["staff"] == last["staff"]
        last = new


# -- an earlier release ---------------------------------------------------------------------------
SALT = "00112233445566778899aabbccddeeff"


def make_former_database(folder: Path) -> None:
    """Write a database as the release before wrote it: one salt for a court, all in one list."""
    open_database(folder).close()
    salt = bytes.fromhex(SALT)
    badge = hashlib.sha256(salt + b"CK-2-1").hexdigest()
    pin = hashlib.scrypt(PIN.encode(), salt=salt, n=16384, r=8, p=1, dklen=32).hex()
    with sqlite3.connect(folder / "central.db") as file:
        file.executescript(
            "DROP TABLE alembic_version; DROP TABLE staff; DROP TABLE staff_lists;"
            "DROP TABLE issued_credentials; DROP TABLE exposed_credentials;"
            "ALTER TABLE courts ADD COLUMN salt VARCHAR(64) NOT NULL DEFAULT '';"
            "CREATE TABLE staff (court VARCHAR(40) NOT NULL REFERENCES courts (id),"
            "person VARCHAR(100) NOT NULL, name VARCHAR(300) NOT NULL, roles JSON NOT NULL,"
            "badge_sha256 VARCHAR(64) NOT NULL, pin_scrypt VARCHAR(64),"
            "PRIMARY KEY (court, person));"
        )
        file.execute("INSERT INTO courts VALUES ('7599', '{}', 'Asia/Almaty', ?)", (SALT,))
        file.execute("INSERT INTO kiosks (id, court, room) VALUES ('kiosk-0001', '7599', '1')")
        file.execute(
            "INSERT INTO certificates (serial, kiosk, pem, issued_at, not_after)"
            "VALUES ('1', 'kiosk-0001', '', '', '')"
        )
        for person in ("anna", "boris"):
            row = ("7599", person, person.title(), '["secretary"]', badge, pin)
            file.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?, ?)", row)


def test_hashes_of_an_earlier_release_reach_no_kiosk(tmp_path: Path) -> None:
    make_former_database(tmp_path / "data")
    database = open_database(tmp_path / "data")
    lists = Lists(database, tmp_path / "data")
    assert {row["pin"] for row in lists.issue("kiosk-0001").values()} == {None}
    assert {row["badge"] for row in lists.issue("kiosk-0001").values()} == {None}
    assert member(database, "boris").pin == "former"
    found = collect_findings(FleetSnapshot(staff=(member(database, "boris"),)), wall_time())
    assert [(finding.code, finding.severity) for finding in found] == [("pins_former", "fault")]
    database.close()


def test_the_seed_converts_them_and_a_revoked_kiosk_has_held_them(tmp_path: Path) -> None:
    """The seed file names PIN and badge in plain: the same ones stay, as argon2id."""
    make_former_database(tmp_path / "data")
    database = open_database(tmp_path / "data")
    lists = Lists(database, tmp_path / "data")
    courts.apply_seed(database, seed(anna={"pin": PIN, "badge": "CK-2-1"}))
    anna = lists.issue("kiosk-0001")["anna"]
    assert is_secret_of(PIN, str(anna["pin"]))
    assert is_secret_of("CK-2-1", str(anna["badge"]))
    assert revoke(database, "kiosk-0001") == ["anna", "boris"]
    database.close()
    database = open_database(tmp_path / "data")
    assert member(database, "anna").pin == "exposed", "and a second start changes nothing"
    database.close()


# -- PINs that are too simple, and the commands ---------------------------------------------------
@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12",
        "123",
        "1234",
        "0000",
        "777777",
        "9876",
        "7890",
        "1212",
        "123123",
        "2580",
        "1987",
        "12a4",
        "४५६७",
        "1" * 13,
        "27 18",
    ],
)
def test_a_simple_pin_is_not_taken(pin: str) -> None:
    with pytest.raises(WeakPinError) as refused:
        check_pin(pin)
    assert len(pin) < 3 or pin not in str(refused.value)


@pytest.mark.parametrize("pin", ["2718", "4711", "8020", "314159", "198704", "121314"])
def test_another_pin_is(pin: str) -> None:
    assert check_pin(pin) == pin


class Commands:
    """``kiosk central`` on one folder."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data, self._patch = data, monkeypatch

    def __call__(self, *arguments: str, typed: str = "") -> int:
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        return main(["central", arguments[0], "--data", str(self.data), *arguments[1:]])


@pytest.fixture
def command(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The commands on a court with one person who has a PIN and one who has none."""
    courts.apply_seed(database, seed(anna={"pin": PIN}, boris={"badge": "CK-2-2"}))
    return Commands(tmp_path / "data", monkeypatch)


def test_a_pin_is_set_from_the_standard_input(
    command: Commands, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("pin", "boris", typed="1111\n") == 1
    assert command("pin", "boris", typed="") == 1
    assert command("pin", "nobody", typed=f"{PIN}\n") == 1
    assert command("badge", "boris", typed="") == 1
    assert "1111" not in capsys.readouterr().err
    assert member(database, "boris").pin == "none"
    assert command("pin", "boris", typed=f"{OTHER_PIN}\n") == 0
    assert member(database, "boris").pin == "valid"
    assert OTHER_PIN not in capsys.readouterr().out
    for file in command.data.glob("central.db*"):
        assert b"CK-2-2" not in file.read_bytes()


def test_revoking_names_those_who_need_a_new_pin(
    command: Commands, lists: Lists, capsys: pytest.CaptureFixture[str]
) -> None:
    lists.issue("kiosk-0001")
    assert command("revoke", "kiosk-0009") == 1
    assert "not known" in capsys.readouterr().err
    assert command("revoke", "kiosk-0001") == 0
    assert "need a new PIN, for every kiosk: anna" in capsys.readouterr().out
    assert command("staff", "--without-pin") == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[1] for line in listed] == ["anna", "boris"]
    assert "kiosk-0001 was revoked" in listed[0]
    assert command("pin", "anna", typed=f"{PIN}\n") == 1, "the exposed one"
    assert command("pin", "anna", typed=f"{OTHER_PIN}\n") == 0
    capsys.readouterr()
    assert command("staff", "--without-pin") == 0
    assert "anna" not in capsys.readouterr().out


@pytest.mark.parametrize("language", ["en", "kk", "ru"])
def test_court_it_sees_who_has_no_valid_pin_and_why(
    command: Commands, database: Database, lists: Lists, tmp_path: Path, language: Language
) -> None:
    page = admin_page(database, tmp_path / "store")

    def shown() -> str:
        with database.read() as connection:
            return page.render(connection, AdminView("", 0), Translator(language))

    assert "Boris" in shown(), "never had one"
    assert "Anna" not in shown()
    lists.issue("kiosk-0001")
    assert command("revoke", "kiosk-0001") == 0
    translate = Translator(language)
    assert translate(SENTENCES["pins_exposed"], count="1") in html.unescape(shown())
    assert translate(PIN_REASONS["exposed"], kiosk="kiosk-0001") in html.unescape(shown())
    assert command("pin", "anna", typed=f"{OTHER_PIN}\n") == 0
    assert "Anna" not in shown()


@pytest.mark.parametrize("reason", [*REFUSALS, "of a later release"])
def test_court_it_sees_why_a_kiosk_refuses_its_list(reason: str) -> None:
    alarm = {"code": "staff_list_refused", "source": reason, "since": format_wall()}
    kiosk = KioskStatus("kiosk-0001", "7599", "1", ZoneInfo("UTC"), state={"alarms": [alarm]})
    finding = collect_findings(FleetSnapshot(kiosks=(kiosk,)), wall_time())[0]
    said = AdminTexts(Translator("en"), ZoneInfo("UTC"), wall_time()).finding(finding)
    assert finding.severity == "fault"
    assert said["sentence"].endswith(f": {REFUSALS.get(reason, REFUSALS['unreadable'])}.")
