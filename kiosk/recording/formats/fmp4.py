"""Fragmented MP4 (ISO/IEC 14496-12, -14, -15 and "FLAC in ISOBMFF"): the boxes we write.

Codecs come from libav; the boxes are written here, because evidence needs what libavformat's
muxer does not give: every fragment placed absolutely on the recording clock (that muxer adds up
durations, so gaps and clock corrections move what follows), no packet held back because another
track has stalled, a ``prft`` box per track, and codec data taken from the packets themselves.
What is written is read back in the tests by libav, ffprobe and a browser's rules.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

VIDEO_TIMESCALE = 90_000
_UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY_SAMPLE = 0x02000000  # depends on no other sample
_OTHER_SAMPLE = 0x01010000  # depends on others, is not a sync sample
_NTP_EPOCH_S = 2_208_988_800  # 1900-01-01 to 1970-01-01
_REAL_TIME_CAPTURE = 24  # prft flags: the time is that of the capture


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of four-letter type ``kind``."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


# -- codec data --------------------------------------------------------------------------------
_START_CODE = re.compile(rb"\x00\x00\x01")


def nal_units(annex_b: bytes) -> list[bytes]:
    """Split an H.264 byte stream (ITU-T H.264 Annex B) into its NAL units."""
    return [unit.rstrip(b"\x00") for unit in _START_CODE.split(annex_b)[1:]]


@dataclass(frozen=True)
class H264Config:
    """Parameter sets of an H.264 stream, one of each, as NAL units."""

    sps: bytes
    pps: bytes


def h264_sample(annex_b: bytes) -> tuple[bytes, H264Config | None]:
    """Return a packet as an MP4 sample (4-byte lengths), and the parameter sets it carried."""
    parts: list[bytes] = []
    sps = pps = None
    for unit in nal_units(annex_b):
        kind = unit[0] & 0x1F if unit else 0
        if kind == 7:
            sps = unit
        elif kind == 8:
            pps = unit
        elif kind not in (0, 9):  # 9: access unit delimiter, not wanted in MP4
            parts += (struct.pack(">I", len(unit)), unit)
    config = H264Config(sps, pps) if sps is not None and pps is not None else None
    return b"".join(parts), config


def _avcc(config: H264Config) -> bytes:
    """Return ``avcC`` (ISO/IEC 14496-15, 5.3.3.1.2)."""
    profile, compatibility, level = config.sps[1:4]
    extension = b"\xfd\xf8\xf8\x00" if profile in (100, 110, 122, 144) else b""  # 4:2:0, 8 bit
    return box(
        b"avcC",
        bytes((1, profile, compatibility, level, 0xFF, 0xE1)),
        struct.pack(">H", len(config.sps)) + config.sps,
        b"\x01" + struct.pack(">H", len(config.pps)) + config.pps,
        extension,
    )


def _descriptor(tag: int, body: bytes) -> bytes:
    """Return an MPEG-4 descriptor (ISO/IEC 14496-1, 8.3.3)."""
    return bytes((tag, len(body))) + body


def _audio_entry(kind: bytes, rate: int, codec_box: bytes) -> bytes:
    """Return a mono, 16-bit audio sample entry."""
    head = struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, rate << 16)
    return box(kind, head, codec_box)


# -- tracks ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class TrackHeader:
    """One track of an initialisation segment.

    Attributes:
        number: track id, from 1.
        name: handler name; tools show it.
        timescale: ticks per second.
        entry: sample entry box.
        size: width and height of a video track, else None.
    """

    number: int
    name: str
    timescale: int
    entry: bytes
    size: tuple[int, int] | None = None


def video_track(number: int, name: str, size: tuple[int, int], config: H264Config) -> TrackHeader:
    """Return the header of an H.264 track."""
    head = struct.pack(
        ">6xH16xHHIIIH32sHh", 1, *size, 0x480000, 0x480000, 0, 1, b"", 24, -1
    )  # 72 dpi, one frame a sample, 24-bit colour
    entry = box(b"avc1", head, _avcc(config))
    return TrackHeader(number, name, VIDEO_TIMESCALE, entry, size)


def aac_track(number: int, name: str, rate: int, config: bytes, bitrate: int) -> TrackHeader:
    """Return the header of a mono AAC track; ``config`` is the AudioSpecificConfig."""
    decoder = _descriptor(
        4, struct.pack(">BB3xII", 0x40, 0x15, bitrate, bitrate) + _descriptor(5, config)
    )
    stream = _descriptor(3, struct.pack(">HB", number, 0) + decoder + _descriptor(6, b"\x02"))
    entry = _audio_entry(b"mp4a", rate, full_box(b"esds", 0, 0, stream))
    return TrackHeader(number, name, rate, entry)


def flac_track(number: int, name: str, rate: int, stream_info: bytes) -> TrackHeader:
    """Return the header of a mono FLAC track; ``stream_info`` is the 34-byte STREAMINFO."""
    block = bytes((0x80,)) + struct.pack(">I", len(stream_info))[1:] + stream_info
    entry = _audio_entry(b"fLaC", rate, full_box(b"dfLa", 0, 0, block))
    return TrackHeader(number, name, rate, entry)


def _track_box(track: TrackHeader) -> bytes:
    width, height = track.size or (0, 0)
    volume = 0 if track.size else 0x0100
    handler, media = (
        (b"vide", full_box(b"vmhd", 0, 1, bytes(8)))
        if track.size
        else (b"soun", full_box(b"smhd", 0, 0, bytes(4)))
    )
    header = struct.pack(">IIIII8xHHHH", 0, 0, track.number, 0, 0, 0, 0, volume, 0)
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), track.entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    name = track.name.encode("utf-8") + b"\x00"
    return box(
        b"trak",
        full_box(
            b"tkhd", 0, 3, header, _UNITY_MATRIX, struct.pack(">II", width << 16, height << 16)
        ),
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, track.timescale, 0, 0x55C4, 0)),
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), name),
            box(b"minf", media, data, table),
        ),
    )


def init_segment(tracks: Sequence[TrackHeader]) -> bytes:
    """Return ``ftyp`` and ``moov`` of a file whose media follow in fragments."""
    header = struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x0100)
    extends = [
        full_box(b"trex", 0, 0, struct.pack(">IIIII", track.number, 1, 0, 0, _KEY_SAMPLE))
        for track in tracks
    ]
    moov = box(
        b"moov",
        full_box(
            b"mvhd", 0, 0, header, _UNITY_MATRIX, bytes(24), struct.pack(">I", len(tracks) + 1)
        ),
        *map(_track_box, tracks),
        box(b"mvex", *extends),
    )
    return box(b"ftyp", b"iso6", bytes(4), b"iso6", b"iso5", b"mp41") + moov


# -- fragments ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sample:
    """One coded picture or audio frame; ``duration`` in ticks of its track."""

    data: bytes
    duration: int
    key: bool = True


@dataclass(frozen=True)
class TrackRun:
    """Samples of one track in one fragment.

    Attributes:
        number: track id.
        decode_time: ticks from the start of the part to the first sample.
        samples: in order, without a hole (a longer duration covers one).
        wall_ns: wall time of the capture of the first sample, ns since 1970 (for ``prft``).
    """

    number: int
    decode_time: int
    samples: Sequence[Sample]
    wall_ns: int


def _prft(run: TrackRun) -> bytes:
    """Return the producer reference time of a track (ISO/IEC 14496-12, 8.16.5), 64-bit NTP."""
    seconds, rest = divmod(run.wall_ns, 1_000_000_000)
    ntp = (seconds + _NTP_EPOCH_S) << 32 | (rest << 32) // 1_000_000_000
    return full_box(
        b"prft", 1, _REAL_TIME_CAPTURE, struct.pack(">IQQ", run.number, ntp, run.decode_time)
    )


def _track_fragment(run: TrackRun, data_offset: int) -> bytes:
    rows = b"".join(
        struct.pack(
            ">III",
            sample.duration,
            len(sample.data),
            _KEY_SAMPLE if sample.key else _OTHER_SAMPLE,
        )
        for sample in run.samples
    )
    return box(
        b"traf",
        full_box(b"tfhd", 0, 0x020000, struct.pack(">I", run.number)),  # default-base-is-moof
        full_box(b"tfdt", 1, 0, struct.pack(">Q", run.decode_time)),
        full_box(b"trun", 0, 0x701, struct.pack(">Ii", len(run.samples), data_offset), rows),
    )


def fragment(sequence: int, runs: Sequence[TrackRun]) -> bytes:
    """Return ``prft`` per track, ``moof`` and ``mdat``; ``sequence`` counts from 1."""

    def moof(first: int) -> bytes:
        offsets, position = [], first
        for run in runs:
            offsets.append(position)
            position += sum(len(sample.data) for sample in run.samples)
        fragments = map(_track_fragment, runs, offsets)
        return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), *fragments)

    head = moof(len(moof(0)) + 8)
    data = box(b"mdat", *(sample.data for run in runs for sample in run.samples))
    return b"".join(map(_prft, runs)) + head + data
