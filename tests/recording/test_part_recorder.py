"""A part recorded live from virtual devices through the real libraries, with real faults."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import CameraSettings, MicrophoneSettings, RecordingSettings, Settings
from kiosk.errors import StorageError
from kiosk.evidence.signer import Signer
from kiosk.hardware.audio.sample_clock import SUSPECT_LATENESS_NS
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.recording.capture.channels_track import ChannelsTrack
from kiosk.recording.capture.part_config import RoomCapture
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.capture.writing_hold import WritingHold
from kiosk.recording.formats.codecs import AacEncoder, AacPacket
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.recording.part import Part
from kiosk.recording.repair.reconcile import reconcile
from kiosk.storage.hearing_folder import SIGNATURE
from kiosk.storage.store import DIRECT
from tests.support.fake_media import (
    FLASH_NS,
    beep_times,
    errors_ms,
    flash_times,
    join_run,
    pictures,
    samples,
)
from tests.support.hearing_builder import new_hearing
from tests.support.identity import Court
from tests.support.waiting import wait_for

PATIENCE = 60.0
PLAYED, WIRED = ("judge",), ("witness", "claimant")
RATE = 48_000
MISSING = ("gap", "dead", "absent", "dropped", "frozen", "encoder")
"""Kinds of interruptions that leave a hole; a microphone may be silent, a picture stand still."""


class Beeper:
    """Writes samples into a wired microphone as a device would, by a clock known to the test."""

    PIECE = 480

    def __init__(self, fifo: Path, tone: float) -> None:
        self._fifo, self._tone = fifo, tone
        self._late: list[tuple[int, int]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(PermissionError):  # a device waits for no processor
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        random = np.random.default_rng(1)
        start_ns, number = recording_ns(), 0
        with self._fifo.open("wb", buffering=0) as file:
            while not self._done.is_set():
                first = number * self.PIECE
                times = start_ns + (first + np.arange(self.PIECE)) * (NS_PER_S / RATE)
                tone = np.sin(times * (2e-9 * np.pi * self._tone)) * 12000
                noise = random.standard_normal(self.PIECE) * 30  # a device that repeats it is stuck
                heard = np.where(times % NS_PER_S < FLASH_NS, tone, noise).astype("<i2")
                number += 1
                end_ns = start_ns + number * self.PIECE * NS_PER_S // RATE
                self._done.wait(max(0, end_ns - recording_ns()) / NS_PER_S)
                file.write(heard.tobytes())
                if (now_ns := recording_ns()) - end_ns > SUSPECT_LATENESS_NS:
                    self._late.append((end_ns, now_ns))

    def was_late(self, fault: Interruption) -> bool:
        """Return whether this device itself gave its samples late when ``fault`` began or ended."""
        end_ns = fault.end_ns or recording_ns()
        return any(begin <= end_ns and fault.start_ns <= end for begin, end in self._late)

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


@dataclass
class VirtualCourt:
    """Virtual devices and the sources on them."""

    folder: Path
    sound: VirtualMicrophones
    settings: Settings
    sources: Sources
    signer: Signer
    beepers: dict[str, Beeper]


def is_corrected_clock(fault: Interruption) -> bool:
    """Return whether only the first samples of an open device came late, and its clock with them.

    They are all in the mix. A machine that is busy is late; samples that were lost leave more.
    """
    end_ns = fault.end_ns or recording_ns()
    return fault.kind == "overlap" and end_ns - fault.start_ns < SUSPECT_LATENESS_NS


class RunningPart(Part):
    """A running part and all it reports, fragments with the moment of the report."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.fragments: list[tuple[int, FragmentRecord]] = []
        self.interruptions: list[Interruption] = []
        self.files: list[FileRecord] = []

    def add_fragment(self, record: FragmentRecord) -> None:
        self.fragments.append((recording_ns(), record))
        super().add_fragment(record)

    def add_file(self, record: FileRecord) -> None:
        self.files.append(record)
        super().add_file(record)

    def add_interruption(self, interruption: Interruption) -> None:
        self.interruptions.append(interruption)
        super().add_interruption(interruption)

    def wait_seconds(self, seconds: float) -> None:
        wait_for(lambda: self.seconds >= seconds, f"{seconds} s", seconds + PATIENCE)

    def end(self) -> dict[str, Any]:
        """End the part; all of it is durable. Return the fields of its last entry."""
        self.stop("recess", "p1")
        self.complete(PATIENCE)
        return dict(self.closed)

    def undisturbed_seconds(self, *sources: str) -> int:
        """Return how many full seconds began in the part with nothing of ``sources`` missing.

        A flash and a beep mark each; what the ledger tells may be missing on a busy machine.
        """
        first, last = self.tap_ns // NS_PER_S + 1, self.closed["stop_ns"] // NS_PER_S
        faults = [fault for fault in self.interruptions if fault.source in sources]
        marks = [(second * NS_PER_S, second * NS_PER_S + FLASH_NS) for second in range(first, last)]
        return sum(
            not any(
                fault.start_ns < end and begin < (fault.end_ns or fault.start_ns)
                for fault in faults
            )
            for begin, end in marks
        )

    def told_seconds(self, source: str) -> float:
        """Return how much of ``source`` the ledger tells to be missing in the part that ended."""
        faults = [fault for fault in self.interruptions if fault.source == source]
        return sum(fault.seconds or 0.0 for fault in faults if fault.kind in MISSING)

    def wait_fragments(self, track: str, source: str, after_ns: int) -> None:
        """Wait for a durable fragment of ``track`` with ``source`` from after ``after_ns``."""
        wait_for(
            lambda: any(
                f.track == track and source in f.sources and f.start_ns > after_ns
                for _, f in self.fragments
            ),
            f"a fragment with {source}",
            PATIENCE,
        )


@dataclass
class PartRig:
    """Starts parts on the virtual court, each in a hearing of its own under ``root``."""

    court: VirtualCourt
    root: Path
    started: list[RunningPart] = field(default_factory=list)

    def start(self, room: RoomCapture | None = None) -> RunningPart:
        tap_ns, journal = recording_ns(), new_hearing(self.root, self.court.signer).journal
        folder = journal.part_folder(1)
        devices = self.court.settings, self.court.sources
        recorded = RunningPart(folder, *devices, PLAIN_CODEC, DIRECT, room or RoomCapture())
        recorded.start(tap_ns)
        recorded.attach_journal(journal.open_part(1, {"reason": "start", "tap_ns": tap_ns}, {}))
        self.started.append(recorded)
        return recorded


@pytest.fixture(scope="module")
def court() -> Iterator[VirtualCourt]:
    names = (*PLAYED, *WIRED)
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name) / "mics", PLAYED, noise=False, fifo_names=WIRED) as sound,
        pytest.MonkeyPatch.context() as patch,
    ):
        for key, value in sound.environment.items():
            patch.setenv(key, value)
        settings = Settings(
            camera=CameraSettings(back_end="virtual", width=320, height=180, virtual_scene="flash"),
            microphones=tuple(MicrophoneSettings(**entry) for entry in sound.settings(names, {})),
            recording=RecordingSettings(file_seconds=10),
        )
        beepers = {name: Beeper(sound.fifo_path(name), 1000) for name in WIRED}
        with Sources(settings, Path(name) / "preview") as sources:
            assert sources.wait_ready(PATIENCE)
            signer = Court.make(Path(name) / "court").device()
            yield VirtualCourt(Path(name), sound, settings, sources, signer, beepers)
        for beeper in beepers.values():
            beeper.stop()


@pytest.fixture
def bench(court: VirtualCourt, tmp_path: Path) -> Iterator[PartRig]:
    assert court.sources.wait_ready(PATIENCE)
    bench = PartRig(court, tmp_path)
    yield bench
    for recorded in bench.started:
        recorded.end()


def test_a_part_whose_writer_has_a_bug_is_never_called_written(
    bench: PartRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_writer: PartWriter, _stop_ns: int) -> None:
        raise ValueError("a bug")

    recorded = bench.start()
    bench.started.remove(recorded)
    monkeypatch.setattr(PartWriter, "finish", break_down)
    recorded.stop("recess", "p1")
    with pytest.raises(StorageError, match="a bug"):
        recorded.wait_written(PATIENCE)
    recorded.abort()


def test_a_part_whose_end_cannot_be_encoded_says_so_and_is_sealed(
    bench: PartRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_encoder: AacEncoder) -> list[AacPacket]:
        raise RuntimeError("the encoder failed")

    recorded = bench.start()
    recorded.wait_seconds(2)
    with monkeypatch.context() as patch:
        patch.setattr(AacEncoder, "flush", fail)
        patch.setattr(ChannelsTrack, "finish", fail)
        closed = recorded.end()
    bench.started.remove(recorded)
    reconcile(recorded.journal)
    recorded.journal.seal()
    assert (recorded.folder / SIGNATURE).exists()
    begun = {row.number for row in recorded.interruptions if row.end_ns is None}
    ended = {row.number: row for row in recorded.interruptions if row.end_ns is not None}
    assert begun == set(ended)
    for source in (*PLAYED, *WIRED):
        rows = [row for row in ended.values() if row.source == source]
        for track in ("main", "channels"):
            records = [record for _, record in recorded.fragments if record.track == track]
            until_ns = max(record.end_ns for record in records if source in record.sources)
            if closed["stop_ns"] - until_ns > NS_PER_S // 10:
                assert rows[-1].end_ns == closed["stop_ns"], source


class _LateStep(WritingHold):
    """A hold at which one step of the writer, once it is asked for, waits until it is let on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.is_there, self.may_go_on = (threading.Event() for _ in range(3))

    @contextlib.contextmanager
    def passing(self) -> Iterator[bool]:
        if self.is_asked.is_set() and not self.is_there.is_set():
            self.is_there.set()
            assert self.may_go_on.wait(PATIENCE)
        with super().passing() as may_pass:
            yield may_pass


def test_a_step_that_meets_the_stop_writes_nothing_from_after_the_tap(bench: PartRig) -> None:
    """The step began before the stop, and goes on when the stop is known: all held media pass."""
    hold = _LateStep()
    recorded = bench.start(RoomCapture(hold))
    recorded.wait_seconds(2)
    tap_ns = recording_ns()
    with hold.held(tap_ns):
        hold.is_asked.set()
        assert hold.is_there.wait(PATIENCE)
        wait_for(lambda: recording_ns() > tap_ns + NS_PER_S, "what is captured meanwhile")
        stopping = threading.Thread(target=recorded.stop, args=("closed", "p1", tap_ns))
        stopping.start()
        until_tap_s = (tap_ns - recorded.tap_ns) / NS_PER_S
        wait_for(lambda: recorded.seconds == until_tap_s, "the stop")
        hold.may_go_on.set()
        stopping.join()
    recorded.complete(PATIENCE)
    assert max(record.end_ns for _, record in recorded.fragments) < tap_ns + NS_PER_S // 10


@pytest.mark.slow
def test_picture_and_sound_are_together_in_the_files(bench: PartRig) -> None:
    recorded = bench.start()
    recorded.wait_seconds(6)
    summary = recorded.end()
    main, channels = join_run(recorded.folder, "main"), join_run(recorded.folder, "channels")
    flashes = errors_ms(flash_times(main), recorded.tap_ns)[1:]  # the start may cut the first one
    beeps = errors_ms(beep_times(main), recorded.tap_ns)[1:]
    assert len(flashes) >= recorded.undisturbed_seconds("camera") - 1
    assert len(beeps) >= recorded.undisturbed_seconds(*WIRED) - 1
    seen = [error for error in flashes if abs(error) < 40]
    assert len(flashes) - len(seen) <= summary["dropped"]  # else its first picture was dropped
    assert max(map(abs, beeps)) < 40
    assert max(seen) - min(beeps) < 40
    assert max(beeps) - min(seen) < 40
    for track in (1, 2):
        errors = errors_ms(beep_times(channels, track), recorded.tap_ns)[1:]
        assert len(errors) >= recorded.undisturbed_seconds(WIRED[track - 1]) - 1
        assert max(map(abs, errors)) < 40
    assert summary["first_durable_ms"] is not None
    assert summary["first_durable_ms"] < 5000
    there_s = recorded.seconds - recorded.told_seconds("camera")
    assert summary["video_frames"] >= 25 * (there_s - 0.5)
    assert {file.kind for file in recorded.files} == {"init", "media", "playlist"}


@pytest.mark.slow
def test_what_was_played_is_in_the_channel_bit_for_bit(bench: PartRig, tmp_path: Path) -> None:
    recorded = bench.start()
    wanted = np.random.default_rng(2).integers(-9000, 9000, RATE).astype("<i2")
    path = tmp_path / "wanted.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(wanted.tobytes())
    recorded.wait_seconds(1)  # what is played within 30 ms of the start is cut by the start
    assert bench.court.sound.play("judge", path).wait() == 0
    recorded.wait_seconds(recorded.seconds + 1.5)
    recorded.end()
    _, values = samples(join_run(recorded.folder, "channels"), 0)
    got = np.round(values * 32768).astype(np.int16)
    key = wanted[1000:1016].tobytes()
    place = got.tobytes().find(key) // 2 - 1000
    assert place >= 0
    assert np.array_equal(got[place : place + RATE], wanted)


@pytest.mark.slow
def test_killed_device_processes_cost_a_moment_of_their_own_source_only(bench: PartRig) -> None:
    recorded = bench.start()
    recorded.wait_seconds(2)
    sources = bench.court.sources
    assert sources.camera is not None
    device = next(d for d in sources.audio_devices if d.device == "mic_witness")
    for source, child in (("camera", sources.camera), ("witness", device)):
        pid = wait_for(partial(getattr, child, "pid"), "its process", PATIENCE)
        killed_ns = recording_ns()
        os.kill(pid, signal.SIGKILL)
        recorded.wait_fragments("main", source, killed_ns + NS_PER_S // 2)
    recorded.end()
    over = [fault for fault in recorded.interruptions if fault.end_ns is not None]
    ended = {fault.source: fault for fault in over}
    assert {"camera", "witness"} <= set(ended)
    claimant_device = bench.court.beepers["claimant"]
    others = [fault for fault in over if fault.source == "claimant"]
    lost = [fault for fault in others if not is_corrected_clock(fault)]
    assert [fault for fault in lost if not claimant_device.was_late(fault)] == []
    assert (ended["witness"].seconds or 99) < 10
    claimant = beep_times(join_run(recorded.folder, "channels"), 2)
    assert len(claimant) >= recorded.undisturbed_seconds("claimant") - 1
    assert max(map(abs, errors_ms(claimant, recorded.tap_ns)[1:])) < 40
    main = join_run(recorded.folder, "main")
    after = errors_ms(flash_times(main), recorded.tap_ns)
    assert float(np.median(np.abs(after))) < 40
    require_ledger(main, recorded)


def require_ledger(main: Path, recorded: RunningPart) -> None:
    """Check that the gaps between the pictures in the file are those of the ledger."""
    times = np.array([seconds for seconds, _ in pictures(main)])
    period_s, half_s = 1 / 25, 1 / 50
    gaps = [
        (before + period_s, after)
        for before, after in itertools.pairwise(times)
        if after - before - period_s > half_s
    ]
    entries = [
        fault
        for fault in recorded.interruptions
        if fault.source == "camera" and fault.end_ns is not None
    ]
    spans = [
        ((entry.start_ns - recorded.tap_ns) / NS_PER_S, (entry.end_ns - recorded.tap_ns) / 1e9)
        for entry in entries
        if entry.end_ns is not None
    ]
    for start, end in gaps:
        assert any(begin - 1e-3 < start and end < until + 1e-3 for begin, until in spans), gaps
    edges_s = sum(
        until - begin
        for begin, until in spans
        if begin < times[0] or until > times[-1] + period_s + 1e-3
    )
    told_s = sum(entry.seconds or 0.0 for entry in entries) - edges_s
    assert told_s == pytest.approx(sum(end - start for start, end in gaps), abs=0.001 * len(gaps))


RECORDER = """
import sys
from pathlib import Path
from kiosk.clocks import recording_ns
from kiosk.config import Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.recording.part import Part
from tests.support.hearing_builder import new_hearing
from tests.support.identity import Court
import time
folder, settings = Path(sys.argv[1]), Settings.model_validate_json(sys.argv[2])
with Sources(settings, folder / "preview") as sources:
    assert sources.wait_ready(30)
    journal = new_hearing(folder, Court.make(folder / "court").device()).journal
    part = Part(journal.part_folder(1), settings, sources)
    part.start(recording_ns())
    part.attach_journal(journal.open_part(1, {"reason": "start"}, {}))
    print(recording_ns(), part.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_recorder_leaves_all_but_the_last_second(
    court: VirtualCourt, tmp_path: Path
) -> None:
    # no camera conflict: the virtual camera and PulseAudio can be opened twice
    command = [sys.executable, "-c", RECORDER, str(tmp_path), court.settings.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        started, folder = process.stdout.readline().split()
        start_ns = int(started)
        wait_for(lambda: recording_ns() - start_ns > 5 * NS_PER_S, "five seconds", PATIENCE)
        children = children_of(process.pid)
        process.kill()
        seconds = (recording_ns() - start_ns) / NS_PER_S
    for track, last in (("main", main_end(Path(folder))), ("channels", channels_end(Path(folder)))):
        assert seconds - last < 2.0, track  # 1 s on a quiet machine; tests share theirs
    wait_for(lambda: not any(map(is_running, children)), "the children to end with it", PATIENCE)


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main_end(part: Path) -> float:
    flashes = flash_times(join_run(part, "main"))
    assert len(flashes) >= 3
    times, _ = samples(join_run(part, "main"))
    return float(times[-1])


def channels_end(part: Path) -> float:
    return min(float(samples(join_run(part, "channels"), track)[0][-1]) for track in range(3))


def test_stop_ends_the_capture_at_once_and_start_again_works(bench: PartRig) -> None:
    for _ in range(2):
        recorded = bench.start()
        wait_for(partial(getattr, recorded, "first_durable_ms"), "a fragment", PATIENCE)
        summary = recorded.end()
        for _, fragment in recorded.fragments:
            assert fragment.start_ns >= recorded.tap_ns - 1
            assert fragment.end_ns <= summary["stop_ns"] + 45_000_000
        assert (recorded.folder / "main/index.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
        for name, count in summary["samples"].items():
            there_s = count / RATE + recorded.told_seconds(name)
            assert there_s == pytest.approx(recorded.seconds, rel=0.25), name
