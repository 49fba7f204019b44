"""Device children: a device's library runs in a process of its own, which may hang or crash.

The child writes length-prefixed messages into a pipe; commands go to it as JSON lines on its
standard input. It ends with its parent (PDEATHSIG, and end-of-file on standard input). The parent
side, :class:`Supervisor`, kills a child that is ill and starts it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.child_process.protocol import FRAME, STATUS

log = logging.getLogger(__name__)
PIPE_BYTES = 1 << 20
LARGEST_MESSAGE = 16 << 20


# -- in the child ------------------------------------------------------------------------------
class MessageWriter:
    """Writes messages to the parent; safe from several threads. A gone parent ends the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):  # a smaller pipe works too
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def send(self, kind: int, payload: bytes) -> None:
        """Send one message; waits while the pipe is full."""
        message = memoryview(FRAME.pack(len(payload), kind) + payload)
        try:
            with self._lock:
                while message:
                    message = message[os.write(self._descriptor, message) :]
        except OSError:
            os._exit(0)

    def status(self, **values: Any) -> None:
        """Send a JSON object."""
        self.send(STATUS, json.dumps(values).encode("utf-8"))


def commands() -> Iterator[dict[str, Any]]:
    """Yield the parent's commands until it closes the pipe."""
    for line in sys.stdin:
        yield json.loads(line)


def child_setup() -> tuple[MessageWriter, dict[str, Any]]:
    """Set this child up; return its way to the parent and what the parent told it to do."""
    die_with_parent(int(sys.argv[3]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    return MessageWriter(int(sys.argv[1])), json.loads(sys.argv[2])


# -- in the parent -----------------------------------------------------------------------------
class Supervisor:
    """Keeps one device child running, in a thread of its own.

    Args:
        name: for logs and the thread.
        module: Python module that is the child (run with ``-m``).
        config: JSON value handed to it.
        on_message: called with (kind, payload) in the supervisor's thread.
        ill: called every 0.1 s; a text means "kill it and start again, because ...".
        on_up: called with a session number (from 1) just before each start.
        on_down: called with the reason after each end.
    """

    BACK_OFF = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0)
    _HEALTHY_S = 5.0

    def __init__(
        self,
        name: str,
        module: str,
        config: dict[str, Any],
        on_message: Callable[[int, bytes], None],
        ill: Callable[[], str | None],
        on_up: Callable[[int], None] = lambda _session: None,
        on_down: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._name = name
        self._module = module
        self._config = config
        self._on_message = on_message
        self._ill = ill
        self._on_up = on_up
        self._on_down = on_down
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the running child, or None."""
        process = self._process
        return process.pid if process is not None else None

    def start(self) -> None:
        """Start the child; returns at once."""
        self._thread.start()

    def close(self, timeout: float = 3.0) -> None:
        """End the child (asked first, killed after half a second) and the thread."""
        self._closing.set()
        process = self._process
        if process is not None and process.stdin is not None:
            with self._lock, contextlib.suppress(OSError):
                process.stdin.close()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def command(self, **values: Any) -> bool:
        """Send a command to the child; False when there is none to take it."""
        process = self._process
        if process is None or process.stdin is None:
            return False
        try:
            with self._lock:
                process.stdin.write(json.dumps(values).encode("utf-8") + b"\n")
                process.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def _run(self) -> None:
        failures = session = 0
        while not self._closing.is_set():
            session += 1
            started = time.monotonic()
            self._on_up(session)
            reason = self._run_once()
            if self._closing.is_set():
                break
            failures = 0 if time.monotonic() - started > self._HEALTHY_S else failures + 1
            log.warning("%s: %s; starting again", self._name, reason)
            self._on_down(reason)
            self._closing.wait(self.BACK_OFF[min(failures, len(self.BACK_OFF) - 1)])

    def _run_once(self) -> str:
        """Run one child to its end; return why it ended."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        told = (str(writer), json.dumps(self._config), str(os.getpid()))
        command = [sys.executable, "-m", self._module, *told]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
                pass_fds=(writer,),
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            os.close(reader)
            return f"cannot be started: {error}"
        finally:
            os.close(writer)
        self._process = process
        try:
            return self._read(reader)
        finally:
            os.close(reader)
            self._process = None
            self._end(process)

    def _read(self, reader: int) -> str:
        """Read messages until the child ends or is ill; return why."""
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        buffer = bytearray()
        checked = time.monotonic()
        while True:
            if poll.poll(100):
                data = os.read(reader, 1 << 18)
                if not data:
                    return "has ended"
                buffer += data
                problem = self._take(buffer)
                if problem:
                    return problem
            if self._closing.is_set() and not poll.poll(0):
                return "is closed"
            now = time.monotonic()
            if now - checked >= 0.1:
                checked = now
                problem = self._ill()
                if problem:
                    return problem

    def _take(self, buffer: bytearray) -> str | None:
        """Hand on the whole messages at the head of ``buffer``; return a problem, if any."""
        position = 0
        while len(buffer) - position >= FRAME.size:
            length, kind = FRAME.unpack_from(buffer, position)
            if length > LARGEST_MESSAGE:
                return "sends nonsense"
            end = position + FRAME.size + length
            if end > len(buffer):
                break
            self._on_message(kind, bytes(buffer[position + FRAME.size : end]))
            position = end
        del buffer[:position]
        return None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End ``process``; a child that cannot even be killed is left to the kernel."""
        if process.stdin is not None:
            with self._lock, contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._closing.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
            process.kill()
            process.wait(1.0)
