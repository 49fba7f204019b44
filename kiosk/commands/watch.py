"""Follow the events of recorder and delivery: one line per event, until Ctrl-C.

State is shown as what has changed since the last line. Levels are left out unless --levels is
given. A service that does not answer is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
from collections.abc import Iterator
from pathlib import Path

from kiosk.clocks import format_wall
from kiosk.commands._common import command_settings
from kiosk.commands._output import is_output_closed
from kiosk.ipc import LocalClient, ServiceDownError, ServiceForbiddenError
from kiosk.storage.paths import Paths

HELP = "follow the events of recorder and delivery"
EXAMPLES = (
    "sudo kiosk watch",
    "sudo kiosk watch --json --seconds 60",
)
EXIT_STATUS = {0: "the time is over"}
PAUSE_S = 0.5
TICKING = frozenset(
    {"wall", "seconds", "part_seconds", "age_seconds", "frames", "heard", "free_bytes", "minutes"}
)
"""Keys that change all the time and say nothing by that."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is shown."""
    parser.add_argument("--json", action="store_true", help="print whole events as lines of JSON")
    parser.add_argument("--levels", action="store_true", help="show the levels, too")
    parser.add_argument(
        "--seconds", type=_parse_seconds, metavar="S", help="stop after S seconds (default: never)"
    )


def _parse_seconds(text: str) -> float:
    """Return a positive, finite number of seconds."""
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text}: a positive number of seconds is needed")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Follow until Ctrl-C or the end of the time."""
    paths = Paths.from_settings(command_settings(arguments).paths)
    asyncio.run(_follow_all(paths, arguments))
    return 0


async def _follow_all(paths: Paths, arguments: argparse.Namespace) -> None:
    sockets = {"recorder": paths.recorder_socket, "sync": paths.sync_socket}
    followers = [_follow(name, socket, arguments) for name, socket in sockets.items()]
    try:
        async with asyncio.timeout(arguments.seconds):
            await asyncio.gather(*followers, _end_with_reader())
    except TimeoutError:
        return


async def _end_with_reader() -> None:
    """Wait until nobody reads the output any more (``| head``), although no event may come.

    Raises:
        BrokenPipeError: then.
    """
    while not is_output_closed():
        await asyncio.sleep(PAUSE_S)
    raise BrokenPipeError


async def _follow(service: str, socket: Path, arguments: argparse.Namespace) -> None:
    client, is_up = LocalClient(socket), True
    known: dict[str, object] = {}
    try:
        while True:
            try:
                async for event, value in client.events():
                    is_up = True
                    if event == "levels" and not arguments.levels:
                        continue
                    _show(service, event, value, known, as_json=arguments.json)
            except ServiceForbiddenError:
                raise
            except (ServiceDownError, ValueError) as error:
                if is_up:
                    down = isinstance(error, ServiceDownError)
                    _print_line(service, "does not answer" if down else f"unreadable: {error}")
                is_up = False
            await asyncio.sleep(PAUSE_S)
    finally:
        await client.close()


def _show(
    service: str, event: str, value: object, known: dict[str, object], *, as_json: bool
) -> None:
    if as_json:
        line = {"service": service, "event": event, "data": value}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    elif event == "state":
        for change in changes(known.get(event), value):
            _print_line(service, change)
        known[event] = value
    else:
        _print_line(service, f"{event} {json.dumps(value, ensure_ascii=False)}")


def _print_line(service: str, text: str) -> None:
    print(f"{format_wall()[11:23]}  {service:<8}  {text}", flush=True)


def changes(before: object, after: object, path: str = "") -> Iterator[str]:
    """Yield what differs between two States, one line per value; ticking values are left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in after.items():
            if key not in TICKING:
                place = f"{path}.{key}" if path else key
                yield from changes(before.get(key), value, place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(*pair, f"{path}[{number}]")
    elif before != after:
        if not path and isinstance(after, dict):  # the first State
            yield f"phase: {after['phase']}" if "phase" in after else "answers"
        else:
            yield f"{path}: {json.dumps(after, ensure_ascii=False)}"
