"""Warm sources on virtual devices, through PortAudio, PulseAudio and libx264, with real faults."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kiosk.api.recorder import Refusal
from kiosk.api.states import RefusalReason
from kiosk.clocks import NS_PER_S
from kiosk.config import CameraSettings, MicrophoneSettings, Settings
from kiosk.hardware.audio.block import AudioBlock, Samples
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.hardware.camera.preview import PreviewFrame, PreviewReader
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.support.waiting import wait_for

NAMES = ("judge", "witness")
PATIENCE = 30.0


@dataclass
class SourcesRig:
    folder: Path
    sound: VirtualMicrophones
    sources: Sources

    def states(self) -> set[str]:
        return {microphone.state for microphone in self.sources.microphones}

    def wait_all(self, *states: str) -> None:
        wait_for(lambda: self.states() <= set(states), f"microphones {states}", PATIENCE)


@pytest.fixture(scope="module")
def rig() -> Iterator[SourcesRig]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name) / "mics", NAMES) as sound,
        pytest.MonkeyPatch.context() as patch,
    ):
        for key, value in sound.environment.items():
            patch.setenv(key, value)
        settings = Settings(
            camera=CameraSettings(back_end="virtual", width=320, height=180),
            microphones=tuple(MicrophoneSettings(**entry) for entry in sound.settings(NAMES, {})),
        )
        with Sources(settings, Path(name) / "preview") as sources:
            assert sources.wait_ready(PATIENCE)
            yield SourcesRig(Path(name), sound, sources)


@pytest.mark.slow
def test_state_levels_and_devices(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    camera, microphones = rig.sources.describe_camera(), rig.sources.describe_microphones()
    assert camera.state == "ok"
    assert camera.back_end == "virtual (libx264)"
    assert [microphone.name for microphone in microphones] == list(NAMES)
    assert microphones[0].since is not None
    wait_for(lambda: rig.sources.levels()["judge"].rms_db > -70, "levels", PATIENCE)
    levels = rig.sources.levels()
    assert -65 < levels["witness"].rms_db < -50
    devices = {device.name: device for device in rig.sources.devices()}
    assert devices["judge"].library == "PyAudio"
    assert devices["judge"].back_end.startswith("PortAudio")
    assert devices["camera"].library == "PyAV"
    assert all(device.virtual for device in devices.values())
    given = [os.sched_getscheduler(device.pid or 0) for device in rig.sources.audio_devices]
    assert devices["judge"].real_time is (given[0] == os.SCHED_RR)  # a refusal is not silent
    assert devices["camera"].real_time is None
    opened = devices["judge"].opened
    assert opened is not None
    assert (opened.name, opened.rate, opened.channels) == ("mic_judge", 48000, 1)
    assert str(devices["camera"].opened) == "virtual"


def page_faults(pid: int) -> int:
    """Return how often the threads of a process were given a page of memory."""
    rows = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(row.rpartition(")")[2].split()[7]) for row in rows)


@pytest.mark.slow
def test_a_block_of_sound_takes_no_new_memory_in_its_process(rig: SourcesRig) -> None:
    """Python would set up a state for PortAudio's thread, and a page, at each of 25 a second."""
    rig.wait_all("ok")
    pid, meter = rig.sources.audio_devices[0].pid, rig.sources.microphones[0].meter
    assert pid is not None

    def last_ns() -> int:
        return meter.energy_history()[-1][1]

    begun_ns, faults = last_ns(), page_faults(pid)
    wait_for(lambda: last_ns() - begun_ns > 6 * NS_PER_S, "150 blocks", PATIENCE)
    assert page_faults(pid) - faults < 100  # some 40 in its first seconds


@pytest.mark.slow
def test_a_voice_is_heard_in_one_microphone_only(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    speech = rig.sound.speak("witness", "I was there that evening and saw everything")
    judge, witness = (microphone.meter for microphone in rig.sources.microphones)
    wait_for(lambda: witness.rms_db > -35, "the witness's voice", PATIENCE)
    assert judge.rms_db < -50
    speech.wait()
    assert rig.sources.describe_microphones()[1].heard is not None
    assert rig.sources.describe_microphones()[0].heard is None


def test_the_live_picture_moves(rig: SourcesRig) -> None:
    reader = PreviewReader(rig.folder / "preview")
    first = wait_for(reader.read, "a picture", PATIENCE)

    def later() -> PreviewFrame | None:
        frame = reader.read()
        return frame if frame is not None and frame.number > first.number else None

    second = wait_for(later, "the next picture", PATIENCE)
    assert (second.width, second.height) == (640, 360)
    assert second.captured_ns > first.captured_ns
    assert len(set(second.rgb)) > 20


def test_a_killed_microphone_process_comes_back(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    device, other = rig.sources.audio_devices
    assert device.pid is not None
    before = other.pid
    os.kill(device.pid, signal.SIGKILL)
    judge = rig.sources.microphones[0]
    wait_for(lambda: judge.state == "dead", "the loss")
    rig.wait_all("ok")
    assert other.pid == before, "it needed no return"


def test_a_mute_switch_is_noticed(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    judge, witness = rig.sources.microphones
    rig.sound.mute("judge")
    wait_for(lambda: judge.state == "muted", "muted")
    wait_for(lambda: witness.state == "ok", "the other one")
    rig.sound.mute("judge", False)
    wait_for(lambda: judge.state == "ok", "sound", PATIENCE)


class LastBlocks:
    """Keeps the last block of each microphone."""

    def __init__(self) -> None:
        self.samples: dict[str, Samples] = {}

    def video(self, packet: VideoPacket) -> None:
        """Do nothing."""

    def audio(self, name: str, block: AudioBlock) -> None:
        """Keep it."""
        self.samples[name] = block.samples


@contextmanager
def open_sources(sound: VirtualMicrophones, *rows: MicrophoneSettings) -> Iterator[Sources]:
    """Open microphones of ``sound`` as a recorder does."""
    settings = Settings(camera=CameraSettings(back_end="none"), microphones=rows)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in sound.environment.items():
            patch.setenv(key, value)
        with Sources(settings, sound.folder / "preview") as sources:
            yield sources


@contextmanager
def playing(sound: VirtualMicrophones, name: str, make: Callable[[], Samples]) -> Iterator[None]:
    """Play what ``make`` returns into a microphone, again and again."""
    feed = sound.start_feed(name, latency_ms=100)

    def play() -> None:
        assert feed.stdin is not None
        with suppress(OSError, ValueError):
            while True:
                feed.stdin.write(make().astype("<i2").tobytes())

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield
    finally:
        feed.kill()
        feed.wait()
        thread.join(PATIENCE)
        with suppress(OSError):
            feed.stdin and feed.stdin.close()


@pytest.mark.slow
def test_a_constant_and_a_repeated_block_are_not_taken_for_sound() -> None:
    """The sound server changes no bit of them."""
    noise = np.random.default_rng(1)
    block = noise.normal(0, 3000, 1600).astype(np.int16)
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name), ("judge",), noise=False) as sound,
        open_sources(sound, MicrophoneSettings(**sound.settings(("judge",), {})[0])) as sources,
    ):
        (judge,) = sources.microphones
        last = LastBlocks()
        judge.attach(last, 0)
        with playing(sound, "judge", lambda: np.full(1600, 185, np.int16)):
            wait_for(lambda: set(last.samples.get("judge", ())) == {185}, "the constant", PATIENCE)
            wait_for(lambda: judge.state == "muted", "muted", PATIENCE)
            assert judge.describe().heard is None
        with playing(sound, "judge", lambda: block):
            wait_for(lambda: sources.levels()["judge"].rms_db > -25, "the block", PATIENCE)
            wait_for(lambda: judge.state == "stuck", "stuck", PATIENCE)
        with playing(sound, "judge", lambda: noise.normal(0, 300, 1600).astype(np.int16)):
            wait_for(lambda: judge.state == "ok", "sound", PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_or_hanging_camera_process_is_replaced(rig: SourcesRig, number: int) -> None:
    camera = rig.sources.camera
    assert camera is not None
    wait_for(lambda: camera.state == "ok", "the camera", PATIENCE)
    before = camera.pid
    assert before is not None
    os.kill(before, number)
    wait_for(lambda: camera.state == "frozen", "the loss")
    wait_for(lambda: camera.state == "ok" and camera.pid != before, "the return", PATIENCE)


@pytest.mark.slow
def test_a_frozen_sound_server_is_noticed_and_healed(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    rig.sound.freeze()
    try:
        rig.wait_all("dead", "absent")
    finally:
        rig.sound.freeze(False)
    rig.wait_all("ok")


@pytest.mark.slow
def test_a_killed_sound_server_is_noticed_and_healed(rig: SourcesRig) -> None:
    rig.wait_all("ok")
    rig.sound.kill()
    rig.wait_all("dead", "absent")
    rig.sound.start()
    rig.wait_all("ok")


@pytest.mark.slow
def test_an_absent_microphone_and_no_camera_leave_the_rest_alone(
    rig: SourcesRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.wait_all("ok")
    settings = Settings(
        camera=CameraSettings(back_end="picamera2", width=320, height=180),
        microphones=(
            MicrophoneSettings(name="here", role="judge", device="mic_judge"),
            MicrophoneSettings(name="gone", role="witness", device="no such device"),
            MicrophoneSettings(name="part", role="victim", device="mic_"),
        ),
    )
    monkeypatch.setattr("kiosk.hardware.sources.camera_source.CAMERA_START_TIMEOUT_NS", 10**12)
    with Sources(settings, rig.folder / "preview-2") as sources:
        here, gone, part = sources.microphones
        wait_for(lambda: gone.state == "absent", "the absence", PATIENCE)
        wait_for(lambda: part.state == "absent", "a part of two names is none", PATIENCE)
        wait_for(lambda: here.state == "ok", "the other microphone", PATIENCE)
        assert sources.camera is not None
        wait_for(lambda: sources.camera and sources.camera.state == "absent", "no camera")
        assert not sources.wait_ready(1.0)
        opened = {device.name: device.opened for device in sources.devices()}
        assert opened["here"] is not None
        assert opened["gone"] is opened["part"] is None


DEAF_PORTAUDIO = """
import pyaudio
open_stream = pyaudio.PyAudio.open
def drop(*_values):
    return None, pyaudio.paContinue
def open_deaf(self, **options):
    return open_stream(self, **{**options, "stream_callback": drop})
pyaudio.PyAudio.open = open_deaf
"""


@pytest.mark.slow
def test_a_microphone_that_opens_and_never_gives_a_sample_is_dead(
    rig: SourcesRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(DEAF_PORTAUDIO)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    row = MicrophoneSettings(name="judge", role="judge", device="mic_judge")
    with open_sources(rig.sound, row) as sources:
        (judge,) = sources.microphones
        assert judge.state == "starting"
        wait_for(lambda: sources.devices()[-1].opened, "the open device", PATIENCE)
        wait_for(lambda: judge.state == "dead", "dead", PATIENCE)
        monkeypatch.delenv("PYTHONPATH")
        wait_for(lambda: judge.state == "ok", "samples", PATIENCE)


def add_fixed_devices(sound: VirtualMicrophones, **devices: tuple[int, int]) -> None:
    """Add devices to the sound system that offer one sample rate and number of channels only."""
    library = sound.folder / "fixed_device.so"
    source = Path(__file__).parents[1] / "support/fixed_device.c"
    command = ["gcc", "-shared", "-fPIC", "-DPIC", "-o", str(library), str(source), "-lasound"]
    subprocess.run(command, check=True)
    with (sound.folder / "alsa.conf").open("a") as file:
        file.write(f'pcm_type.fixed_device {{ lib "{library}" }}\n')
        for name, (rate, channels) in devices.items():
            entry = f"type fixed_device rate {rate} channels {channels}"
            file.write(f"pcm.mic_{name} {{ {entry} }}\n")


@pytest.mark.slow
def test_a_device_that_does_not_offer_what_the_settings_say_tells_what_it_offers() -> None:
    """The wrong rate and too few channels are no missing device; PortAudio itself refuses."""
    rows = (
        MicrophoneSettings(name="wrong", role="judge", device="mic_wrong", rate=48000),
        MicrophoneSettings(name="mono", role="witness", device="mic_mono", channel=1),
        MicrophoneSettings(name="right", role="spare", device="mic_right", rate=44100),
        MicrophoneSettings(name="gone", role="spare", device="mic_gone"),
        MicrophoneSettings(name="left", role="victim", device="mic_stereo"),
        MicrophoneSettings(name="deaf", role="expert", device="mic_stereo", channel=1),
    )
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name), ("judge",)) as sound,
    ):
        devices = {"wrong": (44100, 1), "mono": (48000, 1), "right": (44100, 1)}
        add_fixed_devices(sound, **devices, stereo=(48000, 2))
        with open_sources(sound, *rows) as sources:
            expected = ["refused", "refused", "ok", "absent", "ok", "muted"]
            wait_for(lambda: [m.state for m in sources.microphones] == expected, "states", PATIENCE)
            wrong, mono, right, gone, left, deaf = sources.describe_microphones()
    assert wrong.refusal == Refusal(
        reason=RefusalReason.RATE, offered=(44100,), detail="Invalid sample rate"
    )
    assert wrong.refusal.text == "offers 44100 Hz only"
    assert mono.refusal == Refusal(reason=RefusalReason.CHANNELS, offered=(1,))
    assert right.refusal is gone.refusal is left.refusal is None
    assert deaf.heard is None, "the constant of the other channel is no voice"
