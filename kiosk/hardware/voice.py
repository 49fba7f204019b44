"""Speaks prompts: on the headphones, and on the loudspeaker while no hearing is active (R33).

espeak-ng speaks Kazakh, Russian and English until recorded voices exist; a recorded prompt
(``<folder>/<language>/<prompt_id>.wav``) takes precedence. Synthesis and playback are separate
processes (espeak-ng, aplay) that one thread feeds. So no call blocks, a new prompt ends the
previous one at once, and a machine without sound is just silent.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import threading
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from kiosk.config import VoiceSettings
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.outputs import alsa_output
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.tones import tone_wav
from kiosk.locale import Language

log = logging.getLogger(__name__)

_SYNTHESIS_TIMEOUT_S = 10.0
_MAX_TEXT_LENGTH = 2000


@dataclass(frozen=True)
class _Prompt:
    """A prompt to speak."""

    text: str
    language: Language
    prompt_id: str | None
    volume: int
    tone: Sequence[float] = ()


class Voice:
    """Speaks prompts; a context manager. All methods return at once, from any thread.

    Args:
        settings: ``[voice]`` of the settings.
    """

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._volume = settings.volume
        self._is_hearing_active = False
        self._condition = threading.Condition()
        self._next_prompt: _Prompt | None = None
        self._prompt_number = 0
        self._device_by_process: dict[subprocess.Popen[bytes], str] = {}
        self._is_busy = self._is_closed = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self.is_enabled:
            self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._condition:
            self._is_closed = True
        self.stop()
        if self._thread is not None:
            self._thread.join(2.0)

    def use(self, settings: VoiceSettings) -> None:
        """Speak on the devices of ``settings`` from the next prompt on."""
        self.stop()
        with self._condition:
            self._settings, self._volume = settings, settings.volume
            is_needed = self._thread is None and not self._is_closed
        if is_needed:
            self.__enter__()

    @property
    def is_enabled(self) -> bool:
        """Whether the settings name a device to speak on."""
        settings = self._settings
        return settings.enabled and bool(settings.headphones or settings.loudspeaker)

    @property
    def volume(self) -> int:
        """Volume from 0 to 100 of later prompts, until :meth:`reset`."""
        return self._volume

    @volume.setter
    def volume(self, value: int) -> None:
        self._volume = min(100, max(0, value))

    @property
    def is_hearing_active(self) -> bool:
        """Whether a hearing is active: the loudspeaker is then silent."""
        return self._is_hearing_active

    @is_hearing_active.setter
    def is_hearing_active(self, value: bool) -> None:
        with self._condition:
            self._is_hearing_active = value
            if value:
                self._kill_players(self._settings.loudspeaker)

    @property
    def is_speaking(self) -> bool:
        """Whether a prompt is being spoken or is waiting, and there is a device to speak on."""
        with self._condition:
            is_waiting = self._next_prompt is not None or self._is_busy
            return self._thread is not None and is_waiting

    def speak(
        self,
        text: str,
        language: Language,
        prompt_id: str | None = None,
        tone: Sequence[float] = (),
    ) -> None:
        """Speak ``text`` and end the current prompt.

        Args:
            text: plain words.
            language: kk, ru or en.
            prompt_id: name of a recorded file to play in its place, if there is one.
            tone: notes before it, in Hz (:mod:`kiosk.hardware.tones`).
        """
        with self._condition:
            self._cancel_prompt()
            self._next_prompt = _Prompt(
                text[:_MAX_TEXT_LENGTH], language, prompt_id, self._volume, tuple(tone)
            )
            self._condition.notify_all()

    def stop(self) -> None:
        """End all speech at once."""
        with self._condition:
            self._cancel_prompt()
            self._condition.notify_all()

    def reset(self) -> None:
        """Prepare for the next visitor: end all speech and restore the volume of the settings."""
        self.stop()
        self._volume = self._settings.volume

    # -- the thread --------------------------------------------------------------------------

    def _cancel_prompt(self) -> None:
        """Discard the waiting prompt and end the current one. Lock is held."""
        self._prompt_number += 1
        self._next_prompt = None
        self._kill_players(None)

    def _kill_players(self, device: str | None) -> None:
        """Kill the processes of one device (None: all). Lock is held."""
        for process, process_device in self._device_by_process.items():
            if device is None or process_device == device:
                with contextlib.suppress(OSError):
                    process.kill()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._is_busy = False
                while self._next_prompt is None and not self._is_closed:
                    self._condition.wait()
                if self._is_closed:
                    return
                prompt, self._next_prompt, self._is_busy = self._next_prompt, None, True
                prompt_number = self._prompt_number
                assert prompt is not None
            try:
                if prompt.tone:
                    self._play(tone_wav(prompt.tone, prompt.volume), prompt_number)
                sound = self._prompt_wav(prompt, prompt_number)
                if sound:
                    self._play(sound, prompt_number)
            except (OSError, subprocess.SubprocessError, wave.Error, EOFError, ValueError) as error:
                log.info("voice: %s", error)

    def _prompt_wav(self, prompt: _Prompt, prompt_number: int) -> bytes:
        """Return the prompt as a WAV file at its volume."""
        recorded = self._recorded_file(prompt)
        if recorded is not None:
            return _scale_volume(recorded.read_bytes(), prompt.volume)
        command = ["espeak-ng", "-v", prompt.language, "-s", str(self._settings.words_a_minute)]
        process = self._start_process([*command, "--stdout", "--stdin"], "", prompt_number)
        if process is None:
            return b""
        try:
            wav, _ = process.communicate(prompt.text.encode(), _SYNTHESIS_TIMEOUT_S)
        finally:
            self._end_process(process)
        return _scale_volume(wav, prompt.volume) if wav else b""

    def _recorded_file(self, prompt: _Prompt) -> Path | None:
        folder, prompt_id = self._settings.recorded, prompt.prompt_id
        if folder is None or prompt_id is None or Path(prompt_id).name != prompt_id:
            return None
        file = folder / prompt.language / f"{prompt_id}.wav"
        return file if file.is_file() else None

    def _play(self, wav: bytes, prompt_number: int) -> None:
        """Play on every permitted device; wait for the end."""
        players = []
        for device in (self._settings.headphones, self._settings.loudspeaker):
            try:
                output = alsa_output(device)
            except DeviceAbsentError as error:
                log.info("voice: %s", error)
                continue
            if output:
                player = self._start_process(
                    ["aplay", "-q", "-D", output, "-"], device, prompt_number
                )
                players += [player] if player is not None else []
        threads = [
            threading.Thread(target=self._write_wav, args=(player, wav), daemon=True)
            for player in players
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write_wav(self, player: subprocess.Popen[bytes], wav: bytes) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):  # the player was killed
                player.communicate(wav)
            if player.returncode and player.returncode > 0:
                log.info("voice: aplay ended with status %d", player.returncode)
        finally:
            self._end_process(player)

    def _start_process(
        self, command: list[str], device: str, prompt_number: int
    ) -> subprocess.Popen[bytes] | None:
        """Start a process of prompt ``prompt_number``; return None if it was cancelled."""
        parent = os.getpid()
        with self._condition:
            if prompt_number != self._prompt_number or self._is_closed:
                return None
            if device and device == self._settings.loudspeaker and self._is_hearing_active:
                return None
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509 (no lock is taken in it)
            )
            self._device_by_process[process] = device
            return process

    def _end_process(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        with self._condition:
            self._device_by_process.pop(process, None)


def _scale_volume(data: bytes, volume: int) -> bytes:
    """Return a 16-bit WAV file at ``volume`` per cent.

    Raises:
        wave.Error, EOFError, ValueError: it is no 16-bit WAV file.
    """
    with wave.open(io.BytesIO(data)) as file:
        if file.getsampwidth() != 2:
            raise ValueError("only 16-bit WAV files are played")
        channels, rate = file.getnchannels(), file.getframerate()
        # espeak-ng writes to a pipe and does not know the length: the header says 2 GB.
        frames = file.readframes(min(file.getnframes(), len(data)))
    samples = np.frombuffer(frames[: len(frames) // 2 * 2], "<i2")
    louder = (samples * (volume / 100)).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(louder.tobytes())
    return out.getvalue()
