"""The child process of one audio device: reads PortAudio, sends blocks and status.

It never stops a stalled stream (``stop_stream`` hangs): the parent ends this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import queue
import random
import resource
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyaudio  # type: ignore[import-untyped]

from kiosk.api.states import RefusalReason
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.portaudio import BusyDeviceError, find_portaudio_device, offered_rates
from kiosk.hardware.audio.sound_devices import (
    AmbiguousDeviceError,
    PartialNameError,
    SoundDevice,
    is_present,
    opened_format,
)
from kiosk.hardware.child_process.child import MessageWriter, read_commands, set_up_child
from kiosk.hardware.child_process.malloc import return_free_memory
from kiosk.hardware.child_process.protocol import AUDIO, pack_audio

BLOCKS_PER_SECOND = 25
"""PortAudio's buffer in the sound card holds two blocks: 80 ms."""
IDLE_INTERVAL_S, FORWARD_INTERVAL_S = 0.4, 0.1
"""Seconds between two messages, at rest and during a recording: each wakes up both processes.

All children send at the same beat of the recording clock, so that the processor sleeps in between.
"""
PROMPT_INTERVAL_S = 0.01
PROMPT_S = 0.5
"""For so long after a tap every block is sent as it comes: somebody waits for it."""
log = logging.getLogger(__name__)
REAL_TIME_PRIORITY = 5
MAX_AWAKE_US = 200_000
"""A real-time thread that runs for so long without a wait ends this process.

PortAudio spins on a device that is gone or gives no samples, and would stop everybody else.
"""
RETRY_S, REFUSED_RETRY_S = 1.0, 2.0
"""Seconds between two tries to open, give or take 30 %: children that look at the cards at one beat
find each other's devices taken. The parent ends a child that says nothing for 4 s."""
BUSY_TRIES = 3
"""PortAudio holds every card for a moment while it lists them: once is not yet in use."""


class _InputStream:
    """The input stream of a device."""

    def __init__(self, writer: MessageWriter, config: Mapping[str, Any]) -> None:
        self._writer = writer
        self._name = str(config["device"])
        self._rate = int(config["rate"])
        self._channels = int(config["channels"])
        self._blocks: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._interval_s = IDLE_INTERVAL_S
        self._is_prompt = threading.Event()
        self._prompt_until = 0.0
        self._stream: Any = None
        self._has_thread_state = self._has_delivered = False
        self._busy_tries = 0
        self.retry_s = RETRY_S

    def open(self) -> bool:
        """Open the device; return False, having said why, if it is absent or cannot be opened."""
        audio = pyaudio.PyAudio()
        try:
            found = find_portaudio_device(audio, self._name, "input")
        except DeviceAbsentError as error:
            audio.terminate()
            return self._fail(_explain_absence(error))
        try:
            self._start(audio, found.index, self._channels)
        except OSError:  # some devices accept only their own number of channels
            self._channels = found.channels
            try:
                self._start(audio, found.index, self._channels)
            except OSError as error:
                offered = offered_rates(audio, found)
                audio.terminate()
                return self._fail(_explain(error, self._rate, offered))
        if not is_present(found.device):  # the card's number went to another one meanwhile
            self._stream.close()
            audio.terminate()
            return self._fail({"absent": True})
        self._writer.send_status(
            library="PyAudio",
            version=pyaudio.__version__,
            back_end=pyaudio.get_portaudio_version_text().split(",")[0],
            opened=self._describe(found.device),
        )
        return True

    def _fail(self, status: dict[str, Any]) -> bool:
        """Say why the device is not open and return False; it is busy only after some tries."""
        reason = status.get("refused", {}).get("reason")
        self._busy_tries = self._busy_tries + 1 if reason == RefusalReason.BUSY else 0
        if 0 < self._busy_tries < BUSY_TRIES:
            status = {"absent": True}
        self.retry_s = RETRY_S if "absent" in status else REFUSED_RETRY_S
        self._writer.send_status(**status)
        return False

    def _describe(self, device: SoundDevice) -> dict[str, Any]:
        """Return what is open (:class:`kiosk.api.recorder.OpenedDevice`), from the kernel."""
        rate, channels = opened_format(device) or (self._rate, self._channels)
        known = {key: getattr(device, key) for key in ("name", "card", "usb", "product", "serial")}
        return {**known, "rate": rate, "channels": channels}

    def _start(self, audio: pyaudio.PyAudio, index: int, channels: int) -> None:
        self._stream = audio.open(
            format=pyaudio.paInt16,
            channels=channels,
            rate=self._rate,
            input=True,
            input_device_index=index,
            frames_per_buffer=-(-self._rate // BLOCKS_PER_SECOND),
            stream_callback=self._on_block,
        )

    def _on_block(
        self, data: bytes | None, _frames: int, _times: Mapping[str, float], _flags: int
    ) -> tuple[None, int]:
        if not self._has_thread_state:
            self._has_thread_state = True
            _keep_thread_state()
        if data:
            self._blocks.put((time.monotonic_ns(), data))
        return None, pyaudio.paContinue

    def set_recorded(self, is_recorded: bool) -> None:
        """Send often while a recording runs, and each block at once when one begins or ends."""
        self._interval_s = FORWARD_INTERVAL_S if is_recorded else IDLE_INTERVAL_S
        self._prompt_until = time.monotonic() + PROMPT_S
        self._is_prompt.set()

    def forward_blocks(self) -> None:
        """Send blocks, several in a message, until the stream is no longer active."""
        active = True
        while active:
            if self._is_prompt.wait(self._interval_s - time.monotonic() % self._interval_s):
                time.sleep(PROMPT_INTERVAL_S)
                if time.monotonic() > self._prompt_until:
                    self._is_prompt.clear()
            active = self._stream.is_active()
            if blocks := self._queued_blocks():
                if not self._has_delivered:
                    self._has_delivered = True
                    self._writer.send_status(real_time=raise_priority())
                self._writer.send(AUDIO, pack_audio(self._channels, blocks))

    def _queued_blocks(self) -> list[tuple[int, bytes]]:
        blocks = []
        with contextlib.suppress(queue.Empty):
            while True:
                blocks.append(self._blocks.get_nowait())
        return blocks


def _explain_absence(error: DeviceAbsentError) -> dict[str, Any]:
    """Return why a device was not found as a status (:class:`kiosk.api.recorder.Refusal`)."""
    if isinstance(error, BusyDeviceError):
        return {"refused": {"reason": RefusalReason.BUSY, "detail": str(error)}}
    if isinstance(error, AmbiguousDeviceError):
        return {"refused": {"reason": RefusalReason.AMBIGUOUS, "detail": str(error)}}
    if isinstance(error, PartialNameError):
        return {"refused": {"reason": RefusalReason.NAME, "detail": str(error)}}
    return {"absent": True}


def _explain(error: OSError, rate: int, offered: Sequence[int]) -> dict[str, Any]:
    """Return why PortAudio refused ``rate`` as a status (:class:`kiosk.api.recorder.Refusal`)."""
    detail = error.strerror or str(error)
    if error.errno == pyaudio.paDeviceUnavailable:
        return {"refused": {"reason": RefusalReason.BUSY, "detail": detail}}
    if not offered:  # a name without a device behind it, such as an alias in alsa.conf
        return {"absent": True}
    if rate in offered:
        return {"refused": {"reason": RefusalReason.OTHER, "detail": detail}}
    refusal = {"reason": RefusalReason.RATE, "offered": list(offered), "detail": detail}
    return {"refused": refusal}


def _keep_thread_state() -> None:
    """Let Python keep what it knows of PortAudio's thread, as long as this process lives.

    Otherwise it maps memory for the thread's state at each block, and unmaps it after.
    """
    ctypes.pythonapi.PyGILState_Ensure()


def raise_priority() -> bool:
    """Give all threads real-time priority: a late reader loses samples.

    Not before the device delivers. While PortAudio lists and opens devices it spins, and would take
    the processor from the camera and from the sound server that it waits for.

    Returns:
        Whether it was allowed; a refusal is logged.
    """
    resource.setrlimit(resource.RLIMIT_RTTIME, (MAX_AWAKE_US, MAX_AWAKE_US))
    try:
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(
                    int(thread.name), os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY)
                )
    except OSError as error:
        log.warning("no real-time priority, samples may be lost: %s", error.strerror)
        return False
    return True


def main() -> None:
    """Open the device as soon as it appears; end when it fails: the parent starts us again."""
    writer, config = set_up_child()
    device = _InputStream(writer, config)
    threading.Thread(target=_obey_parent, args=(device,), daemon=True).start()
    while not device.open():
        time.sleep(device.retry_s * random.uniform(0.7, 1.3))
    return_free_memory()
    device.forward_blocks()
    writer.send_status(inactive=True)
    os._exit(1)  # closing a dead stream may hang


def _obey_parent(device: _InputStream) -> None:
    """Take the parent's only command, and end with it."""
    for command in read_commands():
        device.set_recorded(bool(command["recorded"]))
    os._exit(0)


if __name__ == "__main__":
    main()
