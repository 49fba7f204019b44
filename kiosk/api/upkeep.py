"""What the technician sees and does about the services themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from kiosk.api.base import Model, Moment, Rows
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
SIGN_OUT = Operation(
    "signOut",
    "DELETE",
    "/v1/sign-in",
    "End the sign-in: its token counts no more, and what its person plays in the headset stops",
    answer=SignedIn,
    roles=(*COURT_ROLES, *TECHNICIAN_ROLES),
)


# -- alarms ------------------------------------------------------------------------------------
class LoggedAlarm(Model):
    """An alarm that was raised, and when it ended."""

    code: str
    source: str | None = None
    began: Moment = ""
    ended: Moment | None = None
    """Null: it lasts, or the service ended before it did."""
    lasts: bool = False
    is_clock_trusted: bool = True
    """Whether its times can be believed."""


class AlarmLog(Model):
    """The last alarms of this service, the newest first."""

    alarms: Rows[LoggedAlarm] = ()


GET_ALARM_LOG = Operation(
    "getAlarmLog",
    "GET",
    "/v1/alarm-log",
    "The last alarms of this service, the newest first, those that last among them",
    answer=AlarmLog,
)


# -- second storage ----------------------------------------------------------------------------
class MirrorStorage(Model):
    """What is in the place of the second storage."""

    folder: str = ""
    """Where it is mounted; empty: the settings name none."""
    state: Literal["off", "ok", "absent", "foreign", "read_only", "failed"] = "off"
    kiosk: str = ""
    """Whose it is, by its marker; empty: nobody's."""
    free_bytes: int | None = None
    total_bytes: int | None = None


class AdoptMirror(Model):
    """Make what is in its place the second storage of this kiosk."""

    kiosk: str = ""
    """Whose it was when the technician agreed (:attr:`MirrorStorage.kiosk`); its content stays."""


GET_MIRROR = Operation(
    "getMirror", "GET", "/v1/mirror", "What is in the place of the second storage", MirrorStorage
)
ADOPT_MIRROR = Operation(
    "adoptMirror",
    "POST",
    "/v1/mirror/adopt",
    "Mark the storage that is mounted in its place as this kiosk's second one",
    answer=MirrorStorage,
    request=AdoptMirror,
    roles=TECHNICIAN_ROLES,
    errors={409: ("mirror_refused", "mirror_off", "restart_in_hearing", "storage_failed")},
)


# -- help by phone -----------------------------------------------------------------------------
class AskSupport(Model):
    """Where the support bundle goes besides the central system."""

    to_drive: bool = False
    """Also onto the removable drive, for a kiosk without network."""


class SupportBundle(Model):
    """The support bundle is saved, signed and waits for its delivery."""

    code: str
    """What the technician reads out: the first six digits of the report's id."""
    report: str
    """Id of the report."""
    file: str = ""
    """Name of the file on the drive."""


SEND_SUPPORT = Operation(
    "sendSupport",
    "POST",
    "/v1/support",
    "Save the technical state, without personal data, as a report for the support",
    answer=SupportBundle,
    request=AskSupport,
    status=201,
    roles=TECHNICIAN_ROLES,
    errors={
        409: (
            *("drive_absent", "export_medium_failed"),
            *("storage_failed", "disk_full", "disk_read_only", "disk_gone"),
        )
    },
)


# -- all ---------------------------------------------------------------------------------------
SYNC_UPKEEP = (GET_SERVICE, RESTART, GET_ALARM_LOG)
RECORDER_UPKEEP = (*SYNC_UPKEEP, GET_MIRROR, ADOPT_MIRROR, SEND_SUPPORT)
