"""How far a technician has come with setting up a room: the steps and their results.

The record is kept by the recorder after each step. Whatever interrupts it, the work goes on at the
first open step. A step that was skipped or failed stays visible until it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.clocks import format_wall

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
        """Return the place of ``step`` in the plan, from 1, and how many there are."""
        return self.plan.index(step) + 1, len(self.plan)

    def before(self, step: str) -> str | None:
        """Return the step before ``step``, or None."""
        index = self.plan.index(step)
        return self.plan[index - 1] if index else None

    def with_result(self, step: str, state: StepState, reason: str = "") -> Record:
        """Return the record with what became of ``step``."""
        result = StepResult(state, reason, format_wall())
        return replace(self, steps={**self.steps, step: result})

    def begin(self, person: str, replaced: str = "") -> Record:
        """Return the record for a new time: everything, or what ``replaced`` concerns."""
        plan = REPLACEMENTS[replaced] if replaced else STEPS
        kept = {step: row for step, row in self.steps.items() if step not in plan}
        return replace(self, steps=kept, plan=plan, person=person, started=format_wall())

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
                steps[step] = StepResult(state, reason, at)
        rows = value.get("plan")
        plan = tuple(step for step in STEPS if isinstance(rows, list) and step in rows)
        checks = _table(value.get("checks"))
        return cls(
            steps,
            plan or STEPS,
            _table(value.get("draft")),
            {name: row for name, row in checks.items() if isinstance(row, Mapping)},
            str(value.get("person", "")),
            str(value.get("started", "")),
        )


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
