"""What the technician sees and does about the services themselves."""

from __future__ import annotations

from enum import StrEnum

from kiosk.api.base import Model
from kiosk.api.operations import COURT_ROLES, TECHNICIAN_ROLES, NoBody, Operation


class StartReason(StrEnum):
    """Why a service was started."""

    BOOT = "boot"
    """The kiosk was switched on."""
    TECHNICIAN = "technician"
    """A technician restarted it on the screen."""
    STOPPED = "stopped"
    """It had been ended in order: by a command or an update."""
    FAILED = "failed"
    """It had ended by itself, hung, or was killed."""


class ServiceStatus(Model):
    """Since when a service runs, and why it was started."""

    version: str
    up_seconds: float
    """By a clock that nobody sets."""
    reason: StartReason = StartReason.BOOT
    starts: int = 1
    """Starts since the kiosk was switched on."""


class SignedIn(Model):
    """Whose token this is."""

    person: str
    roles: tuple[str, ...] = ()


GET_SERVICE = Operation(
    "getService",
    "GET",
    "/v1/service",
    "Version of this service, since when it runs, and why it was started",
    answer=ServiceStatus,
)
RESTART = Operation(
    "restart",
    "POST",
    "/v1/restart",
    "End this service in order, so that systemd starts it again; never in a hearing",
    answer=NoBody,
    request=NoBody,
    status=202,
    roles=TECHNICIAN_ROLES,
    errors={409: ("restart_in_hearing", "restart_busy", "restart_unsupervised")},
)
GET_SIGN_IN = Operation(
    "getSignIn",
    "GET",
    "/v1/sign-in",
    "Whose token this is; with it another service checks who calls",
    answer=SignedIn,
    roles=(*COURT_ROLES, *TECHNICIAN_ROLES),
)
