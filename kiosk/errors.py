"""The error tree of the kiosk.

Every error that a person may meet has a ``code`` (stable, machine-readable, one of
:mod:`kiosk.alarms` where it is shown on a screen) and a message for the technician's log.
Sentences for visitors and secretaries are made from the code, in their language, by the UI:
no code and no traceback is ever shown to the public.
"""

from __future__ import annotations


class KioskError(Exception):
    """Base of every error the kiosk raises itself.

    Attributes:
        code: stable identifier, ``snake_case``; class-wide default, may be set per instance.
        exit_code: exit status of the ``kiosk`` command when the error ends it.
    """

    code: str = "error"
    exit_code: int = 1

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class RequestError(KioskError):
    """A request to a local service does not fit its model; the message names the field."""

    code = "bad_request"
    status = 400


class ConfigError(KioskError):
    """``kiosk.toml`` is absent, malformed, or holds a key or value that is not allowed."""

    code = "settings_invalid"
    exit_code = 2


class UsageError(KioskError):
    """A command was given arguments that do not go together."""

    code = "usage"
    exit_code = 2


class HardwareError(KioskError):
    """A device failed. Each device file has its own exact sub-classes."""

    code = "device_failed"


class DeviceAbsentError(HardwareError):
    """The device is not there (unplugged, not configured, no such name)."""

    code = "device_absent"


class StorageError(KioskError):
    """A durable write failed: disk full, read-only or gone."""

    code = "storage_failed"


class RecordingError(KioskError):
    """The recording cannot be made, read or verified."""

    code = "recording_failed"


class HearingError(KioskError):
    """A step of the hearing is not possible now (second start, resume while running, ...)."""

    code = "hearing_step_refused"


class FilingError(KioskError):
    """A filing cannot go on (no page, unknown type, ...)."""

    code = "filing_failed"


class CentralError(KioskError):
    """The central court system cannot be reached or refused."""

    code = "central_failed"


class CentralUnreachableError(CentralError):
    """No answer: no link, time-out, DNS, TLS or captive portal. Trying again later may help."""

    code = "central_unreachable"


class SignInError(KioskError):
    """The badge or PIN is unknown, or the role may not do this."""

    code = "sign_in_refused"
