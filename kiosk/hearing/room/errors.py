"""Reasons why a step of a hearing is refused."""

from __future__ import annotations

from kiosk.errors import HearingError


class AlreadyRecordingError(HearingError):
    """Another hearing is open; it must be ended first."""

    code = "already_recording"
    status = 409

    def __init__(self, hearing_id: str) -> None:
        super().__init__(f"hearing {hearing_id} is open")
        self.hearing_id = hearing_id
        self.fields = {"hearing_id": hearing_id}


class StepRefusedError(HearingError):
    """The step is not possible in this phase."""

    code = "hearing_step_refused"
    status = 409


class BadRequestError(HearingError):
    """The request lacks a field or has an unknown value."""

    code = "bad_request"
    status = 400
