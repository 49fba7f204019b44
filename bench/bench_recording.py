"""Cost of recording a camera and four microphones, beside ffmpeg with the same encoding.

Both get the same pictures (a courtroom, 1280x720, 25 a second, prepared beforehand) and listen to
the same four microphones (PulseAudio), encode H.264 with libx264's same preset, rate and key
frames in one thread, AAC of the mix with the same coder and FLAC of each microphone, and write
fragmented MP4 with fragments of the same length. Ours also does everything it does in production:
child processes, levels, live picture, proof, journal with hash chain and signed heads, an fsync of
every fragment, a second copy on a mirror, the seal at the end, and a reader that follows its state
like the touch screen. The peer does none of that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from bench.measure import Measure, median_of
from bench.processes import bytes_written, cpu_seconds, device_bytes_written
from kiosk.clocks import NS_PER_S
from kiosk.config import CameraSettings, RecordingSettings
from kiosk.hardware.virtual.camera import CourtroomScene
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.storage.volume_marker import write_marker
from tests.support.virtual_courtroom import MICROPHONES, VirtualCourtroom

SECONDS = 20.0
PICTURES = 100
CAMERA = CameraSettings()
PEER = "ffmpeg, the same encode"


def prepare_pictures(folder: Path) -> Path:
    """Paint the pictures as PNG files into ``folder`` and as one raw file; return that."""
    folder.mkdir()
    scene = CourtroomScene(CAMERA.width, CAMERA.height)
    raw = folder / "pictures.yuv"
    with raw.open("wb") as file:
        for number in range(PICTURES):
            picture = scene.paint(number * NS_PER_S // CAMERA.fps)
            rgb = av.VideoFrame.from_ndarray(picture, format="yuv420p").to_ndarray(format="rgb24")
            Image.fromarray(np.asarray(rgb)).save(folder / f"{number:03}.png", compress_level=1)
            file.write(picture.tobytes())
    return raw


def ffmpeg_command(raw: Path, out: Path) -> list[str]:
    """Return the peer's command."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]
    command += ["-re", "-stream_loop", "-1", "-f", "rawvideo", "-pix_fmt", "yuv420p"]
    command += ["-s", f"{CAMERA.width}x{CAMERA.height}", "-r", str(CAMERA.fps), "-i", str(raw)]
    for name in MICROPHONES:
        # Without these the peer first listens to each microphone for seconds.
        command += ["-analyzeduration", "0", "-probesize", "32"]
        command += ["-thread_queue_size", "512", "-f", "pulse", "-channels", "1"]
        command += ["-sample_rate", "48000", "-i", f"{name}.monitor"]
    inputs = "".join(f"[{number + 1}:a]" for number in range(len(MICROPHONES)))
    command += ["-filter_complex", f"{inputs}amix=inputs={len(MICROPHONES)}[mix]"]
    fragments = ["-t", str(SECONDS), "-f", "mp4", "-flush_packets", "1"]
    fragments += ["-frag_duration", str(RecordingSettings().fragment_ms * 1000)]
    fragments += ["-movflags", "empty_moov+default_base_moof+skip_trailer"]
    command += ["-map", "0:v", "-map", "[mix]", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-tune", "zerolatency", "-x264-params", "deblock=1", "-b:v", str(CAMERA.bitrate)]
    command += ["-threads:v", "1", "-g", str(round(CAMERA.fps * CAMERA.keyframe_seconds))]
    command += [
        "-c:a",
        "aac",
        "-aac_coder",
        "fast",
        "-b:a",
        "96k",
        *fragments,
        str(out / "main.mp4"),
    ]
    for number in range(len(MICROPHONES)):
        command += ["-map", f"{number + 1}:a"]
    return [*command, "-c:a", "flac", "-strict", "-2", *fragments, str(out / "channels.mp4")]


def has_fragment(path: Path) -> bool:
    """Return whether the file holds the header of a whole fragment."""
    try:
        return b"moof" in path.read_bytes()
    except OSError:
        return False


def has_ended(pid: int) -> bool:
    """Return whether a child has ended, without reaping it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def run_ffmpeg(room: VirtualCourtroom, raw: Path, out: Path) -> tuple[float, float]:
    """Return the peer's CPU seconds and the milliseconds from its start to a first fragment."""
    out.mkdir()
    started = time.monotonic()
    process = subprocess.Popen(ffmpeg_command(raw, out), env=room.microphones.pulse_environment)
    first_ms = 0.0
    try:
        while not first_ms and not has_ended(process.pid):
            if has_fragment(out / "main.mp4") and has_fragment(out / "channels.mp4"):
                first_ms = (time.monotonic() - started) * 1000
            time.sleep(0.005)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
    if process.returncode or not first_ms:
        raise RuntimeError(f"ffmpeg ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, first_ms


@contextmanager
def screen_following(room: VirtualCourtroom) -> Iterator[None]:
    """Follow state and levels as the touch screen does (its own processor time does not count)."""
    command = ["curl", "--silent", "--no-buffer", "--output", "/dev/null"]
    command += ["--unix-socket", str(room.paths.recorder_socket), "http://kiosk/v1/events"]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class RecorderFigures:
    """Figures of one recording.

    CPU seconds from before the tap to the seal, milliseconds from the tap to the first durable
    fragment, bytes written to both storages for each byte of media, the same on the disk with the
    journal of its file system (None: it is no disk), and durable writes a second on each storage.
    """

    cpu: float
    first_ms: float
    written: float
    worn: float | None
    syncs: float


def media_bytes(folder: Path) -> int:
    """Return the bytes of media in a hearing's folder."""
    return sum(file.stat().st_size for file in folder.glob("part-*/*/run-*/*"))


def durable_writes(folder: Path) -> int:
    """Return how many fragments and batches of journal lines a hearing's parts have."""
    lines = [
        json.loads(line)
        for journal in folder.glob(f"part-*/{JOURNAL_FILE}")
        for line in journal.read_bytes().splitlines()
    ]
    batches = [line["fragments"] for line in lines if line["kind"] == "media"]
    return len(batches) + sum(len(fragments) for fragments in batches)


def record_each_picture(room: VirtualCourtroom) -> None:
    """Record once without measuring: the virtual camera decodes each of its files the first time.

    A real camera has no files, and ffmpeg reads pictures that are decoded already.
    """
    room.sign_in()
    room.start_hearing()
    room.wait_recorded(PICTURES / CAMERA.fps * 1.5)
    room.end_hearing()


def run_ours(room: VirtualCourtroom) -> RecorderFigures:
    """Record for a while and return the figures."""
    assert room.recorder is not None
    room.sign_in()
    before, stored = cpu_seconds(room.recorder.pid), bytes_written(room.recorder.pid)
    on_disk = device_bytes_written(room.folder)
    with screen_following(room):
        room.start_hearing()
        room.wait_recorded(SECONDS)
        hearing = room.state()["hearing"]
        folder = room.end_hearing()
    spent = cpu_seconds(room.recorder.pid) - before
    report = room.verify(folder)
    if not report["ok"]:
        raise RuntimeError(f"the recording is not good: {report}")
    stored = bytes_written(room.recorder.pid) - stored
    worn = None if on_disk is None else (device_bytes_written(room.folder) or 0) - on_disk
    media = media_bytes(folder)
    return RecorderFigures(
        spent * SECONDS / float(hearing["seconds"]),
        float(hearing["tap_to_first_durable_ms"]),
        stored / media,
        None if worn is None else worn / media,
        durable_writes(folder) / float(hearing["seconds"]),
    )


def figures(ours: Sequence[RecorderFigures], peers: Sequence[tuple[float, float]]) -> list[Measure]:
    """Return the medians of all runs as measures."""
    seconds = f"CPU s in {SECONDS:.0f} s"
    cpu = median_of(
        "recording 720p25 and 4 microphones",
        seconds,
        [run.cpu for run in ours],
        PEER,
        [peer[0] for peer in peers],
    )
    first = median_of(
        "tap to first durable",
        "ms",
        [run.first_ms for run in ours],
        "ffmpeg, cold start to first fragment written",
        [peer[1] for peer in peers],
    )
    written = median_of(
        "written for a byte of media, two copies", "bytes", [o.written for o in ours]
    )
    worn = [run.worn for run in ours if run.worn is not None]
    on_disk = (
        [
            median_of(
                "the same on the disk, by everybody, file system's journal included", "bytes", worn
            )
        ]
        if worn
        else []
    )
    syncs = median_of("durable writes on each storage", "a second", [run.syncs for run in ours])
    return [cpu, first, written, *on_disk, syncs]


def run(repeats: int) -> list[Measure]:
    """Measure ours and the peer in turn."""
    with tempfile.TemporaryDirectory(prefix="kb") as name:
        folder = Path(name)
        raw = prepare_pictures(folder / "pictures")
        camera = {"virtual_scene": str(folder / "pictures")}
        ours, peers = [], []
        mirror = folder / "mirror"
        mirror.mkdir()
        write_marker(mirror, "kiosk-trial", "mirror")
        with VirtualCourtroom(folder / "room", camera, mirror=mirror) as room:
            room.start_recorder()
            room.wait_ready()
            record_each_picture(room)
            for number in range(repeats):
                ours.append(run_ours(room))
                peers.append(run_ffmpeg(room, raw, folder / f"ffmpeg-{number}"))
    return figures(ours, peers)
