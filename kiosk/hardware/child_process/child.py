"""The child's side of a device process: set-up, messages to the parent, its commands."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.child_process.protocol import FRAME, STATUS

PIPE_BYTES = 1 << 20


class MessageWriter:
    """Writes messages to the parent, from any thread; ends the process if the parent has gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):  # a smaller pipe works too
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def send(self, kind: int, payload: bytes) -> None:
        """Send a message; wait while the pipe is full."""
        message = memoryview(FRAME.pack(len(payload), kind) + payload)
        try:
            with self._lock:
                while message:
                    message = message[os.write(self._descriptor, message) :]
        except OSError:
            os._exit(0)

    def send_status(self, **values: object) -> None:
        """Send a JSON object."""
        self.send(STATUS, json.dumps(values).encode("utf-8"))


def read_commands() -> Iterator[dict[str, Any]]:
    """Yield the parent's commands until it closes the pipe."""
    for line in sys.stdin:
        yield json.loads(line)


def set_up_child() -> tuple[MessageWriter, dict[str, Any]]:
    """Set this child up; return the writer to the parent and the configuration."""
    die_with_parent(int(sys.argv[3]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    return MessageWriter(int(sys.argv[1])), json.loads(sys.argv[2])
