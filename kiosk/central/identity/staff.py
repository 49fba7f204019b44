"""Staff: rooms, PINs and badges; what a revoked kiosk makes invalid.

PINs and badges are kept as argon2id hashes with a salt each. Every hash that a kiosk was given is
recorded. When the kiosk is revoked, the PINs among them count as exposed: whoever has its disk can
try all PINs in minutes to hours, so they are never valid again, for no kiosk. The same PIN keeps
its hash as long as it is set, so that a PIN set twice is known to be the one that the kiosk held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.identity.former_hashes import is_same_secret, is_valid_form
from kiosk.central.identity.seed import SeedPerson
from kiosk.clocks import format_wall
from kiosk.errors import CentralError
from kiosk.exchange.staff_list import hash_secret

Kind = Literal["pin", "badge"]
KINDS: tuple[Kind, ...] = ("pin", "badge")
PinState = Literal["valid", "none", "exposed", "former"]
MAX_HASH_THREADS = 4  # 19 MiB each


class CredentialError(CentralError):
    """A PIN or badge that is not taken, or a person who is not known."""

    code = "usage"


@dataclass(frozen=True)
class Member:
    """A member of staff.

    Attributes:
        court: id of the court.
        person: id, as journals keep it.
        name: for court IT's eyes.
        roles: ``secretary``, ``judge``, ``technician``.
        rooms: where the person may sign in; None: in the whole court.
        pin: ``valid``; ``none``: never had one; ``exposed``: a revoked kiosk held it; ``former``:
            only in a form that no list holds.
        has_badge: whether a badge signs the person in.
        exposed_at: when the PIN was exposed.
        exposed_by: the revoked kiosk.
    """

    court: str
    person: str
    name: str
    roles: tuple[str, ...]
    rooms: tuple[str, ...] | None
    pin: PinState
    has_badge: bool
    exposed_at: str | None = None
    exposed_by: str | None = None

    @property
    def needs_pin(self) -> bool:
        """Whether the person had a PIN that is not valid any more."""
        return self.pin in ("exposed", "former")


def list_members(connection: Connection) -> list[Member]:
    """Return all staff, by court and id."""
    table, exposed = schema.staff, schema.exposed_credentials
    newest = {
        (row.court, row.person): row
        for row in connection.execute(
            select(exposed).where(exposed.c.kind == "pin").order_by(exposed.c.at)
        )
    }
    rows = connection.execute(select(table).order_by(table.c.court, table.c.person))
    return [_member(row, newest.get((row.court, row.person))) for row in rows]


def _member(row: Row[Any], exposed: Row[Any] | None) -> Member:
    state: PinState = "none" if exposed is None else "exposed"
    if row.pin is not None:
        state = "valid" if is_valid_form(row.pin) else "former"
    shown = exposed if state == "exposed" else None
    return Member(
        court=row.court,
        person=row.person,
        name=row.name,
        roles=tuple(row.roles),
        rooms=None if row.rooms is None else tuple(row.rooms),
        pin=state,
        has_badge=is_valid_form(row.badge),
        exposed_at=None if shown is None else shown.at,
        exposed_by=None if shown is None else shown.kiosk,
    )


# -- setting --------------------------------------------------------------------------------------
def set_credential(database: Database, court: str, person: str, kind: Kind, secret: str) -> None:
    """Set a person's PIN or badge; PINs are checked by the caller (``pin_rules``).

    Raises:
        CredentialError: the person is not known, or a revoked kiosk held this PIN or badge.
    """
    with database.read() as connection:
        known = _Known.read(connection, court, person)
    if known is None:
        raise CredentialError(f"{person} is not known in this court")
    change = known.change(kind, secret)
    if change is None:
        raise CredentialError(f"a revoked kiosk held this {kind}: choose another one")
    with database.write() as connection:
        _write_changes(connection, known, [change])


def apply_seed(database: Database, court: str, people: Sequence[SeedPerson]) -> list[str]:
    """Create or update staff; return the ids of those whose PIN or badge was not taken.

    A PIN or badge of the file is set only if the file names another one than when it was last
    read: what ``kiosk central pin`` has set since stays.
    """
    with database.write() as connection:
        for person in people:
            values = {
                "name": person.name,
                "roles": list(person.roles),
                "rooms": None if person.rooms == "all" else list(person.rooms),
            }
            statement = insert(connection, schema.staff).values(
                court=court, person=person.person, **values
            )
            connection.execute(
                statement.on_conflict_do_update(index_elements=["court", "person"], set_=values)
            )
        known = [_Known.read(connection, court, person.person) for person in people]
    threads = min(MAX_HASH_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:  # OpenSSL hashes outside of the interpreter's lock
        changes = list(pool.map(_seed_changes, people, known))
    with database.write() as connection:
        for before, (changed, _) in zip(known, changes, strict=True):
            if before is not None:
                _write_changes(connection, before, changed)
    return [person.person for person, (_, refused) in zip(people, changes, strict=True) if refused]


@dataclass(frozen=True)
class _Change:
    """A PIN or badge to be stored: its hash, the one it converts, and the seed's hash of it."""

    kind: Kind
    hash: str
    converts: str | None = None
    from_seed: bool = False


@dataclass(frozen=True)
class _Known:
    """What is stored of a person, and the hashes that kiosks have or had."""

    row: Row[Any]
    issued: frozenset[tuple[str, str]]
    exposed: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, connection: Connection, court: str, person: str) -> _Known | None:
        table = schema.staff
        row = connection.execute(
            select(table).where(table.c.court == court, table.c.person == person)
        ).one_or_none()
        if row is None:
            return None
        found = [
            frozenset(
                (held.kind, held.hash)
                for held in connection.execute(
                    select(held_table.c.kind, held_table.c.hash)
                    .where(held_table.c.court == court, held_table.c.person == person)
                    .distinct()
                )
            )
            for held_table in (schema.issued_credentials, schema.exposed_credentials)
        ]
        return cls(row, *found)

    def change(self, kind: Kind, secret: str, *, from_seed: bool = False) -> _Change | None:
        """Return how ``secret`` is stored; None: a revoked kiosk held it."""
        if _find(secret, kind, self.exposed) is not None:
            return None
        current = getattr(self.row, kind)
        held = self.issued | ({(kind, current)} if current is not None else set())
        before = _find(secret, kind, held)
        if is_valid_form(before):
            return _Change(kind, str(before), from_seed=from_seed)
        return _Change(kind, hash_secret(secret), converts=before, from_seed=from_seed)


def _find(secret: str, kind: Kind, hashes: Iterable[tuple[str, str]]) -> str | None:
    """Return the hash of ``secret`` among those of its kind, or None."""
    return next(
        (stored for of, stored in sorted(hashes) if of == kind and is_same_secret(secret, stored)),
        None,
    )


def _seed_changes(person: SeedPerson, known: _Known | None) -> tuple[list[_Change], bool]:
    """Return what the seed changes of a person, and whether something was refused."""
    changes: list[_Change] = []
    is_refused = False
    for kind in KINDS:
        secret = getattr(person, kind)
        if secret is None or known is None:
            continue
        last = getattr(known.row, f"seed_{kind}")
        if last is not None and is_same_secret(secret, last):
            is_refused = is_refused or getattr(known.row, kind) is None
            continue
        change = known.change(kind, secret, from_seed=True)
        if change is None:
            is_refused = True
        else:
            changes.append(change)
    return changes, is_refused


def _write_changes(connection: Connection, known: _Known, changes: Iterable[_Change]) -> None:
    """Store what was computed outside of a transaction, unless it was revoked meanwhile."""
    staff, issued, exposed = schema.staff, schema.issued_credentials, schema.exposed_credentials
    court, person = known.row.court, known.row.person
    for change in changes:
        hashes = (change.hash, change.converts or change.hash)
        of_person = exposed.c.court == court, exposed.c.person == person
        revoked = select(exposed.c.hash).where(*of_person, exposed.c.hash.in_(hashes))
        if connection.execute(revoked).first() is not None:
            raise CredentialError(f"a revoked kiosk held this {change.kind}: choose another one")
        values: dict[str, Any] = {change.kind: change.hash}
        if change.from_seed:
            values[f"seed_{change.kind}"] = change.hash
        connection.execute(
            update(staff).where(staff.c.court == court, staff.c.person == person).values(values)
        )
        if change.converts is not None:
            connection.execute(
                update(issued)
                .where(issued.c.court == court, issued.c.person == person)
                .where(issued.c.kind == change.kind, issued.c.hash == change.converts)
                .values(hash=change.hash)
            )


# -- revoking -------------------------------------------------------------------------------------
def expose_credentials(connection: Connection, kiosk: str, kind: Kind) -> list[str]:
    """Make every PIN (or badge) that ``kiosk`` was ever given invalid, for every kiosk.

    Returns:
        The people (ids) who need a new one.
    """
    issued, staff = schema.issued_credentials, schema.staff
    held = connection.execute(
        select(issued).where(issued.c.kiosk == kiosk, issued.c.kind == kind)
    ).all()
    now = format_wall()
    people: set[str] = set()
    for row in held:
        values = {key: getattr(row, key) for key in ("court", "person", "kind", "hash", "kiosk")}
        statement = insert(connection, schema.exposed_credentials).values(**values, at=now)
        connection.execute(statement.on_conflict_do_nothing())
        column = staff.c[kind]
        cleared = connection.execute(
            update(staff)
            .where(staff.c.court == row.court, staff.c.person == row.person)
            .where(column == row.hash)
            .values({kind: None})
        )
        if cleared.rowcount:
            people.add(row.person)
    connection.execute(delete(issued).where(issued.c.kiosk == kiosk, issued.c.kind == kind))
    return sorted(people)
