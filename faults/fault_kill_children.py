"""``kill -9`` of a device's child process during a hearing: it comes back, the rest goes on."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from faults.judge import media_seconds, require_at_most, verified
from faults.trial import NotSurvivedError, Outcome
from faults.wreck import kill, processes_running
from kiosk.config import Camera
from tests.courtroom import Courtroom
from tests.waiting import wait_for

CHILDREN = ("kiosk.hardware.camera_child", "kiosk.hardware.microphone_child")
BACK_WITHIN_S = 10.0
# What differs at both ends of a part, where fragments of sources do not end at one instant.
ALLOWED_LOSS_S = 0.5


def run(tries: int, random: Random) -> Outcome:
    """Record, kill the camera's child and then a microphone's, end, verify."""
    outcome = Outcome("kill -9 of a device's child", "s until it delivers again")
    with tempfile.TemporaryDirectory(prefix="kf-") as name, Courtroom(Path(name) / "r") as room:
        room.start_recorder()
        for number in range(tries):
            child = CHILDREN[number % len(CHILDREN)]
            outcome.attempt(partial(trial, room, child, random))
    return outcome


def sources(room: Courtroom) -> list[str]:
    """Return the states of camera and microphones."""
    state = room.state()
    found: list[dict[str, Any]] = [state.get("camera", {}), *state.get("microphones", [])]
    return [str(one.get("state")) for one in found]


def trial(room: Courtroom, child: str, random: Random) -> float:
    """Return the seconds until the source is back."""
    assert room.recorder is not None
    room.wait_ready()
    room.sign_in()
    room.start_hearing()
    room.wait_recorded(1.5)
    time.sleep(random.uniform(0.0, 1.5))
    victim = random.choice(processes_running(room.recorder.pid, child))
    killed = time.monotonic()
    kill(victim)
    try:
        wait_for(lambda: victim not in processes_running(room.recorder.pid), "its end")  # type: ignore[union-attr]
        wait_for(lambda: not {"ok", "quiet"}.issuperset(sources(room)), "that it is noticed", 5)
        room.wait_ready(BACK_WITHIN_S)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    back = time.monotonic() - killed
    room.wait_recorded(room.seconds_recorded() + 1.0)
    (part,) = verified(room.end_hearing(), room.authority())["parts"]
    there = sorted(media_seconds(part, Camera().fps).values())
    # Every source but the one killed is whole; that one lacks no more than the time it was away.
    require_at_most(part["seconds"] - there[1], ALLOWED_LOSS_S, "a source that was left alone")
    require_at_most(part["seconds"] - there[0], back + ALLOWED_LOSS_S, "the source that was killed")
    if part["interruptions"] < 1:
        raise NotSurvivedError("the interruption is not in the journal")
    return back
