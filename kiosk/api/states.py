"""Enumerations of the recorder's State. Each is a string in JSON.

This module imports no pydantic: the child processes of devices import it, too.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Phase of the hearing in this room."""

    IDLE = "idle"
    RECORDING = "recording"
    RECESS = "recess"
    RETIRED = "retired"
    """The court has retired to deliberate."""
    SEALING = "sealing"

    @property
    def is_open(self) -> bool:
        """Whether a hearing goes on, captured or not."""
        return self in (Phase.RECORDING, Phase.RECESS, Phase.RETIRED)


class LampState(StrEnum):
    """What the recording lamp shows: the recorder's verdict on what it records now."""

    OFF = "off"
    """Nothing is recorded."""
    SLOW = "slow"
    """It blinks slowly: a source is not heard or its words are unclear, or not all is proven."""
    STEADY = "steady"
    """All sources that serve somebody are heard, recorded, durable, and were read back."""


class MicrophoneState(StrEnum):
    """State of one microphone; see docs/interfaces.md for what each means.

    Device, State, screens, alarms and journal use these values; an interruption of a microphone
    has the state as its kind.
    """

    OK = "ok"
    STARTING = "starting"
    ABSENT = "absent"
    REFUSED = "refused"
    DEAD = "dead"
    MUTED = "muted"
    STUCK = "stuck"
    QUIET = "quiet"
    CLIPPING = "clipping"
    HUMMING = "humming"

    @property
    def is_delivering(self) -> bool:
        """Whether samples arrive, audible or not."""
        return self not in (MicrophoneState.STARTING, *_WITHOUT_SAMPLES)

    @property
    def is_lost(self) -> bool:
        """Whether what is said there is lost: an interruption."""
        return self in (*_WITHOUT_SAMPLES, *_SOUNDLESS)

    @property
    def is_broken(self) -> bool:
        """Whether it needs a remedy at any time, not only while a hearing is recorded."""
        return self in (*_WITHOUT_SAMPLES, MicrophoneState.STUCK)

    @property
    def is_failing(self) -> bool:
        """Whether the court may want a remedy."""
        return self not in (MicrophoneState.OK, MicrophoneState.STARTING)

    @property
    def can_take_over(self) -> bool:
        """Whether it can take the role of another microphone."""
        return self.is_delivering and not self.is_lost

    @property
    def alarm(self) -> str:
        """Code of its alarm, where it is failing."""
        return f"microphone_{self}"


_WITHOUT_SAMPLES = (MicrophoneState.ABSENT, MicrophoneState.REFUSED, MicrophoneState.DEAD)
_SOUNDLESS = (MicrophoneState.MUTED, MicrophoneState.STUCK)


class RefusalReason(StrEnum):
    """Why a device that is there cannot be opened."""

    RATE = "rate"
    CHANNELS = "channels"
    BUSY = "busy"
    AMBIGUOUS = "ambiguous"
    """The setting fits several devices."""
    NAME = "name"
    """The setting is a part of a device's name."""
    OTHER = "other"


class UnclearSpeech(StrEnum):
    """What makes the words at a microphone hard to make out."""

    NOISE = "noise"
    FAR = "far"
    """Echo: whoever speaks is far from the microphone."""
    CROSS_TALK = "cross_talk"
    """Somebody else speaks at the same time."""
    CLIPPED = "clipped"
    """The microphone is overdriven."""
    QUIET = "quiet"
    """Much quieter than at this microphone usually."""

    @property
    def alarm(self) -> str:
        """Code of its alarm."""
        return f"unclear_{self}"


class MicrophoneKind(StrEnum):
    """A microphone in the room, or the line-out of a conference set."""

    ROOM = "room"
    REMOTE = "remote"


class Remedy(StrEnum):
    """What the court can do about a microphone that fails."""

    SPARE = "spare"
    MOVE = "move"
    WITHOUT = "without"
    BACK = "back"


class CameraState(StrEnum):
    """State of the camera; ``off``: the settings name none."""

    OK = "ok"
    STARTING = "starting"
    ABSENT = "absent"
    FROZEN = "frozen"
    OFF = "off"


class EncoderState(StrEnum):
    """Whether the video encoder keeps up with the camera."""

    OK = "ok"
    SLOW = "slow"


class StorageState(StrEnum):
    """State of the kiosk's own disk."""

    OK = "ok"
    LOW = "low"
    SLOW = "slow"
    FULL = "full"
    READ_ONLY = "read_only"
    GONE = "gone"
    FAILED = "failed"


class MirrorState(StrEnum):
    """State of the second storage; ``off``: the settings name none."""

    OFF = "off"
    OK = "ok"
    BEHIND = "behind"
    SLOW = "slow"
    ABSENT = "absent"
    FOREIGN = "foreign"
    FULL = "full"
    FAILED = "failed"

    @property
    def is_healthy(self) -> bool:
        """Whether it takes what is written."""
        return self in (MirrorState.OK, MirrorState.BEHIND)


class ClockState(StrEnum):
    """How far the wall clock can be believed."""

    OK = "ok"
    UNSYNCHRONISED = "unsynchronised"
    UNSET = "unset"


class RtcState(StrEnum):
    """The real-time clock: the chip that knows the time while the power is off."""

    ABSENT = "absent"
    UNKEPT = "unkept"
    """No battery keeps it: there is none, or it is empty."""
    DIFFERS = "differs"
    """It tells another time than the wall clock."""
    KEPT = "kept"


class ProofState(StrEnum):
    """Result of the read-back proof."""

    NONE = "none"
    GOOD = "good"
    BAD = "bad"


class CourtKeyState(StrEnum):
    """Whether closed parts can be encrypted to the court."""

    OK = "ok"
    UNPROVEN = "unproven"
    MISSING = "missing"
