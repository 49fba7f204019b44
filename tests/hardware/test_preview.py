"""The live picture in shared memory: complete frames only, with any start and stop."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

from kiosk.hardware.camera.back_end import CameraConfig
from kiosk.hardware.camera.preview import HEADER, PreviewReader, PreviewWriter

WIDTH, HEIGHT = 64, 36


def test_written_frames_are_read(tmp_path: Path) -> None:
    path = tmp_path / "preview"
    reader = PreviewReader(path)
    assert reader.read() is None
    writer = PreviewWriter(path, WIDTH, HEIGHT)
    assert reader.read() is None
    writer.write(bytes([7]) * (WIDTH * HEIGHT * 3), 123, 1)
    frame = reader.read()
    assert frame is not None
    assert (frame.width, frame.height, frame.captured_ns, frame.number) == (64, 36, 123, 1)
    assert frame.rgb == bytes([7]) * (WIDTH * HEIGHT * 3)


def test_a_frame_that_is_being_written_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "preview"
    PreviewWriter(path, WIDTH, HEIGHT).write(bytes(WIDTH * HEIGHT * 3), 1, 1)
    reader = PreviewReader(path)
    with path.open("r+b") as file:
        magic, width, height, sequence, stamp, number = HEADER.unpack(file.read(HEADER.size))
        assert sequence % 2 == 0
        file.seek(0)
        file.write(HEADER.pack(magic, width, height, sequence + 1, stamp, number))
    assert reader.read() is None
    # the next writer, after a crash of the first, makes it readable again
    PreviewWriter(path, WIDTH, HEIGHT).write(bytes([1]) * (WIDTH * HEIGHT * 3), 2, 2)
    frame = reader.read()
    assert frame is not None
    assert frame.number == 2


def test_a_fast_writer_never_tears_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "preview"
    writer = PreviewWriter(path, WIDTH, HEIGHT)
    writer.write(bytes(WIDTH * HEIGHT * 3), 0, 1)
    done = threading.Event()

    def write() -> None:
        number = 1
        while not done.is_set():
            number += 1
            writer.write(bytes([number % 251]) * (WIDTH * HEIGHT * 3), number, number)

    thread = threading.Thread(target=write)
    thread.start()
    reader = PreviewReader(path)
    seen: set[int] = set()
    try:
        while len(seen) < 20:  # the test's own time limit ends it where nothing new is ever seen
            if (frame := reader.read()) and _whole(frame.rgb):
                seen.add(frame.number)
    finally:
        done.set()
        thread.join()


def _whole(rgb: bytes) -> bool:
    assert rgb.count(rgb[0]) == len(rgb)
    return True


def test_live_pictures_are_rare_and_the_encoder_has_one_thread_where_that_is_enough() -> None:
    small = CameraConfig("virtual", 1280, 720, 25, 2_000_000, 2.0, 10, "")
    assert (small.preview_rate(is_shown=True), small.preview_rate(is_shown=False)) == (10, 2)
    slow = dataclasses.replace(small, preview_fps=1)
    assert (slow.preview_rate(is_shown=True), slow.preview_rate(is_shown=False)) == (1, 1)
    large = dataclasses.replace(small, width=1920, height=1080)
    assert (small.encoder_threads, large.encoder_threads) == (1, 0)
