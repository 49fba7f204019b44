"""Sources: what gives timed packets (camera) or timed samples (microphones), and their supervision.

A :class:`SourceSet` is opened once, at the start of the recorder, and stays warm: a recording
then begins on running devices. Every device lives in a child process that is killed and started
again when it is ill; a source heals during a running recording without anybody's help.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

import numpy as np

from kiosk.clocks import NS_PER_S, recording_ns, wall_text, wall_time
from kiosk.config import Microphone, Settings
from kiosk.hardware.audio.level_meter import LevelMeter
from kiosk.hardware.audio.microphones import AudioBlock, MicrophoneState
from kiosk.hardware.audio.sample_clock import SampleClock, StampedBlock, joined
from kiosk.hardware.camera.camera import CameraConfig, VideoPacket, unpack_video
from kiosk.hardware.camera.encoder_watch import EncoderWatch
from kiosk.hardware.child_process.protocol import AUDIO, STATUS, VIDEO, unpack_audio
from kiosk.hardware.child_process.supervisor import Supervisor
from kiosk.hardware.virtual.environment import VIRTUAL_MICROPHONES

CameraState = Literal["ok", "starting", "absent", "frozen", "off"]
RING_BLOCKS = 64
REMOTE = "remote"
"""Role of the line-out of a conference set."""
SPEAKING_NS = NS_PER_S * 4 // 10
STALLED_NS = NS_PER_S // 2
FROZEN_NS = NS_PER_S
SILENT_CHILD_NS = 4 * NS_PER_S
"""A child that does not even say "absent" for so long is ill."""
SLOW_CAMERA_NS = 20 * NS_PER_S
"""libcamera and picamera2 take seconds to start on a Pi 4, more on a busy one."""
SLOW_SOUND_NS = 8 * NS_PER_S
"""PortAudio asks every device for its name before it opens one."""


class SourceListener(Protocol):
    """Takes what the sources give, in their threads: it must return at once."""

    def video(self, packet: VideoPacket) -> None:
        """Take one encoded picture."""

    def audio(self, name: str, block: AudioBlock) -> None:
        """Take samples of the microphone ``name``."""


def _wall_of(moment_ns: int | None) -> str | None:
    """Return a moment of the recording clock as wall time text."""
    if moment_ns is None:
        return None
    return wall_text(wall_time() - timedelta(microseconds=(recording_ns() - moment_ns) / 1000))


class CameraSource:
    """The camera: warm with a live picture, encoding while a recording runs."""

    name = "camera"

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._listeners: dict[int, SourceListener] = {}  # by session of the encoder
        self._listener: SourceListener | None = None
        self._session = 0
        self._encoding = False
        self._facts: dict[str, str] = {}
        self._state: CameraState = "starting"
        self._heard_ns = recording_ns()
        self._moved_ns = self._heard_ns
        self._given = 0
        self._greeted = False
        self._frames = self._dropped = 0
        self._encoder = EncoderWatch(config.fps)
        self._child = Supervisor(
            self.name,
            "kiosk.hardware.camera.child",
            asdict(config),
            self._message,
            self._ill,
            self._up,
            self._down,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child."""
        return self._child.pid

    @property
    def state(self) -> CameraState:
        """``ok``, ``starting``, ``absent`` or ``frozen`` (was there and gives no pictures)."""
        return self._state

    @property
    def fps(self) -> int:
        """Pictures a second it was asked for."""
        return self._config.fps

    @property
    def size(self) -> tuple[int, int]:
        """Width and height it was asked for."""
        return self._config.width, self._config.height

    @property
    def frames(self) -> int:
        """Encoded pictures of this or the last recording."""
        return self._frames

    @property
    def dropped(self) -> int:
        """Pictures missing in this or the last recording, by the gaps between their times."""
        return self._dropped

    @property
    def encoder_slow(self) -> bool:
        """Whether the encoder is too slow now: pictures are left out or come late."""
        return self._encoding and self._encoder.slow

    def open(self) -> None:
        """Start the child."""
        self._child.start()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def attach(self, listener: SourceListener) -> None:
        """Start the encoder and give ``listener`` its packets."""
        with self._lock:
            self._frames = self._dropped = 0
            self._encoder.reset()
            self._listener = listener  # one before it still gets what its own session gives
            self._encoding = True
        self._encode()

    def stop_encoder(self) -> None:
        """Stop the encoder; packets that are on their way still arrive."""
        with self._lock:
            self._encoding = False
        self._child.command(encode=0)

    def detach(self, listener: SourceListener) -> None:
        """Hand on nothing any more to ``listener``."""
        with self._lock:
            kept = {one: who for one, who in self._listeners.items() if who is not listener}
            self._listeners = kept
            if self._listener is listener:
                self._listener = None

    def _encode(self) -> None:
        """Have the child encode, in a session of its own."""
        with self._lock:
            if not self._encoding:
                return
            self._session += 1
            if (listener := self._listener) is not None:
                others = {n: who for n, who in self._listeners.items() if who is not listener}
                self._listeners = {**others, self._session: listener}
            self._child.command(encode=self._session)  # in the lock: never out of order

    # -- called in the supervisor's thread -----------------------------------------------------
    def _up(self, _session: int) -> None:
        self._heard_ns = self._moved_ns = recording_ns()
        self._greeted = False

    def _down(self, _reason: str) -> None:
        if self._state == "ok":
            self._state = "frozen"

    def _message(self, kind: int, payload: bytes) -> None:
        self._heard_ns = recording_ns()
        self._greeted = True
        if kind == VIDEO:
            self._packet(unpack_video(payload))
        elif kind == STATUS:
            self._status(json.loads(payload))

    def _status(self, values: dict[str, Any]) -> None:
        if "absent" in values:
            self._state = "absent"
        elif "library" in values:
            self._facts = {key: values[key] for key in ("library", "version", "back_end")}
            self._given = 0
            self._encode()
        if values.get("frames", self._given) != self._given:
            self._given = values["frames"]
            self._moved_ns = recording_ns()
            self._state = "ok"

    def _packet(self, packet: VideoPacket) -> None:
        self._moved_ns = recording_ns()
        with self._lock:
            listener = self._listeners.get(packet.session)
            if listener is None:
                return
            if packet.session != self._session:
                listener.video(packet)
                return
            self._dropped += self._encoder.push(packet.captured_ns, self._moved_ns)
            self._frames += 1
            listener.video(packet)

    def _ill(self) -> str | None:
        now = recording_ns()
        if self._state == "ok" and now - self._moved_ns > FROZEN_NS:
            return "gives no pictures"
        limit = SILENT_CHILD_NS if self._greeted else SLOW_CAMERA_NS
        if now - self._heard_ns > limit:
            return "does not answer"
        return None

    def describe(self) -> dict[str, Any]:
        """Return the camera's entry of ``GET /v1/devices``."""
        unknown = {"library": "", "version": "", "back_end": self._config.back_end}
        virtual = self._config.back_end == "virtual"
        return {"name": self.name, **unknown, **self._facts, "virtual": virtual}


class MicrophoneSource:
    """One microphone: a channel of an audio device."""

    def __init__(self, config: Microphone, baseline_db: float | None = None) -> None:
        self.name = config.name
        self.role = config.role
        self.kind = "remote" if config.role == REMOTE else "room"
        self.rate = config.rate
        self.channel = config.channel
        remote_ns = round(config.silence_seconds * NS_PER_S) if self.kind == "remote" else None
        self.meter = LevelMeter(config.rate, baseline_db, remote_silence_ns=remote_ns)
        self._state: MicrophoneState = "starting"
        self._since = wall_text()
        self._recent: deque[AudioBlock] = deque(maxlen=RING_BLOCKS)
        self._listeners: tuple[SourceListener, ...] = ()
        self._lock = threading.Lock()

    @property
    def state(self) -> MicrophoneState:
        """See docs/interfaces.md."""
        return self._state

    def report(self) -> dict[str, Any]:
        """Return the microphone's entry of ``GET /v1/state``."""
        heard = _wall_of(self.meter.heard_ns)
        entry = {"name": self.name, "kind": self.kind, "role": self.role, "state": self._state}
        return {**entry, "since": self._since, "heard": heard}

    def set_state(self, state: MicrophoneState) -> None:
        """Note a change of state."""
        if state != self._state:
            self._state, self._since = state, wall_text()
            if state in ("dead", "absent"):
                self.meter.reset()

    def take(self, block: AudioBlock) -> None:
        """Measure a block and hand it on."""
        self.meter.push(block)
        self.set_state(self.meter.verdict())
        with self._lock:
            self._recent.append(block)
            for listener in self._listeners:
                listener.audio(self.name, block)

    def attach(self, listener: SourceListener, since_ns: int) -> None:
        """Give ``listener`` all blocks that end after ``since_ns``, and all that follow."""
        with self._lock:
            for block in self._recent:
                if block.start_ns + len(block.samples) * NS_PER_S // self.rate > since_ns:
                    listener.audio(self.name, block)
            self._listeners = (*self._listeners, listener)

    def detach(self, listener: SourceListener) -> None:
        """Hand on nothing any more to ``listener``."""
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not listener)


class AudioDevice:
    """One audio device with its child process and its microphones."""

    def __init__(self, device: str, microphones: tuple[MicrophoneSource, ...]) -> None:
        self.device = device
        self.microphones = microphones
        self._rate = microphones[0].rate
        self._facts: dict[str, str] = {}
        self._clock = SampleClock(self._rate)
        self._epoch = -1
        self._was_alive = False
        self._greeted = False
        self._heard_ns = recording_ns()
        self._arrival_ns: int | None = None
        channels = max(microphone.channel for microphone in microphones) + 1
        self._child = Supervisor(
            device,
            "kiosk.hardware.audio.child",
            {"device": device, "rate": self._rate, "channels": channels},
            self._message,
            self._ill,
            self._up,
            self._down,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child."""
        return self._child.pid

    def open(self) -> None:
        """Start the child."""
        self._child.start()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def describe(self, name: str) -> dict[str, Any]:
        """Return the entry of microphone ``name`` of ``GET /v1/devices``."""
        unknown = {"library": "PyAudio", "version": "", "back_end": ""}
        virtual = VIRTUAL_MICROPHONES in os.environ and self.device.startswith("mic_")
        return {"name": name, **unknown, **self._facts, "virtual": virtual}

    # -- called in the supervisor's thread -----------------------------------------------------
    def _set_all(self, state: MicrophoneState) -> None:
        for microphone in self.microphones:
            microphone.set_state(state)

    def _up(self, _session: int) -> None:
        self._heard_ns = recording_ns()
        self._arrival_ns = None
        self._greeted = False
        self._epoch = self._clock.epoch + 1 if self._epoch >= 0 else 0
        self._clock = SampleClock(self._rate, self._epoch)

    def _down(self, _reason: str) -> None:
        if self._was_alive:
            self._set_all("dead")

    def _message(self, kind: int, payload: bytes) -> None:
        self._heard_ns = recording_ns()
        self._greeted = True
        if kind == AUDIO:
            self._arrival_ns = self._heard_ns
            self._was_alive = True
            self._samples(payload)
        elif kind == STATUS:
            values = json.loads(payload)
            if "absent" in values:
                self._set_all("absent")
                self._was_alive = False
            elif "library" in values:
                self._facts = {key: values[key] for key in ("library", "version", "back_end")}

    def _samples(self, payload: bytes) -> None:
        channels, blocks = unpack_audio(payload)
        stamped = [known for block in blocks for known in self._clock.push(*block)]
        for block in joined(stamped):
            self._hand_on(block, channels)

    def _hand_on(self, stamped: StampedBlock, channels: int) -> None:
        table = np.frombuffer(stamped.data, dtype="<i2").reshape(stamped.frames, channels)
        for microphone in self.microphones:
            if microphone.channel < channels:
                samples = np.ascontiguousarray(table[:, microphone.channel], dtype=np.int16)
                microphone.take(AudioBlock(stamped.epoch, stamped.index, stamped.start_ns, samples))
            else:
                microphone.set_state("absent")  # the device has fewer channels than it should

    def _ill(self) -> str | None:
        now = recording_ns()
        if self._arrival_ns is not None and now - self._arrival_ns > STALLED_NS:
            return "gives no samples"
        if now - self._heard_ns > (SILENT_CHILD_NS if self._greeted else SLOW_SOUND_NS):
            return "does not answer"
        return None


class SourceSet:
    """The camera and all microphones of ``settings``, warm and supervised.

    Args:
        settings: all of them.
        preview: file in shared memory for the live picture (:mod:`kiosk.hardware.camera.preview`).
        baselines: noise floor of each microphone at commissioning, dB, as far as it is known.
    """

    def __init__(
        self, settings: Settings, preview: Path, baselines: Mapping[str, float] | None = None
    ) -> None:
        self.preview = preview
        self.camera = self._make_camera(settings)
        known = baselines or {}
        self.microphones = tuple(
            MicrophoneSource(entry, known.get(entry.name)) for entry in settings.microphones
        )
        for microphone in self.microphones:
            microphone.meter.others_heard = partial(self._others_heard, microphone)
        groups: dict[tuple[str, int], list[MicrophoneSource]] = {}
        for entry, microphone in zip(settings.microphones, self.microphones, strict=True):
            groups.setdefault((entry.device, entry.rate), []).append(microphone)
        self.audio_devices = tuple(
            AudioDevice(device, tuple(members)) for (device, _), members in groups.items()
        )

    def _others_heard(self, asking: MicrophoneSource, now_ns: int) -> bool:
        """Say whether somebody speaks into another microphone of this room."""
        others = (one for one in self.microphones if one is not asking and one.kind != "remote")
        heard = (other.meter.heard_ns for other in others)
        return any(moment is not None and now_ns - moment < SPEAKING_NS for moment in heard)

    def _make_camera(self, settings: Settings) -> CameraSource | None:
        camera = settings.camera
        if camera.back_end == "none":
            return None
        values = camera.model_dump(exclude={"virtual_scene"})
        scene = str(camera.virtual_scene)
        return CameraSource(CameraConfig(**values, scene=scene, preview=str(self.preview)))

    def open(self) -> None:
        """Start all devices; returns at once, they come up by themselves."""
        self.preview.parent.mkdir(parents=True, exist_ok=True)
        for source in (self.camera, *self.audio_devices):
            if source is not None:
                source.open()

    def close(self) -> None:
        """Stop all devices and their processes."""
        threads = [
            threading.Thread(target=source.close)
            for source in (self.camera, *self.audio_devices)
            if source is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def __enter__(self) -> SourceSet:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def attach(self, listener: SourceListener, since_ns: int) -> None:
        """Begin a recording: give ``listener`` everything captured from ``since_ns`` on.

        Another one may still be attached: the pictures' encoder begins anew for this one, and
        both get all samples until the other is detached.
        """
        if self.camera is not None:
            self.camera.attach(listener)
        for microphone in self.microphones:
            microphone.attach(listener, since_ns)

    def stop_encoder(self) -> None:
        """Stop the camera's encoder; what was captured before may still arrive."""
        if self.camera is not None:
            self.camera.stop_encoder()

    def detach(self, listener: SourceListener) -> None:
        """End a recording: nothing is handed on to ``listener`` when this has returned."""
        if self.camera is not None:
            self.camera.detach(listener)
        for microphone in self.microphones:
            microphone.detach(listener)

    def state(self) -> dict[str, Any]:
        """Return ``{"camera": {...}, "microphones": [...]}`` of ``GET /v1/state``."""
        camera = self.camera
        return {
            "camera": {
                "state": camera.state if camera else "off",
                "back_end": camera.describe()["back_end"] if camera else "none",
                "frames": camera.frames if camera else 0,
                "dropped": camera.dropped if camera else 0,
                "encoder": "slow" if camera and camera.encoder_slow else "ok",
            },
            "microphones": [microphone.report() for microphone in self.microphones],
        }

    def levels(self) -> dict[str, dict[str, float]]:
        """Return the ``levels`` event: ``{"judge": {"rms_db", "peak_db"}, ...}``; poll 10/s."""
        return {
            microphone.name: {
                "rms_db": round(microphone.meter.rms_db, 1),
                "peak_db": round(microphone.meter.peak_db, 1),
            }
            for microphone in self.microphones
        }

    def devices(self) -> list[dict[str, Any]]:
        """Return the camera's and microphones' entries of ``GET /v1/devices``."""
        entries = [self.camera.describe()] if self.camera is not None else []
        for device in self.audio_devices:
            entries += [device.describe(microphone.name) for microphone in device.microphones]
        return entries

    def wait_ready(self, timeout: float) -> bool:
        """Wait until all sources deliver; False when some do not within ``timeout`` seconds.

        One that is absent at first may yet come: it is tried again and again.
        """
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            states = {microphone.state for microphone in self.microphones}
            camera = self.camera.state if self.camera is not None else "ok"
            if camera == "ok" and not {"starting", "absent", "dead"} & states:
                return True
            time.sleep(0.02)
        return False
