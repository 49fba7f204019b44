"""Show the state of recorder and delivery as a table, or as the services send it (--json)."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from kiosk.api.base import describe_problems, read_leniently
from kiosk.api.recorder import Alarm, RecorderState
from kiosk.api.sync import SyncState
from kiosk.commands._common import command_settings, print_json
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceForbiddenError
from kiosk.storage.paths import Paths

HELP = "show the state of recorder and delivery"
EXAMPLES = (
    "sudo kiosk state",
    "sudo kiosk state --json",
)
EXIT_STATUS = {0: "both services answer", 1: "one does not answer, or its state cannot be read"}
GIGA = 10**9
Row = tuple[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form of the output."""
    parser.add_argument("--json", action="store_true", help="print what the services send")


def run(arguments: argparse.Namespace) -> int:
    """Print the state; return 0 if both services answer readably."""
    paths = Paths.from_settings(command_settings(arguments).paths)
    answers = asyncio.run(_ask(paths))
    if arguments.json:
        print_json(answers)
        return 0 if all(answers.values()) else 1
    readable = [_print_service(name, answer) for name, answer in answers.items()]
    return 0 if all(readable) else 1


async def _ask(paths: Paths) -> dict[str, object]:
    """Return the State of each service as JSON, None where it does not answer.

    Raises:
        ServiceForbiddenError: this user may not ask.
    """
    sockets = {"recorder": paths.recorder_socket, "sync": paths.sync_socket}
    return {name: await _get_state(socket) for name, socket in sockets.items()}


async def _get_state(socket: Path) -> object:
    client = LocalClient(socket)
    try:
        return await client.get("/v1/state", timeout=5)
    except ServiceForbiddenError:
        raise
    except KioskError:
        return None
    finally:
        await client.close()


def _print_service(name: str, answer: object) -> bool:
    if answer is None:
        print(f"{name}\n  does not answer; see: systemctl status kiosk-{name}")
        return False
    try:
        if name == "recorder":
            recorder, problems = read_leniently(RecorderState, answer)
            rows = [*recorder_rows(recorder)]
        else:
            sync, problems = read_leniently(SyncState, answer)
            rows = [*sync_rows(sync)]
    except ValidationError as error:
        rows, problems = [], describe_problems(error)
    rows += [("cannot be read", problem) for problem in problems]
    width = max(len(label) for label, _ in rows)
    print("\n".join([name, *(f"  {label:<{width}}  {text}" for label, text in rows)]))
    return not problems


def recorder_rows(state: RecorderState) -> Iterator[Row]:
    """Yield the rows of the recorder."""
    yield "phase", state.phase
    if (hearing := state.hearing) is not None:
        closed = ", closed" if hearing.closed else ""
        yield "hearing", f"{hearing.id}, part {hearing.part}, {hearing.seconds:.0f} s{closed}"
        if hearing.open_questions:
            yield "questions", ", ".join(hearing.open_questions)
        for total in hearing.interruption_totals:
            yield f"lost of {total.source}", f"{total.seconds:.1f} s in {total.count} interruptions"
    if state.recovered is not None:
        yield "recovered", f"gap {state.recovered.gap_seconds} s"
    yield "camera", f"{state.camera.state} ({state.camera.back_end})"
    for microphone in state.microphones:
        roles = ", ".join(microphone.roles) or "spare"
        yield f"microphone {microphone.name}", f"{microphone.state} ({roles})"
    storage, mirror = state.storage, state.mirror
    hours = "" if storage.hours_left is None else f", {storage.hours_left:.1f} h"
    yield "storage", f"{storage.state}, {storage.free_bytes / GIGA:.1f} GB free{hours}"
    yield "mirror", f"{mirror.state}, {mirror.behind_bytes / GIGA:.1f} GB behind"
    yield "proof", " ".join(filter(None, [state.proof.state, state.proof.source]))
    yield "clock", state.clock.state
    yield "court keys", f"{state.court_keys.state}{', needed' if state.court_keys.needed else ''}"
    yield "lamp", state.lamp
    yield from _alarm_rows(state.alarms)


def sync_rows(state: SyncState) -> Iterator[Row]:
    """Yield the rows of the delivery service."""
    yield "link", " ".join(filter(None, [state.link.state, state.link.problem]))
    yield "last contact", state.link.last_contact or "never"
    yield "list of hearings", state.schedule.pulled_at or "never pulled"
    pack = state.rules_pack
    yield "rules pack", f"{pack.version}, until {pack.valid_until}" if pack else "none"
    queue = state.queue
    yield "queue", f"{queue.items} items, {queue.bytes / GIGA:.2f} GB, {queue.courier} by courier"
    if (current := state.delivering) is not None:
        share = current.done_bytes / max(1, current.total_bytes)
        yield "delivering", f"{current.kind} {current.id}, {share:.0%}"
    yield "uploads", state.uploads.state
    yield "database", state.database
    yield from _alarm_rows(state.alarms)


def _alarm_rows(alarms: tuple[Alarm, ...]) -> Iterator[Row]:
    for alarm in alarms:
        since = f" since {alarm.since}" if alarm.since else ""
        yield "alarm", f"{alarm.code} ({alarm.source or 'kiosk'}){since}"
