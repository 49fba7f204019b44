"""The room as a technician sets it up on the screen: its profile."""

from __future__ import annotations

from typing import Any

from kiosk.api.base import Model
from kiosk.api.operations import TECHNICIAN_ROLES, Operation
from kiosk.api.recorder_calls import OpenHearingAnswer


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
