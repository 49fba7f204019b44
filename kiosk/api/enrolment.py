"""Enrolment by the code that a technician types on the screen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kiosk.api.base import Model, Moment
from kiosk.api.operations import TECHNICIAN_ROLES, Operation


class Enrol(Model):
    """The one-time code of the court's IT."""

    code: Annotated[str, Field(max_length=64, repr=False)]
    """Spaces, dashes and case do not matter."""


class Enrolled(Model):
    """The kiosk has a certificate of the court."""

    kiosk: str
    """As in the certificate."""
    not_after: Moment
    is_new: bool
    """False: it was enrolled already, and nothing was changed."""


ENROL = Operation(
    "enrol",
    "POST",
    "/v1/enrol",
    "Exchange a one-time code for this kiosk's certificate; the same code again is harmless",
    Enrolled,
    request=Enrol,
    roles=TECHNICIAN_ROLES,
    errors={
        409: (
            *("enrolment_code_malformed", "code_unknown", "code_used", "enrolment_failed"),
            *("central_timeout", "central_unreachable", "central_fault", "dns_failed"),
            *("central_untrusted", "captive_portal", "certificate_invalid"),
        )
    },
)
