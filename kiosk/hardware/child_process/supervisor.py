"""Runs a device's library in a child process, which may hang or crash.

The child writes length-prefixed messages into a pipe and reads commands as JSON lines from its
standard input. It ends with its parent (PDEATHSIG, and end of file on standard input).
:class:`ProcessSupervisor` is the parent's side: it kills a child that fails and starts it again.
:mod:`kiosk.hardware.child_process.child` is the child's side.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from kiosk.hardware.child_process.protocol import FRAME

log = logging.getLogger(__name__)
MAX_MESSAGE_BYTES = 16 << 20
CHECK_S, MESSAGE_WAIT_S = 0.1, 0.4
"""Seconds between two looks for a problem, and after a message: no device misses one so soon."""


class ProcessSupervisor:
    """Keeps a device's child process running, in its own thread.

    Args:
        name: for logs and the thread.
        module: Python module of the child (run with ``-m``).
        config: JSON value handed to it.
        on_message: called with (kind, payload) in the supervisor's thread.
        find_problem: called every :data:`CHECK_S`, after a message only once
            :data:`MESSAGE_WAIT_S` have passed or the next one comes; returns why the child must be
            restarted, or None.
        on_start: called with a session number (from 1) just before each start.
        on_stop: called with the reason after each end.
    """

    BACK_OFF_S = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0)
    HEALTHY_AFTER_S = 5.0

    def __init__(
        self,
        name: str,
        module: str,
        config: dict[str, Any],
        on_message: Callable[[int, bytes], None],
        find_problem: Callable[[], str | None],
        on_start: Callable[[int], None] = lambda _session: None,
        on_stop: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._name = name
        self._module = module
        self._config = config
        self._descriptors: tuple[int, ...] = ()
        self._on_message = on_message
        self._find_problem = find_problem
        self._on_start = on_start
        self._on_stop = on_stop
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
        """Start the child; return at once."""
        self._thread.start()

    def close(self, timeout: float = 3.0) -> None:
        """Stop the child (kill it after half a second) and the thread."""
        self._closing.set()
        process = self._process
        if process is not None and process.stdin is not None:
            with self._lock, contextlib.suppress(OSError):
                process.stdin.close()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def set_config(self, config: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        """Hand this to each child that starts from now on.

        Args:
            descriptors: open files that it inherits under the same numbers.
        """
        self._config, self._descriptors = config, descriptors

    def send_command(self, **values: object) -> bool:
        """Send a command to the child; return False if none can receive it."""
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
            reason = self._run_session(session)
            if self._closing.is_set():
                break
            failures = 0 if time.monotonic() - started > self.HEALTHY_AFTER_S else failures + 1
            log.warning("%s: %s; starting again", self._name, reason)
            try:
                self._on_stop(reason)
            except Exception:
                log.exception("%s: its end cannot be handled", self._name)
            self._closing.wait(self.BACK_OFF_S[min(failures, len(self.BACK_OFF_S) - 1)])

    def _run_session(self, session: int) -> str:
        """Run one child to its end; return why it ended: also what handles it may fail."""
        try:
            self._on_start(session)
            return self._run_child()
        except Exception:  # the device must come back
            log.exception("%s: what it sends cannot be handled", self._name)
            return "what it sends cannot be handled"

    def _run_child(self) -> str:
        """Run one child to its end; return why it ended."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        arguments = (str(writer), json.dumps(self._config), str(os.getpid()))
        command = [sys.executable, "-m", self._module, *arguments]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
                pass_fds=(writer, *self._descriptors),
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            os.close(reader)
            return f"cannot be started: {error}"
        finally:
            os.close(writer)
        self._process = process
        try:
            return self._read_messages(reader)
        finally:
            os.close(reader)
            self._process = None
            self._end_process(process)

    def _read_messages(self, reader: int) -> str:
        """Read messages until the child ends or fails; return why."""
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        buffer = bytearray()
        checked = time.monotonic()
        wait_s = CHECK_S
        while True:
            has_data = bool(poll.poll(wait_s * 1000))
            wait_s = MESSAGE_WAIT_S if has_data else CHECK_S
            if has_data:
                data = os.read(reader, 1 << 18)
                if not data:
                    return "has ended"
                buffer += data
                problem = self._dispatch_messages(buffer)
                if problem:
                    return problem
            if self._closing.is_set() and not poll.poll(0):
                return "is closed"
            now = time.monotonic()
            if now - checked >= CHECK_S:
                checked = now
                problem = self._find_problem()
                if problem:
                    return problem

    def _dispatch_messages(self, buffer: bytearray) -> str | None:
        """Dispatch the complete messages at the head of ``buffer``; return a problem, if any."""
        offset = 0
        while len(buffer) - offset >= FRAME.size:
            length, kind = FRAME.unpack_from(buffer, offset)
            if length > MAX_MESSAGE_BYTES:
                return "sends malformed messages"
            end = offset + FRAME.size + length
            if end > len(buffer):
                break
            self._on_message(kind, bytes(buffer[offset + FRAME.size : end]))
            offset = end
        del buffer[:offset]
        return None

    def _end_process(self, process: subprocess.Popen[bytes]) -> None:
        """End ``process``; leave a child that cannot be killed to the kernel."""
        if process.stdin is not None:
            with self._lock, contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._closing.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
            process.kill()
            process.wait(1.0)
