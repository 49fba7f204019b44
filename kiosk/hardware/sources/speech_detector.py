"""Knows at which microphones somebody speaks: the recorder's side of the process that listens.

It gets copies of the blocks and is never waited for: without it a loud sound counts as speech, and
an alarm says so.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from kiosk.api.states import UnclearSpeech
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.audibility.protocol import MAX_BYTES, pack_block
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.child_process.protocol import STATUS
from kiosk.hardware.child_process.supervisor import ProcessSupervisor
from kiosk.hardware.sources.microphone_source import MicrophoneSource

UsualLevel = Callable[[str], float | None]
log = logging.getLogger(__name__)
SILENT_NS = 3 * NS_PER_S
"""A child that says nothing for this long hangs: it is started again."""
START_NS = 20 * NS_PER_S
"""On a busy machine its libraries take their time."""
BUFFER_BYTES = 1 << 20
MUCH_QUIETER_DB = 12.0
"""So far below what is usual at a microphone; a voice that turns away or is hushed loses less."""
MAX_TURNS = 1000
"""That nobody took; of more the oldest are forgotten."""


def _no_usual_level(_name: str) -> float | None:
    """Say of no microphone how loud speech is there usually."""
    return None


class SpeechDetector:
    """Listens to ``microphones`` in a process of its own.

    Attributes:
        usual_level: returns how loud speech is at a microphone usually, if that is known.
        dropped: blocks that it could not be given.
    """

    def __init__(self, microphones: tuple[MicrophoneSource, ...]) -> None:
        self.usual_level: UsualLevel = _no_usual_level
        self._microphones = {microphone.name: microphone for microphone in microphones}
        self._rates = {microphone.name: microphone.rate for microphone in microphones}
        self._sockets: tuple[socket.socket, ...] = ()
        self._lock = threading.Lock()
        self._last_message_ns = recording_ns()
        self._answers = self._has_failed = False
        self.dropped = 0
        self._turns: deque[Turn] = deque(maxlen=MAX_TURNS)
        self._running: tuple[Turn, ...] = ()
        self._child = ProcessSupervisor(
            "speech detector",
            "kiosk.hardware.audibility.listener_child",
            {},
            self._on_message,
            self._find_problem,
            self._on_start,
            self._on_stop,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child."""
        return self._child.pid

    @property
    def has_failed(self) -> bool:
        """Whether nobody knows now who speaks, though the child had time to start."""
        return self._has_failed

    @property
    def is_working(self) -> bool:
        """Whether it answers, and listens to every microphone that delivers something."""
        is_heard = self._answers and recording_ns() - self._last_message_ns < SILENT_NS
        delivering = (row for row in self._microphones.values() if row.state.is_delivering)
        return is_heard and all(row.is_followed for row in delivering)

    def take_turns(self) -> list[Turn]:
        """Return the turns of speech that have ended since the last call, and forget them."""
        return [self._turns.popleft() for _ in range(len(self._turns))]

    @property
    def running_turns(self) -> tuple[Turn, ...]:
        """The turns that go on, as far as they were heard."""
        return self._running

    def take_all_turns(self) -> list[Turn]:
        """Return those turns, and those that go on, as far as they were heard: nothing follows.

        One that ends in between is returned once, whole.
        """
        running = self.running_turns
        turns = self.take_turns()
        ended = {(turn.name, turn.start_ns) for turn in turns}
        return [*turns, *(turn for turn in running if (turn.name, turn.start_ns) not in ended)]

    def open(self) -> None:
        """Start the child, and give it the blocks of the microphones from now on."""
        for microphone in self._microphones.values():
            microphone.expect_detector()
        self._child.start()
        for number, microphone in enumerate(self._microphones.values()):
            microphone.hand_to = partial(self._hand_over, number)

    def close(self) -> None:
        """End the child."""
        for microphone in self._microphones.values():
            microphone.hand_to = None
        self._child.close()
        self._close_sockets()

    def _hand_over(self, number: int, block: AudioBlock) -> None:
        """Give a block to the child, or drop it: in the device's thread, which must not wait."""
        packet = pack_block(number, block)
        try:
            if len(packet) > MAX_BYTES:
                raise BlockingIOError
            with self._lock:  # never sent to what took the number of a closed socket
                self._sockets[0].send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except (OSError, IndexError):
            self.dropped += 1

    # -- called in the supervisor's thread -----------------------------------------------------
    def _on_start(self, _session: int) -> None:
        self._close_sockets()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        with self._lock:
            self._sockets = ours, theirs
        config = {"rates": self._rates, "socket": theirs.fileno()}
        self._child.set_config(config, (theirs.fileno(),))
        self._last_message_ns, self._answers = recording_ns(), False

    def _close_sockets(self) -> None:
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets = ()

    def _on_stop(self, _reason: str) -> None:
        self._fail()

    def _fail(self) -> None:
        """Let loud sounds count as speech from now on."""
        self._answers, self._has_failed, self._running = False, True, ()
        for microphone in self._microphones.values():
            microphone.lose_detector()

    def _on_message(self, kind: int, payload: bytes) -> None:
        self._last_message_ns = recording_ns()
        values = json.loads(payload) if kind == STATUS else {}
        if "unavailable" in values:
            if not self._has_failed:
                log.error("speech cannot be told from noise: %s", values["unavailable"])
            self._fail()
        if "heard" in values:
            self._answers, self._has_failed = True, False
        for row in values.get("heard", ()):
            unclear = self._cause(row["name"], row["unclear"], row["unclear_db"])
            microphone = self._microphones[row["name"]]
            microphone.hear_speech(row["speech_ns"], unclear)
            microphone.note_listened(row["since_ns"], row["until_ns"])
        self._turns.extend(map(self._turn, values.get("turns", ())))
        if "running" in values:
            self._running = tuple(map(self._turn, values["running"]))

    def _turn(self, row: dict[str, Any]) -> Turn:
        turn = Turn(**row)
        cause = self._cause(turn.name, turn.cause, turn.level_db) or ""
        return replace(turn, cause=cause, usual_db=self.usual_level(turn.name))

    def _cause(self, name: str, told: str | None, level_db: float | None) -> UnclearSpeech | None:
        """Return what makes words hard to make out: the speaker's level, if it is the reason.

        Noise and echo drown whoever speaks much quieter than others did at this microphone.
        """
        if not told:
            return None
        cause, usual_db = UnclearSpeech(told), self.usual_level(name)
        can_be_quiet = cause in (UnclearSpeech.NOISE, UnclearSpeech.FAR)
        if not can_be_quiet or level_db is None or usual_db is None:
            return cause
        return UnclearSpeech.QUIET if level_db < usual_db - MUCH_QUIETER_DB else cause

    def _find_problem(self) -> str | None:
        if self._has_failed and not self._answers:
            limit_ns = 10 * START_NS  # without a model it says so once, and waits
        else:
            limit_ns = SILENT_NS if self._answers else START_NS
        return "does not answer" if recording_ns() - self._last_message_ns > limit_ns else None
