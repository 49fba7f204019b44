"""``kill -9`` of the recorder and of its children, at random moments of a hearing that goes on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from faults.hearing_rig import SOURCES, HearingRig
from faults.process_kill import find_processes, kill, kill_tree
from faults.trial import Cost, NotSurvivedError, Outcome
from faults.verification import require_loss_within
from kiosk.storage.hearing_folder import part_folder_name
from tests.support.virtual_courtroom import VirtualCourtroom
from tests.support.waiting import wait_for

TRIES, QUICK = 50, 4
CAMERA_CHILD = "kiosk.hardware.sources.camera_child"
MICROPHONE_CHILD = "kiosk.hardware.sources.audio_child"
VICTIMS = (
    "the recorder",
    "the recorder and its children",
    "the camera's child",
    "a microphone's child",
    "two children at once",
)
MAX_END_LOSS_S = 0.5
"""Tolerance at the end of a part: the sources' fragments do not end at one instant."""


def run(
    tries: int, random: Random, strict: bool = True, victims: Sequence[str] = VICTIMS
) -> list[Outcome]:
    """Kill each of ``victims`` as often as the others, in a random order."""
    outcomes = {victim: Outcome(f"kill -9 of {victim}") for victim in victims}
    order = [victims[number % len(victims)] for number in range(tries)]
    random.shuffle(order)
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        VirtualCourtroom(Path(name) / "r") as room,
    ):
        room.start_recorder()
        rig = HearingRig(room, random, strict)
        for victim in order:
            rig.attempt(outcomes[victim], partial(trial, rig, victim))
    return [outcome for outcome in outcomes.values() if outcome.tries]


def trial(rig: HearingRig, victim: str) -> Cost:
    """Kill; check what recovers by itself and what is left on the disk."""
    time.sleep(rig.random.uniform(0.0, 1.5))
    if victim.startswith("the recorder"):
        return kill_recorder(rig, with_children="children" in victim)
    children = {
        "the camera's child": [CAMERA_CHILD],
        "a microphone's child": [MICROPHONE_CHILD],
        "two children at once": [CAMERA_CHILD, MICROPHONE_CHILD],
    }
    return kill_children(rig, children[victim])


def kill_recorder(rig: HearingRig, *, with_children: bool) -> Cost:
    """The hearing resumes by itself; at most a second is lost, in every source."""
    room, hearing, part = rig.room, rig.hearing, rig.part
    rig.killed_ns = time.monotonic_ns()
    if with_children:
        kill_tree(room.recorder)
    else:
        room.kill_recorder()
    rig.restarted_ns = time.monotonic_ns()
    room.launch_recorder()
    recovery_s = rig.check_resumed(hearing, part + 1)
    return Cost(rig.measure_loss(hearing, part, rig.killed_ns), recovery_s)


def kill_children(rig: HearingRig, modules: list[str]) -> Cost:
    """Camera or microphone delivers again by itself; the others lose nothing."""
    room, hearing, part = rig.room, rig.hearing, rig.part
    assert room.recorder is not None
    victims = [rig.random.choice(find_processes(room.recorder.pid, module)) for module in modules]
    killed = time.monotonic()
    for victim in victims:
        kill(victim)
    try:
        wait_for(
            lambda: len(failing_sources(room.state())) >= len(victims), "that it is noticed", 10
        )
        noticed_s = time.monotonic() - killed
        room.wait_ready(rig.timeout_s)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    recovery_s = time.monotonic() - killed
    room.wait_recorded(room.seconds_recorded() + 0.6)
    room.sign_in()
    room.call("POST", "/v1/hearing/recess", {"reason": "trial"})
    stopped_ns = time.monotonic_ns()
    media = rig.verify_part(hearing / part_folder_name(part))
    if rig.strict:
        for name, seconds in media.seconds_lost(stopped_ns, SOURCES).items():
            require_loss_within(seconds, MAX_END_LOSS_S, f"{name}, at the end")
    lost = {name: span.lost_s for name, span in media.spans.items() if span.lost_s}
    if rig.strict and len(lost) > len(victims):  # a busy machine starves others, as the ledger told
        raise NotSurvivedError(
            f"{len(victims)} killed, and {', '.join(sorted(lost))} lost something"
        )
    slack = MAX_END_LOSS_S if rig.strict else rig.timeout_s
    for name, seconds in lost.items():
        require_loss_within(seconds, recovery_s + slack, name)
    return Cost(lost, recovery_s, noticed_s)


def failing_sources(state: dict[str, Any]) -> list[str]:
    """Return the sources that do not deliver."""
    sources = [state.get("camera", {}), *state.get("microphones", [])]
    found = [str(source.get("name", "camera")) for source in sources if source]
    states = [str(source.get("state")) for source in sources if source]
    return [name for name, state in zip(found, states, strict=True) if state not in ("ok", "quiet")]
