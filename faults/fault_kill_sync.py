"""``kill -9`` of the delivery in the middle of uploads: everything arrives, once and whole."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random

from faults.trial import Cost, NotSurvivedError, Outcome
from tests.sync.rig import Central, Kiosk, central_of, kiosk_of, make_template
from tests.waiting import wait_for

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
            with central_of(template) as central, kiosk_of(template, central.url) as kiosk:
                outcome.attempt(partial(trial, central, kiosk, random))
    return [outcome]


def trial(central: Central, kiosk: Kiosk, random: Random) -> Cost:
    """Again: from the last kill to everything being delivered."""
    # About 5 s of uploading without the kills.
    central.faults({"fault": "drip", "rate": 300_000, "match": "PATCH "})
    central.start()
    hearing, filing = kiosk.make_hearing(), kiosk.make_filing()
    for _ in range(KILLS):
        kiosk.start()
        time.sleep(random.uniform(0.3, 1.5))
        kiosk.kill()
    killed = time.monotonic()
    central.faults()
    kiosk.start()
    try:
        kiosk.wait_delivered("hearing", hearing, LIMIT_S)
        kiosk.wait_delivered("filing", filing, LIMIT_S)
    except AssertionError as error:
        raise NotSurvivedError(str(error)) from error
    seconds = time.monotonic() - killed
    check(central, kiosk, hearing, filing)
    return Cost(again=seconds)


def check(central: Central, kiosk: Kiosk, hearing: str, filing: str) -> None:
    """Check that the central system has each of them once, and the same bytes."""
    if kiosk.get(f"/v1/hearings/{hearing}").get("central_sha256_match") is not True:
        raise NotSurvivedError("the central system's SHA-256 is not ours")
    for item, folder in ((hearing, kiosk.layout.hearings), (filing, kiosk.layout.filings)):
        stored = wait_for(partial(places_of, central, item), item)
        if len(stored) != 1:
            raise NotSurvivedError(f"{item} is stored {len(stored)} times")
        compare(folder / item, stored[0])


def places_of(central: Central, item: str) -> list[Path]:
    """Return the folders of the central system that are named after ``item``."""
    return [path for path in central.data.rglob(item) if path.is_dir()]


def compare(sent: Path, stored: Path) -> None:
    """Compare every file stored with the one sent.

    Raises:
        NotSurvivedError: a file differs or none is there.
    """
    files = [path for path in stored.rglob("*") if path.is_file()]
    same = [path for path in files if (sent / path.relative_to(stored)).is_file()]
    if not same:
        raise NotSurvivedError(f"nothing of {sent.name} is stored")
    for path in same:
        if path.read_bytes() != (sent / path.relative_to(stored)).read_bytes():
            raise NotSurvivedError(f"{path.relative_to(stored)} differs")
