"""Delivery over a court's connection: goodput, processor time, an urgent filing, a call.

Kiosk and central system are real processes in two network namespaces. The peer is ``curl -T``,
which sends the same bytes over TLS to the same server (one PATCH of tus). The bad line and the call
have a router before the line, with the queue that a router has. Without the right to create
namespaces the benchmark is skipped.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from bench.delivery_site import (
    TIMEOUT_S,
    DeliverySite,
    running_site,
    simulate_call,
    simulated_hearing,
    site_template,
)
from bench.measure import Measure, median_of
from tests.support.network_link import NetworkLink, unavailable_reason
from tests.support.waiting import wait_for

GOODPUT_MBIT, GOODPUT_GOAL = 10.0, 0.95
GOODPUT_BYTES = 20_000_000  # twice: 33 s; registration and receipt take a second or two
BAD_LINE_MS, BAD_LINE_LOSS, BAD_LINE_GOAL = 30.0, 0.01, 0.93  # each way: a round trip of 60 ms
INSTALLED, DEBIAN = "bbr", "cubic"  # congestion control: packaging/host/sysctl.conf; Debian's own
DEBIAN_BYTES = 4_000_000  # loss makes it slow
CPU_BYTES = 128 << 20  # twice
FILING_MBIT, FILING_BYTES, FILING_GOAL = 2.0, 1_000_000, 1.05
STEADY_BYTES = 1_000_000  # 4 s: a transfer that begins fills the queue until it knows the rate
CALL_MBITS, CALL_S, CALL_GOAL_MS, CALL_FULL = (1.0, 2.0), 8.0, 20.0, 0.9
CALL_LINE_MS = 10.0  # each way. On a line without delay TCP sends bursts as no line has them
PEER = "curl -T"


def run(repeats: int) -> list[Measure]:
    """Measure goodput, processor time, the filing and the call."""
    reason = unavailable_reason()
    if reason is not None:
        print(f"bench: delivery skipped: {reason}", file=sys.stderr)
        return []
    with site_template() as template:
        return [
            *measure_goodput(template, 1),
            *measure_bad_line(template, INSTALLED, GOODPUT_BYTES),
            *measure_bad_line(template, DEBIAN, DEBIAN_BYTES),
            *measure_cpu(template, min(repeats, 3)),
            *measure_filing(template, INSTALLED, repeats),
            *measure_filing(template, DEBIAN, repeats),
            *(measure for mbit in CALL_MBITS for measure in call_beside_upload(template, mbit)),
        ]


def random_file(folder: Path, size: int) -> Path:
    """Return a file that cannot be compressed."""
    path = folder / "bytes"
    path.write_bytes(os.urandom(size))
    return path


def deliver_hearing(site: DeliverySite, video: int) -> tuple[float, int]:
    """Deliver a hearing; return the seconds to its durable receipt, and its bytes.

    The receipt's file is waited for: asking sync 50 times a second would count as its work.
    """
    begun = time.monotonic()
    hearing, size = site.deliver(video)
    wait_for((site.kiosk.paths.receipts / f"{hearing}.json").exists, "receipt", TIMEOUT_S)
    return time.monotonic() - begun, size


def measure_goodput(template: Path, repeats: int) -> list[Measure]:
    """Return the goodput of a hearing from its seal to its receipt, beside curl's."""
    ours, theirs = [], []
    with NetworkLink() as link, running_site(template, link) as site:
        link.shape(GOODPUT_MBIT)
        file = random_file(site.kiosk.folder, GOODPUT_BYTES)
        for _ in range(repeats):
            seconds, size = deliver_hearing(site, GOODPUT_BYTES)
            ours.append(size * 8e-6 / seconds)
            theirs.append(file.stat().st_size * 8e-6 / site.upload_with_curl(file)[0])
    shares = [rate / GOODPUT_MBIT for rate in ours]
    name = f"goodput, {GOODPUT_MBIT:g} Mbit/s link"
    return [
        median_of(name, "Mbit/s", ours, PEER, theirs),
        median_of(f"{name}: share of the link", "", shares, "goal", [GOODPUT_GOAL]),
    ]


def measure_bad_line(template: Path, congestion: str, size: int) -> list[Measure]:
    """Return the goodput of a hearing over a line that loses packets, beside curl's.

    Both use the kernel's ``congestion`` control.
    """
    link = NetworkLink(BAD_LINE_MS, BAD_LINE_LOSS, has_router=True)
    with link, running_site(template, link) as site:
        link.set_congestion_control(congestion)
        link.shape(GOODPUT_MBIT)
        file = random_file(site.kiosk.folder, 2 * size)
        theirs = file.stat().st_size * 8e-6 / site.upload_with_curl(file)[0] / GOODPUT_MBIT
        seconds, sent = deliver_hearing(site, size)
    share = sent * 8e-6 / seconds / GOODPUT_MBIT
    name = f"goodput, {GOODPUT_MBIT:g} Mbit/s, 60 ms, 1 % loss, {congestion}: share of the link"
    rows = [Measure(name, share, "", PEER, theirs)]
    if congestion == INSTALLED:
        rows.append(Measure(name, share, "", "goal", BAD_LINE_GOAL))
    return rows


def measure_cpu(template: Path, repeats: int) -> list[Measure]:
    """Return the processor seconds per GiB of both ends, beside curl's, on an unshaped link."""
    ours: list[list[float]] = [[], []]
    theirs: list[list[float]] = [[], []]
    with NetworkLink() as link, running_site(template, link) as site:
        file = random_file(site.kiosk.folder, 2 * CPU_BYTES)
        for _ in range(repeats):
            before = site.cpu_seconds()
            gib = deliver_hearing(site, CPU_BYTES)[1] / (1 << 30)
            after = site.cpu_seconds()
            for values, start, end in zip(ours, before, after, strict=True):
                values.append((end - start) / gib)
            gib = file.stat().st_size / (1 << 30)
            theirs[0].append(site.upload_with_curl(file)[1] / gib)
            theirs[1].append((site.cpu_seconds()[1] - after[1]) / gib)
    return [
        median_of("sending over TLS", "CPU s/GiB", ours[0], PEER, theirs[0]),
        median_of("receiving over TLS", "CPU s/GiB", ours[1], f"from {PEER}", theirs[1]),
    ]


def deliver_filing(site: DeliverySite) -> float:
    """Submit a filing; return the seconds to its durable receipt."""
    filing = site.kiosk.make_filing(FILING_BYTES)
    begun = time.monotonic()
    site.kiosk.request("POST", f"/v1/filings/{filing}/register", {})
    site.kiosk.wait_delivered("filing", filing, TIMEOUT_S)
    return time.monotonic() - begun


def measure_filing(template: Path, congestion: str, repeats: int) -> list[Measure]:
    """Return the seconds to a filing's receipt beside a recording, and on an idle connection.

    What a recording has put into the queue before the line goes first: ``congestion`` control says
    how much that is.
    """
    with NetworkLink() as link, running_site(template, link) as site:
        link.set_congestion_control(congestion)
        link.shape(FILING_MBIT)
        idle = [deliver_filing(site) for _ in range(repeats)]
        site.deliver(repeats * STEADY_BYTES)
        beside = []
        for _ in range(repeats):
            site.wait_upload_flow(STEADY_BYTES)
            beside.append(deliver_filing(site))
    name = f"1 MB filing beside a recording, {FILING_MBIT:g} Mbit/s, {congestion}"
    name += f" (goal: {FILING_GOAL})" if congestion == INSTALLED else ""
    return [median_of(name, "s", beside, "idle line", idle)]


def call_beside_upload(template: Path, mbit: float) -> list[Measure]:
    """Return a call's delay beside an upload during a hearing, and beside one without pacing.

    A delay on a line that is not full says nothing: how full it was stands beside it.
    """
    link = NetworkLink(CALL_LINE_MS, has_router=True)
    with link, running_site(template, link) as site:
        link.set_congestion_control(INSTALLED)
        link.shape(mbit)
        check = site.kiosk.request("POST", "/v1/link-check")[1]
        if check["up_mbit"] is None:
            raise RuntimeError(f"no link check: {check['problem']}")
        with simulated_hearing(site.kiosk):
            wait_for(lambda: upload_state(site) == "paced", "pacing", TIMEOUT_S)
            site.deliver(8_000_000)
            site.wait_upload_flow()
            paced = simulate_call(link, CALL_S)
        wait_for(lambda: upload_state(site) == "free", "no pacing", TIMEOUT_S)
        site.wait_upload_flow()
        free = simulate_call(link, CALL_S)
    line = f"beside an upload, {mbit:g} Mbit/s, round trip 20 ms"
    name = f"p95 of a 480 kbit/s call {line}"
    full = f"link {paced.mbit / mbit:.0%} full"
    return [
        Measure(f"{name}, {full}", paced.p95, "ms", "goal", CALL_GOAL_MS),
        Measure(f"{name}: paced against not", paced.p95, "ms", "not paced", free.p95),
        Measure(
            f"link in use by call and upload, {mbit:g} Mbit/s: at least",
            paced.mbit / mbit,
            "",
            "goal",
            CALL_FULL,
        ),
    ]


def upload_state(site: DeliverySite) -> str:
    """Return whether recordings may be uploaded now."""
    return str(site.kiosk.state()["uploads"]["state"])
