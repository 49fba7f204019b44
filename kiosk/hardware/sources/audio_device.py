"""An audio device: supervises its child process and splits its samples by microphone."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable

import numpy as np

from kiosk.api.recorder import Device, OpenedDevice, Refusal
from kiosk.api.states import MicrophoneState, RefusalReason
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.audio.sample_clock import SampleClock, StampedBlock, join_blocks
from kiosk.hardware.child_process.protocol import AUDIO, STATUS, unpack_audio
from kiosk.hardware.child_process.supervisor import ProcessSupervisor
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.virtual.environment import VIRTUAL_MICROPHONES

log = logging.getLogger(__name__)
IDLE_STALL_NS, STALL_NS = NS_PER_S * 12 // 10, NS_PER_S * 6 // 10
"""No samples for this long, at rest and during a recording, are a fault.

At rest a message comes every 0.4 s: three are missing then.
"""
CHILD_TIMEOUT_NS = 4 * NS_PER_S
"""A child that sends no message for this long, not even ``absent``, hangs."""
AUDIO_START_TIMEOUT_NS = 8 * NS_PER_S
"""PortAudio queries every device before it opens one."""


class AudioDevice:
    """An audio device with its child process and its microphones."""

    def __init__(self, device: str, microphones: tuple[MicrophoneSource, ...]) -> None:
        self.device = device
        self.microphones = microphones
        self._rate = microphones[0].rate
        self._library_info: dict[str, str] = {}
        self._has_real_time: bool | None = None
        self._opened: OpenedDevice | None = None
        self._recorded_since_ns: int | None = None
        self._clock = SampleClock(self._rate)
        self._epoch = -1
        self._has_delivered = False
        self._has_answered = False
        self._last_message_ns = recording_ns()
        self._last_block_ns: int | None = None
        channels = max(microphone.channel for microphone in microphones) + 1
        self._child = ProcessSupervisor(
            device,
            "kiosk.hardware.sources.audio_child",
            {"device": device, "rate": self._rate, "channels": channels},
            self._on_message,
            self._find_problem,
            self._on_start,
            self._on_stop,
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

    def set_recorded(self, is_recorded: bool) -> None:
        """Tell the child whether a recording runs; at its ends it sends each block at once."""
        self._recorded_since_ns = recording_ns() if is_recorded else None
        self._child.send_command(recorded=is_recorded)

    def describe(self, name: str) -> Device:
        """Return microphone ``name`` as one of the devices in use."""
        virtual = VIRTUAL_MICROPHONES in os.environ and self.device.startswith("mic_")
        (channel,) = (row.channel for row in self.microphones if row.name == name)
        return Device(
            name=name,
            **{"library": "PyAudio", **self._library_info},
            virtual=virtual,
            real_time=self._has_real_time,
            setting=f"{self.device} channel {channel}",
            opened=self._opened,
        )

    # -- called in the supervisor's thread -----------------------------------------------------
    def _set_states(self, state: MicrophoneState) -> None:
        for microphone in self.microphones:
            microphone.set_state(state)

    def _refuse(self, microphones: Iterable[MicrophoneSource], refusal: Refusal) -> None:
        for microphone in microphones:
            if microphone.state != MicrophoneState.REFUSED:
                log.error("%s: refused: %s", microphone.name, refusal.text)
            microphone.refuse(refusal)

    def _on_start(self, _session: int) -> None:
        self._last_message_ns = recording_ns()
        self._last_block_ns = None
        self._has_answered = False
        self._opened = None
        self._epoch = self._clock.epoch + 1 if self._epoch >= 0 else 0
        self._clock = SampleClock(self._rate, self._epoch)

    def _on_stop(self, _reason: str) -> None:
        if self._has_delivered or self._opened is not None:
            self._set_states(MicrophoneState.DEAD)
        for microphone in self.microphones:
            if microphone.state == MicrophoneState.STARTING:
                microphone.set_state(MicrophoneState.DEAD)

    def _on_message(self, kind: int, payload: bytes) -> None:
        self._last_message_ns = recording_ns()
        self._has_answered = True
        if kind == AUDIO:
            self._last_block_ns = self._last_message_ns
            self._has_delivered = True
            self._on_audio(payload)
        elif kind == STATUS:
            values = json.loads(payload)
            if "absent" in values:
                self._set_states(MicrophoneState.ABSENT)
                self._has_delivered = False
            elif "refused" in values:
                self._refuse(self.microphones, Refusal.model_validate(values["refused"]))
                self._has_delivered = False
            elif "library" in values:
                self._library_info = {
                    key: values[key] for key in ("library", "version", "back_end")
                }
                self._opened = OpenedDevice.model_validate(values["opened"])
                self._child.send_command(recorded=self._recorded_since_ns is not None)
            elif "real_time" in values:
                self._has_real_time = bool(values["real_time"])

    def _on_audio(self, payload: bytes) -> None:
        channels, blocks = unpack_audio(payload)
        stamped = [stamped_block for block in blocks for stamped_block in self._clock.push(*block)]
        for block in join_blocks(stamped):
            self._dispatch(block, channels)

    def _dispatch(self, stamped: StampedBlock, channels: int) -> None:
        table = np.frombuffer(stamped.data, dtype="<i2").reshape(stamped.frames, channels)
        for microphone in self.microphones:
            if microphone.channel < channels:
                samples = np.ascontiguousarray(table[:, microphone.channel], dtype=np.int16)
                microphone.push(AudioBlock(stamped.epoch, stamped.index, stamped.start_ns, samples))
            else:
                refusal = Refusal(reason=RefusalReason.CHANNELS, offered=(channels,))
                self._refuse((microphone,), refusal)

    def _find_problem(self) -> str | None:
        now = recording_ns()
        if self._last_block_ns is not None and now > self._stalled_at_ns(self._last_block_ns):
            return "gives no samples"
        if now - self._last_message_ns > (
            CHILD_TIMEOUT_NS if self._has_answered else AUDIO_START_TIMEOUT_NS
        ):
            return "does not answer"
        return None

    def _stalled_at_ns(self, last_block_ns: int) -> int:
        """Return when the device counts as stalled after its last block.

        The beat of a recording counts from its begin: the block before came at the beat of rest.
        """
        at_rest_ns = last_block_ns + IDLE_STALL_NS
        since_ns = self._recorded_since_ns
        if since_ns is None:
            return at_rest_ns
        return min(at_rest_ns, max(last_block_ns, since_ns) + STALL_NS)
