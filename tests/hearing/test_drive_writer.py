"""Files on a stick: what is written over earlier bytes is hashed as it is in the end."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from kiosk.export.drive_writer import BLOCK_BYTES, DriveWriter
from kiosk.export.errors import ReadBackError

RATE = 48_000
FRAME = 1024
PACKETS = 20_000


def write_long_video(file: Any) -> None:
    """Write an MP4 whose index is larger than the muxer's buffer."""
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(PACKETS):
            packet = av.Packet(bytes(100 + number % 100))
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = number * FRAME
            packet.duration = FRAME
            container.mux_one(packet)


def test_a_video_with_a_long_index_is_copied(tmp_path: Path) -> None:
    drive = DriveWriter(tmp_path, "copy")
    file = drive.open("video.mp4")
    write_long_video(file)
    file.close()
    path = drive.folder / "video.mp4"
    sums = drive.read_back(lambda _: None)
    assert sums == {"video.mp4": hashlib.sha256(path.read_bytes()).hexdigest()}
    with av.open(path) as container:
        assert sum(bool(packet.size) for packet in container.demux()) == PACKETS


@pytest.mark.parametrize(
    ("position", "length"),
    [
        (0, 8),
        (BLOCK_BYTES - 3, 8),
        (BLOCK_BYTES, BLOCK_BYTES),
        (3 * BLOCK_BYTES - 2, 6),
        (3 * BLOCK_BYTES + 60, 80),
    ],
)
def test_bytes_written_again_are_hashed_again(tmp_path: Path, position: int, length: int) -> None:
    wanted = bytearray(b"a" * (3 * BLOCK_BYTES + 100))
    drive = DriveWriter(tmp_path, "copy")
    file = drive.open("file")
    file.write(bytes(wanted))
    file.seek(position)
    file.write(b"b" * length)
    file.close()
    wanted[position : position + length] = b"b" * length
    assert (drive.folder / "file").read_bytes() == wanted
    assert drive.read_back(lambda _: None) == {"file": hashlib.sha256(wanted).hexdigest()}


def test_a_block_that_the_stick_stored_wrongly_is_not_taken_over(tmp_path: Path) -> None:
    drive = DriveWriter(tmp_path, "copy")
    file = drive.open("file")
    file.write(b"a" * (BLOCK_BYTES + 1))
    with (drive.folder / "file").open("r+b") as stored:
        stored.seek(7)
        stored.write(b"x")
    file.seek(0)
    with pytest.raises(ReadBackError):
        file.write(b"b")
