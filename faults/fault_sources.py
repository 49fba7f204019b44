"""Microphones, sound server, camera, encoder fail: reported, in the ledger, recovered."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from faults.hearing_rig import HearingRig
from faults.injected_fault import FaultCase, run_case
from faults.process_kill import find_processes
from faults.trial import CAMERA, Outcome
from kiosk.hardware.virtual.microphones import RATE
from kiosk.storage.atomic_io import make_folder
from tests.support.faulty_camera import CameraFaults, Fault
from tests.support.virtual_courtroom import MICROPHONES, VirtualCourtroom

TRIES, QUICK = 3, 1
MICROPHONE_S, CAMERA_S, QUIET_S, STILL_S = 1.0, 2.0, 12.0, 7.0
"""Maximum seconds until the alarm; that nobody can be heard needs ten, a still picture five."""
JUDGE = MICROPHONES[0]
EndFault = Callable[[], None]


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Run each case ``tries`` times, in one continuing hearing."""
    with tempfile.TemporaryDirectory(prefix="kf-") as name:
        faults = CameraFaults(make_folder(Path(name) / "camera"))
        cases = (*CASES, *inner_camera_cases(faults))
        with VirtualCourtroom(Path(name) / "r", environment=faults.environment) as room:
            return run_cases(HearingRig(room, random, strict), cases, tries)


def run_cases(rig: HearingRig, cases: Sequence[FaultCase], tries: int) -> list[Outcome]:
    """Run each case ``tries`` times, in one continuing hearing."""
    outcomes = {case.name: Outcome(case.name) for case in cases}
    rig.room.start_recorder()
    for _ in range(tries):
        for row in cases:
            rig.attempt(outcomes[row.name], partial(run_case, rig, row))
    return list(outcomes.values())


# -- microphones -----------------------------------------------------------------------------------
def stop_samples(room: VirtualCourtroom) -> EndFault:
    """Samples stop coming, without an error."""
    room.microphones.pause(JUDGE)
    return lambda: room.microphones.pause(JUDGE, False)


def unplug(room: VirtualCourtroom) -> EndFault:
    """The device is gone."""
    room.microphones.unplug(JUDGE)
    return lambda: room.microphones.plug(JUDGE)


def mute(room: VirtualCourtroom) -> EndFault:
    """Its switch is off."""
    room.microphones.mute(JUDGE)
    return lambda: room.microphones.mute(JUDGE, False)


def turn_down(room: VirtualCourtroom) -> EndFault:
    """Its gain is turned down."""
    room.microphones.set_gain(JUDGE, 55)
    return lambda: room.microphones.set_gain(JUDGE, 100)


def play_tone(amplitude: float, hertz: float, room: VirtualCourtroom) -> EndFault:
    """A tone comes in."""
    times = np.arange(RATE * 30) / RATE
    return play(room, np.clip(np.sin(2 * np.pi * hertz * times) * amplitude, -1.0, 1.0))


def repeat_block(room: VirtualCourtroom) -> EndFault:
    """Its device repeats a block of loud sound, and nothing of the room comes in."""
    block = np.random.default_rng(1).normal(0, 0.1, RATE // 30)
    room.microphones.mute_room(JUDGE)
    end_play = play(room, np.tile(block, 30 * 30))

    def end() -> None:
        end_play()
        room.microphones.mute_room(JUDGE, False)

    return end


def play(room: VirtualCourtroom, wave: np.ndarray) -> EndFault:
    """Play ``wave`` (full scale: 1.0) into the judge's microphone."""
    pacat = room.microphones.start_feed(JUDGE, latency_ms=100)
    samples = (wave * 32767).astype("<i2").tobytes()

    def feed() -> None:
        assert pacat.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            pacat.stdin.write(samples)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()

    def end() -> None:
        pacat.kill()
        pacat.wait()
        thread.join()
        with contextlib.suppress(OSError):
            pacat.stdin and pacat.stdin.close()

    return end


def freeze_server(room: VirtualCourtroom) -> EndFault:
    """The sound server is frozen."""
    room.microphones.freeze()
    return lambda: room.microphones.freeze(False)


def stop_server(room: VirtualCourtroom) -> EndFault:
    """The sound server is gone."""
    room.microphones.kill()
    return room.microphones.start


# -- camera ----------------------------------------------------------------------------------------
def camera_child_pid(room: VirtualCourtroom) -> int:
    """Return the newest camera child."""
    assert room.recorder is not None
    return find_processes(room.recorder.pid, "kiosk.hardware.sources.camera_child")[-1]


def repeat(act: Callable[[], None], every_s: float) -> EndFault:
    """Repeat ``act`` until the returned function is called."""
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


def freeze_camera(room: VirtualCourtroom) -> EndFault:
    """The camera's library hangs (and is killed for it, and started again)."""
    os.kill(camera_child_pid(room), signal.SIGSTOP)
    return lambda: None


def kill_camera(room: VirtualCourtroom) -> EndFault:
    """Whatever opens the camera ends at once."""
    return repeat(lambda: os.kill(camera_child_pid(room), signal.SIGKILL), 0.05)


def slow_encoder(room: VirtualCourtroom) -> EndFault:
    """The encoder gets an eighth of the time."""
    child = camera_child_pid(room)

    def starve() -> None:
        os.kill(child, signal.SIGSTOP)
        pause.wait(0.21)
        os.kill(child, signal.SIGCONT)

    pause = threading.Event()
    return repeat(starve, 0.03)


def inner_camera_cases(faults: CameraFaults) -> tuple[FaultCase, ...]:
    """Return the cases of a camera whose process lives."""

    def case(name: str, fault: Fault, max_notice_s: float, duration_s: float) -> FaultCase:
        def inject(_room: VirtualCourtroom) -> EndFault:
            faults.switch(fault)
            return lambda: faults.switch(fault, on=False)

        return FaultCase(
            name, {"camera_frozen"}, CAMERA, max_notice_s, inject, {CAMERA}, duration_s
        )

    return (
        case("encoder silent", "silent", CAMERA_S, 3.0),
        case("picture stands still", "still", STILL_S, 8.0),
    )


CASES = (
    FaultCase("microphone dead", {"microphone_dead"}, JUDGE, MICROPHONE_S, stop_samples, {JUDGE}),
    FaultCase(
        "microphone unplugged",
        {"microphone_absent", "microphone_dead"},
        JUDGE,
        MICROPHONE_S,
        unplug,
        {JUDGE},
    ),
    FaultCase("microphone muted", {"microphone_muted"}, JUDGE, MICROPHONE_S, mute, {JUDGE}),
    FaultCase("microphone stuck", {"microphone_stuck"}, JUDGE, MICROPHONE_S, repeat_block, {JUDGE}),
    FaultCase("microphone quiet", {"microphone_quiet"}, JUDGE, QUIET_S, turn_down),
    FaultCase(
        "microphone clipping",
        {"microphone_clipping"},
        JUDGE,
        MICROPHONE_S,
        partial(play_tone, 4.0, 440.0),
    ),
    FaultCase(
        "microphone humming",
        {"microphone_humming"},
        JUDGE,
        MICROPHONE_S,
        partial(play_tone, 0.05, 50.0),
    ),
    FaultCase(
        "sound server frozen",
        {"sound_server_down"},
        "sound",
        MICROPHONE_S,
        freeze_server,
        MICROPHONES,
    ),
    FaultCase(
        "sound server stopped",
        {"sound_server_down"},
        "sound",
        MICROPHONE_S,
        stop_server,
        MICROPHONES,
    ),
    FaultCase("camera frozen", {"camera_frozen"}, CAMERA, CAMERA_S, freeze_camera, {CAMERA}),
    FaultCase(
        "camera gone",
        {"camera_absent", "camera_frozen"},
        CAMERA,
        CAMERA_S,
        kill_camera,
        {CAMERA},
        3.0,
    ),
    FaultCase("encoder too slow", {"encoder_slow"}, CAMERA, CAMERA_S, slow_encoder, {CAMERA}, 4.0),
)
