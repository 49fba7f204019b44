"""``kill -9`` of the recorder and of its children, at random moments of a hearing that goes on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from faults.judge import require_at_most
from faults.media import PartMedia
from faults.sitting import SOURCES, Sitting
from faults.trial import Cost, NotSurvivedError, Outcome
from faults.wreck import kill, kill_tree, processes_running
from kiosk.storage.hearing_folder import part_name
from tests.courtroom import Courtroom
from tests.waiting import wait_for

TRIES, QUICK = 50, 4
CAMERA_CHILD = "kiosk.hardware.camera.child"
MICROPHONE_CHILD = "kiosk.hardware.audio.child"
VICTIMS = (
    "the recorder",
    "the recorder and its children",
    "the camera's child",
    "a microphone's child",
    "two children at once",
)
ENDS_S = 0.5
"""What differs at the end of a part, where fragments of sources do not end at one instant."""


def run(
    tries: int, random: Random, strict: bool = True, victims: Sequence[str] = VICTIMS
) -> list[Outcome]:
    """Kill each of ``victims`` as often as the others, in a random order."""
    outcomes = {victim: Outcome(f"kill -9 of {victim}") for victim in victims}
    order = [victims[number % len(victims)] for number in range(tries)]
    random.shuffle(order)
    with tempfile.TemporaryDirectory(prefix="kf-") as name, Courtroom(Path(name) / "r") as room:
        room.start_recorder()
        sitting = Sitting(room, random, strict)
        for victim in order:
            sitting.attempt(outcomes[victim], partial(trial, sitting, victim))
    return [outcome for outcome in outcomes.values() if outcome.tries]


def trial(sitting: Sitting, victim: str) -> Cost:
    """Kill; see what comes back by itself and what is left on the disk."""
    time.sleep(sitting.random.uniform(0.0, 1.5))
    if victim.startswith("the recorder"):
        return kill_recorder(sitting, whole="children" in victim)
    children = {
        "the camera's child": [CAMERA_CHILD],
        "a microphone's child": [MICROPHONE_CHILD],
        "two children at once": [CAMERA_CHILD, MICROPHONE_CHILD],
    }
    return kill_children(sitting, children[victim])


def kill_recorder(sitting: Sitting, *, whole: bool) -> Cost:
    """The hearing resumes by itself; at most a second is lost, in every source."""
    room, hearing, part = sitting.room, sitting.hearing, sitting.part
    sitting.ended_ns = time.monotonic_ns()
    if whole:
        kill_tree(room.recorder)
    else:
        room.kill_recorder()
    sitting.started_ns = time.monotonic_ns()
    room.launch_recorder()
    again = sitting.resumed(hearing, part + 1)
    return Cost(sitting.lost(hearing, part, sitting.ended_ns), again)


def kill_children(sitting: Sitting, modules: list[str]) -> Cost:
    """Camera or microphone delivers again by itself; the others lose nothing."""
    room, hearing, part = sitting.room, sitting.hearing, sitting.part
    assert room.recorder is not None
    victims = [
        sitting.random.choice(processes_running(room.recorder.pid, module)) for module in modules
    ]
    killed = time.monotonic()
    for victim in victims:
        kill(victim)
    try:
        wait_for(lambda: len(ill(room.state())) >= len(victims), "that it is noticed", 10)
        noticed = time.monotonic() - killed
        room.wait_ready(sitting.limit_s)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    again = time.monotonic() - killed
    room.wait_recorded(room.seconds_recorded() + 0.6)
    room.sign_in()
    room.ask("POST", "/v1/hearing/recess", {"reason": "trial"})
    stopped_ns = time.monotonic_ns()
    media = sitting.judge(hearing / part_name(part))
    if sitting.strict:
        for name, seconds in media.lost_until(stopped_ns, SOURCES).items():
            require_at_most(seconds, ENDS_S, f"{name}, at the end")
    slack = ENDS_S if sitting.strict else sitting.limit_s
    return Cost(holes(media, len(victims), again + slack), again, noticed)


def ill(state: dict[str, Any]) -> list[str]:
    """Return the sources that do not deliver."""
    sources = [state.get("camera", {}), *state.get("microphones", [])]
    found = [str(one.get("name", "camera")) for one in sources if one]
    states = [str(one.get("state")) for one in sources if one]
    return [name for name, one in zip(found, states, strict=True) if one not in ("ok", "quiet")]


def holes(media: PartMedia, victims: int, at_most: float) -> dict[str, float]:
    """Return the media lost in those sources whose child was killed.

    Raises:
        NotSurvivedError: another source lost something too, or more than ``at_most`` seconds.
    """
    lost = {
        name: sum(end - start for start, end in span.holes)
        for name, span in media.spans.items()
        if span.holes
    }
    if len(lost) > victims:
        raise NotSurvivedError(f"{victims} killed, and {', '.join(sorted(lost))} lost something")
    for name, seconds in lost.items():
        require_at_most(seconds, at_most, name)
    return lost
