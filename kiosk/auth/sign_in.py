"""Sign-in by badge, or by name and PIN, while sync, network and central system are dead.

A PIN belongs to the person who was chosen first; it is compared with that person's hash alone.
Each check takes the same time, whoever was named. A badge names nobody: it is compared with all
hashes, which takes seconds with a list of a hundred people. Nobody with a PIN waits for that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from kiosk.api.published import StaffMember
from kiosk.api.recorder import AlarmKey
from kiosk.api.recorder_calls import ListedPerson
from kiosk.auth.first_technician import FIRST_TECHNICIAN, FirstTechnician
from kiosk.auth.person import Person, Place, TokenError, UnknownBadgeError, UnknownPinError
from kiosk.auth.sign_in_journal import Proof, SignInJournal
from kiosk.auth.staff_directory import StaffDirectory
from kiosk.auth.tries import BADGES, UNKNOWN, TryCounter
from kiosk.exchange.staff_list import hash_secret, is_secret_of
from kiosk.storage.ages import Ages
from kiosk.storage.paths import Paths

LONGEST_SECRET = 200
"""Characters of a PIN or badge that are looked at; nobody's is longer."""


class SignInDesk:
    """Lets staff in; any thread may call it. One badge is looked up at a time.

    Args:
        paths: of the kiosk.
        kiosk: its id.
        is_hearing_open: returns whether a hearing is open; see :class:`StaffDirectory`.
        directory: another directory, for tests.
        tries: another counter, for tests.
        ages: how long the list and the first technician's code are in force.
    """

    def __init__(
        self,
        paths: Paths,
        kiosk: str,
        is_hearing_open: Callable[[], bool] = lambda: False,
        directory: StaffDirectory | None = None,
        tries: TryCounter | None = None,
        ages: Ages | None = None,
    ) -> None:
        ages = ages or Ages(paths.sign_in_ages)
        self._directory = directory or StaffDirectory(
            paths.staff,
            paths.kept_staff,
            kiosk,
            paths.court_ca,
            ages,
            is_hearing_open=is_hearing_open,
        )
        self._tries = tries or TryCounter(paths.sign_in_tries)
        self._journal = SignInJournal(paths.sign_in_journal)
        self._first_technician = FirstTechnician(paths.first_technician, ages)
        self._lock = threading.Lock()  # of the list; never held while a secret is hashed
        self._badge_lock = threading.Lock()
        self._listed: dict[str, set[str]] = {}
        self._alarms: tuple[AlarmKey, ...] = ()

    @property
    def alarms(self) -> tuple[AlarmKey, ...]:
        """The alarms as :meth:`refresh` found them: code and source."""
        return self._alarms

    def refresh(self) -> bool:
        """Read again what has changed on the disk; return whether the alarms are others now."""
        with self._lock:
            self._end_first_technician(self._rows())
            found = self._directory.alarms()
            found += [("sign_in_guessed", place) for place in self._tries.guessed_places()]
            before, self._alarms = self._alarms, tuple(found)
        return self._alarms != before

    def people(self) -> list[ListedPerson]:
        """Return who may sign in with a PIN: who did so last comes first, then by name."""
        with self._lock:
            rows = self._rows()
            code = self._first_technician_hash(rows)
        found = {row.person: row for row in rows if row.pin}
        people = [
            ListedPerson(person=row.person, name=row.name, roles=row.roles)
            for row in found.values()
        ]
        people.sort(key=lambda person: (self._tries.recency(person.person), person.name))
        if code is not None:
            first = FIRST_TECHNICIAN
            people.append(ListedPerson(person=first.id, name=first.name, roles=first.roles))
        return people

    def find_by_pin(self, person: str, pin: str, place: Place) -> Person:
        """Return the person ``person`` if this is her PIN.

        Raises:
            UnknownPinError: it is not, or there is no such person.
            SignInWaitError: there were too many wrong ones of this person at this place.
        """
        with self._lock:
            found, phc = self._hash_of(person)
        key = found.id if found is not None else UNKNOWN
        proof: Proof = "code" if found == FIRST_TECHNICIAN else "pin"
        self._tries.begin(key, place)
        is_right = is_secret_of(pin[:LONGEST_SECRET], phc)
        if found is None or not is_right:
            self._journal.append("wrong", proof, found.id if found else None, place)
            raise UnknownPinError(self._tries.wait(key, place))
        self._tries.succeed(key, place)
        self._tries.note_use(key)
        self._journal.append("signed_in", proof, found.id, place)
        return found

    def find_by_badge(self, badge: str, place: Place) -> Person:
        """Return whose badge this is.

        Raises:
            UnknownBadgeError: nobody's.
            SignInWaitError: there were many unknown ones; it is only a few seconds.
        """
        self._tries.begin(BADGES, place)  # before it waits for its turn: tries do not pile up
        with self._lock:
            rows = [row for row in self._rows() if row.badge]
        rows.sort(key=lambda row: self._tries.recency(row.person))
        secret = badge[:LONGEST_SECRET]
        with self._badge_lock:
            row = next((row for row in rows if is_secret_of(secret, row.badge or "")), None)
        if row is None or not secret.strip():
            self._journal.append("wrong", "badge", None, place)
            raise UnknownBadgeError
        self._tries.succeed(BADGES, place)
        self._tries.note_use(row.person)
        self._journal.append("signed_in", "badge", row.person, place)
        return Person(row.person, row.name, row.roles)

    def as_listed(self, person: Person) -> Person:
        """Return who has signed in with the roles that the list in force gives.

        While no list is in force, the roles of the sign-in stay: a list that ends in a hearing
        takes the hearing from nobody.

        Raises:
            TokenError: she is not on the list any more.
        """
        listed = self._listed
        if person.id == FIRST_TECHNICIAN.id and person.id not in listed:
            if any("technician" in roles for roles in listed.values()):
                raise TokenError("the first technician's code has ended")
            return person
        if not listed:
            return person
        roles = listed.get(person.id)
        if roles is None:
            raise TokenError("not on the staff list any more")
        return replace(person, roles=tuple(sorted(roles)))

    def _rows(self) -> tuple[StaffMember, ...]:
        """Return the rows in force; remember whose roles they give."""
        rows = self._directory.rows()
        listed: dict[str, set[str]] = {}
        for row in rows:
            listed.setdefault(row.person, set()).update(row.roles)
        self._listed = listed
        return rows

    def _hash_of(self, person: str) -> tuple[Person | None, str]:
        """Return the person and the hash of her PIN; nobody and some hash if she has none."""
        rows = self._rows()
        for row in rows:
            if row.person == person and row.pin:
                return Person(row.person, row.name, row.roles), row.pin
        code = self._first_technician_hash(rows)
        if person == FIRST_TECHNICIAN.id and code is not None:
            return FIRST_TECHNICIAN, code
        return None, _nobodys_hash()

    def _first_technician_hash(self, rows: Sequence[StaffMember]) -> str | None:
        self._end_first_technician(rows)
        return self._first_technician.hash()

    def _end_first_technician(self, rows: Sequence[StaffMember]) -> None:
        """End the first technician's code once the list has a technician who can sign in."""
        known = any("technician" in row.roles and (row.pin or row.badge) for row in rows)
        if known and self._first_technician.end():
            self._journal.append("ended", "code", FIRST_TECHNICIAN.id)


@cache
def _nobodys_hash() -> str:
    """Return the hash of a PIN that nobody can type: an unknown person costs the same time."""
    return hash_secret("nobody")
