"""The real camera, by picamera2 on libcamera.

Encoded packets go through our own :class:`Output` and are muxed by the recorder: picamera2's file
outputs truncate silently on an error. Times are the sensor's (``SensorTimestamp``).
"""

from __future__ import annotations

import importlib.metadata
import threading
import time
from pathlib import Path
from typing import Any

import av
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

_PIXEL_FORMATS = {"YUV420": "yuv420p", "NV12": "nv12"}
_MODEL = Path("/proc/device-tree/model")
_MAX_AGE_NS = 2_000_000_000


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
        self._frames = 0
        self._closing = threading.Event()
        self.preview = preview.PreviewWriter(Path(config.preview))
        self._preview_thread: threading.Thread | None = None

    @property
    def frames(self) -> int:
        """Pictures since the camera was opened."""
        return self._frames

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
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (config.width, config.height), "format": "YUV420"},
                    lores={"size": (preview.WIDTH, preview.HEIGHT), "format": "YUV420"},
                    controls={"FrameRate": config.fps},
                )
            )
            self._camera.pre_callback = self._count_picture
            self._camera.start()
        except (RuntimeError, OSError, IndexError, KeyError) as error:
            raise CameraFailedError(f"the camera does not start: {error}") from error
        self._preview_thread = threading.Thread(
            target=self._write_previews, name="preview", daemon=True
        )
        self._preview_thread.start()
        encoder = "V4L2 H.264" if has_hardware_encoder() else "libx264"
        version = importlib.metadata.version("picamera2")
        return BackEndFacts("picamera2", version, encoder, *cameras[number])

    def _count_picture(self, _request: Any) -> None:
        self._frames += 1

    def start_encoder(self, emit: PacketCallback) -> None:
        """Encode from the next picture on, beginning with a key frame."""
        config = self._config
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
        if self._encoder is not None:
            self._camera.stop_encoder(self._encoder)
            self._encoder = None

    def close(self) -> None:
        """Stop the camera (it can hang after a disconnect; the child ends anyway)."""
        self._closing.set()
        self.stop_encoder()
        if self._camera is not None:
            self._camera.stop()
            self._camera.close()

    def _write_previews(self) -> None:
        """Copy the low-resolution stream into shared memory, as often as it is looked at."""
        while not self._closing.is_set():
            period = 1.0 / self._config.preview_rate(is_encoding=self._encoder is not None)
            started = time.monotonic()
            with self._camera.captured_request() as request:
                array = request.make_array("lores")
                timestamp_ns = request.get_metadata().get("SensorTimestamp", 0)
            layout = self._camera.camera_configuration()["lores"]["format"]
            frame = av.VideoFrame.from_ndarray(array, format=_PIXEL_FORMATS[layout])
            rgb = frame.reformat(preview.WIDTH, preview.HEIGHT, "rgb24").to_ndarray()
            self.preview.write(
                rgb.tobytes(), sensor_to_recording_ns(int(timestamp_ns)), max(1, self._frames)
            )
            self._closing.wait(max(0.0, period - (time.monotonic() - started)))
