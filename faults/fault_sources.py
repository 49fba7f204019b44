"""Microphones, sound server, camera, encoder fail in a recording: told, in the ledger, healed."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from faults.rows import Row, trial
from faults.sitting import Sitting
from faults.trial import CAMERA, Outcome
from faults.wreck import processes_running
from kiosk.hardware.virtual.microphones import RATE
from tests.courtroom import MICROPHONES, Courtroom

TRIES, QUICK = 3, 1
MICROPHONE_S, CAMERA_S, QUIET_S = 1.0, 2.0, 12.0
"""Within so many seconds it is told; that nobody can be heard shows only after ten."""
JUDGE = MICROPHONES[0]
Mend = Callable[[], None]


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Do each row ``tries`` times, in one hearing that goes on."""
    outcomes = {row.name: Outcome(row.name) for row in ROWS}
    with tempfile.TemporaryDirectory(prefix="kf-") as name, Courtroom(Path(name) / "r") as room:
        room.start_recorder()
        sitting = Sitting(room, random, strict)
        for _ in range(tries):
            for row in ROWS:
                sitting.attempt(outcomes[row.name], partial(trial, sitting, row))
    return list(outcomes.values())


# -- microphones -----------------------------------------------------------------------------------
def dead(room: Courtroom) -> Mend:
    """Samples stop coming, without an error."""
    room.microphones.pause(JUDGE)
    return lambda: room.microphones.pause(JUDGE, False)


def unplugged(room: Courtroom) -> Mend:
    """The device is gone."""
    room.microphones.unplug(JUDGE)
    return lambda: room.microphones.plug(JUDGE)


def muted(room: Courtroom) -> Mend:
    """Its switch is off."""
    room.microphones.mute(JUDGE)
    return lambda: room.microphones.mute(JUDGE, False)


def quiet(room: Courtroom) -> Mend:
    """Its gain is turned down."""
    room.microphones.gain(JUDGE, 55)
    return lambda: room.microphones.gain(JUDGE, 100)


def sounding(amplitude: float, hertz: float, room: Courtroom) -> Mend:
    """A tone comes in."""
    times = np.arange(RATE * 30) / RATE
    wave = np.clip(np.sin(2 * np.pi * hertz * times) * amplitude, -1.0, 1.0)
    pacat = room.microphones.feed(JUDGE, latency_ms=100)
    samples = (wave * 32767).astype("<i2").tobytes()

    def play() -> None:
        assert pacat.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            pacat.stdin.write(samples)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()

    def end() -> None:
        pacat.kill()
        pacat.wait()
        thread.join()
        with contextlib.suppress(OSError):
            pacat.stdin and pacat.stdin.close()

    return end


def frozen_server(room: Courtroom) -> Mend:
    """The sound server stands still."""
    room.microphones.freeze()
    return lambda: room.microphones.freeze(False)


def stopped_server(room: Courtroom) -> Mend:
    """The sound server is gone."""
    room.microphones.kill()
    return room.microphones.start


# -- camera ----------------------------------------------------------------------------------------
def camera_child(room: Courtroom) -> int:
    """Return the newest camera child."""
    assert room.recorder is not None
    return processes_running(room.recorder.pid, "kiosk.hardware.camera.child")[-1]


def repeated(act: Callable[[], None], every_s: float) -> Mend:
    """Do ``act`` again and again, until it is mended."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(every_s):
            with contextlib.suppress(ProcessLookupError, IndexError):
                act()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def camera_frozen(room: Courtroom) -> Mend:
    """The camera's library hangs (and is killed for it, and started again)."""
    os.kill(camera_child(room), signal.SIGSTOP)
    return lambda: None


def camera_gone(room: Courtroom) -> Mend:
    """Whatever opens the camera ends at once."""
    return repeated(lambda: os.kill(camera_child(room), signal.SIGKILL), 0.05)


def encoder_slow(room: Courtroom) -> Mend:
    """The encoder gets an eighth of the time."""
    child = camera_child(room)

    def starve() -> None:
        os.kill(child, signal.SIGSTOP)
        pause.wait(0.21)
        os.kill(child, signal.SIGCONT)

    pause = threading.Event()
    return repeated(starve, 0.03)


ROWS = (
    Row("microphone dead", {"microphone_dead"}, JUDGE, MICROPHONE_S, dead, {JUDGE}),
    Row(
        "microphone unplugged",
        {"microphone_absent", "microphone_dead"},
        JUDGE,
        MICROPHONE_S,
        unplugged,
        {JUDGE},
    ),
    Row("microphone muted", {"microphone_muted"}, JUDGE, MICROPHONE_S, muted, {JUDGE}),
    Row("microphone quiet", {"microphone_quiet"}, JUDGE, QUIET_S, quiet),
    Row(
        "microphone clipping",
        {"microphone_clipping"},
        JUDGE,
        MICROPHONE_S,
        partial(sounding, 4.0, 440.0),
    ),
    Row(
        "microphone humming",
        {"microphone_humming"},
        JUDGE,
        MICROPHONE_S,
        partial(sounding, 0.05, 50.0),
    ),
    Row(
        "sound server frozen",
        {"sound_server_down"},
        "sound",
        MICROPHONE_S,
        frozen_server,
        MICROPHONES,
    ),
    Row(
        "sound server stopped",
        {"sound_server_down"},
        "sound",
        MICROPHONE_S,
        stopped_server,
        MICROPHONES,
    ),
    Row("camera frozen", {"camera_frozen"}, CAMERA, CAMERA_S, camera_frozen, {CAMERA}),
    Row(
        "camera gone",
        {"camera_absent", "camera_frozen"},
        CAMERA,
        CAMERA_S,
        camera_gone,
        {CAMERA},
        3.0,
    ),
    Row("encoder too slow", {"encoder_slow"}, CAMERA, CAMERA_S, encoder_slow, {CAMERA}, 4.0),
)
