"""Child process that listens to copies of the microphones' blocks (:mod:`.listener`).

It runs at the lowest priority that still answers: whatever happens here, recording does not notice.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections import deque

from kiosk.errors import HardwareError
from kiosk.hardware.audibility.listener import Listener
from kiosk.hardware.audibility.protocol import MAX_BYTES, unpack_block
from kiosk.hardware.audibility.voice_model import VoiceModel
from kiosk.hardware.child_process.child import MessageWriter, read_commands, set_up_child
from kiosk.hardware.child_process.malloc import keep_free_memory, return_free_memory

NICENESS = 15
LISTEN_S = 0.3
"""Seconds between two looks: many chunks at once cost less than one by one."""
MAX_WAITING = 512
"""Blocks; of more the oldest are dropped."""


def _yield_priority() -> None:
    """Leave real-time scheduling, if the recorder has it, and be nice."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def main() -> None:
    """Listen until the recorder ends."""
    writer, config = set_up_child()
    _yield_priority()
    keep_free_memory()
    blocks: deque[bytes] = deque(maxlen=MAX_WAITING)
    receiver = socket.socket(fileno=int(config["socket"]))
    threading.Thread(target=_receive, args=(receiver, blocks), daemon=True).start()
    threading.Thread(target=_listen, args=(writer, config["rates"], blocks), daemon=True).start()
    for _ in read_commands():
        pass  # it has none
    os._exit(0)


def _receive(receiver: socket.socket, blocks: deque[bytes]) -> None:
    while packet := receiver.recv(MAX_BYTES):
        blocks.append(packet)
    os._exit(0)


def _listen(writer: MessageWriter, rates: dict[str, int], blocks: deque[bytes]) -> None:
    """Listen again and again; without a model say why, and wait to be ended."""
    try:
        listener = Listener(VoiceModel.load(), rates)
    except HardwareError as error:
        writer.send_status(unavailable=str(error))
        return
    return_free_memory()
    while True:
        for _ in range(len(blocks)):
            with contextlib.suppress(struct.error, ValueError):
                listener.push(*unpack_block(blocks.popleft()))
        heard = [vars(row) for row in listener.listen()]
        turns = [vars(row) for row in listener.take_turns()]
        running = [vars(row) for row in listener.running_turns]
        writer.send_status(heard=heard, turns=turns, running=running)
        time.sleep(LISTEN_S)


if __name__ == "__main__":
    main()
