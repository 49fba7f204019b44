"""The real camera, by picamera2 on libcamera.

Encoded packets go through our own :class:`Output` and are muxed by the recorder: picamera2's file
outputs truncate silently on an error. Times are the sensor's (``SensorTimestamp``).

A web cam through libcamera has one stream, often of JPEGs, and no control of its rate: its pictures
are encoded here, because picamera2's ``start_encoder`` asks each camera for that control.
"""

from __future__ import annotations

import importlib.metadata
import threading
import time
from pathlib import Path
from typing import Any

import libcamera
from picamera2 import Picamera2
from picamera2.encoders import LibavH264Encoder
from picamera2.outputs import Output
from picamera2.platform import Platform, get_platform

from kiosk.clocks import boottime_to_recording_ns, recording_ns
from kiosk.hardware.camera import preview
from kiosk.hardware.camera.back_end import (
    BackEndFacts,
    CameraAbsentError,
    CameraConfig,
    CameraFailedError,
    PacketCallback,
)
from kiosk.hardware.camera.frames import WEB_CAM_FORMATS, FrameReader
from kiosk.hardware.camera.picture import (
    FOCUS_FAILED,
    Offered,
    Picture,
    PictureHolds,
    focus_once,
    holds_of,
    missing_abilities,
    wanted_controls,
)
from kiosk.hardware.camera.software_encoder import SoftwareEncoder

_MODEL = Path("/proc/device-tree/model")
_MAX_AGE_NS = 2_000_000_000
FOCUS_RETRY_S = 30.0
"""A camera that focuses once and did not find anything, as at night, tries again after this."""


def sensor_to_recording_ns(sensor_ns: int) -> int:
    """Convert a ``SensorTimestamp``, which is CLOCK_BOOTTIME by libcamera's rule.

    Pipelines without a sensor use CLOCK_MONOTONIC. After a suspend the two differ, and only one of
    them is within the last two seconds.
    """
    now = recording_ns()
    by_boottime = boottime_to_recording_ns(sensor_ns)
    plausible = [t for t in (by_boottime, sensor_ns) if -50_000_000 <= now - t < _MAX_AGE_NS]
    return plausible[0] if plausible else by_boottime


def has_hardware_encoder() -> bool:
    """Return whether this is a Raspberry Pi 4 or older (picamera2 reports every PC as one)."""
    try:
        model = _MODEL.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return model.startswith("Raspberry Pi") and get_platform() == Platform.VC4


class PacketOutput(Output):  # type: ignore[misc]
    """Emits the encoder's packets with their capture time on the recording clock."""

    def __init__(self, encoder: Any, emit: PacketCallback) -> None:
        super().__init__()
        self._encoder = encoder
        self._emit = emit

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,  # noqa: ARG002
        audio: bool = False,
    ) -> None:
        """Emit a packet; ``timestamp`` in microseconds since the encoder's first picture."""
        first = self._encoder.firsttimestamp
        if audio or timestamp is None or first is None:
            return
        captured_ns = sensor_to_recording_ns((first + timestamp) * 1000)
        self._emit(captured_ns, keyframe, bytes(frame))


class Picamera2Camera:
    """Camera back end (see :class:`kiosk.hardware.camera.back_end.CameraBackEnd`).

    Args:
        config: configuration of the camera.
        allocator: buffer allocator for ``Picamera2``; None for its own.

    Attributes:
        preview: writer of the live picture.
    """

    def __init__(self, config: CameraConfig, allocator: Any = None) -> None:
        self._config = config
        self._allocator = allocator
        self._camera: Any = None
        self._encoder: Any = None
        self._software_encoder: SoftwareEncoder | None = None
        self._picture = config.picture
        self._offered: Offered = {}
        self._streams = 1
        self._reader: FrameReader | None = None  # of a web cam's only stream
        self._transform = (0, False)
        self._metadata: dict[str, Any] = {}
        self._focused_at = 0.0
        self._frames = 0
        self._closing = threading.Event()
        self.preview = preview.PreviewWriter(Path(config.preview))
        self._preview_thread: threading.Thread | None = None

    @property
    def frames(self) -> int:
        """Pictures since the camera was opened."""
        return self._frames

    @property
    def holds(self) -> PictureHolds:
        """What holds for the newest live picture, by its metadata."""
        return holds_of(self._metadata, self._offered, self._transform)

    def open(self) -> BackEndFacts:
        """Start the camera and its live picture.

        Raises:
            CameraAbsentError: libcamera finds no camera, or not that of the settings.
            CameraFailedError: it does not start.
        """
        config = self._config
        found = Picamera2.global_camera_info()  # in the order in which picamera2 counts
        cameras = [(str(row["Id"]), str(row.get("Model", ""))) for row in found]
        number = next((n for n, (name, _) in enumerate(cameras) if config.id in ("", name)), None)
        if number is None:
            raise CameraAbsentError(f"libcamera does not find {config.id or 'a camera'}")
        try:
            self._camera = Picamera2(number, allocator=self._allocator)
            can_rotate = self._configure()
            self._camera.pre_callback = self._on_picture
            self._camera.start()
        except (RuntimeError, OSError, IndexError, KeyError, ValueError) as error:
            raise CameraFailedError(f"the camera does not start: {error}") from error
        self._preview_thread = threading.Thread(
            target=self._write_previews, name="preview", daemon=True
        )
        self._preview_thread.start()
        is_hardware = has_hardware_encoder() and self._reader is None
        encoder = "V4L2 H.264" if is_hardware else "libx264"
        version = importlib.metadata.version("picamera2")
        cannot = missing_abilities(self._offered, can_rotate=can_rotate)
        return BackEndFacts("picamera2", version, encoder, *cameras[number], cannot)

    def _configure(self) -> bool:
        """Configure streams and controls as the camera can; return whether it can rotate."""
        config, camera = self._config, self._camera
        asked = camera.camera.generate_configuration([libcamera.StreamRole.Viewfinder] * 2)
        self._streams = asked.size
        asked.orientation = libcamera.Orientation.Rotate180
        asked.validate()
        can_rotate = bool(asked.orientation == libcamera.Orientation.Rotate180)
        horizontal, vertical = self._picture.flips
        options: dict[str, Any] = {
            "main": {"size": (config.width, config.height), "format": "YUV420"},
            "transform": libcamera.Transform(hflip=horizontal, vflip=vertical),
            "controls": {},
        }
        if "FrameDurationLimits" in camera.camera_controls:
            options["controls"] = {"FrameRate": config.fps}
        if self._streams > 1:
            options["lores"] = {"size": (preview.WIDTH, preview.HEIGHT), "format": "YUV420"}
        else:
            offered = {str(name) for name in asked.at(0).formats.pixel_formats}
            best = next((name for name in WEB_CAM_FORMATS if name in offered), "YUV420")
            options["main"]["format"] = best
        camera.configure(camera.create_video_configuration(**options))
        main, held = camera.camera_configuration()["main"], camera.camera_configuration()
        if self._streams == 1:
            self._reader = FrameReader(main["format"], main["size"], main["stride"])
        flips = held["transform"]
        is_turned = bool(flips.vflip)
        self._transform = (180 if is_turned else 0, bool(flips.hflip) != is_turned)
        self._offered = camera.camera_controls
        controls = wanted_controls(self._picture, self._offered, self._streams)
        self._focused_at = time.monotonic()
        camera.set_controls(controls)
        return can_rotate

    def set_picture(self, picture: Picture) -> None:
        """Take the next pictures so, as far as the camera can; its rotation stays."""
        self._picture, self._focused_at = picture, time.monotonic()
        self._camera.set_controls(wanted_controls(picture, self._offered, self._streams))

    def focus_once(self) -> None:
        """Focus now and hold it, if the camera can."""
        self._focused_at = time.monotonic()
        self._camera.set_controls(focus_once(self._offered))

    def _retry_focus(self) -> None:
        """Focus again if nothing was found when it should; never while a hearing is recorded."""
        failed = self._metadata.get("AfState") == FOCUS_FAILED and self._picture.focus == "once"
        is_encoding = self._encoder is not None
        if failed and not is_encoding and time.monotonic() - self._focused_at > FOCUS_RETRY_S:
            self.focus_once()

    def _on_picture(self, request: Any) -> None:
        """Count a picture; encode it if it is a web cam's. In picamera2's thread."""
        self._frames += 1
        encoder, reader = self._software_encoder, self._reader
        if encoder is None or reader is None:
            return
        frame = reader.read(request.make_buffer("main"))
        if frame is not None:
            sensor_ns = int(request.get_metadata()["SensorTimestamp"])
            encoder.encode(frame, sensor_to_recording_ns(sensor_ns))

    def start_encoder(self, emit: PacketCallback) -> None:
        """Encode from the next picture on, beginning with a key frame."""
        config = self._config
        if self._reader is not None:
            self._encoder = self._software_encoder = SoftwareEncoder(config, emit)
            return
        options: dict[str, Any] = {
            "bitrate": config.bitrate,
            "repeat": True,
            "iperiod": config.keyframe_interval,
            "framerate": config.fps,
        }
        if has_hardware_encoder():
            from picamera2.encoders import H264Encoder

            self._encoder = H264Encoder(**options)
        else:
            self._encoder = LibavH264Encoder(**options)
            self._encoder.threads = config.encoder_threads
        self._camera.start_encoder(self._encoder, PacketOutput(self._encoder, emit))

    def stop_encoder(self) -> None:
        """Stop encoding; the camera keeps running."""
        if self._encoder is not None and self._reader is None:
            self._camera.stop_encoder(self._encoder)
        self._encoder = self._software_encoder = None

    def close(self) -> None:
        """Stop the camera (it can hang after a disconnect; the child ends anyway)."""
        self._closing.set()
        self.stop_encoder()
        if self._camera is not None:
            self._camera.stop()
            self._camera.close()

    def _write_previews(self) -> None:
        """Copy a small picture into shared memory, as often as it is looked at."""
        name = "main" if self._reader is not None else "lores"
        stream = self._camera.camera_configuration()[name]
        reader = FrameReader(stream["format"], stream["size"], stream["stride"])
        while not self._closing.is_set():
            is_shown = self._encoder is not None or self.preview.is_watched
            period = 1.0 / self._config.preview_rate(is_shown=is_shown)
            started = time.monotonic()
            with self._camera.captured_request() as request:
                data, self._metadata = request.make_buffer(name), request.get_metadata()
            frame = reader.read(data)
            if frame is not None:
                rgb = frame.reformat(preview.WIDTH, preview.HEIGHT, "rgb24").to_ndarray()
                sensor_ns = int(self._metadata.get("SensorTimestamp", 0))
                captured_ns = sensor_to_recording_ns(sensor_ns)
                self.preview.write(rgb.tobytes(), captured_ns, max(1, self._frames))
            self._retry_focus()
            self._closing.wait(max(0.0, period - (time.monotonic() - started)))
