"""Puts faults that the installed kiosk once had back, one at a time: the trial must fail at each.

``tests/pi/run.sh faults [NAME...]``, as root. Each fault is a drop-in for a unit, or a few lines of
the installed code; the machine is booted with it, and goes through the steps that it must break.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.pi.machine import HOME, Machine
from tests.pi.refusals import refusals

LIMIT_S = 600
OLD_FILTER = """SystemCallFilter=
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
"""
SIGNING = HOME / "kiosk/selftest/report_request.py"
ASKING, OPENING = "    try:\n        answer", "    context.paths.device_key.read_bytes()\n"


def drop_in(unit: str, lines: str) -> Callable[[Machine], None]:
    """Return what adds ``lines`` to a unit."""
    return lambda machine: machine.drop_in(unit, {}, lines)


def refuse(unit: str, call: str) -> Callable[[Machine], None]:
    """Return what refuses a system call to a unit."""
    return drop_in(unit, f"SystemCallFilter=~{call}\n")


def screen_signs(machine: Machine) -> None:
    """Let the screen open the device's key for a report, as it did.

    Raises:
        RuntimeError: the code has changed: this fault must be written again.
    """
    path = machine.root / SIGNING.relative_to("/")
    text = path.read_text(encoding="utf-8")
    if ASKING not in text:
        raise RuntimeError(f"{SIGNING}: has changed; write the fault again")
    path.write_text(text.replace(ASKING, OPENING + ASKING), encoding="utf-8")


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: on the command line.
        apply: puts it into the machine.
        steps: of the trial; the last one must fail.
        says: what the fault was.
    """

    name: str
    apply: Callable[[Machine], None]
    steps: tuple[str, ...]
    says: str


FAULTS = (
    Fault("screen", drop_in("kiosk-ui", OLD_FILTER), ("screen",), "Xwayland has no keymap"),
    Fault("imaging", refuse("kiosk-ui", "setpriority"), ("filing",), "os.nice of page imaging"),
    Fault("report", screen_signs, ("self_test",), "the screen signs the report"),
    Fault(
        "copy",
        refuse("kiosk-recorder", "ioprio_set"),
        ("hearing", "copy_to_stick_at_boot"),
        "ionice of the copy",
    ),
    Fault(
        "stick",
        drop_in("kiosk-recorder", "ReadWritePaths=\nReadWritePaths=/var/lib/kiosk\n"),
        ("hearing", "copy_to_stick_at_boot"),
        "a stick that is there at the start is read-only",
    ),
    Fault("listen", refuse("kiosk-recorder", "setpriority"), ("hearing",), "os.nice of playback"),
    Fault(
        "draft",
        drop_in("kiosk-ui", "InaccessiblePaths=/var/lib/kiosk/public\n"),
        ("draft",),
        "the screen cannot see the public keys",
    ),
    Fault(
        "priority",
        refuse("kiosk-recorder", "sched_setscheduler"),
        ("microphones",),
        "SCHED_RR of the microphones",
    ),
)


def try_fault(fault: Fault) -> str:
    """Boot a machine with the fault; return how the trial failed, empty if it did not."""
    with Machine(f"fault-{fault.name}") as machine:
        fault.apply(machine)
        machine.boot([step for step in fault.steps if step != "screen"])
        outcome = machine.wait(LIMIT_S)
    if "error" not in outcome:
        noticed = refusals(outcome)
        return f"{fault.steps[-1]}: journal: {noticed[0]['text'][:150]}" if noticed else ""
    last = str(outcome["error"]).strip().splitlines()[-1]
    return f"{outcome['step']}: {last[:160]}"


def main() -> int:
    """Try the faults; print a line for each; return 1 if one was not noticed where it must be."""
    chosen = sys.argv[1:]
    missed = 0
    for fault in FAULTS:
        if chosen and fault.name not in chosen:
            continue
        found = try_fault(fault)
        noticed = found.startswith(f"{fault.steps[-1]}:")
        missed += not noticed
        verdict = "RED as it must be" if noticed else "NOT NOTICED THERE"
        print(f"{fault.name:9} {fault.says:48} {verdict}: {found or 'passed'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
