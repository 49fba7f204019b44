"""The rehearsal: who takes part hears themselves, and nothing of it stays (R29, R35)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.api.rehearsal import BeginRehearsal, Rehearsal
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings, PathSettings, Settings
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.headset import RATE
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.sources.rehearsed_sound import RehearsedSound
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import EventStream, ServiceRefusedError
from kiosk.services import rehearsal
from kiosk.services.device_turn import DeviceTurn
from kiosk.services.rehearsal import RehearsalService
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.headset_listener import HeadsetListener, write_beep
from tests.support.waiting import wait_for

RATES = {"judge": RATE, "witness": 16_000}


def tone(rate: int, seconds: float, hertz: float, start_ns: int) -> AudioBlock:
    """Return a block of a tone."""
    samples = np.sin(np.arange(round(rate * seconds)) * 2 * np.pi * hertz / rate) * 8000
    return AudioBlock(0, 0, start_ns, samples.astype(np.int16))


def strength(samples: Any, hertz: float) -> float:
    """Return how much of a tone is in ``samples``: its amplitude."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    return float(2 * abs(np.mean(samples * turn)))


def make_settings(folder: Path, **tables: Any) -> Settings:
    """Return the settings of a room with two microphones of different rates, without a camera."""
    rows = [
        MicrophoneSettings.model_validate(
            {"name": name, "role": name, "device": f"mic_{name}", "rate": rate}
        )
        for name, rate in RATES.items()
    ]
    settings = Settings.model_validate({"camera": {"back_end": "none"}, **tables})
    paths = PathSettings(data=folder / "d", run=folder / "r")
    return settings.model_copy(update={"paths": paths, "microphones": tuple(rows)})


@pytest.fixture
def sources(tmp_path: Path) -> tuple[MicrophoneSource, ...]:
    """Two microphones whose blocks a test pushes."""
    return Sources(make_settings(tmp_path), tmp_path / "p").microphones


def test_the_sum_and_each_microphone_are_heard_as_they_were_given(
    sources: tuple[MicrophoneSource, ...],
) -> None:
    judge, witness = sources
    with RehearsedSound(sources, 2.0) as sound:
        begin_ns = recording_ns()
        for second in (-1, 0, 1, 2):  # the first and the last are no part of it
            hertz = 700 if second in (0, 1) else 3000
            at_ns = begin_ns + second * NS_PER_S
            judge.push(tone(RATE, 1.0, hertz, at_ns))
            witness.push(tone(16_000, 1.0, 1900, at_ns))
            assert not sound.is_complete() or second > 0
        assert sound.is_complete()
        sound.stop()
        assert sound.seconds == pytest.approx(2.0, abs=0.1)
        both = sound.mix(None)
        assert len(both) == 2 * RATE
        assert strength(both, 700) == pytest.approx(8000, rel=0.1)
        assert strength(both, 1900) == pytest.approx(8000, rel=0.1)
        assert strength(both, 3000) < 400
        alone = sound.mix("witness")
        assert strength(alone, 1900) == pytest.approx(8000, rel=0.1)
        assert strength(alone, 700) < 100
        levels = [row.level_db for row in sound.describe()]
        assert levels == [pytest.approx(-15.3, abs=0.3)] * 2


def test_who_was_heard_is_told_only_where_speech_is_known_from_noise(
    sources: tuple[MicrophoneSource, ...],
) -> None:
    judge, witness = sources
    with RehearsedSound(sources, 2.0) as sound:
        begin_ns = recording_ns()
        judge.push(tone(RATE, 1.0, 700, begin_ns))
        assert [row.heard for row in sound.describe()] == [None, None]  # loud, and a fan perhaps
        for microphone in sources:
            microphone.expect_detector()
        judge.hear_speech(begin_ns - NS_PER_S, None)
        assert [row.heard for row in sound.describe()] == [None, None]  # listened too shortly
        sound.stop()
        assert not sound.is_judged()
        judge.hear_speech(begin_ns + NS_PER_S, None)
        for microphone in sources:
            microphone.note_listened(begin_ns - NS_PER_S, recording_ns())
        assert sound.is_judged()
        rows = {row.name: row for row in sound.describe()}
    assert (rows["judge"].heard, rows["witness"].heard) == (True, False)
    assert rows["witness"].level_db is None
    assert witness.rehearse_to is None


def test_it_counts_as_no_recording_and_is_overwritten(tmp_path: Path) -> None:
    sources = Sources(make_settings(tmp_path), tmp_path / "p")
    judge = sources.microphones[0]
    with RehearsedSound(sources.microphones, 1.0) as sound:
        assert not sources.is_dispatching
        late = judge.rehearse_to
        judge.push(tone(RATE, 0.5, 700, recording_ns()))
        assert sound.mix(None).any()
    assert not sound.mix(None).any()
    assert late is not None
    late(tone(RATE, 0.5, 700, recording_ns()))  # the device's thread was on its way
    assert not sound.mix(None).any()
    assert sound.seconds == 0


def test_a_seat_that_is_switched_off_is_not_heard(
    sources: tuple[MicrophoneSource, ...],
) -> None:
    judge, _ = sources
    judge.switch(off=True)
    with RehearsedSound(sources, 1.0) as sound:
        judge.push(tone(RATE, 0.9, 700, recording_ns()))
        assert not sound.mix(None).any()
        assert sound.describe()[0].level_db == -100.0


class Rig:
    """The service over microphones that a thread feeds."""

    def __init__(self, folder: Path, **tables: Any) -> None:
        settings = make_settings(folder, **tables)
        self.sources = Sources(settings, folder / "p")
        self.turn = DeviceTurn(lambda: None)
        self.events = EventStream()
        self.service = RehearsalService(settings, self.sources, self.events, self.turn)
        self._stop = threading.Event()

    def _feed(self) -> None:
        while not self._stop.wait(0.05):
            for microphone in self.sources.microphones:
                now_ns = recording_ns() - NS_PER_S // 10
                microphone.push(tone(microphone.rate, 0.1, 700, now_ns))

    def rehearse(self, seconds: float = 2.0) -> Rehearsal:
        """Make a rehearsal."""
        thread = threading.Thread(target=self._feed)
        thread.start()
        try:
            return asyncio.run(self.service.rehearse(BeginRehearsal(seconds=seconds)))
        finally:
            self._stop.set()
            thread.join()


@pytest.fixture
def late_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no late block: nothing that listens runs in these tests."""
    monkeypatch.setattr(rehearsal, "JUDGED_LATE_S", 0.1)


ABSENT = {"headset": {"device": "not there"}}


@pytest.mark.slow
@pytest.mark.usefixtures("late_is_short")
@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({}, "headset_absent"),
        ({"voice": {"loudspeaker": "no_such_output"}}, "speaker_absent"),
        (ABSENT | {"voice": {"loudspeaker": "no_such_output"}}, "headset_absent"),
    ],
    ids=["no output", "loudspeaker absent", "both absent"],
)
def test_where_nothing_plays_it_is_said_and_who_was_heard_is_told_all_the_same(
    tmp_path: Path, tables: dict[str, Any], problem: str
) -> None:
    answer = Rig(tmp_path, **tables).rehearse()
    assert (answer.played, answer.problem) == (None, problem)
    assert [row.name for row in answer.microphones] == ["judge", "witness"]
    assert all(row.level_db is not None and row.level_db > -20 for row in answer.microphones)
    assert answer.seconds > 1


@pytest.mark.slow
@pytest.mark.usefixtures("late_is_short")
def test_without_the_headset_the_room_hears_it_from_the_loudspeaker(
    tmp_path: Path, microphones: VirtualMicrophones, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in microphones.environment.items():
        monkeypatch.setenv(name, value)
    with HeadsetListener(microphones) as listener:
        answer = Rig(tmp_path, **ABSENT, voice={"loudspeaker": "headset"}).rehearse()
        assert (answer.played, answer.problem) == ("loudspeaker", "headset_absent")
        wait_for(lambda: listener.hears(700), "the tone on the loudspeaker")


def test_without_a_microphone_nothing_is_rehearsed(tmp_path: Path) -> None:
    settings = make_settings(tmp_path).model_copy(update={"microphones": ()})
    sources = Sources(settings, tmp_path / "p")
    service = RehearsalService(settings, sources, EventStream(), DeviceTurn(lambda: None))
    answer = asyncio.run(service.rehearse(BeginRehearsal()))
    assert answer == Rehearsal(seconds=0.0, problem="not_fitted")


def test_broken_off_it_listens_no_longer(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    judge = rig.sources.microphones[0]

    async def steps() -> None:
        running = asyncio.create_task(rig.service.rehearse(BeginRehearsal(seconds=60)))
        while judge.rehearse_to is None:
            await asyncio.sleep(0.01)
        assert rig.service.is_running
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()

    asyncio.run(asyncio.wait_for(steps(), 30))
    assert judge.rehearse_to is None
    assert not rig.service.is_running


def test_broken_off_while_it_is_mixed_the_mixture_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    has_begun, may_end = threading.Event(), threading.Event()
    mixed: list[Any] = []

    def mix(_sound: RehearsedSound, _source: str | None) -> Any:
        has_begun.set()
        may_end.wait(20)
        mixed.append(np.ones(RATE, np.int16))
        return mixed[0]

    monkeypatch.setattr(RehearsedSound, "mix", mix)

    async def steps() -> None:
        running = asyncio.create_task(rig.service.rehearse(BeginRehearsal(seconds=2)))
        while not has_begun.is_set():
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait({running})
        may_end.set()
        while not mixed or mixed[0].any():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(steps(), 30))


def test_one_that_ends_late_takes_nothing_from_the_next(tmp_path: Path) -> None:
    """A driver may hang while it is broken off: somebody else rehearses then."""
    rig = Rig(tmp_path)
    judge = rig.sources.microphones[0]

    async def steps() -> None:
        first = asyncio.create_task(rig.service.rehearse(BeginRehearsal(seconds=60)))
        while judge.rehearse_to is None:
            await asyncio.sleep(0.01)
        of_first = judge.rehearse_to
        second = asyncio.create_task(rig.service.rehearse(BeginRehearsal(seconds=60)))
        while judge.rehearse_to is of_first:
            await asyncio.sleep(0.01)
        of_second = judge.rehearse_to
        first.cancel()
        await asyncio.wait({first})
        assert judge.rehearse_to is of_second
        assert rig.service.is_running, "of the second nothing is kept before a hearing"
        second.cancel()
        await asyncio.wait({second})
        assert judge.rehearse_to is None
        assert not rig.service.is_running

    asyncio.run(asyncio.wait_for(steps(), 30))


# -- a real recorder, virtual microphones and headset --------------------------------------------
WORDS = "The court is in session. Please be seated, and tell the court what you have seen."


def all_bytes(recorder: RecorderProcess) -> int:
    """Return the bytes of all files of the kiosk, those in memory (``run``), too."""
    roots = (recorder.paths.data, recorder.paths.run)
    names = [path for root in roots for path in root.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in names)


def in_background(act: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start ``act``; return its thread and where its result or error comes."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        except ServiceRefusedError as error:
            found.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


@pytest.mark.slow
def test_who_speaks_is_heard_in_the_headset_until_a_hearing_begins(
    make_recorder: MakeRecorder,
    microphones: VirtualMicrophones,
    tmp_path: Path,
) -> None:
    recorder = make_recorder(extra_settings='[headset]\ndevice = "headset"\n', camera="none")
    recorder.start()
    recorder.wait_until_ready()
    for wrong in ({"seconds": 0}, {"seconds": 61}, {"seconds": "x"}, {"source": "nobody"}):
        with pytest.raises(ServiceRefusedError) as error:
            recorder.post("/v1/rehearsal", wrong)
        assert error.value.code == "bad_request"
    with pytest.raises(ServiceRefusedError, match="not signed in"):
        recorder.call("POST", "/v1/rehearsal", {})
    before = all_bytes(recorder)

    with HeadsetListener(microphones) as listener:
        thread, found = in_background(lambda: recorder.post("/v1/rehearsal", {"seconds": 5}))
        feeds = [
            microphones.play("judge", write_beep(tmp_path / "beep.wav", 900)),
            microphones.speak("witness", WORDS),
        ]
        thread.join()
        for feed in feeds:
            feed.wait()
        answer = found[0]
        assert (answer["played"], answer["problem"]) == ("headset", None)
        assert 4.5 <= answer["seconds"] <= 5
        wait_for(lambda: listener.hears(900), "the beep in the headset")
    rows = {row["name"]: row for row in answer["microphones"]}
    assert (rows["witness"]["heard"], rows["judge"]["heard"]) == (True, False), "a beep is no voice"
    assert rows["witness"]["level_db"] > -40
    assert not recorder.paths.hearings.exists() or not list(recorder.paths.hearings.iterdir())
    assert all_bytes(recorder) - before < 50_000, "5 s of two microphones are 0.9 MB"

    with HeadsetListener(microphones) as listener:
        thread, found = in_background(lambda: recorder.post("/v1/rehearsal", {"seconds": 60}))
        assert microphones.play("judge", tmp_path / "beep.wav").wait() == 0
        recorder.post("/v1/hearings", hearing())
        thread.join()
        assert found == ["already_recording"]
        with pytest.raises(ServiceRefusedError) as error:
            recorder.post("/v1/rehearsal", {})
        assert error.value.code == "already_recording"
        assert not listener.hears(900)
    state = recorder.state()
    assert state["phase"] == "recording"
    assert not {"absent", "muted"} & {row["kind"] for row in state["hearing"]["interruptions"]}
