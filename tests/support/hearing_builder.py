"""Builds hearings with real media without devices, written as the recorder writes them."""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from kiosk.clocks import recording_ns
from kiosk.evidence.signer import Signer
from kiosk.recording.formats.fmp4 import (
    H264Config,
    Sample,
    TrackRun,
    flac_track,
    fragment,
    h264_sample,
    init_segment,
    video_track,
)
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FragmentRecord, Track
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.journal.part_journal import JournalOptions, PartJournal

FPS, RATE, SIZE = 10, 16000, (160, 96)
FRAGMENT_NS = 400_000_000
PICTURES = 4  # in a fragment of 0.4 s
BLOCK = RATE * 4 // 10
MICROPHONES = ("judge", "witness")


@lru_cache
def _pictures(count: int) -> tuple[H264Config, tuple[Sample, ...]]:
    """Encode ``count`` pictures as H.264."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.gop_size = PICTURES
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    samples, config = [], None
    for number in range(count):
        picture = np.full((SIZE[1], SIZE[0], 3), number * 5 % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            data, found = h264_sample(bytes(packet))
            config = config or found
            samples.append(Sample(data, 90_000 // FPS, packet.is_keyframe))
    assert config is not None
    assert len(samples) == count
    return config, tuple(samples)


@lru_cache
def _sound(blocks: int) -> tuple[bytes, tuple[Sample, ...]]:
    """Encode ``blocks`` of 0.4 s of a tone, with the noise of a device, as FLAC."""
    target = io.BytesIO()
    with av.open(target, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        stream.codec_context.format = "s16"
        packets = []
        stream.codec_context.options = {"frame_size": "1600"}
        for number in range(blocks):
            noise = np.random.default_rng(number).normal(0, 3, BLOCK)
            wave = np.sin(np.arange(BLOCK) * 0.1) * 9000 + noise
            frame = av.AudioFrame.from_ndarray(
                wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = RATE, number * BLOCK
            packets += stream.encode(frame)
        packets += stream.encode(None)
        header = bytes(stream.codec_context.extradata or b"")
    return header, tuple(
        Sample(bytes(packet), int(packet.duration or 0)) for packet in packets if packet.size
    )


class MediaWriter:
    """Writes the fragments of one part, one at a time."""

    def __init__(
        self, folder: Path, tap_ns: int, max_fragments: int = 40, codec: FragmentCodec = PLAIN_CODEC
    ) -> None:
        """Make the init files; at most ``most`` fragments per track."""
        self._folder = folder
        self._tap_ns = tap_ns
        self._codec = codec
        self._next = {"main": 0, "channels": 0}
        self._config, self._coded = _pictures(max_fragments * PICTURES)
        self._header, self._sounds = _sound(max_fragments)
        video = [video_track(1, "camera", SIZE, self._config)]
        sounds = [
            flac_track(number, name, RATE, self._header)
            for number, name in enumerate(MICROPHONES, 1)
        ]
        for track, headers in (("main", video), ("channels", sounds)):
            run = folder / track / "run-01"
            run.mkdir(parents=True)
            init = init_segment(headers)
            wrapped = codec.encode("init.mp4", init, tap_ns, tap_ns, ()) + codec.file_trailer
            (run / codec.init_name).write_bytes(wrapped)

    def _fragment(self, track: Track, number: int) -> bytes:
        if track == "main":
            coded = self._coded[number * PICTURES : (number + 1) * PICTURES]
            return fragment(number + 1, [TrackRun(1, number * PICTURES * 9000, coded, 0)])
        each = len(self._sounds) // (len(self._coded) // PICTURES)
        sounds = self._sounds[number * each : (number + 1) * each]
        start = sum(sample.duration for sample in self._sounds[: number * each])
        runs = [
            TrackRun(track_number, start, sounds, 0)
            for track_number in range(1, len(MICROPHONES) + 1)
        ]
        return fragment(number + 1, runs)

    def skip(self, track: Track) -> None:
        """Leave the next fragment of ``track`` out."""
        self._next[track] += 1

    def write(self, track: Track) -> FragmentRecord:
        """Append the next fragment of ``track``; return its record."""
        number = self._next[track]
        self._next[track] += 1
        plain = self._fragment(track, number)
        start = self._tap_ns + number * FRAGMENT_NS
        sources = ("camera",) if track == "main" else MICROPHONES
        stem = f"{number // 5 + 1:06d}"
        name = f"{track}/run-01/{stem}{self._codec.media_suffix}"
        piece = f"{stem}-{number % 5 + 1:04d}.m4s"
        data = self._codec.encode(piece, plain, start, start + FRAGMENT_NS, sources)
        path = self._folder / name
        offset = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            file.write(data)
        digest = hashlib.sha256(data).hexdigest()
        times = start, start + FRAGMENT_NS
        record = FragmentRecord(name, offset, len(data), digest, *times, sources, track)
        if not self._codec.is_encrypted:
            return record
        return replace(
            record, plain_length=len(plain), plain_sha256=hashlib.sha256(plain).hexdigest()
        )


@dataclass
class BuiltHearing:
    """A hearing made for a test; ``writers`` write further media of each part."""

    folder: Path
    journal: HearingJournal
    parts: list[PartJournal]
    writers: list[MediaWriter]


def new_hearing(
    root: Path, signer: Signer, kiosk: str = "kiosk-0001", **details: Any
) -> BuiltHearing:
    """Open a hearing under ``root``; ``details`` are added to those of its list."""
    hearing: dict[str, Any] = {"id": str(uuid.uuid4()), "case_number": "2-15/2026", "kind": "civil"}
    hearing |= details
    folder = root / hearing["id"]
    options = JournalOptions(kiosk, signer)
    return BuiltHearing(
        folder, HearingJournal.create(folder, hearing, {"person": "p1"}, options), [], []
    )


def add_part(
    built: BuiltHearing,
    fragments: int = 10,
    tap_ns: int | None = None,
    codec: FragmentCodec = PLAIN_CODEC,
) -> PartJournal:
    """Open the next part and write ``pieces`` fragments of each track, journalled."""
    number = len(built.parts) + 1
    tap = recording_ns() if tap_ns is None else tap_ns
    names = [{"name": name} for name in MICROPHONES]
    metadata = {"camera": {"fps": FPS}, "microphones": names}
    journal = built.journal.open_part(number, {"reason": "start", "tap_ns": tap}, metadata)
    writer = MediaWriter(journal.folder, tap, codec=codec)
    built.parts.append(journal)
    built.writers.append(writer)
    for _ in range(fragments):
        for track in ("main", "channels"):
            journal.add_fragment(writer.write(track))
        journal.flush()
    journal.append("mark", {"id": number, "type": "oath"})
    return journal


def close_part(built: BuiltHearing, part: int, **fields: Any) -> None:
    """Close and seal part number ``part``."""
    journal = built.parts[part - 1]
    journal.end({"reason": "recess", **fields})
    built.journal.append("part_closed", {"part": part, "reason": "recess"})
    built.journal.seal_part(journal)


def sealed_hearing(
    root: Path,
    signer: Signer,
    parts: int = 2,
    kiosk: str = "kiosk-0001",
    codec: FragmentCodec = PLAIN_CODEC,
) -> Path:
    """Make a whole sealed hearing; return its folder."""
    built = new_hearing(root, signer, kiosk)
    for number in range(1, parts + 1):
        add_part(built, fragments=6, codec=codec)
        close_part(built, number, video_frames=24, samples=dict.fromkeys(MICROPHONES, 6 * BLOCK))
    built.journal.end({"person": "p1"})
    return built.folder
