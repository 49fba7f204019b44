"""``kill -9`` of the recorder during a hearing: at most one second is lost, in every source."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

from faults.judge import require_at_most, verified, worst_loss
from faults.trial import NotSurvivedError, Outcome
from kiosk.config import Camera
from tests.courtroom import Courtroom
from tests.waiting import wait_for

ALLOWED_LOSS_S = 1.0


def run(tries: int, random: Random) -> Outcome:
    """Record, kill at a random moment, start again, end, verify."""
    outcome = Outcome("kill -9 of the recorder", "s of media lost in the worst source")
    with tempfile.TemporaryDirectory(prefix="kf-") as name, Courtroom(Path(name) / "r") as room:
        for _ in range(tries):
            outcome.attempt(lambda: trial(room, random))
    return outcome


def trial(room: Courtroom, random: Random) -> float:
    """Return the seconds lost in the worst source before the kill."""
    if room.recorder is None or room.recorder.poll() is not None:
        room.start_recorder()
    room.wait_ready()
    room.sign_in()
    tapped = time.monotonic()
    hearing = room.start_hearing()
    room.wait_recorded(2.0)
    time.sleep(random.uniform(0.0, 3.0))
    recorded = time.monotonic() - tapped
    room.kill_recorder()
    room.start_recorder()
    try:
        wait_for(lambda: (room.state().get("hearing") or {}).get("id") == hearing, "the hearing")
    except AssertionError as error:
        raise NotSurvivedError("the hearing is forgotten after the start") from error
    room.sign_in()
    folder = room.end_hearing()
    report = verified(folder, room.authority())
    first = report["parts"][0]
    return require_at_most(worst_loss(first, recorded, Camera().fps), ALLOWED_LOSS_S, "part 1")
