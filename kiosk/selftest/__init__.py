"""The technician's self-test: checks, live progress, baseline, signed report.

The touch screen and ``kiosk selftest`` use it like this::

    context = SelfTestContext(settings, paths, recorder, sync, ask=ask, read_badge=read_badge)
    async for event in run_selftest(context):              # or only=("camera", "link")
        match event:
            case RunPlanned(checks): ...        # tuple of check ids, in order; once, first
            case CheckStarted(check): ...
            case CheckFinished(result): ...       # one CheckResult per check
            case RunFinished(run, path, report): ... # reports/<uuid>/ is sealed; once, last

A :class:`~kiosk.selftest.model.CheckResult` has ``check``, ``state`` (``passed``, ``failed``,
``skipped``, ``never_tested``), ``code`` (an alarm code or None), ``measured`` (plain JSON),
``seconds``, ``at`` and ``deviations`` from the baseline of commissioning. A failing
device or service is a failed result, never an exception. The recorder saves and signs the report;
``save_run(context, run)`` asks it again where it refused or did not answer.

``CHECKS`` (ids in order): ``camera``, ``microphones``, ``scanner``, ``receipt_printer``,
``badge_reader``, ``panel`` (lamp and button), ``storage``, ``clock``, ``court_keys``, ``link``,
``delivery``.
Names and questions for the screen: ``kiosk.selftest.labels.CHECK_NAMES``, ``QUESTIONS`` (message
ids for the translator).

A person is asked through ``ask(question, seconds) -> bool | None``: question ids are
``lamp_seen``, ``button_pressed``, ``receipt_readable``, ``badge_held``; None (or no answer within
``seconds``) is "not confirmed". ``read_badge(seconds) -> str | None`` waits for a badge where the
caller already owns the reader (the touch screen does); without it the self-test opens the reader.
``latest_results(paths)`` returns the newest result of every check, or ``never_tested``.
"""

from __future__ import annotations

from kiosk.selftest.model import (
    CHECKS,
    CheckFinished,
    CheckResult,
    CheckStarted,
    RunFinished,
    RunPlanned,
    SelfTestContext,
    SelfTestEvent,
)
from kiosk.selftest.report import latest_results
from kiosk.selftest.run import run_selftest, save_run

__all__ = [
    "CHECKS",
    "CheckFinished",
    "CheckResult",
    "CheckStarted",
    "RunFinished",
    "RunPlanned",
    "SelfTestContext",
    "SelfTestEvent",
    "latest_results",
    "run_selftest",
    "save_run",
]
