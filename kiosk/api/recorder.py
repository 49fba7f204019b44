"""State of the recorder and its events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kiosk.api.base import LooseText, Model, Moment, Rows
from kiosk.api.hearing import Participant
from kiosk.api.notes import Note
from kiosk.api.persons import HearingPerson, MarkedPerson
from kiosk.api.receipts import Receipt
from kiosk.api.speech import SpeechTotal
from kiosk.api.states import (
    CameraState,
    ClockState,
    CourtKeyState,
    EncoderState,
    LampState,
    MicrophoneKind,
    MicrophoneState,
    MirrorState,
    Phase,
    ProofState,
    RefusalReason,
    Remedy,
    RtcState,
    StorageState,
    UnclearSpeech,
)
from kiosk.clocks import parse_wall

AlarmKey = tuple[str, str]
"""``(code, source)`` of an alarm."""
CONTRACT = 1
"""Version of the recorder's State."""


class Mark(Model):
    """One event of the running hearing."""

    id: int
    """From 1, within the hearing."""
    type: str
    """Event id of the rules, or ``button``."""
    at: Moment = ""
    seconds: float = 0.0
    """Recording before it, in the whole hearing."""
    part: int = 0
    """0: nothing was captured then."""
    part_seconds: float = 0.0
    note: str = ""
    role: str = ""
    withdrawn: bool = False
    of: MarkedPerson | None = None
    """Whom it concerns; null: nobody in particular, or not named (yet)."""
    left_out: tuple[str, ...] = ()
    """What the rules want before it and nobody had marked: ``EVENT`` or ``EVENT:PERSON``."""
    ended: Moment = ""
    """Of an oath or an explanation: when it ended; empty: it goes on, or nobody ended it."""
    heard: bool | None = None
    """Of one that ended: whether somebody was heard at the microphone of whoever swore, or of the
    presiding judge who explained; null: it cannot be known."""
    said_seconds: float | None = None
    """Of one that was heard: for how long; null: no voice detector listened all the time."""
    is_short: bool | None = None
    """Too short for its text (``oath.*`` of the limits); null: not known."""
    also: tuple[str, ...] = ()
    """Roles at the other microphones at which somebody spoke at the same time."""


class Interruption(Model):
    """A source was not recorded for a while."""

    source: str
    """A microphone, ``camera``, ``storage``, ``mirror`` or ``recorder``."""
    kind: str = ""
    """State of a microphone that is lost, ``gap``, ``frozen``, ``still``, ``dropped``, ``encoder``,
    ``write_failed``, ``crash``, ``power``, or the state of a storage."""
    at: Moment = ""
    part: int = 0
    seconds: float | None = None
    """Media that were lost; null while it lasts or where it is not known."""


class InterruptionTotal(Model):
    """All interruptions of one source in the hearing."""

    source: str
    count: int
    seconds: float
    """Media that were lost, as far as it is known."""


class LineTrouble(Model):
    """The court's line was silent or poor for a while; the recording lost nothing by it."""

    kind: str = ""
    """``silent``: nothing came back; ``poor``: loss or delay past what a call bears."""
    at: Moment = ""
    part: int = 0
    """The part that was captured; 0: none was."""
    part_seconds: float = 0.0
    seconds: float | None = None
    """How long; null while it lasts or where it is not known."""
    is_over: bool = False


class Closure(Model):
    """The hearing is closed."""

    since: Moment = ""
    ground: str | None = None
    """Ground of the rules; null: not named yet."""


def _readable_participants(value: Any) -> Any:
    """Return the rows that have a name, as far as they can be read."""
    if not isinstance(value, list | tuple):
        return None
    known = [row.to_json() if isinstance(row, Participant) else row for row in value]
    return [
        {key: str(row.get(key) or "")[:most] for key, most in (("name", 300), ("role", 100))}
        for row in known
        if isinstance(row, dict) and row.get("name")
    ]


def _as_number(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


class DueStep(Model):
    """What usually comes next; a suggestion, never a lock."""

    event: str
    """Event id of the rules."""
    of: str = ""
    """Id of the person whom it concerns; empty: nobody in particular, or not known."""


class RunningHearing(Model):
    """The hearing that the recorder has open. Details that nobody has named yet are null.

    The details come from the list or from statements: an odd one is null here and breaks nothing.
    """

    id: str
    case_number: LooseText = None
    title: LooseText = None
    kind: LooseText = None
    format: LooseText = None
    publicity: LooseText = None
    judge: LooseText = None
    participants: Annotated[
        tuple[Participant, ...] | None, BeforeValidator(_readable_participants)
    ] = None
    persons: Rows[HearingPerson] = ()
    """Who is there, or should be: the participants of the list, as added and changed since."""
    adhoc: bool = False
    scheduled_at: LooseText = None
    duration_minutes: Annotated[float | None, BeforeValidator(_as_number)] = None
    language: LooseText = None
    """Of the proceedings, as the secretary said: ``kk`` or ``ru``."""
    part: int = 1
    """Number of the newest part."""
    parts: int = 1
    seconds: float = 0.0
    """Recorded in all parts."""
    part_seconds: float = 0.0
    """Recorded in the running part."""
    started: Moment = ""
    recess_until: Moment | None = None
    """While it is in recess or retired: when the court goes on, where it has said so."""
    marks: Rows[Mark] = ()
    notes: Rows[Note] = ()
    receipts: Rows[Receipt] = ()
    """Receipts that were printed or scanned (R47, R48)."""
    due: Rows[DueStep] = ()
    """What comes next by the rules, likeliest first."""
    keeps_minutes: bool = True
    """False: the rules want no minutes of it, and no events are offered (АПК 179(7), 281(4))."""
    session: LooseText = None
    """Kind of session of the rules; null or empty: a usual one."""
    formats: tuple[str, ...] = ("offline", "online", "mixed")
    """Formats that are offered: a secret is heard in the room (R87)."""
    announced_part: Literal["", "introductory_and_operative", "operative", "none"] = ""
    """How much of the act is announced in open session; empty: all of it (R57, S14)."""
    open_questions: tuple[str, ...] = ()
    tap_to_first_durable_ms: float | None = None
    interruptions: Rows[Interruption] = ()
    """The newest; all are in the answer of ``getInterruptions``."""
    interruption_totals: Rows[InterruptionTotal] = ()
    """Of all interruptions, by source."""
    line: Rows[LineTrouble] = ()
    """When the court's line was silent or poor: the newest."""
    speech: Rows[SpeechTotal] = ()
    """Who spoke, by microphone (S18)."""
    not_ready: tuple[str, ...] = ()
    """What was not ready at the start."""
    closed: Closure | None = None
    closed_parts: tuple[int, ...] = ()
    allowed: tuple[str, ...] = ()
    """Kinds of filming and broadcast that the court allows now (R59-R65); by default none."""
    replacing: bool = False
    """Plain media declared closed later are still being replaced."""

    @property
    def newest_mark(self) -> Mark | None:
        """Return the newest mark that was not withdrawn."""
        return next((mark for mark in reversed(self.marks) if not mark.withdrawn), None)

    def name_of(self, person: str) -> str:
        """Return the name of the person with that id; empty: not known."""
        return next((row.name for row in self.persons if row.id == person), "")

    @property
    def starts_at(self) -> datetime | None:
        """Return its scheduled start, timezone-aware, or None if the list has none."""
        return parse_wall(self.scheduled_at)


class Camera(Model):
    """The camera."""

    state: CameraState = CameraState.OFF
    back_end: str = ""
    frames: int = 0
    dropped: int = 0
    encoder: EncoderState = EncoderState.OK


class Refusal(Model):
    """Why a microphone's device, which is there, cannot be opened as the settings say."""

    reason: RefusalReason = RefusalReason.OTHER
    offered: tuple[int, ...] = ()
    """What it offers instead: sample rates in Hz, or a number of channels."""
    detail: str = ""
    """In the words of PortAudio."""

    @property
    def text(self) -> str:
        """Return it in English, for logs and reports."""
        unit = {RefusalReason.RATE: "Hz", RefusalReason.CHANNELS: "channels"}.get(self.reason)
        return f"offers {', '.join(map(str, self.offered))} {unit} only" if unit else self.detail


class Microphone(Model):
    """One named microphone."""

    name: str
    kind: MicrophoneKind = MicrophoneKind.ROOM
    role: str = ""
    """The first of ``roles``; ``spare`` where it serves nobody."""
    state: MicrophoneState
    since: Moment | None = None
    refusal: Refusal | None = None
    """While its state is ``refused``."""
    heard: Moment | None = None
    """When somebody was heard there last."""
    unclear: UnclearSpeech | None = None
    """What makes the words there hard to make out now; null: nothing, or nobody knows."""
    roles: tuple[str, ...] = ()
    """Whom it serves now; empty: a spare, or out of service."""
    without: bool = False
    """The court continues without it."""
    switched_off: bool = False
    """The switch of its seat silences it: its track holds silence meanwhile."""
    remedies: tuple[Remedy, ...] = ()
    """Possible now."""
    remedy_targets: dict[Remedy, tuple[str, ...]] = Field(default_factory=dict)
    """Microphones that could take over, by remedy."""

    @property
    def is_spare(self) -> bool:
        """Return whether it serves nobody now."""
        return not self.roles


class PlannedSpace(Model):
    """Disk space that the open hearing still needs (while idle: a usual hearing)."""

    hours_needed: float = 0.0
    fits: bool = True


class Storage(Model):
    """The kiosk's own disk."""

    free_bytes: int = 0
    total_bytes: int = 0
    hours_left: float | None = None
    """Of recording, on the tighter of both storages."""
    state: StorageState = StorageState.OK
    planned: PlannedSpace = PlannedSpace()
    waiting_bytes: int = 0
    """In memory, waiting for a disk."""
    volatile: Literal["no", "accepted", "yes"] = "no"
    """Whether it is gone at power-off; ``accepted``: a test bench, so there is no alarm."""


class Mirror(Model):
    """The second storage."""

    state: MirrorState = MirrorState.OFF
    behind_bytes: int = 0
    free_bytes: int | None = None
    behind_seconds: float = 0.0
    set_aside: int = 0
    """Hearings of which one storage alone had something that is in none: it is set aside there."""


class Clock(Model):
    """The wall clock."""

    state: ClockState = ClockState.OK
    rtc: RtcState | None = None
    """The real-time clock; None: not told."""


class CourtKeys(Model):
    """The court's keys for closed parts."""

    state: CourtKeyState = CourtKeyState.MISSING
    needed: bool = False
    """A closed hearing is open or in today's list, or all recordings are encrypted."""


class Proof(Model):
    """The read-back proof: what is on the disk is what was captured."""

    state: ProofState = ProofState.NONE
    age_seconds: float | None = None
    detail: str = ""
    source: str = ""
    """What is bad: a microphone, ``mix``, ``camera`` or ``storage``."""
    missing: tuple[str, ...] = ()
    """The read-back succeeded, but the newest media have nothing of these sources."""


class Playback(Model):
    """What the headset plays now."""

    source: str | None = None
    """A microphone; null: the mix."""
    seconds: float = 0.0
    of_seconds: float = 60.0


class ResumeReminder(Model):
    """Nobody has resumed: how often it was said, and after how many minutes."""

    count: int = 1
    minutes: float = 0.0


class KeptBefore(Model):
    """Sound before a hearing that is due, in locked memory alone: a tap keeps it with the start."""

    hearing_id: str
    """Id of the court's list."""
    seconds: float


class Preview(Model):
    """File of the live picture; its form is in docs/interfaces.md."""

    path: str = ""
    width: int = 0
    height: int = 0


class Alarm(Model):
    """An alarm by code; sentence and remedy come from :mod:`kiosk.alarms`."""

    code: str
    source: str | None = None
    since: Moment | None = None


class Recovery(Model):
    """A hearing that was resumed automatically after a crash or power cut."""

    hearing_id: str
    gap_seconds: float | None = None


class RecorderState(Model):
    """State of the recorder."""

    contract: int = CONTRACT
    wall: Moment = ""
    phase: Phase
    recovered: Recovery | None = None
    hearing: RunningHearing | None = None
    closed_hearings: tuple[str, ...] = ()
    """Ids of hearings closed here, under which lists may name them: their titles are hidden."""
    camera: Camera = Camera()
    microphones: Rows[Microphone] = ()
    storage: Storage = Storage()
    mirror: Mirror = Mirror()
    clock: Clock = Clock()
    proof: Proof = Proof()
    lamp: LampState = LampState.OFF
    """What the recording lamp shows; without a lamp, what it would show."""
    court_keys: CourtKeys = CourtKeys()
    listening: Playback | None = None
    reminder: ResumeReminder | None = None
    kept_before: KeptBefore | None = None
    """What is kept before a hearing that is due; null: nothing is."""
    alarms: Rows[Alarm] = ()
    preview: Preview = Preview()


class Level(Model):
    """Level of one microphone over a tenth of a second, dB of full scale."""

    rms_db: float
    peak_db: float


class OpenedDevice(Model):
    """The microphone or camera that was really opened, as kernel and libraries name it."""

    name: str
    """PortAudio's name (``CARD: DEVICE (hw:1,0)`` or one of ALSA's settings), or libcamera's id."""
    card: str = ""
    """ALSA's id of the card, or the camera's model."""
    usb: str = ""
    """Controller and ports; empty: not on USB."""
    product: str = ""
    """USB's vendor and product, such as ``0d8c:0014``."""
    serial: str = ""
    rate: int = 0
    channels: int = 0

    def __str__(self) -> str:
        rows = (("usb", self.usb), ("serial", self.serial))
        known = [f"{key} {value}" for key, value in rows if value]
        sound = [f"{self.rate} Hz", f"{self.channels} ch"] if self.rate else []
        return ", ".join([self.name, *known, *sound])


class Device(Model):
    """A device that is in use.

    Attributes:
        setting: how the settings name a microphone or the camera.
        opened: what its process has opened; None: nothing, or another kind of device.
        real_time: whether the process that reads a microphone has real-time priority; refused, it
            may lose samples while the processor is busy. None: another device, or not known yet.
    """

    name: str
    library: str = ""
    version: str = ""
    back_end: str = ""
    virtual: bool = False
    real_time: bool | None = None
    setting: str = ""
    opened: OpenedDevice | None = None
