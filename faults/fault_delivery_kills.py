"""``kill -9`` of delivery or central system at random moments, over a shaped 10 Mbit/s link.

One delivery lasts through all kills. Afterwards everything is stored once, byte for byte, and
receipted. Repeated bytes are counted at the link: all that the kiosk sent, less the cost of the
same bytes without a kill. New connections and their handshakes count, too.
"""

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
from tests.support.network_link import CENTRE_ADDRESS, NetworkLink, unavailable_reason
from tests.support.waiting import wait_for

TRIES, QUICK = 50, 3
LINK_MBIT = 10.0
FILE_BYTES = 3_000_000
BYTES_PER_KILL = 2_500_000  # what the link carries between two kills, at most
MAX_KILL_DELAY_S = 2.0
FLOWING_BYTES = 100_000  # more than requests without files
LIMIT_S = 60.0
GOAL_MIB = 0.25
MIB = 1 << 20
RESENT_FIGURE = f"MiB sent again per kill (goal: at most {GOAL_MIB})"


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Kill ``tries`` times in one delivery."""
    reason = unavailable_reason()
    if reason is not None:
        raise RuntimeError(f"no shaped link: {reason}")
    outcome = Outcome(f"kill -9 of sync or central, delivery at {LINK_MBIT:g} Mbit/s")
    with tempfile.TemporaryDirectory(prefix="kf-") as name, NetworkLink() as link:
        link.shape(LINK_MBIT)
        template = Path(name)
        make_template(template)
        overhead = overhead_of(template, link)
        with (
            temporary_central(template, CENTRE_ADDRESS) as central,
            temporary_kiosk(template, central.url) as kiosk,
        ):
            trial = Trial(link, central, kiosk, outcome)
            trial.run(tries, random, overhead)
    if strict and outcome.figures.get(RESENT_FIGURE, 0.0) > GOAL_MIB:
        outcome.failures.append(f"{RESENT_FIGURE}: {outcome.figures[RESENT_FIGURE]:.2f}")
        outcome.survived = min(outcome.survived, tries - 1)
    return [outcome]


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files in ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def start_delivery(link: NetworkLink, central: Central, kiosk: Kiosk) -> None:
    """Start both; the kiosk polls as seldom as in production."""
    kiosk.change_settings("central", poll_seconds=10.0, patch_mib=16)
    central.start()
    with link.court():
        kiosk.start()


def overhead_of(template: Path, link: NetworkLink) -> float:
    """Return the bytes on the link for each delivered byte, without kills."""
    with (
        temporary_central(template, CENTRE_ADDRESS) as central,
        temporary_kiosk(template, central.url) as kiosk,
    ):
        start_delivery(link, central, kiosk)
        before = link.sent()
        hearing = kiosk.make_hearing(FILE_BYTES, files=1)
        kiosk.request("POST", "/v1/deliver", {})
        kiosk.wait_delivered("hearing", hearing, LIMIT_S)
        sent = link.sent() - before
        return sent / folder_bytes(kiosk.paths.hearings / hearing)


class Trial:
    """One delivery and its kills."""

    def __init__(self, link: NetworkLink, central: Central, kiosk: Kiosk, outcome: Outcome) -> None:
        self._link = link
        self._central = central
        self._kiosk = kiosk
        self._outcome = outcome

    def run(self, kills: int, random: Random, overhead: float) -> None:
        """Deliver a hearing and a filing through all kills; measure the cost."""
        link, kiosk = self._link, self._kiosk
        start_delivery(link, self._central, kiosk)
        before = link.sent()
        files = 1 + kills * BYTES_PER_KILL // FILE_BYTES // 2
        hearing, filing = kiosk.make_hearing(FILE_BYTES, files), kiosk.make_filing()
        kiosk.request("POST", "/v1/deliver", {})
        for _ in range(kills):
            self._outcome.attempt(partial(self._kill, random))
        try:
            kiosk.wait_delivered("filing", filing, LIMIT_S)
            kiosk.wait_delivered("hearing", hearing, LIMIT_S + files * 10)
            check_delivered(self._central, kiosk, hearing, filing)
        except (AssertionError, NotSurvivedError) as error:
            self._outcome.failures.append(str(error))
            self._outcome.survived = 0
            return
        folders = (kiosk.paths.hearings / hearing, kiosk.paths.filings / filing)
        needed = overhead * sum(map(folder_bytes, folders))
        again = max(0.0, link.sent() - before - needed)
        self._outcome.figures[RESENT_FIGURE] = again / kills / MIB

    def _kill(self, random: Random) -> Cost:
        """Kill once; the recovery lasts until bytes flow again."""
        self._wait_flowing()
        time.sleep(random.uniform(0.0, MAX_KILL_DELAY_S))
        killed = time.monotonic()
        if random.random() < 0.5:
            self._kiosk.kill()
            with self._link.court():
                self._kiosk.start()
        else:
            self._central.kill()
            self._central.start()
        self._wait_flowing()
        return Cost(recovery_s=time.monotonic() - killed)

    def _wait_flowing(self) -> None:
        """Wait until recordings are being sent."""
        before = self._link.sent()
        wait_for(lambda: self._link.sent() - before > FLOWING_BYTES, "bytes on the link", LIMIT_S)
