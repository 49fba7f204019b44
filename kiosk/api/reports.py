"""Reports of a self-test: what the recorder is asked to save and sign, and its answer.

The recorder adds all that it knows itself: id, number, kiosk, room, software, start of the machine,
the person who is signed in, and the baseline. No caller can say these.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kiosk.api.base import Model, Moment, SparseModel
from kiosk.api.operations import TECHNICIAN_ROLES, Operation

MAX_REPORT_BYTES = 256 * 1024
"""A self-test of eight microphones takes some 10 KB; nothing larger is signed."""


_RunMoment = Annotated[Moment, Field(max_length=80)]


class Limit(SparseModel):
    """What a measured value must be to be good; in the value's own unit."""

    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Return whether ``value`` keeps it."""
        is_enough = self.least is None or value >= self.least
        return is_enough and (self.most is None or value <= self.most)


class TestedCheck(Model):
    """Result of one check of this run."""

    __test__ = False  # no test of pytest
    check: str
    state: Literal["passed", "failed", "skipped"]
    code: str | None = None
    """Why it did not pass; sentence in :mod:`kiosk.alarms`."""
    measured: dict[str, Any]
    """Measured values by name; they differ by check."""
    seconds: float
    at: Moment
    """When it ended."""
    deviations: dict[str, float] = Field(default_factory=dict)
    """Difference from the baseline by path of the measured value."""
    limits: dict[str, Limit] = Field(default_factory=dict)
    """Limit by path of the measured value; a value without one is for the record."""


class CommissioningStep(Model):
    """What became of a step of setting up the room."""

    state: Literal["open", "done", "skipped", "failed"]
    reason: Annotated[str, Field(max_length=40)] = ""
    """Why it was skipped."""
    at: Annotated[Moment, Field(max_length=80)] = ""


class SelfTestRun(Model):
    """One run of the self-test."""

    started: _RunMoment
    ended: _RunMoment
    commissioning: bool = False
    """Whether this run is the baseline of later ones."""
    steps: Annotated[dict[str, CommissioningStep], Field(max_length=32)] = Field(
        default_factory=dict
    )
    """Of a commissioning: what became of each step (:mod:`kiosk.commissioning.record`)."""
    devices: tuple[dict[str, Any], ...] | None = None
    """Devices that the recorder had in use; null: it did not answer."""
    results: Annotated[tuple[TestedCheck, ...], Field(max_length=64)]
    """In the order in which the checks ran."""


class NewReport(Model):
    """A report to save: of a self-test, or a small one that probes the delivery."""

    kind: Literal["selftest", "delivery_probe"]
    selftest: SelfTestRun | None = None
    """The run; needed for ``selftest``."""


class SavedReport(Model):
    """The report is on the disk and sealed."""

    id: str
    report: dict[str, Any]
    """Its whole content, as ``reports/<id>/report.json`` has it."""


SAVE_REPORT = Operation(
    "saveReport",
    "POST",
    "/v1/reports",
    "Save and sign a report; the same run saved again answers with the first report's id",
    answer=SavedReport,
    request=NewReport,
    status=201,
    roles=TECHNICIAN_ROLES,
    errors={
        409: ("disk_full", "disk_read_only", "disk_gone", "storage_failed", "identity_invalid"),
        413: ("report_too_large",),
    },
)
