"""The command line ``kiosk``: parses the arguments and runs one command of :mod:`kiosk.commands`.

Only the chosen command is imported, so that ``kiosk verify`` needs no touch screen.
"""

from __future__ import annotations

import argparse
import importlib
import io
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import kiosk
import kiosk.commands
from kiosk.config import ENVIRONMENT_VARIABLE
from kiosk.errors import KioskError
from kiosk.logs import set_up_logging


def command_names() -> list[str]:
    """Return the names of all commands, in alphabetical order."""
    names = (module.name for module in pkgutil.iter_modules(kiosk.commands.__path__))
    return sorted(name for name in names if not name.startswith("_"))


def build_parser(modules: dict[str, ModuleType]) -> argparse.ArgumentParser:
    """Return the parser with a sub-parser for each of ``modules``."""
    parser = argparse.ArgumentParser(
        prog="kiosk",
        description="Courtroom kiosk: records hearings, scans and files documents, delivers both.",
        epilog="'kiosk COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"kiosk {kiosk.__version__}")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"settings file (default: ${ENVIRONMENT_VARIABLE}, else /etc/kiosk/kiosk.toml)",
    )
    parser.add_argument("--verbose", action="store_true", help="log every step")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in modules.items():
        sub = commands.add_parser(
            name.replace("_", "-"),
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def _wanted_commands(argv: list[str]) -> list[str]:
    """Return the command named in ``argv``, or all if there is none (for ``--help``)."""
    names = command_names()
    for word in argv:
        if word.replace("-", "_") in names:
            return [word.replace("-", "_")]
    return names


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    modules = {
        name: importlib.import_module(f"kiosk.commands.{name}") for name in _wanted_commands(argv)
    }
    arguments = build_parser(modules).parse_args(argv)
    set_up_logging(arguments.verbose)
    if isinstance(sys.stdout, io.TextIOWrapper):  # half of a surrogate pair is printed as escape
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return int(arguments.run(arguments))
    except KioskError as error:
        print(f"kiosk: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
