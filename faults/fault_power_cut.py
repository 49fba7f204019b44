"""Power cuts on a disk that forgets what was not synced, at random and at nasty moments.

Each cut: the disk forgets (see ``faults/disk/volume.py``), all processes are killed in the same
moment, what survived is mounted, and the recorder is started as after a boot of its own (another
boot id, its clocks anew). Nobody signs in: it must resume by itself, or stay stopped.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from faults.judge import verified
from faults.mains import Mains, powered
from faults.trial import Cost, NotSurvivedError, Outcome
from kiosk.storage.hearing_folder import part_name
from tests.courtroom import RefusedError
from tests.waiting import wait_for

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
    tries: int, random: Random, strict: bool = True, moments: Sequence[str] = ()
) -> list[Outcome]:
    """Cut the power ``tries`` times.

    Args:
        strict: hold it to its promises in seconds too (a test on a busy machine does not).
        moments: these, one after the other; default: all, each as often as its share says.
    """
    outcomes = {moment: Outcome(f"power cut {moment}") for moment in MOMENTS}
    order = [*moments]
    if not order:
        order = [m for m, share in MOMENTS.items() for _ in range(max(1, round(share * tries)))]
        random.shuffle(order)
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        powered(Path(name), random, strict) as mains,
    ):
        for moment in order[:tries]:
            mains.attempt(outcomes[moment], partial(TRIALS[moment], mains))
    return [outcome for outcome in outcomes.values() if outcome.tries]


def cut_and_boot(mains: Mains) -> None:
    """Cut the power and start anew."""
    mains.off()
    mains.on()


def while_recording(mains: Mains) -> Cost:
    """It resumes by itself; at most a second is lost."""
    hearing, part = mains.hearing, mains.part
    time.sleep(mains.random.uniform(0.0, 1.5))
    cut_and_boot(mains)
    again = mains.resumed(hearing, part + 1)
    return Cost(mains.lost(hearing, part, mains.ended_ns), again)


def during_recovery(mains: Mains) -> Cost:
    """A second cut in the middle of the recovery from the first costs nothing more."""
    hearing, part = mains.hearing, mains.part
    cut_and_boot(mains)
    first_cut_ns = mains.ended_ns
    time.sleep(mains.random.uniform(0.3, 3.0))
    cut_and_boot(mains)
    again = mains.resumed(hearing, part + 1)
    seconds = mains.lost(hearing, part, first_cut_ns)
    for number in range(part + 1, mains.part):
        mains.judge(hearing / part_name(number))
    return Cost(seconds, again)


def ask_and_cut(mains: Mains, ask: Callable[[], object], within_s: float) -> bool:
    """Cut the power up to ``within_s`` after ``ask`` is called; say whether it was answered."""
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
    time.sleep(mains.random.uniform(0.0, within_s))
    was = answered.is_set()
    mains.off()
    thread.join()
    return was


def as_it_stops(target: str, phase: str, mains: Mains) -> Cost:
    """Once it was said that the capture has stopped, it stays stopped."""
    hearing, part = mains.hearing, mains.part
    mains.room.sign_in()
    answered = ask_and_cut(mains, lambda: mains.room.ask("POST", target, {}), 0.4)
    cut_ns = mains.ended_ns
    mains.on()
    state = mains.state()
    if answered and state["phase"] != phase:
        raise NotSurvivedError(f"{target} was answered, and then it is {state['phase']}")
    if state["phase"] == "recording":
        again = mains.resumed(hearing, part + 1)
        return Cost(mains.lost(hearing, part, cut_ns), again)
    mains.judge(hearing / part_name(part))
    if mains.part != part or mains.state()["phase"] == "recording":
        raise NotSurvivedError("it went on although it had been stopped")
    return Cost()


def in_recess(mains: Mains) -> Cost:
    """From a recess it stays stopped."""
    hearing, part = mains.hearing, mains.part
    mains.room.sign_in()
    mains.room.ask("POST", "/v1/hearing/recess", {})
    time.sleep(mains.random.uniform(0.3, 1.5))
    cut_and_boot(mains)
    if mains.state()["phase"] != "recess" or mains.part != part:
        raise NotSurvivedError(f"from a recess it came back as {mains.state()['phase']}")
    mains.judge(hearing / part_name(part))
    return Cost()


def as_it_starts(mains: Mains) -> Cost:
    """Once the start was answered, the hearing is there and goes on."""
    mains.room.sign_in()
    mains.room.end_hearing()
    wait_for(lambda: mains.state()["phase"] == "idle", "the end", 60)
    mains.room.wait_ready()
    asked_ns = mains.clock_ns()
    answered = ask_and_cut(mains, mains.room.start_hearing, 0.5)
    cut_ns = mains.ended_ns
    mains.on()
    state = mains.state()
    if state["phase"] == "idle" and not answered:
        return Cost()
    if state["phase"] != "recording":
        raise NotSurvivedError(f"a hearing that had been started is {state['phase']}")
    hearing = mains.hearing
    again = mains.resumed(hearing, 1)
    if mains.part == 1:  # nothing of the part before was left, not even its name
        return Cost(again=again)
    return Cost(mains.lost(hearing, 1, cut_ns, asked_ns), again)


def as_it_ends(mains: Mains) -> Cost:
    """Once the end was answered, it stays ended, and is sealed after the start."""
    hearing, part = mains.hearing, mains.part
    mains.room.sign_in()
    ask = partial(mains.room.ask, "POST", "/v1/hearing/end", {})
    answered = ask_and_cut(mains, ask, 0.8)
    mains.on()
    state = mains.state()
    cost = Cost()
    if state["phase"] != "idle" and (state.get("hearing") or {}).get("id") == hearing.name:
        if answered:
            raise NotSurvivedError(f"it had been ended and is {state['phase']}")
        if state["phase"] == "recording":
            again = mains.resumed(hearing, part + 1)
            cost = Cost(again=again)
        mains.room.sign_in()
        mains.room.end_hearing()
    try:
        wait_for((hearing / "SHA256SUMS.p7s").exists, "the hearing's seal", 60)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    verified(hearing, mains.room.authority())
    return cost


TRIALS: dict[str, Callable[[Mains], Cost]] = {
    "while recording": while_recording,
    "during the recovery from another": during_recovery,
    "as a recess begins": partial(as_it_stops, "/v1/hearing/recess", "recess"),
    "in a recess": in_recess,
    "as the court retires": partial(as_it_stops, "/v1/hearing/retire", "retired"),
    "as a hearing starts": as_it_starts,
    "as a hearing ends": as_it_ends,
}
