"""The command line ``kiosk``: parses the arguments and runs one command of :mod:`kiosk.commands`.

Only the chosen command is imported, so that ``kiosk verify`` needs no touch screen. Whatever
happens, the person gets one line that says what to do, and an exit status that ``--help`` lists.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import kiosk
import kiosk.commands
from kiosk.commands._output import discard_output, is_output_closed, open_standard_streams


class OneLineParser(argparse.ArgumentParser):
    """A parser that answers a wrong argument with one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where the help is; exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; see: {self.prog} --help\n")


def command_names() -> list[str]:
    """Return the names of all commands, in alphabetical order."""
    names = (module.name for module in pkgutil.iter_modules(kiosk.commands.__path__))
    return sorted(name for name in names if not name.startswith("_"))


def build_parser(modules: dict[str, ModuleType]) -> argparse.ArgumentParser:
    """Return the parser with a sub-parser for each of ``modules``."""
    parser = OneLineParser(
        prog="kiosk",
        description="Courtroom kiosk: records hearings, scans and files documents, delivers both.",
        epilog="'kiosk COMMAND --help' explains a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kiosk {kiosk.__version__}")
    _add_general_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in modules.items():
        sub = commands.add_parser(
            name.replace("_", "-"),
            help=module.HELP,
            description=module.__doc__,
            epilog=_epilog(name, module),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_general_options(sub, default=argparse.SUPPRESS)  # keep what was given before COMMAND
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def _add_general_options(parser: argparse.ArgumentParser, default: object = None) -> None:
    from kiosk.settings_files import DEFAULT_PATH, ENVIRONMENT_VARIABLE

    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default,
        help=f"settings file (default: ${ENVIRONMENT_VARIABLE}, else {DEFAULT_PATH})",
    )
    parser.add_argument("--verbose", action="store_true", default=default, help="log every step")


def _epilog(name: str, module: ModuleType) -> str:
    """Return the end of a command's help: examples, exit statuses, the user it works as."""
    from kiosk.commands._errors import EVERY_COMMAND
    from kiosk.commands._user import WORKS_AS

    lines = ["example:", *(f"  {line}" for line in module.EXAMPLES), "", "exit status:"]
    statuses = {**module.EXIT_STATUS, **EVERY_COMMAND}
    lines += [f"  {status:<3} {meaning}" for status, meaning in statuses.items()]
    if user := WORKS_AS.get(name):
        lines += ["", f"Run by root on an installed kiosk, it works as the user {user}."]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    open_standard_streams()
    # pydantic would look into every installed package for plug-ins: none is used here
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        try:
            status = _run(sys.argv[1:] if argv is None else argv)
        finally:  # also after --help, which ends by SystemExit
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        discard_output()
        return 141
    except OSError as error:  # the output cannot be written: the disk is full
        discard_output()
        print(f"kiosk: output: {error.strerror}", file=sys.stderr)
        return 1


def _run(argv: list[str]) -> int:
    """Run the command; return its exit status, or that of its error."""
    from kiosk.commands._errors import describe
    from kiosk.commands._user import drop_root
    from kiosk.logs import set_up_logging

    early = OneLineParser(prog="kiosk", add_help=False, allow_abbrev=False)
    _add_general_options(early)
    general, rest = early.parse_known_args(argv)
    words = (word.replace("-", "_") for word in rest if not word.startswith("-"))
    command, names = next(words, ""), command_names()
    try:
        if command in names:
            drop_root(command, general.config)  # before anything that opens a file of the kiosk
            names = [command]
        modules = {name: importlib.import_module(f"kiosk.commands.{name}") for name in names}
        arguments = build_parser(modules).parse_args(argv)
        set_up_logging(bool(arguments.verbose))
        return int(arguments.run(arguments))
    except Exception as error:
        if isinstance(error, BrokenPipeError) and is_output_closed():
            raise
        line, status = describe(error, command)
        print(f"kiosk: {line}", file=sys.stderr)
        return status


if __name__ == "__main__":
    sys.exit(main())
