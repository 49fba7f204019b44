"""Tasks of ``kiosk central``: serve, or change the data of a server, which may be running."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.deliveries import filing_registry, quarantine
from kiosk.central.deliveries.courier_import import CourierImport, read_age_keys
from kiosk.central.deliveries.head_check import accept_problem
from kiosk.central.deliveries.hearing_owners import HearingOwners, count_freed
from kiosk.central.deliveries.incidents import record_decision
from kiosk.central.identity import courts, enrolment, rules_packs, staff
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.identity.pin_rules import check_badge, check_pin
from kiosk.central.identity.seed import Seed, load_seed
from kiosk.central.identity.staff import KINDS
from kiosk.central.server import (
    ServerOptions,
    open_authority,
    open_database,
    open_intake,
    open_store,
    serve,
)
from kiosk.errors import CentralError

NAMES_VARIABLE = "KIOSK_CENTRAL_NAMES"
NAMES = {"pin": "PIN", "badge": "badge"}
PIN_STATES = {
    "valid": "PIN",
    "none": "never had a PIN",
    "exposed": "NEEDS A NEW PIN: {kiosk} was revoked",
    "former": "NEEDS A NEW PIN: only an old hash is known",
}


def run_task(arguments: argparse.Namespace) -> int:
    """Run the task of the command line; return the exit status."""
    if arguments.task in (None, "serve"):
        serve(_server_options(arguments))
        return 0
    if arguments.task == "ingest":
        return _import_courier_drive(arguments)
    tasks = {
        "init": _create_authority,
        "enrol-code": _print_codes,
        "revoke": _revoke_kiosk,
        "staff": _list_staff,
        "rules-pack": _put_rules_pack,
        "filing": _set_filing_state,
        "accept": _accept_problem,
        "quarantine": _list_quarantined,
    }
    database = open_database(arguments.data, arguments.database)
    try:
        if arguments.seed is not None:
            _apply_seed(database, load_seed(arguments.seed))
        if arguments.task == "reassign":
            _reassign_hearing(arguments, database)
            return 0
        if arguments.task in ("erase", "release"):
            _decide_quarantine(arguments, database)
            return 0
        if arguments.task in KINDS:
            _set_credential(arguments, database)
            return 0
        with database.write() as connection:
            tasks[arguments.task](arguments, connection)
    finally:
        database.close()
    return 0


def _server_options(arguments: argparse.Namespace) -> ServerOptions:
    return ServerOptions(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name or os.environ.get(NAMES_VARIABLE, "").split()),
        seed=arguments.seed,
        database=arguments.database,
        faults=arguments.faults,
        admin_port=arguments.admin_port,
        store=arguments.store,
        searchable=arguments.searchable,
        staff_days=arguments.staff_days,
        read_back_days=arguments.read_back_days,
        read_back_hearings=arguments.read_back_hearings,
    )


def _create_authority(arguments: argparse.Namespace, _connection: Connection) -> None:
    authority = open_authority(arguments.data)
    print(f"root certificate: {authority.root_path}")


def _print_codes(arguments: argparse.Namespace, connection: Connection) -> None:
    authority = open_authority(arguments.data)
    for kiosk in arguments.kiosk:
        if arguments.room is not None:
            courts.put_kiosk(connection, _court_id(arguments, connection), kiosk, arguments.room)
        try:
            code = enrolment.create_code(connection, authority, kiosk, replaces=arguments.replace)
        except IntegrityError as error:
            raise CentralError(f"{kiosk} is not known: give its --room", code="usage") from error
        print(f"{kiosk} {code}" if len(arguments.kiosk) > 1 else code)


def _court_id(arguments: argparse.Namespace, connection: Connection) -> str:
    if arguments.court is not None:
        return str(arguments.court)
    court = courts.find_single_court(connection)
    if court is None:
        raise CentralError("give --court: there is not exactly one", code="usage")
    return court.id


def _revoke_kiosk(arguments: argparse.Namespace, connection: Connection) -> None:
    """Revoke a kiosk's certificates, and the PINs (badges) that it was given."""
    kiosks = schema.kiosks
    known = select(kiosks.c.id).where(kiosks.c.id == arguments.kiosk)
    if connection.execute(known).first() is None:
        raise CentralError(f"{arguments.kiosk} is not known", code="usage")
    print(f"{enrolment.revoke(connection, arguments.kiosk)} certificates revoked")
    freed = count_freed(connection, arguments.kiosk)
    record_decision(connection, arguments.kiosk, "kiosk_revoked", "", str(freed))
    if freed:
        print(f"{freed} hearings without a receipt: others of the courtroom may deliver them")
    for kind in KINDS if arguments.badges else ("pin",):
        people = staff.expose_credentials(connection, arguments.kiosk, kind)
        if people:
            print(f"need a new {NAMES[kind]}, for every kiosk: {', '.join(people)}")
            print(f"set it: kiosk central {kind} --data {arguments.data} PERSON")


def _list_staff(arguments: argparse.Namespace, connection: Connection) -> None:
    for member in staff.list_members(connection):
        if arguments.without_pin and member.pin == "valid":
            continue
        columns = (
            member.court,
            member.person,
            member.name,
            ", ".join(member.roles),
            "all rooms" if member.rooms is None else f"rooms {', '.join(member.rooms) or 'none'}",
            PIN_STATES[member.pin].format(kiosk=member.exposed_by),
            "badge" if member.has_badge else "no badge",
        )
        print("\t".join(columns))


def _put_rules_pack(arguments: argparse.Namespace, connection: Connection) -> None:
    """Sign a rules pack; kiosks have it at their next contact."""
    try:
        toml = arguments.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CentralError(f"{arguments.file}: {error}", code="usage") from error
    signer = ReceiptSigner(*open_authority(arguments.data).current_server_files())
    pack = rules_packs.put(connection, signer, toml)
    print(f"rules pack {pack.version}: MRP from {pack.valid_from} to {pack.valid_until}")


def _apply_seed(database: Database, seed: Seed) -> None:
    for person in courts.apply_seed(database, seed):
        message = f"{person}: not taken from the seed: a revoked kiosk held this PIN or badge"
        print(message, file=sys.stderr)


def _set_credential(arguments: argparse.Namespace, database: Database) -> None:
    """Set a person's PIN or badge, read from the standard input and never from an argument."""
    kind, person = arguments.task, arguments.person
    with database.read() as connection:
        court = _court_id(arguments, connection)
    secret = _read_secret(NAMES[kind])
    try:
        secret = check_pin(secret) if kind == "pin" else check_badge(secret)
    except ValueError as error:
        raise CentralError(str(error), code="usage") from error
    staff.set_credential(database, court, person, kind, secret)
    print(f"{person}: {NAMES[kind]} set; kiosks have it at their next contact")


def _read_secret(name: str) -> str:
    """Return one line of the standard input; a terminal is asked twice and shows nothing."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    secret = getpass.getpass(f"New {name}: ").strip()
    if getpass.getpass(f"The same {name} again: ").strip() != secret:
        raise CentralError("typed two different ones: nothing was set", code="usage")
    return secret


def _set_filing_state(arguments: argparse.Namespace, connection: Connection) -> None:
    filing_registry.set_state(connection, arguments.number, arguments.state, arguments.reason)
    print(f"{arguments.number}: {arguments.state}")


def _import_courier_drive(arguments: argparse.Namespace) -> int:
    """Import a courier's drive; print accepted and refused items."""
    keys = read_age_keys(arguments.key)
    database = open_database(arguments.data, arguments.database)
    try:
        store = open_store(arguments.data, arguments.store)
        authority = open_authority(arguments.data)
        intake = open_intake(database, store, arguments.data / "spool-courier")
        courier_import = CourierImport(database, store, authority, intake)
        result = asyncio.run(
            courier_import.import_drive(
                arguments.medium, keys, lambda line: print(line, flush=True)
            )
        )
    finally:
        database.close()
    for place, code in result.refused.items():
        print(f"not taken: {place}: {code}")
    print(f"{len(result.receipted)} item(s) receipted; the receipts are on the medium")
    return 1 if result.refused else 0


def _reassign_hearing(arguments: argparse.Namespace, database: Database) -> None:
    owners = HearingOwners(database, open_store(arguments.data, arguments.store))
    asyncio.run(owners.reassign(arguments.hearing, arguments.kiosk, arguments.reason))
    print(f"{arguments.hearing}: {arguments.kiosk} delivers it")


def _list_quarantined(_arguments: argparse.Namespace, connection: Connection) -> None:
    for item in quarantine.list_quarantined(connection):
        print(f"{item.hearing}\t{item.kiosk}\t{item.files} files\t{item.bytes} bytes\t{item.since}")


def _decide_quarantine(arguments: argparse.Namespace, database: Database) -> None:
    """Erase or release what was withheld of a hearing."""
    held = quarantine.Quarantine(database, open_store(arguments.data, arguments.store))
    hearing, reason = arguments.hearing, arguments.reason
    if arguments.task == "release":
        print(f"{asyncio.run(held.release(hearing, reason))} files released")
        return
    erased = asyncio.run(held.erase(hearing, reason, without_proof=arguments.without_proof))
    print(f"{erased} files erased")


def _accept_problem(arguments: argparse.Namespace, connection: Connection) -> None:
    """Record that a person accepts the problem that withholds a hearing's receipt."""
    accept_problem(connection, arguments.hearing, arguments.reason)
    print(f"{arguments.hearing}: gets its receipt when its kiosk asks again")
