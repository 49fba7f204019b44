"""Virtual microphones: a private PulseAudio with null sinks behind ALSA aliases.

PortAudio opens them like any ALSA device, so the real library does the real work. Sound played into
the sink ``judge`` is heard by the microphone ``judge``. As a program it serves them to others::

    python -m kiosk.hardware.virtual.microphones --dir DIR --names judge,witness
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from kiosk.errors import DeviceAbsentError, HardwareError
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.virtual.environment import VIRTUAL_MICROPHONES

RATE = 48_000
ROOM_NOISE_DB = -58.0
"""Level of room noise, so that an idle virtual microphone does not look faulty."""

HEADSET = "headset"
SINK_MODULE = "module-null-sink"


class VirtualMicrophoneError(HardwareError):
    """PulseAudio, pacat or espeak-ng is missing or fails."""


def _sink_arguments(name: str) -> str:
    form = f"format=s16le rate={RATE} channels=1 channel_map=mono norewinds=1"
    return f"sink_name={name} {form}"


def _be_a_device(parent: int) -> None:
    """End with the process that plays the room; wait for no processor, as no sound card does."""
    die_with_parent(parent)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class VirtualMicrophoneClient:
    """Controls virtual microphones that another process serves in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "sock"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which a program finds the microphones."""
        return {
            "ALSA_CONFIG_PATH": str(self.folder / "alsa.conf"),
            "PULSE_STATE_PATH": str(self.folder / "state"),
            "PULSE_RUNTIME_PATH": str(self.folder / "run"),
            VIRTUAL_MICROPHONES: str(self.folder),
        }

    @property
    def pulse_environment(self) -> dict[str, str]:
        """Environment for pacat, paplay and pactl."""
        home = {"HOME": str(self.folder), "PULSE_SERVER": f"unix:{self._socket}"}
        return {**os.environ, **self.environment, **home}

    @staticmethod
    def device(name: str) -> str:
        """Return the ALSA device name of microphone ``name``."""
        return f"mic_{name}"

    def pactl(self, *arguments: str) -> str:
        """Run pactl; return its output.

        Raises:
            VirtualMicrophoneError: it failed.
        """
        result = subprocess.run(
            ["pactl", *arguments],
            env=self.pulse_environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if result.returncode:
            raise VirtualMicrophoneError(f"pactl {arguments[0]}: {result.stderr.strip()}")
        return result.stdout

    def start_feed(self, name: str, latency_ms: int = 500) -> subprocess.Popen[bytes]:
        """Return a pacat that plays its standard input (48 kHz, mono, s16) into ``name``."""
        form = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=1")
        return subprocess.Popen(
            ["pacat", "-p", "-d", name, *form, f"--latency-msec={latency_ms}"],
            env=self.pulse_environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def play(self, name: str, wav: Path) -> subprocess.Popen[bytes]:
        """Start to play a WAV file into ``name``; ``.wait()`` waits for its end."""
        return subprocess.Popen(
            ["paplay", "-d", name, "--latency-msec=200", str(wav)],
            env=self.pulse_environment,
            stderr=subprocess.DEVNULL,
        )

    def record_headset(self, output: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Return a process that writes the headset's sound (48 kHz, mono, s16) to ``output``."""
        form = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=1")
        return subprocess.Popen(
            ["parec", "-d", f"{HEADSET}.monitor", *form, "--latency-msec=100"],
            env=self.pulse_environment,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )

    def unplug(self, name: str) -> None:
        """Unplug the microphone: remove its device and end recordings from it.

        PulseAudio would move a recording to another source, which no sound card does.
        """
        numbers = [row[0] for row in self._list_rows("sources") if row[1:2] == [f"{name}.monitor"]]
        recorded = [row[0] for row in self._list_rows("source-outputs") if row[1] in numbers]
        for number, module, arguments, *_ in self._list_rows("modules"):
            if module == SINK_MODULE and f"sink_name={name} " in f"{arguments} ":
                self.pactl("unload-module", number)
        with socket.socket(socket.AF_UNIX) as cli:
            cli.connect(str(self.folder / "cli"))
            for number in recorded:
                cli.sendall(f"kill-source-output {number}\n".encode())
            cli.shutdown(socket.SHUT_WR)
            while cli.recv(4096):
                pass

    def _list_rows(self, what: str) -> list[list[str]]:
        return [line.split("\t") for line in self.pactl("list", "short", what).splitlines()]

    def plug(self, name: str) -> None:
        """Plug the microphone in again."""
        self.pactl("load-module", SINK_MODULE, *_sink_arguments(name).split())

    def speak(self, name: str, text: str, voice: str = "en") -> subprocess.Popen[bytes]:
        """Start to speak ``text`` into ``name`` with espeak-ng."""
        wav = self.folder / f"say-{name}-{time.monotonic_ns()}.wav"
        try:
            subprocess.run(
                ["espeak-ng", "-v", voice, "-w", str(wav), text],
                check=True,
                capture_output=True,
                timeout=30,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise VirtualMicrophoneError(f"espeak-ng: {error}") from error
        return self.play(name, wav)

    def mute(self, name: str, muted: bool = True) -> None:
        """Mute (or unmute) the microphone: digital silence."""
        self.pactl("set-source-mute", f"{name}.monitor", "1" if muted else "0")

    def mute_room(self, name: str, muted: bool = True) -> None:
        """Mute (or unmute) all that is played into the microphone now, such as its room noise."""
        sinks = [row[0] for row in self._list_rows("sinks") if row[1] == name]
        for number, sink, *_ in self._list_rows("sink-inputs"):
            if sink in sinks:
                self.pactl("set-sink-input-mute", number, "1" if muted else "0")

    def pause(self, name: str, paused: bool = True) -> None:
        """Stall the microphone: samples stop without an error."""
        self.pactl("suspend-sink", name, "1" if paused else "0")

    def set_gain(self, name: str, percent: int) -> None:
        """Set the microphone's gain (100: normal)."""
        self.pactl("set-source-volume", f"{name}.monitor", f"{percent}%")

    def settings(self, names: Sequence[str], roles: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return ``[[microphones]]`` tables for the kiosk's settings."""
        return [
            {"name": name, "role": roles.get(name, name), "device": self.device(name)}
            for name in names
        ]


class VirtualMicrophones(VirtualMicrophoneClient):
    """Serves virtual microphones (a context manager).

    Args:
        folder: private folder (a short path: it holds a Unix socket).
        names: microphones, one channel each.
        noise: play faint room noise into each, so that idle ones do not look muted.
        fifo_names: further microphones whose samples the caller writes, in real time, into the FIFO
            ``fifo_path(name)``: the caller's clock counts, so a test knows the time of a sound.
        headset: also provide an output ``headset``; :meth:`record_headset` records it.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        noise: bool = True,
        fifo_names: Sequence[str] = (),
        headset: bool = False,
    ) -> None:
        super().__init__(folder)
        self.names = tuple(names)
        self._fifo_names = tuple(fifo_names)
        self._noise = noise
        self._headset = headset
        self._server: subprocess.Popen[bytes] | None = None
        self._noise_stop = threading.Event()
        self._noise_threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def server_pid(self) -> int | None:
        """Process id of the sound server, or None."""
        return self._server.pid if self._server is not None else None

    def start(self) -> None:
        """Start the sound server and wait until it serves all microphones.

        Raises:
            VirtualMicrophoneError: it does not start within ten seconds.
        """
        self._write_files()
        parent = os.getpid()
        command = ["pulseaudio", "-n", "-F", str(self.folder / "mics.pa"), "--daemonize=no"]
        command += ["--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]
        command += ["--realtime=no", "--high-priority=no"]
        environment = {**self.pulse_environment}
        del environment["PULSE_SERVER"]
        try:
            self._server = subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: _be_a_device(parent),  # noqa: PLW1509 (no lock is taken in it)
            )
        except OSError as error:
            raise DeviceAbsentError(f"pulseaudio: {error}") from error
        self._wait_for_sources()
        self._noise_stop.clear()
        for name in self.names:
            self._start_noise(name)

    def _start_noise(self, name: str) -> None:
        if self._noise:
            thread = threading.Thread(target=self._play_noise, args=(name,), daemon=True)
            self._noise_threads.append(thread)
            thread.start()

    def plug(self, name: str) -> None:
        """Plug the microphone in again, with its room noise."""
        super().plug(name)
        self._start_noise(name)

    def _write_files(self) -> None:
        for name, mode in (("run", 0o700), ("state", 0o700)):
            (self.folder / name).mkdir(mode=mode, parents=True, exist_ok=True)
        lines = [f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}"]
        lines.append(f"load-module module-cli-protocol-unix socket={self.folder / 'cli'}")
        # not the distribution's settings: PortAudio opens every device that they define, and so
        # loads the libraries of each plug-in (a52: all of FFmpeg); it insists on a default
        aliases = ["pcm.default { type hw card 0 }"]
        for name in self.names:
            lines.append(self._sink_line(name))
            aliases.append(self._alias_line(name, f"{name}.monitor"))
        if self._headset:
            lines.append(self._sink_line(HEADSET))
            server = f'server "unix:{self._socket}"'
            aliases.append(f'pcm.{HEADSET} {{ type pulse {server} device "{HEADSET}" }}')
        for name in self._fifo_names:
            lines.append(
                f"load-module module-pipe-source source_name={name} file={self.fifo_path(name)} "
                f"format=s16le rate={RATE} channels=1 channel_map=mono"
            )
            aliases.append(self._alias_line(name, name))
        (self.folder / "mics.pa").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "alsa.conf").write_text("\n".join(aliases) + "\n", encoding="utf-8")

    @staticmethod
    def _sink_line(name: str) -> str:
        """Return the line that creates the null sink ``name``."""
        return f"load-module {SINK_MODULE} {_sink_arguments(name)}"

    def _alias_line(self, name: str, source: str) -> str:
        """Return the ALSA device for the PulseAudio source ``source``."""
        server = f'server "unix:{self._socket}"'
        return f'pcm.{self.device(name)} {{ type pulse {server} device "{source}" }}'

    def fifo_path(self, name: str) -> Path:
        """Return the FIFO of a microphone: 48 kHz, mono, signed 16-bit little-endian."""
        return self.folder / f"{name}.fifo"

    def _wait_for_sources(self) -> None:
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            with contextlib.suppress(VirtualMicrophoneError, subprocess.TimeoutExpired):
                found = self.pactl("list", "short", "sources")
                if all(f"\t{name}" in found for name in (*self.names, *self._fifo_names)):
                    return
            time.sleep(0.05)
        self.stop()
        raise VirtualMicrophoneError("pulseaudio does not serve the microphones")

    def _play_noise(self, name: str) -> None:
        """Play room noise into ``name`` until the end."""
        generator = np.random.default_rng(sum(name.encode("utf-8")))
        amplitude = 32768 * 10 ** (ROOM_NOISE_DB / 20)
        noise = (generator.standard_normal(RATE * 5) * amplitude).astype("<i2").tobytes()
        pacat = self.start_feed(name, latency_ms=1000)
        assert pacat.stdin is not None
        with contextlib.suppress(OSError):
            while not self._noise_stop.is_set():
                for start in range(0, len(noise), RATE // 5 * 2):
                    pacat.stdin.write(noise[start : start + RATE // 5 * 2])
                    if self._noise_stop.is_set():
                        break
        pacat.kill()
        pacat.wait()
        with contextlib.suppress(OSError):
            pacat.stdin.close()

    def kill(self) -> None:
        """Kill the sound server: no microphone exists until :meth:`start`."""
        self._noise_stop.set()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
        for thread in self._noise_threads:
            thread.join(5)
        self._noise_threads = []

    def freeze(self, frozen: bool = True) -> None:
        """Freeze (or resume) the sound server: samples stop, connections stay."""
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self) -> None:
        """End the sound server."""
        self.kill()
        self._socket.unlink(missing_ok=True)


def main() -> int:
    """Serve virtual microphones until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="private folder")
    parser.add_argument("--names", required=True, help="microphones, separated by commas")
    parser.add_argument("--headset", action="store_true", help="serve an output, too")
    parser.add_argument("--no-noise", action="store_true", help="digital silence when idle")
    arguments = parser.parse_args()
    names = arguments.names.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    noise, headset = not arguments.no_noise, arguments.headset
    with VirtualMicrophones(arguments.dir, names, noise, headset=headset) as microphones:
        ready = {"environment": microphones.environment, "names": names}
        print(json.dumps(ready), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
