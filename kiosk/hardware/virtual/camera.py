"""A virtual camera: paints a courtroom, flashes, or plays a folder of PNGs.

It encodes like picamera2's ``LibavH264Encoder`` (libx264, ultrafast, zerolatency, parameter sets
before each key frame), so that the output has no difference. It takes pictures at whole multiples
of the frame period of the recording clock.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.camera import preview
from kiosk.hardware.camera.back_end import (
    BackEndFacts,
    CameraConfig,
    CameraFailedError,
    PacketCallback,
)
from kiosk.hardware.camera.picture import Picture as WantedPicture
from kiosk.hardware.camera.picture import PictureHolds
from kiosk.hardware.camera.software_encoder import SoftwareEncoder
from kiosk.hardware.virtual.lens import VirtualLens

Picture = NDArray[np.uint8]
"""YUV 4:2:0 planar: ``(height * 3 // 2, width)``."""
FLASH_NS = 80_000_000
"""Length of a flash, which begins at each whole second of the recording clock."""


def to_yuv(image: Image.Image) -> Picture:
    """Return ``image`` (RGB) as planar YUV 4:2:0."""
    frame = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")
    return np.asarray(frame.reformat(format="yuv420p").to_ndarray(), dtype=np.uint8)


def subsample(frame: av.VideoFrame, step: int) -> av.VideoFrame:
    """Return every ``step``-th pixel of every ``step``-th row of a planar YUV 4:2:0 frame."""
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        planes.append(rows[: plane.height : step, : plane.width : step])
    picture = np.concatenate([plane.reshape(-1, planes[0].shape[1]) for plane in planes])
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")


def to_frame(picture: Picture) -> av.VideoFrame:
    """Return a frame with a copy of ``picture``."""
    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


class Scene(Protocol):
    """Source of the camera's pictures."""

    def frame(self, captured_ns: int) -> av.VideoFrame:
        """Return the picture at that time (planar YUV 4:2:0); use it before the next call."""


class FlashScene:
    """Dark grey; white for 80 ms from each whole second of the recording clock."""

    def __init__(self, width: int, height: int) -> None:
        self._dark = to_frame(to_yuv(Image.new("RGB", (width, height), (40, 40, 40))))
        self._white = to_frame(to_yuv(Image.new("RGB", (width, height), (255, 255, 255))))

    def frame(self, captured_ns: int) -> av.VideoFrame:
        """See :class:`Scene`."""
        return self._white if captured_ns % NS_PER_S < FLASH_NS else self._dark


class FolderScene:
    """Plays the PNGs of a folder by name, one for each picture, in an endless loop."""

    _CACHED = 100

    def __init__(self, folder: Path, width: int, height: int, fps: int) -> None:
        self._paths = sorted(folder.glob("*.png"))
        if not self._paths:
            raise CameraFailedError(f"{folder}: no PNG files")
        self._size = (width, height)
        self._period = NS_PER_S / fps
        self._first: int | None = None
        self._cache: dict[Path, av.VideoFrame] = {}

    def frame(self, captured_ns: int) -> av.VideoFrame:
        """See :class:`Scene`."""
        if self._first is None:
            self._first = captured_ns
        number = round((captured_ns - self._first) / self._period)
        path = self._paths[number % len(self._paths)]
        frame = self._cache.get(path)
        if frame is None:
            with Image.open(path, formats=("JPEG", "PNG")) as image:
                frame = to_frame(to_yuv(image.convert("RGB").resize(self._size)))
            if len(self._cache) < self._CACHED:
                self._cache[path] = frame
        return frame


class CourtroomScene:
    """A judge's bench, people who move a little, and a running clock.

    Everything is drawn once; each picture only copies small patches.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        empty = Image.new("RGB", (width, height))
        self._draw_room(empty)
        self._background = to_yuv(empty)
        self._picture = self._background.copy()
        self._people = [self._draw_person(empty, place) for place in range(3)]
        self._digits = self._draw_digits()

    # Drawn on a grid of 160 x 90 units, scaled to the picture.
    def _units_to_pixels(self, value: float) -> int:
        return round(value * self._height / 90)

    def _area(self, x: float, y: float, w: float, h: float) -> tuple[int, int, int, int]:
        """Return an even-sized area (left, top, width, height) in pixels, inside the picture."""
        left = round(x * self._width / 160) & ~1
        top = self._units_to_pixels(y) & ~1
        return left, top, round(w * self._width / 160) & ~1, self._units_to_pixels(h) & ~1

    def _draw_room(self, image: Image.Image) -> None:
        draw = ImageDraw.Draw(image)

        def block(x: float, y: float, w: float, h: float, colour: tuple[int, int, int]) -> None:
            left, top, width, height = self._area(x, y, w, h)
            draw.rectangle((left, top, left + width, top + height), fill=colour)

        for row in range(90):
            shade = 168 + row // 3
            block(0, row, 160, 1.2, (shade, shade - 12, shade - 34))
        for panel in range(0, 160, 20):
            block(panel, 0, 0.6, 60, (150, 128, 98))
        block(0, 62, 160, 28, (112, 84, 60))
        block(46, 42, 68, 20, (94, 58, 34))  # the bench
        block(44, 40, 72, 3, (122, 78, 46))
        block(6, 60, 38, 16, (126, 90, 58))  # the parties' tables
        block(116, 60, 38, 16, (126, 90, 58))
        block(14, 12, 14, 24, (0, 156, 180))  # a flag
        for x, y, size in ((20, 76, 12), (66, 78, 12), (120, 76, 12)):
            block(x, y, size, 10, (70, 52, 40))

    def _draw_person(
        self, room: Image.Image, place: int
    ) -> tuple[tuple[int, int, int, int], Picture]:
        """Return a person's area and the patch with the person in it."""
        x, y = ((72, 20), (16, 40), (128, 40))[place]
        area = left, top, width, height = self._area(x, y, 16, 20)
        image = room.crop((left, top, left + width, top + height))
        draw = ImageDraw.Draw(image)
        robe = ((30, 30, 42), (64, 74, 98), (88, 52, 52))[place]
        draw.ellipse((width * 0.12, height * 0.52, width * 0.88, height * 1.4), fill=robe)
        draw.ellipse((width * 0.3, height * 0.1, width * 0.7, height * 0.6), fill=(214, 172, 142))
        draw.pieslice(
            (width * 0.28, height * 0.06, width * 0.72, height * 0.56), 180, 360, fill=(52, 40, 34)
        )
        return area, to_yuv(image)

    def _draw_digits(self) -> dict[str, Picture]:
        """Return a luma patch for each character of the clock."""
        size = max(14, self._units_to_pixels(5))
        font = ImageFont.load_default(size)
        patches = {}
        for character in "0123456789:.-TZ ":
            image = Image.new("L", (round(size * 0.62) & ~1, (size + 6) & ~1), 28)
            ImageDraw.Draw(image).text((1, 1), character, font=font, fill=225)
            patches[character] = np.asarray(image, dtype=np.uint8)
        return patches

    def frame(self, captured_ns: int) -> av.VideoFrame:
        """See :class:`Scene`."""
        return to_frame(self.paint(captured_ns))

    def paint(self, captured_ns: int) -> Picture:
        """Return the picture at that time; the next call overwrites it."""
        for place, (area, patch) in enumerate(self._people):
            phase = (captured_ns / NS_PER_S) * (0.35 + 0.2 * place) + place
            self._move_person(
                area, patch, round(np.sin(phase * 2 * np.pi) * self._units_to_pixels(0.7))
            )
        self._draw_time()
        return self._picture

    def _planes(self, picture: Picture, width: int, height: int) -> tuple[Picture, ...]:
        luma = picture[:height]
        chroma = picture[height:].reshape(2, height // 2, width // 2)
        return luma, chroma[0], chroma[1]

    def _move_person(self, area: tuple[int, int, int, int], patch: Picture, by: int) -> None:
        """Copy a person's patch into the picture, ``by`` pixels lower."""
        left, top, width, height = area
        by &= ~1
        target = self._planes(self._picture, self._width, self._height)
        for plane, (to, source) in enumerate(
            zip(target, self._planes(patch, width, height), strict=True)
        ):
            k = 2 if plane else 1
            y, x, dy = top // k, left // k, by // k
            to[y + dy : y + dy + height // k, x : x + width // k] = source

    def _draw_time(self) -> None:
        wall = datetime.now().astimezone()
        text = wall.strftime("%Y-%m-%d %H:%M:%S.") + str(wall.microsecond // 100_000)
        left, top, _, _ = self._area(4, 3, 2, 2)
        for character in text:
            patch = self._digits[character]
            height, width = patch.shape
            self._picture[top : top + height, left : left + width] = patch
            left += width


class _PreviewPublisher:
    """Makes the live picture at little cost, like a camera's own scaler."""

    def __init__(self, config: CameraConfig, writer: preview.PreviewWriter) -> None:
        self._writer = writer
        self._scaler = VideoReformatter()
        across, rest = divmod(config.width, preview.WIDTH)
        down, rest_down = divmod(config.height, preview.HEIGHT)
        self._step = across if across == down and not rest and not rest_down else 1

    def publish(self, frame: av.VideoFrame, captured_ns: int, number: int) -> None:
        """Publish ``frame``."""
        if self._step > 1:
            frame = subsample(frame, self._step)
        small = self._scaler.reformat(frame, preview.WIDTH, preview.HEIGHT, "rgb24")
        self._writer.write(small.to_ndarray().tobytes(), captured_ns, number)


class VirtualCamera:
    """Camera back end (see :class:`kiosk.hardware.camera.back_end.CameraBackEnd`).

    Attributes:
        preview: writer of the live picture.
    """

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._scene = self._make_scene(config)
        self._lens = VirtualLens(config.width, config.height, config.fps, config.picture)
        self._frames = 0
        self.preview = preview.PreviewWriter(Path(config.preview))
        self._encoder: SoftwareEncoder | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @staticmethod
    def _make_scene(config: CameraConfig) -> Scene:
        if config.scene == "courtroom":
            return CourtroomScene(config.width, config.height)
        if config.scene == "flash":
            return FlashScene(config.width, config.height)
        return FolderScene(Path(config.scene), config.width, config.height, config.fps)

    @property
    def frames(self) -> int:
        """Pictures since the camera was opened."""
        return self._frames

    def open(self) -> BackEndFacts:
        """Start painting."""
        self._thread.start()
        return BackEndFacts("PyAV", av.__version__, "virtual (libx264)", "virtual")

    @property
    def holds(self) -> PictureHolds:
        """What holds for its pictures."""
        return self._lens.holds

    def set_picture(self, picture: WantedPicture) -> None:
        """Take the next pictures so."""
        with self._lock:
            self._lens.set_picture(picture)

    def focus_once(self) -> None:
        """Find the scene."""
        with self._lock:
            self._lens.focus_once()

    def start_encoder(self, emit: PacketCallback) -> None:
        """Encode from the next picture on, beginning with a key frame."""
        encoder = SoftwareEncoder(self._config, emit)
        with self._lock:
            self._encoder = encoder

    def stop_encoder(self) -> None:
        """Stop encoding; the camera keeps running."""
        with self._lock:
            self._encoder = None

    def close(self) -> None:
        """Stop painting."""
        self._closing.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        """Take a picture at each multiple of the frame period; skip late ones."""
        config = self._config
        publisher = _PreviewPublisher(config, self.preview)
        preview_slot = 0
        number = recording_ns() * config.fps // NS_PER_S
        while not self._closing.is_set():
            number = max(number + 1, recording_ns() * config.fps // NS_PER_S)
            captured_ns = -(-number * NS_PER_S // config.fps)
            time.sleep(max(0, captured_ns - recording_ns()) / NS_PER_S)
            with self._lock:
                encoder = self._encoder
                is_shown = encoder is not None or self.preview.is_watched
                rate = config.preview_rate(is_shown=is_shown)
                is_preview_due = preview_slot != (preview_slot := captured_ns * rate // NS_PER_S)
                if encoder is not None or is_preview_due:
                    frame = self._lens.apply(self._scene.frame(captured_ns))
                if encoder is not None:
                    encoder.encode(frame, captured_ns)
            self._frames += 1
            if is_preview_due:
                publisher.publish(frame, captured_ns, self._frames)
