"""Unclear words are told once in the secretary's headset, and by the lamp; never in the room."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.speech_mixtures import MEASURING, at_level, noise, spoken
from kiosk.api.recorder import RecorderState
from kiosk.hardware.audibility.voice_model import RATE
from kiosk.hardware.audio.block import Samples
from kiosk.hardware.headset import HeadsetAbsentError
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.services import headset_signals
from kiosk.services.headset_signals import UNCLEAR_HERTZ, HeadsetSignal, HeadsetSignals
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import hearing, seconds_at_least
from tests.support.headset_listener import HeadsetListener
from tests.support.waiting import wait_for


def shown(*unclear: tuple[str, str], **changes: Any) -> RecorderState:
    alarms = [{"code": code, "source": name, "since": ""} for code, name in unclear]
    return RecorderState.model_validate({"phase": "recording", "alarms": alarms} | changes)


NOISE, FAR = ("unclear_noise", "witness"), ("unclear_far", "witness")
OTHER = ("unclear_clipped", "judge")
PLAYBACK = {"source": None, "seconds": 1.0, "of_seconds": 30.0}


async def play_all(signals: HeadsetSignals, played: list[int], count: int) -> None:
    task = asyncio.create_task(signals.run())
    async with asyncio.timeout(10):
        while len(played) < count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def signals_of(
    monkeypatch: pytest.MonkeyPatch, states: list[RecorderState], device: str = "headset"
) -> list[int]:
    """Return the length of each sound that these States play, the first of which fails."""
    played: list[int] = []

    async def play(_device: str, samples: Samples) -> None:
        played.append(len(samples))
        if len(played) == 1:
            raise HeadsetAbsentError("pulled out for a moment")

    monkeypatch.setattr(headset_signals, "play_in_headset", play)

    async def follow() -> None:
        signals = HeadsetSignals(device)
        task = asyncio.create_task(signals.run())
        for state in states:
            signals.follow(state)
            await asyncio.sleep(0)  # to the player, which ends each sound at once
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(follow())
    return played


@pytest.mark.parametrize(
    ("states", "count"),
    [
        ([shown(NOISE)], 1),
        ([shown(NOISE), shown(NOISE), shown(FAR)], 1),
        ([shown(NOISE), shown(NOISE, OTHER)], 2),
        ([shown(NOISE), shown(), shown(NOISE)], 2),
        ([shown(NOISE, phase="recess")], 0),
        ([shown(NOISE, listening=PLAYBACK), shown(NOISE)], 0),
        ([shown(("microphone_dead", "witness"))], 0),
    ],
)
def test_words_that_become_unclear_are_told_once(
    monkeypatch: pytest.MonkeyPatch, states: list[RecorderState], count: int
) -> None:
    """A headset that fails at one signal plays the next; another cause is no other trouble."""
    assert len(signals_of(monkeypatch, states)) == count


def test_without_a_headset_nothing_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signals_of(monkeypatch, [shown(NOISE)], device="") == []


def test_a_call_sounds_otherwise_and_what_waits_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[int] = []

    async def play(_device: str, samples: Samples) -> None:
        played.append(len(samples))

    async def ask() -> None:
        signals = HeadsetSignals("headset")
        for signal in (HeadsetSignal.CALL, HeadsetSignal.UNCLEAR, HeadsetSignal.CALL):
            signals.ask(signal)
        await play_all(signals, played, 2)

    monkeypatch.setattr(headset_signals, "play_in_headset", play)
    asyncio.run(ask())
    assert played == [
        len(HeadsetSignal.CALL.samples()),
        len(HeadsetSignal.UNCLEAR.samples()),
    ]
    assert played[0] > played[1] > 0


def write_voice_in_noise(path: Path) -> Path:
    """Write a voice as loud as the fan beside it, after three seconds of the fan."""
    said = np.concatenate([spoken(text, "ru+m2", 140, 50) for text in MEASURING.texts["ru"][:4]])
    voice = np.concatenate((np.zeros(3 * RATE, np.float32), at_level(said, -26)))
    fan = at_level(noise(np.random.default_rng(4), "fan", len(voice)), -26)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.round((voice + fan) * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.slow
def test_a_witness_who_is_hard_to_make_out_is_told_by_screen_lamp_and_headset(
    make_recorder: MakeRecorder, microphones: VirtualMicrophones, tmp_path: Path
) -> None:
    recorder = make_recorder(extra_settings='[headset]\ndevice = "headset"\n', camera="none")
    recorder.start()
    recorder.wait_until_ready()
    recorder.post("/v1/hearings", hearing())
    recorder.wait_for_state(seconds_at_least(2), "2 s")
    recorder.wait_for_state(lambda state: state["lamp"] == "steady", "a steady lamp")
    with HeadsetListener(microphones) as headset:
        playing = microphones.play("witness", write_voice_in_noise(tmp_path / "witness.wav"))
        recorder.wait_for_state(
            lambda state: any(
                row["code"].startswith("unclear_") and row["source"] == "witness"
                for row in state["alarms"]
            ),
            "the alarm",
        )
        recorder.wait_for_state(lambda state: state["lamp"] == "slow", "a lamp that blinks")
        wait_for(lambda: all(map(headset.hears, UNCLEAR_HERTZ)), "both tones in the headset")
        playing.terminate()
        playing.wait()
    recorder.wait_for_state(lambda state: state["lamp"] == "steady", "a steady lamp again", 40)
