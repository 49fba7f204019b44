"""Staff get in with their own PIN or badge, without any network; a stranger does not."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.auth.first_technician import DAYS, DIGITS, FIRST_TECHNICIAN, FirstTechnician
from kiosk.auth.person import SignInWaitError, UnknownBadgeError, UnknownPinError
from kiosk.auth.sign_in import SignInDesk
from kiosk.auth.staff_directory import StaffDirectory
from kiosk.auth.tries import ALARM_TRIES, FORGET_S, FREE_TRIES, MAX_PIN_WAIT_S, TryCounter
from kiosk.exchange import staff_list
from kiosk.exchange.staff_list import hash_secret
from kiosk.storage.ages import Ages
from kiosk.storage.paths import Paths
from tests.support.identity import Court

KIOSK = "kiosk-0001"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id with the least memory: hundreds of tries must not take minutes."""
    monkeypatch.setattr(staff_list, "MEMORY_KIB", 64)
    monkeypatch.setattr(staff_list, "ITERATIONS", 1)


def row(person: str, pin: str | None, badge: str | None, *roles: str) -> dict[str, Any]:
    return {
        "person": person,
        "name": f"Name of {person}",
        "roles": list(roles or ("secretary",)),
        "pin": pin and hash_secret(pin),
        "badge": badge and hash_secret(badge),
    }


class Room:
    """A desk whose clocks a test moves."""

    def __init__(self, folder: Path) -> None:
        self.court = Court.make(folder / "court")
        self.paths = Paths(folder / "data", folder / "run")
        self.seconds, self.boot = 1000.0, "boot-1"
        self.moved = timedelta(0)
        self.is_synchronised = True
        self.is_hearing_open = False
        for path in (self.paths.staff, self.paths.court_ca):
            path.parent.mkdir(parents=True)
        self.paths.court_ca.write_bytes(self.court.ca.read_bytes())
        self.publish(
            row("judge", "2718", "J-1", "judge"),
            row("secretary", "3141", "S-1"),
            row("clerk", None, "C-1"),
        )
        self.restart()

    def publish(self, *rows: dict[str, Any], **how: Any) -> None:
        self.write(self.court.sign_staff(KIOSK, list(rows), **how))

    def write(self, value: object) -> None:
        beside = self.paths.staff.with_suffix(".new")
        beside.write_text(json.dumps(value), encoding="utf-8")
        beside.replace(self.paths.staff)

    def restart(self) -> None:
        paths = self.paths
        ages = Ages(
            paths.sign_in_ages,
            lambda: self.seconds,
            lambda: self.boot,
            lambda: self.now,
            lambda: self.is_synchronised,
        )
        directory = StaffDirectory(
            paths.staff,
            paths.kept_staff,
            KIOSK,
            paths.court_ca,
            ages,
            lambda: self.is_hearing_open,
        )
        tries = TryCounter(paths.sign_in_tries, lambda: self.seconds, lambda: self.boot)
        self.desk = SignInDesk(paths, KIOSK, directory=directory, tries=tries, ages=ages)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def alarms(self) -> set[tuple[str, str]]:
        self.desk.refresh()
        return set(self.desk.alarms)

    def guess(self, person: str, pin: str = "0000") -> str:
        """Return what a try at the screen gives: the person, ``wrong`` or ``wait``."""
        try:
            return self.desk.find_by_pin(person, pin, "screen").id
        except UnknownPinError:
            return "wrong"
        except SignInWaitError:
            return "wait"

    def use_badge(self, badge: str) -> str:
        try:
            return self.desk.find_by_badge(badge, "screen").id
        except UnknownBadgeError:
            return "unknown"
        except SignInWaitError:
            return "wait"

    def journal(self) -> list[dict[str, Any]]:
        lines = self.paths.sign_in_journal.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a room with a judge, a secretary and a clerk who has only a badge."""
    return Room(tmp_path)


# -- PIN and badge -------------------------------------------------------------------------------
def test_a_pin_is_its_persons_alone(room: Room) -> None:
    assert room.guess("judge", "2718") == "judge"
    assert room.guess("judge", "3141") == "wrong"
    assert room.guess("secretary", "3141") == "secretary"
    for person, pin in (("clerk", ""), ("clerk", "3141"), ("nobody", "3141")):
        assert room.guess(person, pin) in ("wrong", "wait")


def test_a_badge_signs_in_without_a_name(room: Room) -> None:
    assert room.use_badge("C-1") == "clerk"
    assert room.use_badge(" J-1\r\n") == "judge"
    for badge in ("", " ", "C-2", "3141"):
        assert room.use_badge(badge) == "unknown"


def test_two_badges_of_one_person_both_open(room: Room) -> None:
    room.publish(row("judge", "2718", "J-1", "judge"), row("judge", None, "J-2", "judge"))
    assert [room.use_badge(badge) for badge in ("J-1", "J-2")] == ["judge", "judge"]
    assert room.guess("judge", "2718") == "judge"
    assert [one.person for one in room.desk.people()] == ["judge"]


def test_somebody_without_a_role_gets_in_by_nothing(room: Room) -> None:
    room.publish(row("left", "1111", "L-1") | {"roles": []})
    assert (room.guess("left", "1111"), room.use_badge("L-1")) == ("wrong", "unknown")


def test_the_list_on_the_screen_holds_no_hash_and_who_came_last_is_first(room: Room) -> None:
    people = room.desk.people()
    assert [one.person for one in people] == ["judge", "secretary"]
    assert set(people[0].to_json()) == {"person", "name", "roles"}
    room.guess("secretary", "3141")
    assert [one.person for one in room.desk.people()] == ["secretary", "judge"]
    room.restart()
    assert [one.person for one in room.desk.people()] == ["secretary", "judge"]


# -- tries ---------------------------------------------------------------------------------------
def test_ones_own_pin_in_between_frees_no_guesses_at_the_judges(room: Room) -> None:
    """One counter for all, which any right PIN set back, gave 124 tries without a wait."""
    waits = 0
    for number in range(200):
        assert room.guess("secretary", "3141") == "secretary"
        waits += room.guess("judge", f"{number:04d}") == "wait"
    assert waits == 200 - FREE_TRIES
    assert room.guess("judge", "2718") == "wait"


def test_wrong_pins_for_one_delay_nobody_else_and_no_badge(room: Room) -> None:
    for _ in range(50):
        room.guess("judge")
        room.guess("nobody")
    assert room.guess("secretary", "3141") == "secretary"
    assert room.use_badge("J-1") == "judge"
    assert room.desk.find_by_pin("judge", "2718", "command").id == "judge"


def test_waits_grow_and_say_how_long(room: Room) -> None:
    waits = []
    for _ in range(FREE_TRIES):
        assert room.guess("judge") == "wrong"
    for _ in range(9):
        with pytest.raises(SignInWaitError) as refused:
            room.desk.find_by_pin("judge", "2718", "screen")
        waits.append(refused.value.fields["wait_seconds"])
        room.seconds += waits[-1]
        assert room.guess("judge") == "wrong"
    room.seconds += MAX_PIN_WAIT_S
    assert waits == sorted(waits)
    assert waits[0] == 5
    assert waits[-1] == MAX_PIN_WAIT_S
    assert room.guess("judge", "2718") == "judge"
    assert room.guess("judge") == "wrong"


def test_the_wrong_pin_itself_says_how_long_to_wait(room: Room) -> None:
    said = []
    for _ in range(FREE_TRIES):
        with pytest.raises(UnknownPinError) as refused:
            room.desk.find_by_pin("judge", "0000", "screen")
        said.append(refused.value.fields["wait_seconds"])
    assert said == [0, 0, 5]


def test_many_tries_at_once_win_nothing(room: Room) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(room.guess("judge", f"{n:04d}")))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("wrong") == FREE_TRIES


def test_counts_survive_a_restart_and_a_boot(room: Room) -> None:
    for _ in range(6):
        room.guess("judge")
        room.seconds += 41
    room.guess("judge")
    room.restart()
    assert room.guess("judge", "2718") == "wait"
    room.seconds, room.boot = 3.0, "boot-2"
    room.restart()
    assert room.guess("judge", "2718") == "wait"
    room.seconds += MAX_PIN_WAIT_S
    assert room.guess("judge", "2718") == "judge"


@pytest.mark.parametrize("days", [-4000, 4000])
def test_the_wall_clock_frees_no_attacker_and_locks_nobody_out(room: Room, days: int) -> None:
    for _ in range(6):
        room.guess("judge")
    room.moved = timedelta(days=days)
    room.restart()
    assert room.guess("judge", "2718") in ("wait", "wrong")  # by 2037 the list has ended
    room.moved = timedelta(0)
    assert room.guess("judge", "2718") == "wait"
    room.seconds += MAX_PIN_WAIT_S
    assert room.guess("judge", "2718") == "judge"


def test_an_hour_later_a_count_is_forgotten(room: Room) -> None:
    for _ in range(FREE_TRIES):
        room.guess("judge")
    room.seconds += FORGET_S
    assert [room.guess("judge") for _ in range(FREE_TRIES)] == ["wrong"] * FREE_TRIES


def test_unknown_badges_slow_a_badge_by_seconds_only(room: Room) -> None:
    results = [room.use_badge(f"X-{n}") for n in range(20)]
    assert results == ["unknown"] * 5 + ["wait"] * 15
    room.seconds += 5
    assert room.use_badge("J-1") == "judge"
    assert room.use_badge("J-1") == "judge"
    assert room.use_badge("X-20") == "unknown"
    assert room.use_badge("J-1") == "wait"


def test_an_unknown_person_costs_a_hash_as_well(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def count(secret: str, phc: str) -> bool:
        checked.append(phc)
        return staff_list.is_secret_of(secret, phc)

    monkeypatch.setattr("kiosk.auth.sign_in.is_secret_of", count)
    for person in ("judge", "nobody", "clerk"):
        room.guess(person)
    assert len(checked) == 3
    assert all(staff_list.is_hash(phc) for phc in checked)


def test_a_full_disk_keeps_nobody_out(room: Room) -> None:
    folder = room.paths.sign_in_tries.parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in (room.paths.sign_in_tries, room.paths.sign_in_journal):
        path.mkdir()  # nothing can be written in its place
    assert room.guess("judge", "2718") == "judge"
    for _ in range(FREE_TRIES):
        room.guess("judge")
    assert room.guess("judge") == "wait"


# -- journal and alarms --------------------------------------------------------------------------
def test_the_journal_knows_who_where_and_when_but_no_secret_and_no_name(room: Room) -> None:
    room.guess("judge", "9876")
    room.guess("judge", "2718")
    room.guess("7777", "8888")
    room.use_badge("X-9")
    room.use_badge("S-1")
    rows = room.journal()
    assert [(one["outcome"], one["proof"], one["person"], one["place"]) for one in rows] == [
        ("wrong", "pin", "judge", "screen"),
        ("signed_in", "pin", "judge", "screen"),
        ("wrong", "pin", None, "screen"),
        ("wrong", "badge", None, "screen"),
        ("signed_in", "badge", "secretary", "screen"),
    ]
    text = room.paths.sign_in_journal.read_text(encoding="utf-8")
    for secret in ("9876", "2718", "7777", "8888", "X-9", "S-1", "Name of"):
        assert secret not in text.replace(rows[0]["at"], "")
    assert room.paths.sign_in_journal.stat().st_mode & 0o777 == 0o600
    assert room.paths.sign_in_tries.stat().st_mode & 0o777 == 0o600


def test_guessing_is_an_alarm_until_an_hour_after(room: Room) -> None:
    for _ in range(ALARM_TRIES):
        assert ("sign_in_guessed", "screen") not in room.alarms()
        room.seconds += MAX_PIN_WAIT_S
        room.guess("judge")
    assert ("sign_in_guessed", "screen") in room.alarms()
    room.guess("secretary", "3141")
    room.restart()
    assert ("sign_in_guessed", "screen") in room.alarms()
    room.seconds += FORGET_S
    assert ("sign_in_guessed", "screen") not in room.alarms()


# -- the list ------------------------------------------------------------------------------------
def test_a_bad_list_is_refused_with_its_reason_and_the_last_good_one_stays(room: Room) -> None:
    assert room.alarms() == set()
    stranger = row("stranger", "6666", "X-1", "judge", "technician")
    good = room.court.sign_staff(KIOSK, [stranger])
    other = Court.make(room.paths.data / "other")
    bad: dict[str, object] = {
        "forged": good | {"staff": [*good["staff"], stranger]},
        "foreign": room.court.sign_staff("kiosk-0002", [stranger]),
        "unreadable": good["staff"],
        "older": room.court.sign_staff(KIOSK, [stranger], issued=room.now - timedelta(days=1)),
    }
    for reason, value in (*bad.items(), ("forged", other.sign_staff(KIOSK, [stranger]))):
        room.write(value)
        assert room.alarms() == {("staff_list_refused", reason)}
        assert room.guess("judge", "2718") == "judge"
        assert room.guess("stranger", "6666") != "stranger"
        room.restart()
        assert room.alarms() == {("staff_list_refused", reason)}
        assert room.guess("judge", "2718") == "judge"
        assert room.guess("stranger", "6666") != "stranger"
    room.paths.staff.unlink()
    room.restart()
    assert room.use_badge("J-1") == "judge"


def test_a_list_ends_with_a_warning_before(room: Room) -> None:
    room.moved = timedelta(days=12)
    assert room.alarms() == {("staff_list_ends_soon", "staff_list")}
    assert room.use_badge("J-1") == "judge"
    room.moved = timedelta(days=15)
    assert room.alarms() == {("staff_list_ended", "staff_list")}
    assert room.use_badge("J-1") == "unknown"
    room.restart()
    assert room.alarms() == {("staff_list_ended", "staff_list")}
    room.moved = timedelta(0)  # the clock was wrong
    assert room.alarms() == set()
    assert room.use_badge("J-1") == "judge"


@pytest.mark.parametrize("weeks", [-300, 6, 300])
def test_a_clock_that_nobody_has_set_neither_ends_nor_prolongs_a_list(
    room: Room, weeks: int
) -> None:
    room.is_synchronised, room.moved = False, timedelta(weeks=weeks)
    for _ in range(2):
        assert room.alarms() == set()
        assert room.use_badge("J-1") == "judge"
        room.restart()
    life = timedelta(days=14).total_seconds()
    room.seconds += life - 3600
    assert room.alarms() == {("staff_list_ends_soon", "staff_list")}
    room.restart()
    room.seconds += 3600
    assert room.alarms() == {("staff_list_ended", "staff_list")}
    assert room.use_badge("J-1") == "unknown"
    room.is_synchronised, room.moved = True, timedelta(0)
    assert room.use_badge("J-1") == "judge", "its wall clock is right now, and says otherwise"


def test_a_clock_that_is_behind_brings_back_nobody_who_has_left(room: Room) -> None:
    old = json.loads(room.paths.staff.read_text())
    room.publish(row("judge", "2718", "J-1", "judge"))
    assert room.use_badge("S-1") == "unknown"
    room.is_synchronised, room.moved = False, timedelta(weeks=-6)
    room.write(old)
    assert room.alarms() == {("staff_list_refused", "older")}
    assert room.use_badge("S-1") == "unknown"


def test_a_hearing_that_is_open_can_be_ended_by_the_people_of_a_list_that_has_ended(
    room: Room,
) -> None:
    assert room.alarms() == set()  # the list is read while it is in force
    room.restart()
    room.moved = timedelta(days=15)
    room.is_hearing_open = True
    assert room.guess("secretary", "3141") == "secretary"
    assert room.guess("secretary") == "wrong"
    assert room.use_badge("J-1") == "judge"
    assert room.alarms() == {("staff_list_ended", "staff_list")}
    room.is_hearing_open = False
    assert room.guess("secretary", "3141") != "secretary"
    assert room.use_badge("J-1") == "unknown"


def test_a_newer_list_takes_away_who_has_left(room: Room) -> None:
    assert room.use_badge("S-1") == "secretary"
    room.publish(row("judge", "2718", "J-1", "judge"))
    assert room.use_badge("S-1") == "unknown"
    assert room.guess("secretary", "3141") == "wrong"


def test_another_court_takes_the_old_courts_staff_away(room: Room, tmp_path: Path) -> None:
    assert room.use_badge("S-1") == "secretary"
    other = Court.make(tmp_path / "other")
    room.paths.court_ca.write_bytes(other.ca.read_bytes())
    assert room.use_badge("S-1") == "unknown"
    assert room.alarms() == {("staff_list_refused", "forged")}


def test_without_a_pinned_root_no_list_opens(room: Room) -> None:
    room.paths.court_ca.unlink()
    room.restart()
    assert (room.use_badge("S-1"), room.guess("judge", "2718")) == ("unknown", "wrong")
    assert room.alarms() == set()


def make_code(room: Room) -> str:
    paths = room.paths
    return FirstTechnician(paths.first_technician, Ages(paths.sign_in_ages)).make_code()


# -- the first technician ------------------------------------------------------------------------
def test_the_first_technicians_code_opens_until_the_list_has_a_technician(room: Room) -> None:
    code = make_code(room)
    assert len(code) == DIGITS
    text = room.paths.first_technician.read_text(encoding="utf-8")
    assert code not in text
    assert "$argon2id$" in text
    assert room.paths.first_technician.stat().st_mode & 0o777 == 0o600
    assert room.desk.people()[-1].person == FIRST_TECHNICIAN.id
    found = room.desk.find_by_pin(FIRST_TECHNICIAN.id, code, "screen")
    assert found.roles == ("technician",)
    room.publish(row("technician", "1618", "T-1", "technician"))
    room.alarms()
    assert not room.paths.first_technician.exists()
    assert room.guess(FIRST_TECHNICIAN.id, code) == "wrong"
    assert [one.person for one in room.desk.people()] == ["technician"]
    assert [one["outcome"] for one in room.journal()] == ["signed_in", "ended", "wrong"]


def test_before_enrolment_only_the_first_technician_gets_in(room: Room) -> None:
    room.paths.court_ca.unlink()
    room.restart()
    code = make_code(room)
    assert [one.person for one in room.desk.people()] == [FIRST_TECHNICIAN.id]
    assert room.guess(FIRST_TECHNICIAN.id, code) == FIRST_TECHNICIAN.id
    assert room.guess("judge", "2718") == "wrong"
    for _ in range(FREE_TRIES):
        room.guess(FIRST_TECHNICIAN.id, "00000000")
    assert room.guess(FIRST_TECHNICIAN.id, code) == "wait"


@pytest.mark.parametrize("days", [-200, 40, 4000])
def test_the_code_ends_by_itself_and_by_no_wall_clock(room: Room, days: int) -> None:
    code = make_code(room)
    room.is_synchronised = False
    assert room.guess(FIRST_TECHNICIAN.id, code) == FIRST_TECHNICIAN.id
    room.moved = timedelta(days=days)
    assert room.guess(FIRST_TECHNICIAN.id, code) == FIRST_TECHNICIAN.id
    room.is_synchronised = True  # a time server has said so, in the same boot
    assert room.guess(FIRST_TECHNICIAN.id, code) == FIRST_TECHNICIAN.id
    room.seconds += DAYS * 86_400 - 1
    room.restart()
    assert room.guess(FIRST_TECHNICIAN.id, code) == FIRST_TECHNICIAN.id
    room.seconds += 1
    assert room.guess(FIRST_TECHNICIAN.id, code) == "wrong"


def test_a_code_made_again_is_young_again(room: Room) -> None:
    first = make_code(room)
    assert room.guess(FIRST_TECHNICIAN.id, first) == FIRST_TECHNICIAN.id
    room.seconds += DAYS * 86_400
    assert room.guess(FIRST_TECHNICIAN.id, first) == "wrong"
    room.seconds += 3600
    assert room.guess(FIRST_TECHNICIAN.id, make_code(room)) == FIRST_TECHNICIAN.id
