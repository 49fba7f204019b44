"""Tasks of ``kiosk central``: serve, or change the data of a server, which may be running."""

from __future__ import annotations

import argparse
import asyncio
import os

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.central.data import schema
from kiosk.central.deliveries import filing_registry
from kiosk.central.deliveries.courier_import import CourierImport, read_age_keys
from kiosk.central.deliveries.tusd import TusdSettings
from kiosk.central.identity import courts, enrolment
from kiosk.central.server import ServerOptions, open_authority, open_database, open_store, serve
from kiosk.clocks import format_wall
from kiosk.errors import CentralError, UsageError

TUSD_SECRET = "KIOSK_CENTRAL_TUSD_SECRET"
MIN_SECRET_LENGTH = 16


def run_task(arguments: argparse.Namespace) -> int:
    """Run the task of the command line; return the exit status."""
    if arguments.task in (None, "serve"):
        serve(_server_options(arguments))
        return 0
    if arguments.task == "ingest":
        return _import_courier_drive(arguments)
    task = {
        "init": _create_authority,
        "enrol-code": _print_codes,
        "revoke": _revoke_certificates,
        "staff": _list_staff,
        "filing": _set_filing_state,
        "accept": _accept_problem,
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


def _server_options(arguments: argparse.Namespace) -> ServerOptions:
    return ServerOptions(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name),
        seed=arguments.seed,
        database=arguments.database,
        faults=arguments.faults,
        admin_port=arguments.admin_port,
        store=arguments.store,
        tusd=_tusd_settings(arguments),
        searchable=arguments.searchable,
    )


def _tusd_settings(arguments: argparse.Namespace) -> TusdSettings | None:
    if arguments.tusd is None:
        return None
    secret = os.environ.get(TUSD_SECRET, "")
    if len(secret) < MIN_SECRET_LENGTH:
        raise UsageError(f"--tusd needs a secret in ${TUSD_SECRET}")
    return TusdSettings(arguments.tusd, arguments.tusd_internal or arguments.tusd, secret)


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


def _revoke_certificates(arguments: argparse.Namespace, connection: Connection) -> None:
    print(f"{enrolment.revoke(connection, arguments.kiosk)} certificates revoked")


def _list_staff(_arguments: argparse.Namespace, connection: Connection) -> None:
    table = schema.staff
    for row in connection.execute(select(table).order_by("court", "person")):
        pin = "with PIN" if row.pin_scrypt is not None else "badge only"
        print(f"{row.court}\t{row.person}\t{row.name}\t{', '.join(row.roles)}\t{pin}")


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
        courier_import = CourierImport(database, store, authority, arguments.data / "spool-courier")
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


def _accept_problem(arguments: argparse.Namespace, connection: Connection) -> None:
    """Record that a person accepts the problem that withholds a hearing's receipt."""
    table = schema.problems
    found = connection.execute(
        update(table)
        .where(table.c.delivery == arguments.hearing)
        .values(accepted_at=format_wall(), reason=arguments.reason)
    )
    if not found.rowcount:
        raise CentralError(f"nothing is held back of {arguments.hearing}", code="usage")
    print(f"{arguments.hearing}: gets its receipt when its kiosk asks again")
