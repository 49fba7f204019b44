"""The demo's virtual devices: microphones with voices, scanner with paper, printer, badge reader.

The kiosk finds each of them by the library that finds the real one.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kiosk.demo import sample_court
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.hardware.virtual.claim_pages import make_claim
from kiosk.hardware.virtual.microphones import HEADSET, RATE, VirtualMicrophoneClient
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner

MICROPHONES = tuple(voice.microphone for voice in sample_court.SPEAKERS)
VOICE_SECONDS = 60
TENTH = RATE // 10
FULL_SCALE = 32768


@dataclass
class VirtualDevices:
    """The devices of one courtroom, and what a person does with them."""

    microphones: VirtualMicrophoneClient
    scanner: VirtualScanner
    printer: VirtualPrinter
    badge: VirtualBadgeReader
    paper: list[Path]
    voices: Path
    _speaking: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def load_scanner(self) -> None:
        """Load the three-page claim into the feeder, unless it is loaded."""
        if self.scanner.sheets_left == 0:
            self.scanner.load(self.paper)

    def play_voices(self) -> None:
        """Play all voices, each into its own microphone, unless they are playing."""
        self._speaking = [voice for voice in self._speaking if voice.poll() is None]
        if not self._speaking:
            self._speaking = [
                self.microphones.play(name, self.voices / f"{name}.wav") for name in MICROPHONES
            ]

    def stop_voices(self) -> None:
        """End all voices."""
        for voice in self._speaking:
            voice.kill()
            voice.wait()
        self._speaking = []

    @contextmanager
    def headset_sound(self, file: Path) -> Iterator[None]:
        """Record what is heard in the headset into ``file`` (see :func:`loudest_dbfs`)."""
        with file.open("wb") as output:
            recording = self.microphones.record_headset(output)
        try:
            yield
        finally:
            recording.kill()
            recording.wait()

    def settings(self) -> dict[str, Any]:
        """Return the groups of ``kiosk.toml`` that name these devices."""
        microphones = [
            {
                "name": voice.microphone,
                "role": voice.role,
                "device": self.microphones.device(voice.microphone),
            }
            for voice in sample_court.SPEAKERS
        ]
        return {
            "microphones": microphones,
            "headset": {"device": HEADSET},
            "scanner": {"device": self.scanner.device, "sane_config_dir": self.scanner.config_dir},
            "badge": {"port": self.badge.port},
            "printer": {"port": self.printer.port, "width_dots": 576},
        }


@contextmanager
def virtual_devices(out: Path, microphones: VirtualMicrophoneClient) -> Iterator[VirtualDevices]:
    """Provide the devices until the block ends.

    Args:
        out: gets the folders ``voices``, ``paper`` and ``printed``.
        microphones: serve :data:`MICROPHONES` and a headset already.
    """
    render_voices(out / "voices", VOICE_SECONDS)
    paper = make_claim(out / "paper")
    with ExitStack() as stack:
        devices = VirtualDevices(
            microphones,
            stack.enter_context(VirtualScanner(seconds_per_page=0.7)),
            stack.enter_context(VirtualPrinter(out / "printed")),
            stack.enter_context(VirtualBadgeReader()),
            paper,
            out / "voices",
        )
        stack.callback(devices.stop_voices)
        yield devices


def loudest_dbfs(file: Path) -> float:
    """Return the level of the loudest tenth of a second in ``file``, in dB of full scale."""
    samples = np.fromfile(file, "<i2").astype(np.float64)
    count = len(samples) // TENTH
    if count == 0:
        return -math.inf
    power = np.square(samples[: count * TENTH].reshape(count, TENTH)).mean(axis=1).max()
    return 10 * math.log10(power / FULL_SCALE**2) if power else -math.inf


def render_voices(folder: Path, seconds: int) -> None:
    """Render each voice with espeak-ng, repeated to at least ``seconds`` (WAV, 48 kHz mono)."""
    folder.mkdir(parents=True, exist_ok=True)
    for voice in sample_court.SPEAKERS:
        raw, target = folder / f"{voice.microphone}-once.wav", folder / f"{voice.microphone}.wav"
        if target.exists():
            continue
        text = " ".join([voice.speech] * max(1, seconds // 4))
        subprocess.run(["espeak-ng", "-v", voice.voice, "-w", str(raw), text], check=True)
        subprocess.run(
            ["sox", str(raw), "-r", "48000", "-c", "1", str(target), "gain", "-6"], check=True
        )
        raw.unlink()
