"""A microphone as a source: measures its blocks and dispatches them to listeners.

A seat's switch silences it: as long as it is closed, zeros take the place of the samples before
anything measures, keeps or records them. Blocks are whole: the one in which the switch is closed is
silenced, and so is each that was begun before it is opened.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np

from kiosk.api.recorder import Microphone, Refusal
from kiosk.api.states import MicrophoneKind, MicrophoneState, UnclearSpeech
from kiosk.clocks import NS_PER_S, format_wall, recording_ns, wall_time
from kiosk.config import MicrophoneSettings
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.audio.level_meter import LevelMeter
from kiosk.hardware.sources.listener import SourceListener

RECENT_BLOCKS = 64
LATE_NS = 2 * NS_PER_S
"""So late the voice detector may be: words of a moment ago are told a moment later."""
FOLLOWED_NS = 3 * NS_PER_S
"""A voice detector that is later, or had a hole so lately, does not keep up."""
REMOTE_ROLE = "remote"
"""Role of the line-out of a conference set."""


def _format_recording_time(moment_ns: int | None) -> str | None:
    """Return a moment of the recording clock as wall time text."""
    if moment_ns is None:
        return None
    return format_wall(wall_time() - timedelta(microseconds=(recording_ns() - moment_ns) / 1000))


class MicrophoneSource:
    """A microphone: one channel of an audio device.

    Attributes:
        hand_to: takes each block after the recording has it, and must return at once.
        keep_to: likewise, while a hearing is due, for the sound before it; no recording either.
        rehearse_to: likewise, during a rehearsal outside a hearing; it counts as no recording.
        measure_to: likewise, while a sweep measures the room outside a hearing; no recording.
        unclear: what makes the words there hard to make out now; None: nothing, or it is not known.
    """

    def __init__(self, config: MicrophoneSettings, baseline_db: float | None = None) -> None:
        self.name = config.name
        self.role = config.role
        is_remote = config.role == REMOTE_ROLE
        self.kind = MicrophoneKind.REMOTE if is_remote else MicrophoneKind.ROOM
        self.rate = config.rate
        self.channel = config.channel
        remote_ns = round(config.silence_seconds * NS_PER_S) if is_remote else None
        self.meter = LevelMeter(
            config.rate,
            baseline_db,
            remote_silence_ns=remote_ns,
            has_gate=config.noise_gate,
        )
        self.unclear: UnclearSpeech | None = None
        self.hand_to: Callable[[AudioBlock], None] | None = None
        self.keep_to: Callable[[AudioBlock], None] | None = None
        self.rehearse_to: Callable[[AudioBlock], None] | None = None
        self.measure_to: Callable[[AudioBlock], None] | None = None
        self._has_detector = False
        self._without_detector_ns = 0
        self._speech_ns: int | None = None
        self._listened_ns = 0, 0
        self._hole_ns: int | None = None
        self._state = MicrophoneState.STARTING
        self._state_since = format_wall()
        self._refusal: Refusal | None = None
        self._recent_blocks: deque[AudioBlock] = deque(maxlen=RECENT_BLOCKS)
        self._listeners: tuple[SourceListener, ...] = ()
        self._lock = threading.Lock()
        self._is_switched_off, self._silent_until_ns = False, 0

    @property
    def is_switched_off(self) -> bool:
        """Whether its seat has switched it off."""
        return self._is_switched_off

    def switch(self, *, off: bool) -> None:
        """Silence it, or not, as the switch of its seat says."""
        if self._is_switched_off and not off:
            self._silent_until_ns = recording_ns()
        self._is_switched_off = self.meter.is_switched_off = off

    @property
    def state(self) -> MicrophoneState:
        """State by the device and its samples."""
        return self._state

    @property
    def last_speech_ns(self) -> int | None:
        """When somebody was heard last (recording clock), None: nobody yet.

        A voice detector tells speech from a fan. While there is none, a loud sound counts as
        speech; :attr:`knows_speech` says which.
        """
        loud_ns = None if self._has_detector else self.meter.last_speech_ns
        is_newer = loud_ns is not None and loud_ns > self._without_detector_ns
        return loud_ns if is_newer else self._speech_ns

    @property
    def knows_speech(self) -> bool:
        """Whether a voice detector listens, or has just begun to."""
        return self._has_detector

    def expect_detector(self) -> None:
        """Count no loud sound as speech from now on: a voice detector begins to listen."""
        self._has_detector = True

    def lose_detector(self) -> None:
        """Count loud sounds as speech from now on, until :meth:`hear_speech`."""
        if self._has_detector:
            self._has_detector, self._without_detector_ns = False, recording_ns()
            self.unclear, self._listened_ns = None, (0, 0)

    def hear_speech(self, speech_ns: int | None, unclear: UnclearSpeech | None) -> None:
        """Take what the voice detector heard.

        Args:
            speech_ns: end of the newest speech (recording clock), or None.
            unclear: what makes the words hard to make out now, or None.
        """
        self._has_detector, self.unclear = True, unclear
        if speech_ns is not None:
            self._speech_ns = max(speech_ns, self._speech_ns or 0)

    def note_listened(self, since_ns: int, until_ns: int) -> None:
        """Note that the voice detector has listened from ``since_ns`` to ``until_ns``."""
        before_ns = self._listened_ns[1]
        if before_ns and since_ns > before_ns:
            self._hole_ns = recording_ns()
        self._listened_ns = since_ns, until_ns

    @property
    def is_followed(self) -> bool:
        """Whether the voice detector keeps up here: no hole lately, no long delay."""
        now_ns, until_ns = recording_ns(), self._listened_ns[1]
        has_hole = self._hole_ns is not None and now_ns - self._hole_ns < FOLLOWED_NS
        return self._has_detector and now_ns - until_ns < FOLLOWED_NS and not has_hole

    def is_silence_known(self, since_ns: int) -> bool:
        """Return whether anybody who spoke since then would be known: no hole, no long delay."""
        if not self._has_detector:
            return self._without_detector_ns <= since_ns
        begun_ns, until_ns = self._listened_ns
        return begun_ns <= since_ns < until_ns and recording_ns() - until_ns < LATE_NS

    def describe(self) -> Microphone:
        """Return the microphone as in State, with its role by the settings."""
        return Microphone(
            name=self.name,
            kind=self.kind,
            role=self.role,
            state=self._state,
            since=self._state_since,
            refusal=self._refusal if self._state == MicrophoneState.REFUSED else None,
            heard=_format_recording_time(self.last_speech_ns),
            unclear=self.unclear,
            roles=(self.role,),
            switched_off=self._is_switched_off,
        )

    def refuse(self, refusal: Refusal) -> None:
        """Set why its device cannot be opened as the settings say."""
        self._refusal = refusal
        self.set_state(MicrophoneState.REFUSED)

    def set_state(self, state: MicrophoneState) -> None:
        """Set the state and the time since when it lasts."""
        if state != self._state:
            self._state, self._state_since = state, format_wall()
            if not state.is_delivering:
                self.meter.reset()

    def push(self, block: AudioBlock) -> None:
        """Measure a block and dispatch it, silenced while the seat has switched it off."""
        if self._is_switched_off or block.start_ns < self._silent_until_ns:
            block = replace(block, samples=np.zeros_like(block.samples))
        self.meter.push(block)
        self.set_state(self.meter.state())
        with self._lock:
            self._recent_blocks.append(block)
            for listener in self._listeners:
                listener.audio(self.name, block)
        for take in (self.keep_to, self.hand_to, self.rehearse_to, self.measure_to):
            if take is not None:
                take(block)

    def attach(self, listener: SourceListener, since_ns: int) -> None:
        """Dispatch all blocks that end after ``since_ns`` to ``listener``, and all that follow."""
        with self._lock:
            for block in self._recent_blocks:
                if block.start_ns + len(block.samples) * NS_PER_S // self.rate > since_ns:
                    listener.audio(self.name, block)
            self._listeners = (*self._listeners, listener)

    @property
    def has_listener(self) -> bool:
        """Whether blocks are dispatched to anybody."""
        return bool(self._listeners)

    def release(self) -> None:
        """Stop dispatching."""
        with self._lock:
            self._listeners = ()

    def detach(self, listener: SourceListener) -> None:
        """Stop dispatching to ``listener``."""
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)
