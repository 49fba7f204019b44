"""``kill -9`` of the touch screen during a hearing: recording goes on, the screen comes back."""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from faults.judge import media_seconds, require_at_most, verified
from faults.media import read_part
from faults.trial import CAMERA, Cost, NotSurvivedError, Outcome
from faults.wreck import kill, processes_running
from kiosk.config import Camera
from kiosk.demo.hand import Hand, ask
from kiosk.demo.stage import Stage, set_stage
from kiosk.errors import KioskError
from tests.waiting import wait_for

TRIES, QUICK = 5, 1
BACK_WITHIN_S = 30.0
RECORDED_S = 4.0
# What differs at both ends of a part, where fragments of sources do not end at one instant.
ALLOWED_LOSS_S = 0.5
DROPPED_SHARE = 0.05
"""The screen's start may cost single pictures on two cores; never several in a row."""


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Start hearings with a tap; kill the screen at random moments; end them with a tap."""
    outcome = Outcome("kill -9 of the screen")
    for _ in range(tries):
        with tempfile.TemporaryDirectory(prefix="kf-") as name, set_stage(Path(name)) as stage:
            outcome.attempt(partial(trial, stage, Path(name), random, strict))
    return [outcome]


def state(stage: Stage) -> dict[str, Any]:
    """Return the recorder's state."""
    return ask(stage.layout.recorder_socket, "/v1/state")


def recorded(stage: Stage) -> float:
    """Return the seconds of the running hearing."""
    return float((state(stage).get("hearing") or {}).get("seconds", 0.0))


def trial(stage: Stage, pictures: Path, random: Random, strict: bool) -> Cost:
    """Again: from the kill until the screen shows the running hearing."""
    hand = Hand(stage.layout.ui_socket, stage.display, pictures, stage.company)
    hand.wait_screen("visitor.home", seconds=60)
    stage.let_them_speak()
    stage.show_badge("secretary")
    hand.wait_screen("secretary.today")
    hand.tap("today.start")
    hand.wait_screen("secretary.recording")
    wait_for(lambda: recorded(stage) > 1, "a second of recording", 30)
    time.sleep(random.uniform(0.2, 2.0))
    hearing = str(state(stage)["hearing"]["id"])
    (screen,) = processes_running(os.getpid(), "kiosk.cli", "ui")
    killed = time.monotonic()
    kill(screen)
    before = recorded(stage)
    stage.company.start_kiosk("ui", "ui")
    try:
        shown = hand.wait_screen("secretary.locked", "secretary.recording", seconds=BACK_WITHIN_S)
    except KioskError as error:
        raise NotSurvivedError(f"the screen did not come back: {error}") from error
    back = time.monotonic() - killed
    if recorded(stage) - before < back * 0.8:
        raise NotSurvivedError("the recording stood still")
    if shown == "secretary.locked":  # it shows the running hearing; to change it, sign in
        stage.show_badge("secretary")
        hand.wait_screen("secretary.recording")
    end(stage, hand, hearing)
    report = verified(stage.layout.hearings / hearing, stage.central / "authority" / "ca.crt")
    (part,) = report["parts"]
    if part["interruptions"]:
        raise NotSurvivedError("a source was interrupted")
    folder = stage.layout.hearings / hearing / "part-01"
    if torn := [name for name, span in read_part(folder).spans.items() if span.holes]:
        raise NotSurvivedError(f"media are missing: {', '.join(torn)}")
    there = media_seconds(part, Camera().fps)
    lost = {name: max(0.0, part["seconds"] - seconds) for name, seconds in there.items()}
    for name, seconds in lost.items() if strict else ():
        dropped = part["seconds"] * DROPPED_SHARE if name == CAMERA else 0.0
        require_at_most(seconds, ALLOWED_LOSS_S + dropped, name)
    return Cost(lost, back)


def end(stage: Stage, hand: Hand, hearing: str) -> None:
    """End the hearing with two taps."""
    wait_for(lambda: recorded(stage) > RECORDED_S, "more recording", 30)
    hand.tap("rec.end")
    hand.wait_widget("rec.end.confirm")
    hand.tap("rec.end.confirm")
    wait_for((stage.layout.hearings / hearing / "SHA256SUMS.p7s").exists, "the seal", 60)
