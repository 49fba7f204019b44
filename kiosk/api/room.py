"""The room as a technician sets it up on the screen: profile, devices that are there, steps."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kiosk.api.base import Model
from kiosk.api.operations import TECHNICIAN_ROLES, NoBody, Operation
from kiosk.api.recorder import Refusal
from kiosk.api.recorder_calls import OpenHearingAnswer
from kiosk.api.states import MicrophoneState


class RoomProfile(Model):
    """A profile to keep, in place of the one before."""

    profile: dict[str, Any]
    """Tables of the room profile as in TOML (:data:`kiosk.room_profile.TABLES`)."""


class Room(Model):
    """What is set up in this room."""

    profile: dict[str, Any]
    """The room profile; empty: there is none, or it does not count."""
    settings: dict[str, Any]
    """What the same tables say in force after the next start, defaults included."""
    problem: str = ""
    """Why the profile does not count, for the technician."""
    is_in_force: bool = True
    """Whether the recorder runs with it; false: it will after a restart."""


GET_ROOM = Operation("getRoom", "GET", "/v1/room", "The room's profile", answer=Room)
SET_ROOM = Operation(
    "setRoom",
    "PUT",
    "/v1/room",
    "Keep a room profile; each service takes it at its next start",
    answer=Room,
    request=RoomProfile,
    roles=TECHNICIAN_ROLES,
    errors={400: ("room_profile_refused",), 409: ("already_recording", "storage_failed")},
    error_answers={409: OpenHearingAnswer},
)


class FoundInput(Model):
    """One channel of a sound input that is there now."""

    id: str
    """By which its level is published; the microphone's name where it is in use."""
    name: str = ""
    """Of the microphone that the settings in force have there; empty: none."""
    device: str
    """What the settings name it (``kiosk.device_address``); fits no other device."""
    channel: int
    rate: int
    label: str
    """As its maker calls it."""
    usb: str = ""
    serial: str = ""
    state: MicrophoneState = MicrophoneState.OK
    """Of one that is not in use; one in use has its state in State."""
    refusal: Refusal | None = None


class FoundInputs(Model):
    """All sound inputs that are there now."""

    inputs: tuple[FoundInput, ...]


LIST_INPUTS = Operation(
    "listInputs",
    "POST",
    "/v1/room/inputs",
    "Open every sound input that is there, for a minute from each call; levels come as events",
    answer=FoundInputs,
    request=NoBody,
    roles=TECHNICIAN_ROLES,
    errors={409: ("already_recording",)},
    error_answers={409: OpenHearingAnswer},
)


class SpokenSentence(Model):
    """Somebody spoke at a microphone, outside a hearing."""

    source: str
    """The microphone."""
    start_ns: int
    end_ns: int
    """Recording clock."""
    level_db: float | None = None
    """Of the speech without the noise, dB of full scale; null: too short to tell."""


class SpokenSentences(Model):
    """What the voice detector has heard outside hearings since the last one."""

    sentences: tuple[SpokenSentence, ...]


LIST_SPOKEN = Operation(
    "listSpoken",
    "GET",
    "/v1/room/spoken",
    "Who was heard last outside hearings, from when to when, and how loud; no sound",
    answer=SpokenSentences,
    roles=TECHNICIAN_ROLES,
    errors={409: ("already_recording",)},
    error_answers={409: OpenHearingAnswer},
)


class Commissioning(Model):
    """How far a technician has come with setting up the room; kept so that it goes on there."""

    record: dict[str, Any]
    """Steps with their results (:mod:`kiosk.commissioning.record`); empty: never begun."""


GET_COMMISSIONING = Operation(
    "getCommissioning", "GET", "/v1/commissioning", "How far the room is set up", Commissioning
)
SET_COMMISSIONING = Operation(
    "setCommissioning",
    "PUT",
    "/v1/commissioning",
    "Keep how far the room is set up",
    answer=Commissioning,
    request=Commissioning,
    roles=TECHNICIAN_ROLES,
    errors={409: ("storage_failed",)},
)


class StickProfile(Model):
    """A room profile on the technician's stick."""

    file: str
    room: str = ""
    """Number of the room that it was made for."""
    microphones: int = 0
    problem: str = ""
    """Why it does not count, for the technician; empty: it does."""
    profile: dict[str, Any] = Field(default_factory=dict)
    """Its tables, without the number of that other room."""


class StickProfiles(Model):
    """All profiles on the stick."""

    profiles: tuple[StickProfile, ...]


class SavedProfile(Model):
    """This room's profile is on the stick."""

    file: str


LIST_STICK_PROFILES = Operation(
    "listStickProfiles",
    "GET",
    "/v1/room/profiles",
    "Room profiles on the technician's stick, checked; nothing is taken over",
    StickProfiles,
    roles=TECHNICIAN_ROLES,
    errors={409: ("drive_absent", "stick_failed")},
)
SAVE_STICK_PROFILE = Operation(
    "saveStickProfile",
    "POST",
    "/v1/room/profiles",
    "Save this room's profile onto the technician's stick, for another room",
    SavedProfile,
    request=NoBody,
    roles=TECHNICIAN_ROLES,
    errors={409: ("drive_absent", "stick_failed")},
)
ROOM_OPERATIONS = (
    *(GET_ROOM, SET_ROOM, LIST_INPUTS, LIST_SPOKEN, GET_COMMISSIONING, SET_COMMISSIONING),
    *(LIST_STICK_PROFILES, SAVE_STICK_PROFILE),
)
