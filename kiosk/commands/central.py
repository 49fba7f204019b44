"""Run the reference central court system, or work on its data.

  kiosk central --data DIR --seed court.toml           serve (until SIGTERM)
  kiosk central init --data DIR --seed court.toml      create the CA and the database, read the seed
  kiosk central enrol-code --data DIR kiosk-0001       print a one-time code for 'kiosk enroll'
  kiosk central revoke --data DIR kiosk-0001           revoke a kiosk; its people need new PINs
  kiosk central staff --data DIR [--without-pin]       list the staff
  kiosk central pin --data DIR PERSON                  set a PIN, read from the standard input
  kiosk central badge --data DIR PERSON                set a badge, likewise
  kiosk central ingest --data DIR MEDIUM --key FILE    import a courier's medium
  kiosk central accept --data DIR HEARING --reason …   give a held-back hearing its receipt
  kiosk central quarantine --data DIR                  list what retroactive closings withhold
  kiosk central erase --data DIR HEARING --reason …    erase it; 'release' makes it readable again
  kiosk central reassign --data DIR HEARING KIOSK --reason …   give a hearing's id to another kiosk
  kiosk central filing --data DIR NUMBER accepted      record the registry's decision on a filing

DIR/address holds the server's URL, DIR/admin-address the URL of the page for court IT (on this
machine only), DIR/authority/ca.crt the root certificate.
Postgres: --database postgresql+psycopg://…; S3: --store s3://… (extra 'central-scale').
It needs the extra: pip install 'courtroom-kiosk[central]'.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.errors import CentralError, UsageError
from kiosk.logs import dump_stacks_on_signal

HELP = "the reference central court system"
EXAMPLES = (
    "kiosk central --data /var/lib/kiosk-central --seed court.toml",
    "kiosk central enrol-code --data /var/lib/kiosk-central kiosk-0001",
)
EXIT_STATUS = {0: "done; the server: ended by SIGTERM", 1: "refused, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server and one sub-command per task."""
    _add_common(parser, default=None)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=_parse_port, default=8443, help="TCP port; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="DNS name or address by which kiosks reach it, for its certificate; several may be "
        "given (default: $KIOSK_CENTRAL_NAMES, with spaces between them)",
    )
    parser.add_argument(
        "--admin-port",
        type=_parse_port,
        default=0,
        help="TCP port of court IT's page, on loopback only; 0 takes a free one (%(default)s)",
    )
    parser.add_argument(
        "--store",
        metavar="URL",
        help="s3://BUCKET/PREFIX?endpoint=URL&region=NAME (default: a folder in DIR)",
    )
    parser.add_argument(
        "--no-searchable",
        dest="searchable",
        action="store_false",
        help="do not make searchable versions of filings (OCRmyPDF, in the background)",
    )
    parser.add_argument(
        "--staff-days",
        type=_days,
        default=30,
        metavar="DAYS",
        help="a kiosk's list of staff ends so long after its last contact, 1 to 366 (%(default)s)",
    )
    parser.add_argument(
        "--read-back-days",
        type=_days,
        default=90,
        metavar="DAYS",
        help="a kiosk may read back a hearing for so long after its receipt (%(default)s)",
    )
    parser.add_argument(
        "--read-back-hearings",
        type=_count,
        default=5,
        metavar="NUMBER",
        help="so many hearings in a day may a kiosk read back, 0 to 10000 (%(default)s)",
    )
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="development: inject the faults in FILE"
    )
    parser.set_defaults(task="serve")
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=False)
    _task(tasks, "init", "create the CA and the database")
    code = _task(tasks, "enrol-code", "print a one-time code for each kiosk")
    code.add_argument("kiosk", metavar="KIOSK", nargs="+", help="kiosk id; several make a batch")
    code.add_argument("--room", metavar="ROOM", help="courtroom, for a kiosk not in the seed")
    code.add_argument("--court", metavar="ID", help="its court, where several are served")
    code.add_argument(
        "--replace", action="store_true", help="revoke its current certificates when it is used"
    )
    revoke = _task(tasks, "revoke", "revoke a kiosk's certificates, and the PINs it was given")
    revoke.add_argument("kiosk", metavar="KIOSK")
    revoke.add_argument(
        "--badges", action="store_true", help="the badges that it was given are not valid either"
    )
    staff = _task(tasks, "staff", "read the seed, then list the staff")
    staff.add_argument(
        "--without-pin", action="store_true", help="only those who have no valid PIN"
    )
    for name, text in (("pin", "PIN"), ("badge", "badge")):
        secret = _task(tasks, name, f"set a person's {text}, read from the standard input")
        secret.add_argument("person", metavar="PERSON", help="id, as 'kiosk central staff' lists")
        secret.add_argument("--court", metavar="ID", help="the court, where several are served")
    pack = _task(tasks, "rules-pack", "sign a rules pack (MRP of a new year) for all kiosks")
    pack.add_argument("file", type=Path, metavar="FILE", help="TOML: version, valid_from, [[mrp]]")
    filing = _task(tasks, "filing", "record a decision on a filing")
    filing.add_argument("number", metavar="NUMBER", help="registration number")
    filing.add_argument("state", choices=["accepted", "returned", "passed_to_judge"])
    filing.add_argument("--reason", help="why it is returned")
    accept = _task(tasks, "accept", "give a hearing that is held back its receipt")
    accept.add_argument("hearing", metavar="HEARING", help="id of the hearing")
    accept.add_argument("--reason", required=True, help="what was found out; it is stored")
    _task(tasks, "quarantine", "list the hearings of which plain files are withheld")
    erase = _task(tasks, "erase", "erase the withheld plain files of a hearing")
    erase.add_argument(
        "--without-proof",
        action="store_true",
        help="although the delivered journal does not prove that they were replaced",
    )
    release = _task(tasks, "release", "make the withheld files of a hearing readable again")
    for decision in (erase, release):
        decision.add_argument("hearing", metavar="HEARING", help="id of the hearing")
        decision.add_argument("--reason", required=True, help="who decided, and why; it is stored")
    reassign = _task(tasks, "reassign", "give the id of a hearing to another kiosk")
    reassign.add_argument("hearing", metavar="HEARING", help="id of the hearing")
    reassign.add_argument("kiosk", metavar="KIOSK", help="who may deliver it from now on")
    reassign.add_argument("--reason", required=True, help="who decided, and why; it is stored")
    ingest = _task(tasks, "ingest", "import a courier's medium and write the receipts to it")
    ingest.add_argument("medium", type=Path, metavar="MEDIUM", help="folder of the mounted medium")
    ingest.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the court's secret age key"
    )


def _parse_port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text}: a TCP port is 0 to 65535")
    return port


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 366):
        raise argparse.ArgumentTypeError("a whole number from 1 to 366 is expected")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 10_000):
        raise argparse.ArgumentTypeError("a whole number from 0 to 10000 is expected")
    return int(text)


def _task(
    tasks: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = tasks.add_parser(name, help=text, description=text.capitalize() + ".")
    _add_common(parser, default=argparse.SUPPRESS)  # keep what was given before TASK
    return parser


def _add_common(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=default, help="folder for all of its data"
    )
    parser.add_argument(
        "--seed", type=Path, metavar="FILE", default=default, help="court, kiosks, staff, hearings"
    )
    parser.add_argument(
        "--database", metavar="URL", default=default, help="SQLAlchemy URL (default: SQLite in DIR)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve, or do the task."""
    if arguments.data is None:
        raise UsageError("--data DIR is needed; see: kiosk central --help")
    try:
        from kiosk.central import tasks
    except ModuleNotFoundError as error:
        raise CentralError(
            f"{error.name} is not installed: pip install 'courtroom-kiosk[central]'"
        ) from error
    dump_stacks_on_signal()
    return tasks.run_task(arguments)
