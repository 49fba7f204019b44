"""Delivery over a court's line: goodput, processor time, an urgent filing, a call beside it.

Kiosk and central system are real processes in two network namespaces. The peer is ``curl -T``,
which sends the same bytes over TLS to the same server (one PATCH of tus). Without the right to
make namespaces everything is left out.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from bench.court import PATIENCE_S, Court, call, court_of, hearing_on, template_of_court
from bench.measure import Measure, median_of
from tests.links import Link, refusal
from tests.waiting import wait_for

GOODPUT_MBIT, GOODPUT_GOAL = 10.0, 0.92
GOODPUT_BYTES = 20_000_000  # twice: 33 s; registration and receipt take a second or two
CPU_BYTES = 128 << 20  # twice
FILING_MBIT, FILING_BYTES, FILING_GOAL = 2.0, 1_000_000, 1.2
CALL_MBITS, CALL_S, CALL_GOAL_MS = (1.0, 2.0), 8.0, 50.0
PEER = "curl -T"


def run(repeats: int) -> list[Measure]:
    """Measure all four."""
    reason = refusal()
    if reason is not None:
        print(f"bench: delivery left out: {reason}", file=sys.stderr)
        return []
    with template_of_court() as template:
        return [
            *goodput(template, 1),
            *cpu(template, min(repeats, 3)),
            *filing(template, repeats),
            *(one for mbit in CALL_MBITS for one in beside_call(template, mbit)),
        ]


def random_file(folder: Path, size: int) -> Path:
    """Return a file that cannot be compressed."""
    path = folder / "bytes"
    path.write_bytes(os.urandom(size))
    return path


def delivered(court: Court, video: int) -> tuple[float, int]:
    """Deliver a hearing; return the seconds to its durable receipt, and its bytes."""
    begun = time.monotonic()
    hearing, size = court.deliver(video)
    court.kiosk.wait_delivered("hearing", hearing, PATIENCE_S)
    return time.monotonic() - begun, size


def goodput(template: Path, repeats: int) -> list[Measure]:
    """Return the goodput of a hearing from its seal to its receipt, beside curl's."""
    ours, theirs = [], []
    with Link() as link, court_of(template, link) as court:
        link.shape(GOODPUT_MBIT)
        file = random_file(court.kiosk.folder, GOODPUT_BYTES)
        for _ in range(repeats):
            seconds, size = delivered(court, GOODPUT_BYTES)
            ours.append(size * 8e-6 / seconds)
            theirs.append(file.stat().st_size * 8e-6 / court.curl(file)[0])
    shares = [one / GOODPUT_MBIT for one in ours]
    name = f"goodput, {GOODPUT_MBIT:g} Mbit/s link"
    return [
        median_of(name, "Mbit/s", ours, PEER, theirs),
        median_of(f"{name}: share of the link", "", shares, "goal", [GOODPUT_GOAL]),
    ]


def cpu(template: Path, repeats: int) -> list[Measure]:
    """Return the processor seconds per GiB of both ends, beside curl's, on an unshaped link."""
    ours: list[list[float]] = [[], []]
    theirs: list[list[float]] = [[], []]
    with Link() as link, court_of(template, link) as court:
        file = random_file(court.kiosk.folder, 2 * CPU_BYTES)
        for _ in range(repeats):
            before = court.cpu()
            gib = delivered(court, CPU_BYTES)[1] / (1 << 30)
            after = court.cpu()
            for one, start, end in zip(ours, before, after, strict=True):
                one.append((end - start) / gib)
            gib = file.stat().st_size / (1 << 30)
            theirs[0].append(court.curl(file)[1] / gib)
            theirs[1].append((court.cpu()[1] - after[1]) / gib)
    return [
        median_of("sending over TLS", "CPU s/GiB", ours[0], PEER, theirs[0]),
        median_of("receiving over TLS", "CPU s/GiB", ours[1], f"from {PEER}", theirs[1]),
    ]


def filed(court: Court) -> float:
    """Hand a filing in; return the seconds to its durable receipt."""
    filing = court.kiosk.make_filing(FILING_BYTES)
    begun = time.monotonic()
    court.kiosk.ask("POST", f"/v1/filings/{filing}/register", {})
    court.kiosk.wait_delivered("filing", filing, PATIENCE_S)
    return time.monotonic() - begun


def filing(template: Path, repeats: int) -> list[Measure]:
    """Return the seconds to a filing's receipt beside a recording, and on an idle line."""
    with Link() as link, court_of(template, link) as court:
        link.shape(FILING_MBIT)
        idle = [filed(court) for _ in range(repeats)]
        court.deliver(repeats * 4_000_000)
        beside = []
        for _ in range(repeats):
            court.wait_flow()
            beside.append(filed(court))
    name = f"1 MB filing beside a recording, {FILING_MBIT:g} Mbit/s (goal: {FILING_GOAL})"
    return [median_of(name, "s", beside, "idle line", idle)]


def p95(delays: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(delays)[int(0.95 * len(delays))]


def beside_call(template: Path, mbit: float) -> list[Measure]:
    """Return a call's delay beside an upload during a hearing, and beside one without pacing."""
    with Link() as link, court_of(template, link) as court:
        link.shape(mbit)
        check = court.kiosk.ask("POST", "/v1/link-check", {"quick": True})[1]
        if check["up_mbit"] is None:
            raise RuntimeError(f"no link check: {check['problem']}")
        with hearing_on(court.kiosk):
            wait_for(lambda: permit_of(court) == "paced", "pacing", PATIENCE_S)
            court.deliver(8_000_000)
            court.wait_flow()
            paced = p95(call(link, CALL_S))
        wait_for(lambda: permit_of(court) == "free", "no pacing", PATIENCE_S)
        court.wait_flow()
        free = p95(call(link, CALL_S))
    name = f"p95 of a 480 kbit/s call beside an upload, {mbit:g} Mbit/s"
    return [
        Measure(name, paced, "ms", "goal", CALL_GOAL_MS),
        Measure(f"{name}: paced against not", paced, "ms", "not paced", free),
    ]


def permit_of(court: Court) -> str:
    """Return what recordings may do now."""
    return str(court.kiosk.state()["uploads"]["state"])
