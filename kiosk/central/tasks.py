"""What ``kiosk central`` does: serve, or one task on the data of a (maybe running) server."""

from __future__ import annotations

import argparse
import asyncio
import os

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.central.data import schema
from kiosk.central.deliveries import registry
from kiosk.central.deliveries.courier import Ingest, read_key
from kiosk.central.deliveries.tusd import TusdSettings
from kiosk.central.identity import courts, enrolment
from kiosk.central.server import Options, open_authority, open_database, open_store, serve
from kiosk.clocks import wall_text
from kiosk.errors import CentralError

TUSD_SECRET = "KIOSK_CENTRAL_TUSD_SECRET"
SHORTEST_SECRET = 16


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line says; return the exit status."""
    if arguments.task in (None, "serve"):
        serve(_options(arguments))
        return 0
    if arguments.task == "ingest":
        return _ingest(arguments)
    task = {
        "init": _init,
        "enrol-code": _enrol_code,
        "revoke": _revoke,
        "staff": _staff,
        "filing": _filing,
        "accept": _accept,
    }[arguments.task]
    database = open_database(arguments.data, arguments.database)
    try:
        with database.write() as connection:
            if arguments.seed is not None:
                courts.apply_seed(connection, courts.load_seed(arguments.seed))
            task(arguments, connection)
    finally:
        database.close()
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name),
        seed=arguments.seed,
        database=arguments.database,
        faults=arguments.faults,
        admin_port=arguments.admin_port,
        store=arguments.store,
        tusd=_tusd(arguments),
        searchable=arguments.searchable,
    )


def _tusd(arguments: argparse.Namespace) -> TusdSettings | None:
    if arguments.tusd is None:
        return None
    secret = os.environ.get(TUSD_SECRET, "")
    if len(secret) < SHORTEST_SECRET:
        raise CentralError(f"--tusd needs a secret in ${TUSD_SECRET}", code="usage")
    return TusdSettings(arguments.tusd, arguments.tusd_internal or arguments.tusd, secret)


def _init(arguments: argparse.Namespace, _connection: Connection) -> None:
    authority = open_authority(arguments.data)
    print(f"root certificate: {authority.root_path}")


def _enrol_code(arguments: argparse.Namespace, connection: Connection) -> None:
    authority = open_authority(arguments.data)
    for kiosk in arguments.kiosk:
        if arguments.room is not None:
            courts.put_kiosk(connection, _court(arguments, connection), kiosk, arguments.room)
        try:
            code = enrolment.make_code(connection, authority, kiosk, replaces=arguments.replace)
        except IntegrityError as error:
            raise CentralError(f"{kiosk} is not known: give its --room", code="usage") from error
        print(f"{kiosk} {code}" if len(arguments.kiosk) > 1 else code)


def _court(arguments: argparse.Namespace, connection: Connection) -> str:
    if arguments.court is not None:
        return str(arguments.court)
    court = courts.only_court(connection)
    if court is None:
        raise CentralError("give --court: there is not exactly one", code="usage")
    return court.id


def _revoke(arguments: argparse.Namespace, connection: Connection) -> None:
    print(f"{enrolment.revoke(connection, arguments.kiosk)} certificates revoked")


def _staff(_arguments: argparse.Namespace, connection: Connection) -> None:
    table = schema.staff
    for row in connection.execute(select(table).order_by("court", "person")):
        pin = "with PIN" if row.pin_scrypt is not None else "badge only"
        print(f"{row.court}\t{row.person}\t{row.name}\t{', '.join(row.roles)}\t{pin}")


def _filing(arguments: argparse.Namespace, connection: Connection) -> None:
    registry.set_state(connection, arguments.number, arguments.state, arguments.reason)
    print(f"{arguments.number}: {arguments.state}")


def _ingest(arguments: argparse.Namespace) -> int:
    """Take a courier's medium in; say what was taken and what was not."""
    keys = read_key(arguments.key)
    database = open_database(arguments.data, arguments.database)
    try:
        store = open_store(arguments.data, arguments.store)
        authority = open_authority(arguments.data)
        ingest = Ingest(database, store, authority, arguments.data / "spool-courier")
        done = asyncio.run(ingest.run(arguments.medium, keys, lambda line: print(line, flush=True)))
    finally:
        database.close()
    for place, code in done.refused.items():
        print(f"not taken: {place}: {code}")
    print(f"{len(done.receipted)} item(s) receipted; the receipts lie on the medium")
    return 1 if done.refused else 0


def _accept(arguments: argparse.Namespace, connection: Connection) -> None:
    """Write down that a person has looked into what keeps a hearing from its receipt."""
    table = schema.problems
    found = connection.execute(
        update(table)
        .where(table.c.delivery == arguments.hearing)
        .values(accepted_at=wall_text(), reason=arguments.reason)
    )
    if not found.rowcount:
        raise CentralError(f"nothing is held back of {arguments.hearing}", code="usage")
    print(f"{arguments.hearing}: gets its receipt when its kiosk asks again")
