"""Models of the services, from :mod:`kiosk.api`."""

from __future__ import annotations

from kiosk.api.base import Model as ServiceModel
from kiosk.api.hearing import Hearing
from kiosk.api.published import Schedule
from kiosk.api.recorder import (
    Alarm,
    Microphone,
    Preview,
    RecorderState,
    RunningHearing,
)
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.api.sync import CurrentDelivery, Delivery, ForecastState, LinkCheckResult, SyncState
from kiosk.clocks import parse_wall as parse_time

__all__ = [
    "Alarm",
    "CurrentDelivery",
    "Delivery",
    "ForecastState",
    "Hearing",
    "LinkCheckResult",
    "Microphone",
    "Phase",
    "Preview",
    "RecorderState",
    "RunningHearing",
    "Schedule",
    "ServiceModel",
    "StaffSession",
    "SyncState",
    "parse_time",
]
