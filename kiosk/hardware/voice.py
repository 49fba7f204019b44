"""Spoken prompts: by the headphone socket, by the loudspeaker only while no hearing is on (R36).

espeak-ng speaks Kazakh, Russian and English until recorded voices exist; a recorded prompt
(``<folder>/<language>/<message>.wav``) takes precedence. Synthesis and playing are processes of
their own (espeak-ng, aplay), fed by one thread: nothing here blocks the caller, a new prompt cuts
the one before at once, and a machine without sound is silent and nothing more.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import threading
import wave
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from kiosk.config import Voice as VoiceSettings
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.locale import Language

log = logging.getLogger(__name__)

_SYNTHESIS_SECONDS = 10.0
_LONGEST_TEXT = 2000


@dataclass(frozen=True)
class _Prompt:
    """One thing to say."""

    text: str
    language: Language
    message: str | None
    volume: int


class Voice:
    """Says prompts; a context manager. All methods return at once, from any thread.

    Args:
        settings: ``[voice]`` of the settings.
    """

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._volume = settings.volume
        self._hearing = False
        self._changed = threading.Condition()
        self._next: _Prompt | None = None
        self._number = 0
        self._processes: dict[subprocess.Popen[bytes], str] = {}
        self._closed = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self.enabled:
            self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
        self.stop()
        if self._thread is not None:
            self._thread.join(2.0)

    @property
    def enabled(self) -> bool:
        """Whether anything can be heard at all by the settings."""
        settings = self._settings
        return settings.enabled and bool(settings.headphones or settings.loudspeaker)

    @property
    def volume(self) -> int:
        """Loudness from 0 to 100 of the prompts from now on; see :meth:`reset`."""
        return self._volume

    @volume.setter
    def volume(self, value: int) -> None:
        self._volume = min(100, max(0, value))

    @property
    def hearing_runs(self) -> bool:
        """Whether a hearing is on: then the loudspeaker is silent, at once."""
        return self._hearing

    @hearing_runs.setter
    def hearing_runs(self, value: bool) -> None:
        with self._changed:
            self._hearing = value
            if value:
                self._end(self._settings.loudspeaker)

    @property
    def speaking(self) -> bool:
        """Whether a prompt is being said or is about to be."""
        with self._changed:
            return self._next is not None or bool(self._processes)

    def say(self, text: str, language: Language, message: str | None = None) -> None:
        """Say ``text``; what is being said stops.

        Args:
            text: plain words.
            language: kk, ru or en.
            message: id of the prompt, under which a recorded voice may lie.
        """
        with self._changed:
            self._cut()
            self._next = _Prompt(text[:_LONGEST_TEXT], language, message, self._volume)
            self._changed.notify_all()

    def stop(self) -> None:
        """Be silent at once."""
        with self._changed:
            self._cut()
            self._changed.notify_all()

    def reset(self) -> None:
        """Make ready for the next visitor: silent, and as loud as the settings say."""
        self.stop()
        self._volume = self._settings.volume

    # -- the thread --------------------------------------------------------------------------

    def _cut(self) -> None:
        """Forget what was to be said and end what is being said. Lock is held."""
        self._number += 1
        self._next = None
        self._end(None)

    def _end(self, device: str | None) -> None:
        """Kill the processes of one device (None: all). Lock is held."""
        for process, where in self._processes.items():
            if device is None or where == device:
                with contextlib.suppress(OSError):
                    process.kill()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._next is None and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                prompt, self._next = self._next, None
                number = self._number
                assert prompt is not None
            try:
                sound = self._sound(prompt, number)
                if sound:
                    self._play(sound, number)
            except (OSError, subprocess.SubprocessError, wave.Error, EOFError, ValueError) as error:
                log.info("voice: %s", error)

    def _sound(self, prompt: _Prompt, number: int) -> bytes:
        """Return the prompt as a WAV file, as loud as wanted."""
        recorded = self._recorded(prompt)
        if recorded is not None:
            return _scaled(recorded.read_bytes(), prompt.volume)
        command = ["espeak-ng", "-v", prompt.language, "-s", str(self._settings.words_a_minute)]
        process = self._start([*command, "--stdout", "--stdin"], "", number)
        if process is None:
            return b""
        try:
            wav, _ = process.communicate(prompt.text.encode(), _SYNTHESIS_SECONDS)
        finally:
            self._forget(process)
        return _scaled(wav, prompt.volume) if wav else b""

    def _recorded(self, prompt: _Prompt) -> Path | None:
        folder, message = self._settings.recorded, prompt.message
        if folder is None or message is None or Path(message).name != message:
            return None
        file = folder / prompt.language / f"{message}.wav"
        return file if file.is_file() else None

    def _play(self, wav: bytes, number: int) -> None:
        """Play on every device that may be heard now; wait for the end."""
        players = []
        for device in (self._settings.headphones, self._settings.loudspeaker):
            if device:
                player = self._start(["aplay", "-q", "-D", device, "-"], device, number)
                players += [player] if player is not None else []
        threads = [
            threading.Thread(target=self._feed, args=(player, wav), daemon=True)
            for player in players
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _feed(self, player: subprocess.Popen[bytes], wav: bytes) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):  # ended in the middle
                player.communicate(wav)
            if player.returncode and player.returncode > 0:
                log.info("voice: aplay ended with status %d", player.returncode)
        finally:
            self._forget(player)

    def _start(
        self, command: list[str], device: str, number: int
    ) -> subprocess.Popen[bytes] | None:
        """Start a process of prompt ``number``; None when that is not wanted any more."""
        parent = os.getpid()
        with self._changed:
            if number != self._number or self._closed:
                return None
            if device and device == self._settings.loudspeaker and self._hearing:
                return None
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: die_with_parent(parent),
            )
            self._processes[process] = device
            return process

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        with self._changed:
            self._processes.pop(process, None)


def _scaled(data: bytes, volume: int) -> bytes:
    """Return a 16-bit WAV file at ``volume`` per cent.

    Raises:
        wave.Error, EOFError, ValueError: it is not such a file.
    """
    with wave.open(io.BytesIO(data)) as file:
        if file.getsampwidth() != 2:
            raise ValueError("only 16-bit WAV files are played")
        channels, rate = file.getnchannels(), file.getframerate()
        # espeak-ng writes to a pipe and cannot know the length: the header says 2 GB.
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
