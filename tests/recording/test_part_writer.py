"""The part writer with fake sources in compressed time: one time line, faults, files."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
import pytest

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.config import RecordingSettings
from kiosk.hardware.audio.block import AudioBlock
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.encryption.decrypted_run import count_decrypted_run
from kiosk.recording.formats.codecs import AacEncoder, FlacEncoder
from kiosk.recording.formats.records import CAMERA
from kiosk.recording.journal.part_index import PartIndex
from tests.support.court_keys import CourtSecrets
from tests.support.fake_media import (
    SIZE,
    FakeCamera,
    FakeMicrophone,
    WriterRig,
    beep_times,
    errors_ms,
    flash_times,
    join_run,
    pictures,
    samples,
)

START_NS = 77_000_960_000_000
WARM_NS = START_NS - 12 * NS_PER_S
"""The sources have been warm for twelve seconds at the tap."""


def warmed(microphone: FakeMicrophone) -> FakeMicrophone:
    """Let the sample clock of ``microphone`` settle before the tap."""
    for _ in microphone.until(START_NS):
        pass
    return microphone


@pytest.mark.slow
def test_flash_and_beeps_stay_together_while_clocks_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uncorrected, 400 ppm would be 36 ms off in each direction after 90 seconds."""
    monkeypatch.setattr(
        os, "fdatasync", lambda _descriptor: None
    )  # an hour in seconds needs no real syncs
    recorded = WriterRig(tmp_path, START_NS)
    seconds = 90
    microphones = {
        "fast": warmed(FakeMicrophone(WARM_NS, ppm=400, tone=1000)),
        "slow": warmed(FakeMicrophone(WARM_NS, ppm=-400, tone=1400)),
    }
    writer = recorded.create_writer({"fast": 48_000, "slow": 48_000}, recording=RecordingSettings())
    camera = FakeCamera(START_NS)
    stop_ns = START_NS + seconds * NS_PER_S
    recorded.run(writer, stop_ns, camera, microphones)
    writer.finish(stop_ns)
    main, channels = join_run(tmp_path, "main"), join_run(tmp_path, "channels")

    flashes = errors_ms(flash_times(main), START_NS)
    assert len(flashes) == seconds
    assert max(map(abs, flashes)) < 1
    times, values = samples(main)
    for tone in (1000, 1400):  # each source alone, found in the mix by its tone
        beeps = tone_onsets(times, values, tone)
        errors = errors_ms(beeps, START_NS)
        assert len(beeps) == seconds
        assert max(map(abs, errors)) < 25
        assert float(np.median(np.abs(errors))) < 5
    for track in range(2):
        errors = errors_ms(beep_times(channels, track), START_NS)
        assert len(errors) == seconds
        assert max(map(abs, errors)) < 15
    assert recorded.interruptions == []
    drift = writer.samples["fast"] - writer.samples["slow"]  # the devices' own samples are kept
    assert drift == pytest.approx(seconds * 48_000 * 800e-6, abs=1500)


def tone_onsets(times: np.ndarray, values: np.ndarray, tone: float) -> list[float]:
    """Return when ``tone`` begins, by its power in windows of 5 ms."""
    window, hop = 240, 48
    wave = np.exp(-2j * np.pi * tone * np.arange(window) / 48_000) / window
    count = (len(values) - window) // hop
    starts = np.arange(count) * hop
    view = np.lib.stride_tricks.sliding_window_view(values, window)[starts]
    loud = times[starts[np.abs(view @ wave) > 0.09]] + window / 48_000 / 2
    return [float(moment) for moment in loud[np.concatenate(([True], np.diff(loud) > 0.3))]]


def test_channels_hold_the_samples_as_the_device_gave_them(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphone = warmed(FakeMicrophone(WARM_NS, ppm=60))
    writer = recorded.create_writer({"judge": 48_000}, camera=False)
    recorded.run(writer, START_NS + 5 * NS_PER_S, None, {"judge": microphone})
    writer.finish(recorded.now_ns)
    _, values = samples(join_run(tmp_path, "channels"))
    got = np.round(values * 32768).astype(np.int16)
    sent = np.concatenate(microphone.sent)
    first = 12 * 48_000 - 200
    place = next(
        at for at in range(first, first + 400) if np.array_equal(sent[at : at + 5000], got[:5000])
    )
    assert len(got) == writer.samples["judge"]
    assert np.array_equal(sent[place : place + len(got)], got)


@pytest.mark.parametrize("failing", [AacEncoder, FlacEncoder], ids=["mix", "channels"])
def test_an_end_that_cannot_be_encoded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: type
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("the encoder failed")

    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS)), "b": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000, "b": 48_000})
    camera = FakeCamera(START_NS)
    recorded.run(writer, START_NS + 5 * NS_PER_S, camera, microphones)
    monkeypatch.setattr(failing, "encode", fail)
    monkeypatch.setattr(AacEncoder, "flush", fail)
    stop_ns = START_NS + 5 * NS_PER_S + 290_000_000
    for name, microphone in microphones.items():
        for block in microphone.until(stop_ns):
            with contextlib.suppress(RuntimeError):
                writer.add_audio(name, block)
    for packet in camera.until(stop_ns):
        writer.add_video(packet)
    writer.finish(stop_ns)
    lost = {row.source: row for row in recorded.interruptions if row.end_ns is not None}
    for track in ("main", "channels"):
        for source in ("judge", "b", *([CAMERA] if track == "main" else [])):
            records = [row for row in recorded.fragments if row.track == track]
            until_ns = max(row.end_ns for row in records if source in row.sources)
            if stop_ns - until_ns > NS_PER_S // 5:
                assert lost[source].start_ns <= until_ns + NS_PER_S // 25, source
                assert lost[source].end_ns == stop_ns
    assert {"judge", "b"} <= set(lost)
    on_disk = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert on_disk == {file.file for file in recorded.files}
    assert "#EXT-X-ENDLIST" in (tmp_path / "main" / "index.m3u8").read_text()


def test_fragments_files_and_playlist_are_what_they_say(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS)), "b": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer(
        {"judge": 48_000, "b": 48_000},
        recording=RecordingSettings(file_seconds=10, fragment_ms=400),
    )
    stop_ns = START_NS + 25 * NS_PER_S
    recorded.run(writer, stop_ns, FakeCamera(START_NS), microphones)
    assert writer.first_durable_ns is not None
    writer.finish(stop_ns)

    everyone = ("b", "camera", "judge")
    for record in recorded.fragments:
        data = (tmp_path / record.file).read_bytes()[record.offset :][: record.length]
        assert hashlib.sha256(data).hexdigest() == record.sha256
        assert data[4:8] == b"prft"
        assert record.end_ns - record.start_ns <= 550_000_000
        assert record.start_ns >= START_NS
    main = [record for record in recorded.fragments if record.track == "main"]
    assert {record.sources for record in main[3:-2]} == {everyone}
    for before, after in itertools.pairwise(main):
        assert abs(after.start_ns - before.end_ns) < 60_000_000
    for file in recorded.files:
        data = (tmp_path / file.file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.length, file.sha256)
    kinds = sorted((file.file, file.kind) for file in recorded.files)
    assert ("main/index.m3u8", "playlist") in kinds
    assert ("main/run-01/000003.m4s", "media") in kinds
    assert ("channels/run-01/000003.m4s", "media") in kinds
    on_disk = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert on_disk == {file.file for file in recorded.files}
    check_playlist(tmp_path / "main", seconds=25)


@pytest.mark.parametrize("has_camera", [True, False])
def test_the_first_fragments_are_short_and_hold_every_source(
    tmp_path: Path, has_camera: bool
) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS)), "b": warmed(FakeMicrophone(WARM_NS))}
    rates = dict.fromkeys(microphones, 48_000)
    writer = recorded.create_writer(rates, camera=has_camera)
    camera = FakeCamera(START_NS) if has_camera else None
    recorded.run(writer, START_NS + 3 * NS_PER_S, camera, microphones, step_ns=10_000_000)
    writer.finish(recorded.now_ns)
    by_track = {
        track: [fragment for fragment in recorded.fragments if fragment.track == track]
        for track in ("main", "channels")
    }
    for track, (first, *others) in by_track.items():
        assert first.start_ns - START_NS < 20_000_000, track
        assert first.end_ns - START_NS <= 80_000_000, track
        assert set(first.sources) == {*rates, *(["camera"] if camera and track == "main" else [])}
        assert all(200_000_000 < f.end_ns - f.start_ns < 400_000_000 for f in others[:-1]), track
        assert others[0].start_ns - first.end_ns < 20_000_000, "nothing is missing in between"
    assert writer.first_durable_ns is not None
    assert writer.first_durable_ns - START_NS <= 100_000_000, "by the clock of the test"
    assert len(beep_times(join_run(tmp_path, "channels"))) == 3
    if has_camera:
        assert len(pictures(join_run(tmp_path, "main"))) == 74, "the first one comes 40 ms late"


def check_playlist(main: Path, seconds: float) -> None:
    text = (main / "index.m3u8").read_text()
    assert text.endswith("#EXT-X-ENDLIST\n")
    lines = text.splitlines()
    total = sum(float(line[8:-1]) for line in lines if line.startswith("#EXTINF:"))
    assert total == pytest.approx(seconds, abs=0.2)
    ranges = [line for line in lines if line.startswith("#EXT-X-BYTERANGE:")]
    names = [line for line in lines if line.endswith(".m4s")]
    for byte_range, name in zip(ranges, names, strict=True):
        length, offset = map(int, byte_range.partition(":")[2].split("@"))
        init = (main / name).parent / "init.mp4"
        piece = main / "piece.mp4"
        piece.write_bytes(init.read_bytes() + (main / name).read_bytes()[offset:][:length])
        with av.open(str(piece)) as container:  # each segment begins with a key picture
            first = next(container.decode(video=0))
            assert first.key_frame
        piece.unlink()
    played = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", str(main / "index.m3u8"), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (played.returncode, played.stderr) == (0, "")


def test_a_microphone_that_vanishes_leaves_the_rest_and_a_hole(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {
        "stays": warmed(FakeMicrophone(WARM_NS, tone=1000)),
        "goes": warmed(FakeMicrophone(WARM_NS, tone=1400)),
    }
    writer = recorded.create_writer({"stays": 48_000, "goes": 48_000})
    camera = FakeCamera(START_NS)
    lost_ns, back_ns = START_NS + 4 * NS_PER_S, START_NS + 7 * NS_PER_S
    recorded.run(writer, lost_ns, camera, microphones)
    away = {"goes": "dead"}
    recorded.run(writer, back_ns, camera, microphones, lambda name: away.get(name, "ok"))
    recorded.run(writer, START_NS + 10 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)

    begun, ended = recorded.interruptions
    assert (begun.source, begun.kind, begun.end_ns) == ("goes", "dead", None)
    assert ended.number == begun.number
    assert ended.seconds == pytest.approx(3.0, abs=0.1)
    channels = join_run(tmp_path, "channels")
    assert len(beep_times(channels, 0)) == 10
    goes = beep_times(channels, 1)
    assert len(goes) == 7
    assert max(map(abs, errors_ms(goes, START_NS))) < 15
    assert len(flash_times(join_run(tmp_path, "main"))) == 10
    channels_records = [f for f in recorded.fragments if f.track == "channels"]
    assert [f for f in channels_records if f.sources == ("stays",)]
    back = [f for f in channels_records if "goes" in f.sources and f.end_ns > back_ns]
    assert back[0].start_ns == ended.end_ns, "the records of encrypted fragments tell no more"


def test_a_microphone_that_is_absent_throughout_is_an_empty_track(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {
        "here": warmed(FakeMicrophone(WARM_NS)),
        "gone": warmed(FakeMicrophone(WARM_NS)),
    }
    writer = recorded.create_writer(
        {"gone": 48_000, "here": 48_000}, camera=False, expected=frozenset({"here"})
    )
    absent = {"gone": "absent"}
    stop_ns = START_NS + 4 * NS_PER_S
    recorded.run(writer, stop_ns, None, microphones, lambda name: absent.get(name, "ok"))
    assert writer.first_durable_ns is not None
    writer.finish(recorded.now_ns)
    channels = join_run(tmp_path, "channels")
    assert len(beep_times(channels, 1)) == 4
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(channels), "-map", "0:1", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (decoded.returncode, decoded.stderr) == (0, "")
    begun, ended = recorded.interruptions
    assert (begun.source, begun.kind) == ("gone", "absent")
    assert ended.seconds == pytest.approx(4.0, abs=0.1)


def test_a_camera_that_comes_late_begins_a_run_of_its_own(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000}, expected=frozenset({"judge"}))
    absent = {"camera": "absent"}
    comes_ns = START_NS + 5 * NS_PER_S
    camera = FakeCamera(comes_ns)
    recorded.run(writer, comes_ns, camera, microphones, lambda name: absent.get(name, "ok"))
    assert writer.first_durable_ns is not None
    recorded.run(writer, START_NS + 15 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)

    with av.open(str(join_run(tmp_path, "main", run=1))) as container:
        assert len(container.streams.video) == 0
    second = join_run(tmp_path, "main", run=2)
    flashes = flash_times(second)
    assert len(flashes) == 10
    assert max(map(abs, errors_ms(flashes, START_NS))) < 1
    beeps = beep_times(second)[1:]  # the decoder fades in at the first
    assert max(map(abs, errors_ms(beeps, START_NS))) < 15
    playlist = (tmp_path / "main/index.m3u8").read_text()
    assert playlist.count("#EXT-X-MAP") == 2
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert [(fault.source, fault.kind) for fault in recorded.interruptions] == [
        (CAMERA, "absent")
    ] * 2
    assert recorded.interruptions[1].seconds == pytest.approx(5.0, abs=1.0)


def test_another_picture_size_begins_a_run_of_its_own(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    writer = recorded.create_writer({"judge": 48_000})
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    recorded.run(writer, START_NS + 3 * NS_PER_S, FakeCamera(START_NS), microphones)
    other = FakeCamera(START_NS + 3 * NS_PER_S, size=(192, 96))
    other.session = 2
    recorded.run(writer, START_NS + 6 * NS_PER_S, other, microphones)
    writer.finish(recorded.now_ns)
    first, second = join_run(tmp_path, "main", 1), join_run(tmp_path, "main", 2)
    assert len(pictures(first)) >= 70
    assert len(pictures(second)) >= 50
    with av.open(str(second)) as container:
        assert container.streams.video[0].width == 192
    with av.open(str(first)) as container:
        assert container.streams.video[0].width == SIZE[0]


def test_a_camera_that_freezes_and_heals_stays_in_step(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000})
    camera = FakeCamera(START_NS)
    recorded.run(writer, START_NS + 4 * NS_PER_S, camera, microphones)
    frozen = {"camera": "frozen"}
    recorded.run(
        writer,
        START_NS + 8 * NS_PER_S,
        camera,
        microphones,
        lambda name: frozen.get(name, "ok"),
    )
    audio_only = [f for f in recorded.fragments if f.track == "main" and "camera" not in f.sources]
    assert audio_only  # sound was still written
    camera.skip_until(recorded.now_ns)
    recorded.run(writer, START_NS + 12 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)
    main = join_run(tmp_path, "main")
    flashes = flash_times(main)
    assert len(flashes) == 8
    assert max(map(abs, errors_ms(flashes, START_NS))) < 1
    assert len(beep_times(main)) == 12
    begun, ended = recorded.interruptions
    assert (begun.source, begun.kind) == (CAMERA, "frozen")
    assert ended.seconds == pytest.approx(4.0, abs=0.2)


def test_without_any_source_there_is_still_a_file_that_plays(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    writer = recorded.create_writer({}, camera=False)
    recorded.run(writer, START_NS + 3 * NS_PER_S, None, {})
    writer.finish(recorded.now_ns)
    times, values = samples(join_run(tmp_path, "main"))
    assert times[-1] == pytest.approx(3.0, abs=0.1)
    assert np.abs(values).max() < 1e-3


def test_a_disk_that_refuses_costs_nothing_when_it_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000})
    camera = FakeCamera(START_NS)
    recorded.run(writer, START_NS + 3 * NS_PER_S, camera, microphones)
    before = len(recorded.fragments)
    with monkeypatch.context() as patch:

        def refuse(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fdatasync", refuse)
        recorded.run(writer, START_NS + 6 * NS_PER_S, camera, microphones)
        assert len(recorded.fragments) == before
    recorded.run(writer, START_NS + 9 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)
    assert len(flash_times(join_run(tmp_path, "main"))) == 9
    assert len(beep_times(join_run(tmp_path, "channels"))) == 9
    begun, ended = recorded.interruptions
    assert (begun.source, begun.kind) == ("storage", "write_failed")
    assert ended.end_ns is not None
    assert (ended.end_ns - begun.start_ns) / NS_PER_S == pytest.approx(3.0, abs=0.8)
    assert ended.seconds == 0.0, "the memory held everything"
    for record in recorded.fragments:
        data = (tmp_path / record.file).read_bytes()[record.offset :][: record.length]
        assert hashlib.sha256(data).hexdigest() == record.sha256


def test_a_report_that_fails_is_repeated_and_the_fragment_written_once(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    failures = iter([True, True, False])

    class Journal(list):  # type: ignore[type-arg]
        def append(self, record: object) -> None:
            if next(failures, False):
                raise OSError(5, "Input/output error")
            super().append(record)

    recorded.fragments = Journal()
    writer = recorded.create_writer({"judge": 48_000}, camera=False)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    recorded.run(writer, START_NS + 5 * NS_PER_S, None, microphones)
    writer.finish(recorded.now_ns)
    for track in ("main", "channels"):
        at = 0
        for record in recorded.fragments:
            if record.track == track:
                assert record.offset == at
                at += record.length
        assert (tmp_path / track / "run-01/000001.m4s").stat().st_size == at


def test_pictures_that_come_late_keep_their_times_and_are_not_missing(tmp_path: Path) -> None:
    """The sound around them is written already."""
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000})
    camera = FakeCamera(START_NS)
    recorded.run(writer, START_NS + 4 * NS_PER_S, camera, microphones)
    recorded.run(writer, START_NS + 4_900_000_000, None, microphones)
    recorded.run(writer, START_NS + 8 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)
    main = join_run(tmp_path, "main")
    times = [seconds for seconds, _ in pictures(main)]
    assert np.abs(np.diff(times) - 0.04).max() < 0.001
    assert len(times) == 8 * 25 - 1  # the first key picture comes at 0.04 s
    assert max(map(abs, errors_ms(flash_times(main), START_NS))) < 1
    assert recorded.interruptions == []
    assert writer.skipped_pictures == 0


def test_what_is_missing_in_the_file_is_what_the_ledger_says(tmp_path: Path) -> None:
    """Pictures before a key picture of a new session are lost, although they were received."""
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"judge": warmed(FakeMicrophone(WARM_NS))}
    writer = recorded.create_writer({"judge": 48_000})
    camera = FakeCamera(START_NS)
    recorded.run(writer, START_NS + 3 * NS_PER_S + 400_000_000, camera, microphones)
    camera.session += 1  # its next key picture comes at 4.04 s
    recorded.run(writer, START_NS + 6 * NS_PER_S, camera, microphones)
    writer.finish(recorded.now_ns)
    times = np.array([seconds for seconds, _ in pictures(join_run(tmp_path, "main"))])
    (before,) = np.flatnonzero(np.diff(times) > 0.06)
    _, ended = recorded.interruptions
    assert (ended.source, ended.kind) == (CAMERA, "frozen")
    assert (ended.start_ns - START_NS) / NS_PER_S == pytest.approx(times[before] + 0.04, abs=1e-4)
    assert ended.end_ns is not None
    assert (ended.end_ns - START_NS) / NS_PER_S == pytest.approx(times[before + 1], abs=1e-4)
    assert writer.skipped_pictures == 16


def test_samples_that_a_corrected_clock_puts_back_are_written_to_the_last(tmp_path: Path) -> None:
    """A late first delivery makes a reopened device seem late, until its clock is known."""
    recorded = WriterRig(tmp_path, START_NS)
    recorded.now_ns = START_NS + 2 * NS_PER_S
    writer = recorded.create_writer({"judge": 48_000}, camera=False)
    tone = (np.arange(48_000) % 97 * 100).astype(np.int16)
    for epoch, at_ns in enumerate((0, 1_800_000_000, 900_000_000)):
        writer.add_audio("judge", AudioBlock(epoch, 0, START_NS + at_ns, tone[:24_000]))
    writer.tick(recorded.now_ns, "off", {"judge": (MicrophoneState.OK, None)})
    writer.finish(recorded.now_ns)
    _, values = samples(join_run(tmp_path, "channels"))
    assert writer.samples["judge"] == len(values) > 24_000


@pytest.mark.parametrize("back_ms", [100, 1100])
def test_a_device_whose_clock_goes_back_loses_what_the_ledger_says(
    tmp_path: Path, back_ms: int
) -> None:
    """Time that is taken comes again; what follows it is in its place, and readers find it all."""
    recorded = WriterRig(tmp_path, START_NS)
    writer = recorded.create_writer({"judge": 48_000}, camera=False)
    sound = np.random.default_rng(5).integers(-9000, 9000, 6 * 48_000).astype(np.int16)
    given, block, cut = 0, 4800, back_ms * 48
    for number in range(60):
        recorded.now_ns = START_NS + (number + 1) * NS_PER_S // 10
        epoch = int(number >= 20)
        at_ns = START_NS + number * NS_PER_S // 10 - epoch * back_ms * 1_000_000
        index = given - epoch * 20 * block
        writer.add_audio("judge", AudioBlock(epoch, index, at_ns, sound[given : given + block]))
        given += block
        writer.tick(recorded.now_ns, "off", {"judge": (MicrophoneState.OK, None)})
    writer.finish(recorded.now_ns)
    times, values = samples(join_run(tmp_path, "channels"))
    kept = np.concatenate((sound[:96_000], sound[96_000 + cut :]))
    assert np.array_equal(np.round(values * 32768).astype(np.int16), kept)
    assert np.abs(times - np.arange(len(kept)) / 48_000).max() < 0.001
    _, told = [fault for fault in recorded.interruptions if fault.kind == "overlap"]
    assert (told.seconds, told.end_ns) == (back_ms / 1000, START_NS + 2 * NS_PER_S)


def test_a_closed_part_is_read_in_the_order_in_which_it_was_written(tmp_path: Path) -> None:
    """What a microphone gives late begins before the fragment that was written before it."""
    recorded, secrets = WriterRig(tmp_path, START_NS), CourtSecrets()
    codec = AgeFragmentCodec(secrets.keys)
    rates = {"judge": 48_000, "late": 48_000}
    writer = recorded.create_writer(rates, camera=False, codec=codec)
    sound = np.random.default_rng(6).integers(-9000, 9000, 48_000 * 3).astype(np.int16)
    states = {"judge": (MicrophoneState.OK, None), "late": (MicrophoneState.ABSENT, None)}
    for tenth in range(30):
        at_ns = START_NS + tenth * NS_PER_S // 10
        recorded.now_ns = at_ns + NS_PER_S // 10
        writer.add_audio("judge", AudioBlock(0, tenth * 4800, at_ns, sound[:4800]))
        if tenth == 20:
            writer.add_audio("late", AudioBlock(0, 0, START_NS, sound))
        writer.tick(recorded.now_ns, "off", states)
    writer.finish(recorded.now_ns)
    index = PartIndex.from_entries(
        [{"kind": "media", "fragments": [asdict(record) for record in recorded.fragments]}]
    )
    counts = count_decrypted_run(tmp_path / "channels" / "run-01", index, [secrets.court])
    assert counts.errors == []
    assert dict(zip(rates, counts.samples, strict=True)) == writer.samples


def test_a_short_frame_before_a_small_step_back_is_not_lost(tmp_path: Path) -> None:
    """A fragment that began with or before the last frame of the one before would hide it."""
    recorded = WriterRig(tmp_path, START_NS)
    writer = recorded.create_writer({"judge": 48_000}, camera=False)
    sound = np.random.default_rng(7).integers(-9000, 9000, 48_000).astype(np.int16)
    ok = {"judge": (MicrophoneState.OK, None)}
    first = sound[: 6 * 2400 + 144]  # frames of 50 ms from 18 ms on, and 3 ms from 318 ms on
    blocks = [(0, 0, 18, first), (1, 0, 317, sound[:96]), (1, 96, 319, sound[96:])]
    recorded.now_ns = START_NS + NS_PER_S // 2
    for epoch, number, at_ms, values in blocks:
        block = AudioBlock(epoch, number, START_NS + at_ms * 1_000_000, values)
        writer.add_audio("judge", block)
        writer.tick(recorded.now_ns, "off", ok)
    writer.finish(recorded.now_ns + NS_PER_S)
    _, found = samples(join_run(tmp_path, "channels"))
    assert len(found) == writer.samples["judge"] == len(first) + len(sound)
