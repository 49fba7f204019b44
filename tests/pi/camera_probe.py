"""A camera child over the real picamera2, and what it has sent."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.camera.back_end import CameraConfig
from kiosk.hardware.camera.packet import VideoPacket, unpack_video
from kiosk.hardware.child_process.protocol import STATUS, VIDEO
from kiosk.hardware.child_process.supervisor import ProcessSupervisor

FPS = 25


class CameraProbe:
    """A camera child, and what it has sent."""

    def __init__(self, config: CameraConfig) -> None:
        self.status: dict[str, Any] = {}
        self.packets: list[VideoPacket] = []
        self.received_ns: list[int] = []
        self.lock = threading.Lock()
        self.supervisor = ProcessSupervisor(
            "camera",
            "kiosk.hardware.sources.camera_child",
            dataclasses.asdict(config),
            self._on_message,
            find_problem=lambda: None,
        )

    def _on_message(self, kind: int, payload: bytes) -> None:
        if kind == STATUS:
            self.status.update(json.loads(payload))
        elif kind == VIDEO:
            with self.lock:
                self.packets.append(unpack_video(payload))
                self.received_ns.append(recording_ns())


def config_of(folder: Path, name: str = "") -> CameraConfig:
    """Return a camera of 1280x720 at 25 pictures a second: ``name`` of libcamera, or the first."""
    preview = str(folder / "preview")
    return CameraConfig("auto", 1280, 720, FPS, 2_000_000, 2.0, 10, preview, id=name)


def seconds_of_packets(probe: CameraProbe, seconds: float) -> Callable[[], bool]:
    """Return a condition: packets from so many seconds of capture are there."""

    def enough() -> bool:
        with probe.lock:
            packets = probe.packets
            if not packets:
                return False
            return packets[-1].captured_ns - packets[0].captured_ns >= seconds * NS_PER_S

    return enough
