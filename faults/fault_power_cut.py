"""Power cuts on a disk that forgets what was not synced, at random and at critical moments.

At each cut the disk forgets (see ``faults/disk/volume.py``) and all processes are killed in the
same moment. Then the surviving data are mounted, and the recorder starts as after a boot (another
boot id, new clocks). Nobody signs in: it must resume by itself, or stay stopped.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from faults.power_cut_rig import PowerCutRig, running_power_cut_rig
from faults.second_copy import verify_both_copies
from faults.trial import Cost, NotSurvivedError, Outcome
from faults.verification import verify_sealed
from kiosk.storage.hearing_folder import part_folder_name
from tests.support.virtual_courtroom import RefusedError
from tests.support.waiting import wait_for

TRIES, QUICK = 50, 7
MOMENTS = {
    "while recording": 0.40,
    "during the recovery from another": 0.16,
    "as a recess begins": 0.10,
    "in a recess": 0.04,
    "as the court retires": 0.10,
    "as a hearing starts": 0.10,
    "as a hearing ends": 0.10,
}
"""Share of the tries; each is tried at least once."""


def run(
    tries: int,
    random: Random,
    strict: bool = True,
    moments: Sequence[str] = (),
    has_mirror: bool = False,
) -> list[Outcome]:
    """Cut the power ``tries`` times.

    Args:
        strict: check limits in seconds, too (a busy machine does not meet them).
        moments: the moments to try; default: all, by their shares.
        has_mirror: record on a second disk, too; both forget, and both copies are verified.
    """
    what = "power cut, two disks," if has_mirror else "power cut"
    outcomes = {moment: Outcome(f"{what} {moment}") for moment in MOMENTS}
    order = [*moments]
    if not order:
        order = [m for m, share in MOMENTS.items() for _ in range(max(1, round(share * tries)))]
        random.shuffle(order)
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        running_power_cut_rig(Path(name), random, strict, has_mirror) as rig,
    ):
        for moment in order[:tries]:
            rig.attempt(outcomes[moment], partial(TRIALS[moment], rig))
        copies = [verify_both_copies(rig, rig.mirror)] if rig.mirror else []
    return [*(outcome for outcome in outcomes.values() if outcome.tries), *copies]


def cut_and_boot(rig: PowerCutRig) -> None:
    """Cut the power and boot."""
    rig.cut_power()
    rig.boot()


def while_recording(rig: PowerCutRig) -> Cost:
    """Check that recording resumes by itself; at most a second is lost."""
    hearing, part = rig.hearing, rig.part
    time.sleep(rig.random.uniform(0.0, 1.5))
    cut_and_boot(rig)
    recovery_s = rig.check_resumed(hearing, part + 1)
    return Cost(rig.measure_loss(hearing, part, rig.killed_ns), recovery_s)


def during_recovery(rig: PowerCutRig) -> Cost:
    """Check that a second cut during the recovery from the first costs nothing more."""
    hearing, part = rig.hearing, rig.part
    cut_and_boot(rig)
    first_cut_ns = rig.killed_ns
    time.sleep(rig.random.uniform(0.3, 3.0))
    cut_and_boot(rig)
    recovery_s = rig.check_resumed(hearing, part + 1)
    seconds = rig.measure_loss(hearing, part, first_cut_ns)
    for number in range(part + 1, rig.part):
        rig.verify_part(hearing / part_folder_name(number))
    return Cost(seconds, recovery_s)


def request_and_cut(rig: PowerCutRig, ask: Callable[[], object], max_delay_s: float) -> bool:
    """Cut the power up to ``max_delay_s`` after calling ``ask``; return whether it was answered."""
    answered = threading.Event()

    def call() -> None:
        try:
            ask()
        except (OSError, ValueError, RefusedError):
            return
        except Exception:  # the connection breaks in many ways
            return
        answered.set()

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    time.sleep(rig.random.uniform(0.0, max_delay_s))
    was_answered = answered.is_set()
    rig.cut_power()
    thread.join()
    return was_answered


def while_stopping(target: str, phase: str, rig: PowerCutRig) -> Cost:
    """Check that a capture reported as stopped stays stopped."""
    hearing, part = rig.hearing, rig.part
    rig.room.sign_in()
    answered = request_and_cut(rig, lambda: rig.room.call("POST", target, {}), 0.4)
    cut_ns = rig.killed_ns
    rig.boot()
    state = rig.state()
    if answered and state["phase"] != phase:
        raise NotSurvivedError(f"{target} was answered, and then it is {state['phase']}")
    if state["phase"] == "recording":
        recovery_s = rig.check_resumed(hearing, part + 1)
        return Cost(rig.measure_loss(hearing, part, cut_ns), recovery_s)
    rig.verify_part(hearing / part_folder_name(part))
    if rig.part != part or rig.state()["phase"] == "recording":
        raise NotSurvivedError("it went on although it had been stopped")
    return Cost()


def in_recess(rig: PowerCutRig) -> Cost:
    """Check that a hearing in a recess stays stopped."""
    hearing, part = rig.hearing, rig.part
    rig.room.sign_in()
    rig.room.call("POST", "/v1/hearing/recess", {})
    time.sleep(rig.random.uniform(0.3, 1.5))
    cut_and_boot(rig)
    if rig.state()["phase"] != "recess" or rig.part != part:
        raise NotSurvivedError(f"from a recess it came back as {rig.state()['phase']}")
    rig.verify_part(hearing / part_folder_name(part))
    return Cost()


def while_starting(rig: PowerCutRig) -> Cost:
    """Check that a hearing whose start was answered is there and goes on."""
    rig.room.sign_in()
    rig.room.end_hearing()
    wait_for(lambda: rig.state()["phase"] == "idle", "the end", 60)
    rig.room.wait_ready()
    asked_ns = rig.clock_ns()
    answered = request_and_cut(rig, rig.room.start_hearing, 0.5)
    cut_ns = rig.killed_ns
    rig.boot()
    state = rig.state()
    if state["phase"] == "idle" and not answered:
        return Cost()
    if state["phase"] != "recording":
        raise NotSurvivedError(f"a hearing that had been started is {state['phase']}")
    hearing = rig.hearing
    recovery_s = rig.check_resumed(hearing, 1)
    if rig.part == 1:  # nothing of the earlier part was left, not even its name
        return Cost(recovery_s=recovery_s)
    return Cost(rig.measure_loss(hearing, 1, cut_ns, asked_ns), recovery_s)


def while_ending(rig: PowerCutRig) -> Cost:
    """Check that a hearing whose end was answered stays ended and is sealed after the boot."""
    hearing, part = rig.hearing, rig.part
    rig.room.sign_in()
    ask = partial(rig.room.call, "POST", "/v1/hearing/end", {})
    answered = request_and_cut(rig, ask, 0.8)
    rig.boot()
    state = rig.state()
    cost = Cost()
    if state["phase"] != "idle" and (state.get("hearing") or {}).get("id") == hearing.name:
        if answered:
            raise NotSurvivedError(f"it had been ended and is {state['phase']}")
        if state["phase"] == "recording":
            recovery_s = rig.check_resumed(hearing, part + 1)
            cost = Cost(recovery_s=recovery_s)
        rig.room.sign_in()
        rig.room.end_hearing()
    try:
        wait_for((hearing / "SHA256SUMS.p7s").exists, "the hearing's seal", 60)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    verify_sealed(hearing, rig.room.ca_certificate())
    return cost


TRIALS: dict[str, Callable[[PowerCutRig], Cost]] = {
    "while recording": while_recording,
    "during the recovery from another": during_recovery,
    "as a recess begins": partial(while_stopping, "/v1/hearing/recess", "recess"),
    "in a recess": in_recess,
    "as the court retires": partial(while_stopping, "/v1/hearing/retire", "retired"),
    "as a hearing starts": while_starting,
    "as a hearing ends": while_ending,
}
