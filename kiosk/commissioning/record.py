"""How far a technician has come with setting up a room: the steps and their results.

The record is kept by the recorder after each step. Whatever interrupts it, the work goes on at the
first open step. A step that was skipped or failed stays visible until it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.api.reports import TestedCheck
from kiosk.clocks import format_wall
from kiosk.selftest.model import CHECKS, CheckResult

StepState = Literal["open", "done", "skipped", "failed"]
_STATES: tuple[StepState, ...] = ("open", "done", "skipped", "failed")
SKIP_REASONS = ("later", "not_there", "not_needed")
STEPS = (
    "language",
    "room",
    "microphones",
    "walk",
    "camera",
    "paper",
    "network",
    "court_keys",
    "report",
)
REPLACEMENTS: Mapping[str, tuple[str, ...]] = {
    "microphones": ("microphones", "walk", "report"),
    "camera": ("camera", "report"),
    "paper": ("paper", "report"),
}
"""What is done again when one device is replaced; all other steps keep their results."""
CHECKS_OF_STEP: Mapping[str, tuple[str, ...]] = {
    "walk": ("microphones", "speech_transmission"),
    "camera": ("camera",),
    "paper": ("scanner", "receipt_printer"),
    "network": ("link",),
    "court_keys": ("court_keys",),
}
CHECKS_OF_TABLE: Mapping[str, tuple[str, ...]] = {
    "microphones": ("microphones", "speech_transmission"),
    "camera": ("camera",),
    "scanner": ("scanner",),
    "printer": ("receipt_printer",),
    "badge": ("badge_reader",),
    "headset": ("headset",),
    "voice": ("speaker", "speech_transmission"),
}
"""Which checks' results were of another device once a table of the room profile has changed."""
_SETTLED_CODES = (None, "not_fitted", "only_on_screen")
"""Codes of results that another try would not change; passed ones have none."""


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    Attributes:
        reason: why it was skipped; empty otherwise.
        at: wall time.
    """

    state: StepState = "open"
    reason: str = ""
    at: str = ""


@dataclass(frozen=True)
class Record:
    """The steps with their results.

    Attributes:
        steps: results by step; what is missing is open.
        plan: the steps of this time: all, or those of a replacement.
        draft: tables of the room profile that were chosen and are not in force yet.
        checks: results of checks by name, as in a report (``CheckResult.as_json``).
        person: who began.
        started: wall time.
    """

    steps: Mapping[str, StepResult] = field(default_factory=dict)
    plan: tuple[str, ...] = STEPS
    draft: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    person: str = ""
    started: str = ""

    def result(self, step: str) -> StepResult:
        """Return what became of ``step``."""
        return self.steps.get(step, StepResult())

    @property
    def next_step(self) -> str | None:
        """The first open step of the plan; None: all have a result."""
        return next((step for step in self.plan if self.result(step).state == "open"), None)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Steps that were skipped for later or failed, and those never begun."""
        return tuple(
            step
            for step in STEPS
            if (result := self.result(step)).state in ("open", "failed")
            or (result.state == "skipped" and result.reason != "not_needed")
        )

    def number(self, step: str) -> tuple[int, int]:
        """Return the place of ``step`` in the plan, from 1, and how many there are.

        What was put off at an earlier time is beside the plan of a replacement: it has its place
        among all steps.
        """
        rows = self.plan if step in self.plan else STEPS
        return rows.index(step) + 1, len(rows)

    def before(self, step: str) -> str | None:
        """Return the step before ``step`` in the plan, or None."""
        index = self.plan.index(step) if step in self.plan else 0
        return self.plan[index - 1] if index else None

    def with_result(self, step: str, state: StepState, reason: str = "") -> Record:
        """Return the record with what became of ``step``."""
        result = StepResult(state, reason, format_wall())
        return replace(self, steps={**self.steps, step: result})

    def begin(self, person: str, replaced: str = "") -> Record:
        """Return the record for a new time: everything, or what ``replaced`` concerns.

        What is done again is tested again: an earlier time's result would pass for this one's.
        """
        plan = REPLACEMENTS[replaced] if replaced else STEPS
        kept = {step: row for step, row in self.steps.items() if step not in plan}
        again = {check for step in plan for check in CHECKS_OF_STEP.get(step, ())}
        checks = self._checks_without(again) if replaced else {}
        return replace(
            self, steps=kept, plan=plan, checks=checks, person=person, started=format_wall()
        )

    def applied(self) -> Record:
        """Return the record once the draft is in force.

        What was measured with other devices does not count for these; its steps are open again.
        """
        stale = {
            check
            for table, checks in CHECKS_OF_TABLE.items()
            if table in self.draft
            for check in checks
        }
        steps = {
            step: row
            for step, row in self.steps.items()
            if stale.isdisjoint(CHECKS_OF_STEP.get(step, ()))
        }
        return replace(self, steps=steps, draft={}, checks=self._checks_without(stale))

    def without_check(self, check: str) -> Record:
        """Return the record without the result of ``check``."""
        return replace(self, checks=self._checks_without({check}))

    def has_passed(self, step: str) -> bool:
        """Return whether all that ``step`` tests has passed, but for what this kiosk has not."""
        rows = [self.checks.get(check, {}) for check in CHECKS_OF_STEP[step]]
        passed = [row.get("state") == "passed" for row in rows]
        absent = [row.get("code") == "not_fitted" for row in rows]
        return any(passed) and all(map(max, passed, absent))

    def due_checks(self, checks: Sequence[str]) -> tuple[str, ...]:
        """Return which of ``checks`` are run for a report: what was not tested, or did not pass.

        Those of a step that a person has finished are as the person left them.
        """
        left = {
            check
            for step, names in CHECKS_OF_STEP.items()
            if self.result(step).state in ("done", "failed")
            for check in names
        }
        return tuple(
            check
            for check in checks
            if check not in self.checks
            or (check not in left and self.checks[check].get("code") not in _SETTLED_CODES)
        )

    def _checks_without(self, stale: Set[str]) -> Mapping[str, Mapping[str, Any]]:
        return {check: row for check, row in self.checks.items() if check not in stale}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "steps": {step: vars(row) for step, row in self.steps.items()},
            "plan": list(self.plan),
            "draft": dict(self.draft),
            "checks": {name: dict(row) for name, row in self.checks.items()},
            "person": self.person,
            "started": self.started,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Record:
        """Return the record in ``value``; what is not understood counts as open."""
        steps = {}
        for step, row in _table(value.get("steps")).items():
            kept = _table(row)
            state = next((one for one in _STATES if one == kept.get("state")), None)
            if step in STEPS and state is not None:
                reason, at = str(kept.get("reason", "")), str(kept.get("at", ""))
                steps[step] = StepResult(state, reason if reason in SKIP_REASONS else "", at[:40])
        rows = value.get("plan")
        plan = tuple(step for step in STEPS if isinstance(rows, list) and step in rows)
        checks = _table(value.get("checks"))
        draft = _table(value.get("draft"))
        return cls(
            steps,
            plan or STEPS,
            {table: row for table, row in draft.items() if _is_drafted(table, row)},
            {name: row for name, row in checks.items() if _is_result(name, row)},
            str(value.get("person", "")),
            str(value.get("started", ""))[:40],
        )


def _is_result(check: str, row: object) -> bool:
    """Return whether ``row`` is a result of ``check`` that this version can show and report."""
    if not isinstance(row, Mapping) or check not in CHECKS or row.get("check") != check:
        return False
    try:
        TestedCheck.model_validate(CheckResult.from_json(row).as_json())
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _is_drafted(table: str, value: object) -> bool:
    """Return whether ``value`` has the form of a table of the profile; the recorder checks it."""
    if table != "microphones":
        return isinstance(value, Mapping)
    rows = value if isinstance(value, list) else [None]
    return all(isinstance(row, Mapping) and {"name", "role", "device"} <= set(row) for row in rows)


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
