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
from faults.trial import NotSurvivedError, Outcome
from faults.wreck import kill, processes_running
from kiosk.config import Camera
from kiosk.demo.hand import Hand, ask
from kiosk.demo.stage import Stage, set_stage
from kiosk.errors import KioskError
from tests.waiting import wait_for

BACK_WITHIN_S = 30.0
RECORDED_S = 4.0
# What differs at both ends of a part, where fragments of sources do not end at one instant.
ALLOWED_LOSS_S = 0.5
DROPPED_SHARE = 0.2


def run(tries: int, random: Random) -> Outcome:
    """Start hearings with a tap; kill the screen at random moments; end them with a tap."""
    outcome = Outcome("kill -9 of the UI during a recording", "s until back on the hearing")
    for _ in range(tries):
        with tempfile.TemporaryDirectory(prefix="kf-") as name, set_stage(Path(name)) as stage:
            outcome.attempt(partial(trial, stage, Path(name), random))
    return outcome


def state(stage: Stage) -> dict[str, Any]:
    """Return the recorder's state."""
    return ask(stage.layout.recorder_socket, "/v1/state")


def recorded(stage: Stage) -> float:
    """Return the seconds of the running hearing."""
    return float((state(stage).get("hearing") or {}).get("seconds", 0.0))


def trial(stage: Stage, pictures: Path, random: Random) -> float:
    """Return the seconds from the kill until the screen shows the running hearing again."""
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
    there = media_seconds(part, Camera().fps)
    seen = there.pop("camera")
    require_at_most(part["seconds"] - min(there.values()), ALLOWED_LOSS_S, "a microphone")
    # The screen's start may cost single pictures on two busy cores; an interruption it may not.
    require_at_most(part["seconds"] - seen, part["seconds"] * DROPPED_SHARE, "the camera")
    if part["interruptions"]:
        raise NotSurvivedError("a source was interrupted")
    return back


def end(stage: Stage, hand: Hand, hearing: str) -> None:
    """End the hearing with two taps."""
    wait_for(lambda: recorded(stage) > RECORDED_S, "more recording", 30)
    hand.tap("rec.end")
    hand.wait_widget("rec.end.confirm")
    hand.tap("rec.end.confirm")
    wait_for((stage.layout.hearings / hearing / "SHA256SUMS.p7s").exists, "the seal", 60)
