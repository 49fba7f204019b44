"""The rehearsal before a hearing: who takes part hears and sees themselves (R29, R35)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kiosk.api.base import Model, Rows
from kiosk.api.operations import COURT_ROLES, TECHNICIAN_ROLES, Operation
from kiosk.api.recorder_calls import OpenHearingAnswer
from kiosk.api.states import MicrophoneState, UnclearSpeech

PlaybackOutput = Literal["headset", "loudspeaker"]


class BeginRehearsal(Model):
    """How long the microphones are listened to, and which of them is played."""

    seconds: Annotated[float, Field(ge=2, le=60)] = 8.0
    source: str | None = None
    """A microphone; null: the sum of all."""


class RehearsedMicrophone(Model):
    """What came from a microphone during the rehearsal."""

    name: str
    state: MicrophoneState
    level_db: float | None = None
    """The loudest tenth of a second, dB of full scale; null: nothing came."""
    heard: bool | None = None
    """Whether somebody spoke there; null: speech could not be told from noise all the time."""
    unclear: UnclearSpeech | None = None
    """What made the words hard to make out at the end; null: nothing, or it is not known."""


class Rehearsal(Model):
    """The rehearsal is over; its sound is overwritten."""

    seconds: float
    """Of sound that were taken."""
    microphones: Rows[RehearsedMicrophone] = ()
    played: PlaybackOutput | None = None
    """Where the sound was played to its end; null: nowhere."""
    problem: str | None = None
    """Why it was not played, or not in the headset; sentence in :mod:`kiosk.alarms`."""


class RehearsalProgress(Model):
    """What a rehearsal does now (event ``rehearsal``)."""

    phase: Literal["speak", "listen", "over"]
    seconds: float = 0.0
    """That have passed in this phase."""
    of_seconds: float = 0.0


REHEARSE = Operation(
    "rehearse",
    "POST",
    "/v1/rehearsal",
    "Take some seconds of sound in memory alone, say who was heard, and play them",
    answer=Rehearsal,
    request=BeginRehearsal,
    roles=(*COURT_ROLES, *TECHNICIAN_ROLES),
    errors={409: ("already_recording",)},
    error_answers={409: OpenHearingAnswer},
)
