"""The recorder's operations on the camera, for the technician."""

from __future__ import annotations

from kiosk.api.base import Model
from kiosk.api.camera import CameraDetails, CameraPicture
from kiosk.api.operations import TECHNICIAN_ROLES, NoBody, Operation
from kiosk.api.recorder_calls import OpenHearingAnswer


class SetCamera(Model):
    """Another picture, from now on."""

    picture: CameraPicture
    keep: bool = False
    """Whether it is kept in the room's profile; else it holds until the recorder starts again."""


GET_CAMERA = Operation(
    "getCamera",
    "GET",
    "/v1/camera",
    "How the camera takes its picture, what holds, and how sharp it is",
    answer=CameraDetails,
    roles=TECHNICIAN_ROLES,
    errors={404: ("camera_absent",)},
)
SET_CAMERA = Operation(
    "setCamera",
    "PUT",
    "/v1/camera",
    "Take the picture otherwise; refused in a hearing if the camera had to restart, or to keep it",
    answer=CameraDetails,
    request=SetCamera,
    roles=TECHNICIAN_ROLES,
    errors={
        400: ("room_profile_refused",),
        404: ("camera_absent",),
        409: ("already_recording", "storage_failed"),
    },
    error_answers={409: OpenHearingAnswer},
)
FOCUS_CAMERA = Operation(
    "focusCamera",
    "POST",
    "/v1/camera/focus",
    "Focus now and hold it",
    answer=CameraDetails,
    request=NoBody,
    roles=TECHNICIAN_ROLES,
    errors={404: ("camera_absent",), 409: ("camera_cannot",)},
)
CAMERA_OPERATIONS = (GET_CAMERA, SET_CAMERA, FOCUS_CAMERA)
