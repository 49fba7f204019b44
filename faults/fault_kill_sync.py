"""``kill -9`` of the delivery in the middle of uploads: everything arrives, once and whole."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random

from faults.delivery_check import check_delivered
from faults.trial import Cost, NotSurvivedError, Outcome
from tests.support.delivery_rig import (
    Central,
    Kiosk,
    make_template,
    temporary_central,
    temporary_kiosk,
)

TRIES, QUICK = 5, 1
KILLS = 3
LIMIT_S = 60.0


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Deliver a hearing and a filing over a slow line; kill sync at random moments."""
    del strict
    outcome = Outcome(f"kill -9 of sync, {KILLS} times in a delivery")
    with tempfile.TemporaryDirectory(prefix="kf-") as name:
        template = Path(name)
        make_template(template)
        for _ in range(tries):
            with (
                temporary_central(template) as central,
                temporary_kiosk(template, central.url) as kiosk,
            ):
                outcome.attempt(partial(trial, central, kiosk, random))
    return [outcome]


def trial(central: Central, kiosk: Kiosk, random: Random) -> Cost:
    """Kill three times; the recovery lasts until everything is delivered."""
    # About 5 s of uploading without the kills.
    central.set_faults({"fault": "drip", "rate": 300_000, "match": "PATCH "})
    central.start()
    hearing, filing = kiosk.make_hearing(), kiosk.make_filing()
    for _ in range(KILLS):
        kiosk.start()
        time.sleep(random.uniform(0.3, 1.5))
        kiosk.kill()
    killed = time.monotonic()
    central.set_faults()
    kiosk.start()
    try:
        kiosk.wait_delivered("hearing", hearing, LIMIT_S)
        kiosk.wait_delivered("filing", filing, LIMIT_S)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    seconds = time.monotonic() - killed
    check_delivered(central, kiosk, hearing, filing)
    return Cost(recovery_s=seconds)
