"""Test every device and service of this kiosk; the recorder saves and signs the report.

Asks for the PIN of a technician (or --pin-file; without one the recorder refuses its tests and
saves no report) and asks questions that only a person can answer ("Did the recording lamp light
up?"); silence counts as "not confirmed", never as passed. Nothing is tested while a hearing is
being recorded. A report that could not be saved can be saved again; --json prints it all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.base import read_leniently
from kiosk.api.recorder_calls import ListedPeople
from kiosk.clocks import parse_wall
from kiosk.commands._common import command_settings, print_json
from kiosk.config import Settings
from kiosk.errors import KioskError, UsageError
from kiosk.ipc import LocalClient, ServiceForbiddenError
from kiosk.locale import LANGUAGES, Translator
from kiosk.selftest import (
    CHECKS,
    CheckFinished,
    CheckResult,
    RunFinished,
    SelfTestContext,
    latest_results,
    run_selftest,
    save_run,
)
from kiosk.selftest.labels import CHECK_NAMES, QUESTIONS, SAVE_AGAIN, STATE_NAMES
from kiosk.selftest.model import AskPerson, Question, unattended
from kiosk.selftest.report import read_history, read_reports
from kiosk.selftest.words import MeasuredWords
from kiosk.storage.paths import Paths

HELP = "test every device and service, save a signed report"
EXAMPLES = (
    "sudo kiosk selftest",
    "sudo kiosk selftest --only camera,storage",
    "sudo kiosk selftest --latest",
    "sudo kiosk selftest --history microphones",
)
EXIT_STATUS = {0: "nothing failed; skipped tests are listed", 1: "something failed"}
_YES = ("y", "и", "д", "1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice of tests and how they run."""
    parser.add_argument(
        "--only", metavar="CHECK,…", help=f"run only these; all are {', '.join(CHECKS)}"
    )
    parser.add_argument(
        "--commissioning", action="store_true", help="store the result as the baseline"
    )
    parser.add_argument(
        "--person", metavar="ID", default="", help="id of that technician (default: asked)"
    )
    parser.add_argument(
        "--pin-file", type=Path, metavar="FILE", help="file with the PIN of a technician"
    )
    parser.add_argument(
        "--no-questions", action="store_true", help="ask nothing: nobody is there to answer"
    )
    parser.add_argument(
        "--latest", action="store_true", help="show the newest results; test nothing"
    )
    parser.add_argument(
        "--history",
        metavar="CHECK,…",
        help="show the last results of these, newest first, and what changed; test nothing",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--language", choices=LANGUAGES, help="default: the kiosk's own")


def run(arguments: argparse.Namespace) -> int:
    """Run the self-test and print a table."""
    settings = command_settings(arguments)
    translate = Translator(arguments.language or settings.kiosk.language)
    words = MeasuredWords(translate, ZoneInfo(settings.kiosk.timezone))
    paths = Paths.from_settings(settings.paths)
    if arguments.latest or arguments.history is not None:
        if paths.reports.exists():
            os.scandir(paths.reports).close()  # who may not read them learns what to run
        if arguments.history is not None:
            for line in _history(paths, _parse_checks(arguments.history), words):
                print(line)
            return 0
        for result in latest_results(paths).values():
            print(format_result(result, words))
        return 0
    return asyncio.run(_run(arguments, settings, paths, words))


async def _run(
    arguments: argparse.Namespace, settings: Settings, paths: Paths, words: MeasuredWords
) -> int:
    recorder, sync = LocalClient(paths.recorder_socket), LocalClient(paths.sync_socket)
    ask = (
        unattended
        if arguments.no_questions or not sys.stdin.isatty()
        else _terminal_question(words.translate)
    )
    try:
        await _require_permission(recorder)
        await _sign_in(recorder, arguments)
        context = SelfTestContext(
            settings,
            paths,
            recorder,
            sync,
            ask=ask,
            commissioning=arguments.commissioning,
        )
        only = None if arguments.only is None else _parse_checks(arguments.only)
        return await _print_all(context, only, words, as_json=arguments.json)
    finally:
        await recorder.close()
        await sync.close()


async def _require_permission(recorder: LocalClient) -> None:
    """Ask the recorder once, before a person is asked for anything.

    Raises:
        ServiceForbiddenError: this user has no right to its socket.
    """
    try:
        await recorder.get("/v1/state")
    except ServiceForbiddenError:
        raise
    except KioskError:
        return  # what does not answer fails its checks


def _parse_checks(text: str) -> list[str]:
    """Return the checks named in ``text``.

    Raises:
        UsageError: there is no such check.
    """
    chosen = [name.strip().replace("-", "_") for name in text.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in CHECKS]
    if unknown or not chosen:
        raise UsageError(f"no check “{', '.join(unknown)}”; there are {', '.join(CHECKS)}")
    return chosen


def _pin(arguments: argparse.Namespace) -> str:
    """Return the technician's PIN; empty where nobody can be asked for it.

    Raises:
        OSError: the file cannot be read; UsageError: it is no text.
    """
    if arguments.pin_file is not None:
        try:
            return str(arguments.pin_file.read_text(encoding="utf-8").strip())
        except UnicodeDecodeError as error:
            raise UsageError(f"{arguments.pin_file}: is no text with a PIN") from error
    return getpass.getpass("PIN: ") if sys.stdin.isatty() else ""


async def _sign_in(recorder: LocalClient, arguments: argparse.Namespace) -> None:
    """Sign in at the recorder; say it when that is not possible."""
    pin = _pin(arguments)
    if not pin:
        return
    try:
        person = arguments.person or await _ask_person(recorder)
        proof = {"person": person, "pin": pin, "place": "command"}
        answer = await recorder.post("/v1/sign-in", proof)
    except KioskError as error:
        print(f"kiosk: not signed in: {error.code}", file=sys.stderr)
        return
    recorder.token = str(answer["token"])


async def _ask_person(recorder: LocalClient) -> str:
    """Return the technician: the only one of the list, or whom the terminal names.

    Raises:
        KioskError: there is none, or nobody can be asked.
    """
    people = read_leniently(ListedPeople, await recorder.get("/v1/staff"))[0].people
    ids = [person.person for person in people if "technician" in person.roles]
    if len(ids) == 1:
        return ids[0]
    if not ids or not sys.stdin.isatty():
        raise KioskError(f"--person: name the technician: {', '.join(ids) or 'the list has none'}")
    print(f"technicians: {', '.join(ids)}\nperson: ", end="", flush=True)
    return (await _read_stdin_line()).strip()


def _terminal_question(translate: Translator) -> AskPerson:
    """Return a function that asks on the terminal: y or n and Enter."""

    async def ask(question: Question, seconds: float) -> bool | None:
        print(f"{translate(QUESTIONS[question])} [y/n] ({seconds:.0f} s)", flush=True)
        return (await _read_stdin_line()).lower().startswith(_YES)

    return ask


async def _read_stdin_line() -> str:
    """Return the next line of standard input; may be cancelled."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)


async def _print_all(
    context: SelfTestContext, only: list[str] | None, words: MeasuredWords, *, as_json: bool
) -> int:
    """Run, print each result as it comes, then the path of the report."""
    failed = False
    async for event in run_selftest(context, only):
        if isinstance(event, CheckFinished):
            failed |= event.result.state == "failed"
            if not as_json:
                print(format_result(event.result, words), flush=True)
        elif isinstance(event, RunFinished):
            end = await _save_until_given_up(context, event, words.translate)
            failed |= end.path is None
            if as_json:
                print_json(end.report)
            elif end.path is not None:
                print(end.path)
    return 1 if failed else 0


async def _save_until_given_up(
    context: SelfTestContext, end: RunFinished, translate: Translator
) -> RunFinished:
    """Say why the report is not saved, and save it again while the person wants it."""
    while end.path is None:
        if end.code == "token_expired" and context.recorder.token is None:
            print("kiosk: the report is not saved: give a technician's PIN", file=sys.stderr)
            break
        print(alarm_of(end.code or "error").say(translate), file=sys.stderr)
        question = translate(SAVE_AGAIN)
        if context.ask is unattended or not await _is_wanted(question):
            break
        end = await save_run(context, end.run)
    return end


async def _is_wanted(question: str) -> bool:
    """Ask on the terminal: y or n and Enter."""
    print(f"{question} [y/n]", file=sys.stderr, flush=True)
    return (await _read_stdin_line()).lower().startswith(_YES)


def _history(paths: Paths, checks: list[str], words: MeasuredWords) -> Iterator[str]:
    """Yield the earlier results of each check, newest first, each with what changed by it."""
    history, translate = read_history(read_reports(paths)), words.translate
    for check in checks:
        results = history.get(check, ())
        if not results:
            yield f"{translate(CHECK_NAMES[check])}: {translate(STATE_NAMES['never_tested'])}"
        for result, before in zip_longest(results, results[1:]):
            when = parse_wall(result.at)
            date = when.astimezone(words.zone).strftime("%d.%m.%Y %H:%M") if when else result.at
            yield f"{date}  {format_result(result, words).splitlines()[0]}"
            if before is not None:
                yield from (f"  {change}" for change in words.changes(result, before))


def format_result(result: CheckResult, words: MeasuredWords) -> str:
    """Return a line of the table (check, state, time, why it did not pass), then its values."""
    translate = words.translate
    name, state = translate(CHECK_NAMES[result.check]), translate(STATE_NAMES[result.state])
    line = f"{name:<20} {state:<14} {result.seconds:6.1f} s"
    if result.code is not None:
        line += f"  {alarm_of(result.code).say(translate, '')}"
    return "\n".join([line, *(f"  {value.text}" for value in words.lines(result))])
