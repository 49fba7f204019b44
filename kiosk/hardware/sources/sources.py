"""All sources of a recording: the camera and the microphones.

The recorder opens :class:`Sources` once, when it starts, so that a recording begins on running
devices. Every device has a child process, which is killed and started again when it fails. So a
source recovers by itself during a recording.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Self

from kiosk.api.recorder import Camera, Device, Level, Microphone
from kiosk.api.states import CameraState, EncoderState, MicrophoneKind
from kiosk.clocks import NS_PER_S
from kiosk.config import Settings
from kiosk.hardware.camera.back_end import CameraConfig
from kiosk.hardware.camera.picture import Picture
from kiosk.hardware.sources.audio_device import AudioDevice
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.listener import SourceListener
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.sources.speech_detector import SpeechDetector

RECENT_SPEECH_NS = NS_PER_S * 4 // 10


class Sources:
    """The camera and all microphones of ``settings``, running and supervised.

    Args:
        settings: all of them.
        preview: file in shared memory for the live picture (:mod:`kiosk.hardware.camera.preview`).
        baselines: noise floor of microphones at commissioning, in dB, by name.

    Attributes:
        speech: knows who speaks, once :meth:`listen_for_speech` was called.
    """

    def __init__(
        self, settings: Settings, preview: Path, baselines: Mapping[str, float] | None = None
    ) -> None:
        self.preview = preview
        self.camera = self._make_camera(settings)
        noise_floors = baselines or {}
        self.microphones = tuple(
            MicrophoneSource(entry, noise_floors.get(entry.name)) for entry in settings.microphones
        )
        for microphone in self.microphones:
            microphone.meter.is_speech_elsewhere = partial(self._is_speech_elsewhere, microphone)
        self.speech: SpeechDetector | None = None
        groups: dict[tuple[str, int], list[MicrophoneSource]] = {}
        for entry, microphone in zip(settings.microphones, self.microphones, strict=True):
            groups.setdefault((entry.device, entry.rate), []).append(microphone)
        self.audio_devices = tuple(
            AudioDevice(device, tuple(group)) for (device, _), group in groups.items()
        )

    def _is_speech_elsewhere(self, microphone: MicrophoneSource, now_ns: int) -> bool:
        """Return whether another microphone in the room hears speech."""
        times = (
            other.meter.last_speech_ns
            for other in self.microphones
            if other is not microphone and other.kind is not MicrophoneKind.REMOTE
        )
        return any(time_ns is not None and now_ns - time_ns < RECENT_SPEECH_NS for time_ns in times)

    def _make_camera(self, settings: Settings) -> CameraSource | None:
        camera = settings.camera
        if camera.back_end == "none":
            return None
        values = camera.model_dump(exclude={"virtual_scene", "picture"})
        scene, picture = str(camera.virtual_scene), Picture(**camera.picture.model_dump())
        return CameraSource(
            CameraConfig(**values, scene=scene, preview=str(self.preview), picture=picture)
        )

    def open(self) -> None:
        """Start all devices; return at once, before they are ready."""
        self.preview.parent.mkdir(parents=True, exist_ok=True)
        for source in (self.camera, *self.audio_devices):
            if source is not None:
                source.open()

    def listen_for_speech(self) -> None:
        """Tell speech from noise from now on, in one more process; return at once."""
        if self.microphones:
            self.speech = SpeechDetector(self.microphones)
            self.speech.open()

    def close(self) -> None:
        """Stop all devices and their processes."""
        if self.speech is not None:
            self.speech.close()
        threads = [
            threading.Thread(target=source.close)
            for source in (self.camera, *self.audio_devices)
            if source is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def attach(self, listener: SourceListener, since_ns: int) -> None:
        """Start a recording: dispatch everything captured from ``since_ns`` on to ``listener``.

        Another listener may still be attached: the encoder restarts for this one, and both get all
        samples until the other is detached.
        """
        if self.camera is not None:
            self.camera.attach(listener)
        for device in self.audio_devices:
            device.set_recorded(True)
        for microphone in self.microphones:
            microphone.attach(listener, since_ns)

    def stop_encoder(self) -> None:
        """Stop the camera's encoder; packets captured before may still arrive."""
        if self.camera is not None:
            self.camera.stop_encoder()
        for device in self.audio_devices:
            device.set_recorded(False)

    def detach(self, listener: SourceListener) -> None:
        """End a recording: nothing is dispatched to ``listener`` after this returns."""
        if self.camera is not None:
            self.camera.detach(listener)
        for microphone in self.microphones:
            microphone.detach(listener)

    @property
    def is_dispatching(self) -> bool:
        """Whether anything takes what the devices give."""
        camera = self.camera is not None and self.camera.has_listener
        return camera or any(microphone.has_listener for microphone in self.microphones)

    def release(self) -> None:
        """Dispatch to nobody any more: what took anything had no right to it."""
        self.stop_encoder()
        for source in (self.camera, *self.microphones):
            if source is not None:
                source.release()

    def switch_off(self, names: Collection[str]) -> None:
        """Silence the microphones that their seats have switched off, and no others."""
        for microphone in self.microphones:
            microphone.switch(off=microphone.name in names)

    def describe_camera(self) -> Camera:
        """Return ``camera`` of State."""
        camera = self.camera
        if camera is None:
            return Camera(state=CameraState.OFF, back_end="none")
        return Camera(
            state=camera.state,
            back_end=camera.describe().back_end,
            frames=camera.frames,
            dropped=camera.dropped,
            encoder=EncoderState.SLOW if camera.is_encoder_slow else EncoderState.OK,
        )

    def describe_microphones(self) -> list[Microphone]:
        """Return ``microphones`` of State, with their roles by the settings."""
        return [microphone.describe() for microphone in self.microphones]

    @property
    def is_measured(self) -> bool:
        """Whether a sweep measures the room now, and sounds in it."""
        return any(microphone.measure_to is not None for microphone in self.microphones)

    def levels(self) -> dict[str, Level]:
        """Return the level of each microphone; poll it ten times a second."""
        return {
            microphone.name: Level(
                rms_db=round(microphone.meter.rms_db, 1), peak_db=round(microphone.meter.peak_db, 1)
            )
            for microphone in self.microphones
        }

    def devices(self) -> list[Device]:
        """Return the camera and the microphones as devices in use."""
        found = [self.camera.describe()] if self.camera is not None else []
        for device in self.audio_devices:
            found += [device.describe(microphone.name) for microphone in device.microphones]
        return found

    def wait_ready(self, timeout: float) -> bool:
        """Wait until all sources deliver; return False after ``timeout`` seconds.

        It also waits for absent sources: they are tried again and again.
        """
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            camera = self.camera.state if self.camera is not None else CameraState.OK
            delivering = all(microphone.state.is_delivering for microphone in self.microphones)
            if camera is CameraState.OK and delivering:
                return True
            time.sleep(0.02)
        return False
