"""Asks the recorder to save and sign a report: nothing else on the kiosk signs one."""

from __future__ import annotations

from pydantic import ValidationError

from kiosk.api.reports import SAVE_REPORT, NewReport, SavedReport
from kiosk.errors import KioskError
from kiosk.ipc import ServiceDownError
from kiosk.selftest.errors import RecorderDownError
from kiosk.selftest.model import SelfTestContext

_ANSWER_S = 30.0
"""A tired card takes its time for some synced files."""


async def request_report(context: SelfTestContext, report: NewReport) -> SavedReport:
    """Have ``report`` saved and sealed; return what the recorder made of it.

    Raises:
        RecorderDownError: the recorder does not answer.
        ServiceRefusedError: it refuses (not signed in, disk full, ...); ``code`` says why.
        KioskError: its answer cannot be read.
    """
    try:
        answer = await context.recorder.post(SAVE_REPORT.path, report.to_json(), _ANSWER_S)
    except ServiceDownError as error:
        raise RecorderDownError(str(error)) from error
    try:
        return SavedReport.model_validate(answer)
    except ValidationError as error:
        raise KioskError("the recorder's answer to a report cannot be read") from error
