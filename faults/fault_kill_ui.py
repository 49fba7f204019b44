"""``kill -9`` of the touch screen during a hearing: recording goes on, the screen comes back."""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from faults.part_media import read_part
from faults.process_kill import find_processes, kill
from faults.trial import CAMERA, Cost, NotSurvivedError, Outcome
from faults.verification import media_seconds, require_loss_within, verify_sealed
from kiosk.config import CameraSettings
from kiosk.demo.environment import DemoEnvironment, demo_environment
from kiosk.demo.screen_driver import ScreenDriver, get_json
from kiosk.errors import KioskError
from tests.support.waiting import wait_for

TRIES, QUICK = 5, 1
SCREEN_TIMEOUT_S = 30.0
MIN_RECORDED_S = 4.0
# Tolerance at both ends of a part: the sources' fragments do not end at one instant.
ALLOWED_LOSS_S = 0.5
DROPPED_SHARE = 0.05
"""The screen's start may cost single pictures on two cores; never several in a row."""


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Start hearings with a tap; kill the screen at random moments; end them with a tap."""
    outcome = Outcome("kill -9 of the screen")
    for _ in range(tries):
        with (
            tempfile.TemporaryDirectory(prefix="kf-") as name,
            demo_environment(Path(name)) as demo,
        ):
            outcome.attempt(partial(trial, demo, Path(name), random, strict))
    return [outcome]


def state(demo: DemoEnvironment) -> dict[str, Any]:
    """Return the recorder's state."""
    return get_json(demo.paths.recorder_socket, "/v1/state")


def recorded_seconds(demo: DemoEnvironment) -> float:
    """Return the seconds of the running hearing."""
    return float((state(demo).get("hearing") or {}).get("seconds", 0.0))


def trial(demo: DemoEnvironment, pictures: Path, random: Random, strict: bool) -> Cost:
    """Kill the screen; the recovery lasts until it shows the running hearing."""
    driver = ScreenDriver(demo.paths.ui_socket, demo.display, pictures, demo.processes)
    driver.wait_screen("visitor.home", seconds=60)
    demo.play_voices()
    demo.show_badge("secretary")
    driver.wait_screen("secretary.today")
    driver.tap("today.start")
    driver.wait_screen("secretary.recording")
    wait_for(lambda: recorded_seconds(demo) > 1, "a second of recording", 30)
    time.sleep(random.uniform(0.2, 2.0))
    hearing = str(state(demo)["hearing"]["id"])
    (screen,) = find_processes(os.getpid(), "kiosk.cli", "ui")
    killed = time.monotonic()
    kill(screen)
    before = recorded_seconds(demo)
    demo.processes.start_kiosk("ui", "ui")
    try:
        shown = driver.wait_screen(
            "secretary.lock", "secretary.recording", seconds=SCREEN_TIMEOUT_S
        )
    except KioskError as error:
        raise NotSurvivedError(f"the screen did not come back: {error}") from error
    recovery_s = time.monotonic() - killed
    if recorded_seconds(demo) - before < recovery_s * 0.8:
        raise NotSurvivedError("the recording stood still")
    if shown == "secretary.lock":  # it shows the running hearing; to change it, sign in
        demo.show_badge("secretary")
        driver.wait_screen("secretary.recording")
    end_hearing(demo, driver, hearing)
    report = verify_sealed(demo.paths.hearings / hearing, demo.central / "authority" / "ca.crt")
    (part,) = report["parts"]
    folder = demo.paths.hearings / hearing / "part-01"
    if torn := [name for name, span in read_part(folder).spans.items() if span.lost_s]:
        raise NotSurvivedError(f"media are missing: {', '.join(torn)}")
    there = media_seconds(part, CameraSettings().fps)
    lost = {name: max(0.0, part["seconds"] - seconds) for name, seconds in there.items()}
    for name, seconds in lost.items() if strict else ():
        dropped = part["seconds"] * DROPPED_SHARE if name == CAMERA else 0.0
        require_loss_within(seconds, ALLOWED_LOSS_S + dropped, name)
    return Cost(lost, recovery_s)


def end_hearing(demo: DemoEnvironment, driver: ScreenDriver, hearing: str) -> None:
    """End the hearing with two taps."""
    wait_for(lambda: recorded_seconds(demo) > MIN_RECORDED_S, "more recording", 30)
    driver.tap("rec.end")
    driver.wait_widget("rec.end.confirm")
    driver.tap("rec.end.confirm")
    wait_for((demo.paths.hearings / hearing / "SHA256SUMS.p7s").exists, "the seal", 60)
