"""Accuracy of the link check on a shaped link, beside iperf3 (librespeed-cli in trixie).

The true value is the link's frame rate times the share of payload in a full frame (0.956), because
the rule of 1 Mbit/s is about what arrives. Verdicts are tried on many links at a time, each in its
own network namespaces. A relay in user space adds loss and delay.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.delivery_site import DeliverySite, running_site, site_template
from bench.measure import Measure
from kiosk.demo.processes import end_process
from tests.support.network_link import (
    CENTRE_ADDRESS,
    PAYLOAD_SHARE,
    NetworkLink,
    unavailable_reason,
)
from tests.support.ports import free_port

RATES_MBIT = (0.5, 1.0, 2.0, 10.0, 50.0)
LOSSY_MBIT = (1.0, 10.0)
DELAY_MS, LOSS = 30.0, 0.01  # each way: a round trip of 60 ms
GOAL_PERCENT = 3.0
VERDICTS = {0.9: "below", 1.1: "good"}  # Mbit/s that arrive
MOST_VERDICTS, AT_A_TIME = 20, 10
MOST_MB = 0.6
IPERF_S = 4


def run(repeats: int) -> list[Measure]:
    """Measure error, cost and verdicts; five repeats try each verdict 20 times."""
    reason = unavailable_reason()
    if reason is not None:
        print(f"bench: link_check skipped: {reason}", file=sys.stderr)
        return []
    for peer in ("iperf3", "librespeed-cli"):
        if shutil.which(peer) is None:
            print(f"bench: {peer} is not installed: skipped", file=sys.stderr)
    with site_template() as template:
        return [
            *measure_errors(template, NetworkLink(), RATES_MBIT, ""),
            *measure_errors(template, NetworkLink(DELAY_MS, LOSS), LOSSY_MBIT, ", 1 % loss, 60 ms"),
            *measure_verdicts(template, min(MOST_VERDICTS, 4 * repeats)),
        ]


def measure_errors(
    template: Path, link: NetworkLink, rates: tuple[float, ...], suffix: str
) -> Iterator[Measure]:
    """Yield the error of one check at each rate, of the worse direction, beside iperf3's."""
    with link, running_site(template, link) as site, iperf_server() as port:
        for rate in rates:
            link.shape(rate)
            begun, before = time.monotonic(), link.sent() + link.received()
            result = run_link_check(site)
            seconds = time.monotonic() - begun
            megabytes = (link.sent() + link.received() - before) / 1e6
            ours = max(error_percent(result[key], rate) for key in ("down_mbit", "up_mbit"))
            name = f"link check at {rate:g} Mbit/s{suffix}"
            yield Measure(f"{name}: error", ours, "%", "goal", GOAL_PERCENT)
            if port is not None and (theirs := iperf_error(link, port, rate)) is not None:
                yield Measure(f"{name}: error beside iperf3", ours, "%", "iperf3", theirs)
            yield Measure(f"{name}: duration", seconds, "s")
            goal = ("goal", MOST_MB) if rate == 1 else (None, None)
            yield Measure(f"{name}: bytes", megabytes, "MB", *goal)


def run_link_check(site: DeliverySite) -> dict[str, Any]:
    """Run one link check as on a tap.

    Raises:
        RuntimeError: it has no result.
    """
    result = dict(site.kiosk.request("POST", "/v1/link-check")[1])
    if result.get("up_mbit") is None:
        raise RuntimeError(f"link check: {result.get('problem') or result}")
    return result


def error_percent(measured: float, rate: float) -> float:
    """Return the error of ``measured`` in per cent of the true rate."""
    truth = rate * PAYLOAD_SHARE
    return abs(measured - truth) / truth * 100


@contextmanager
def iperf_server() -> Iterator[int | None]:
    """Run ``iperf3 -s`` at the centre; yield its port, or None if it is not installed."""
    if shutil.which("iperf3") is None:
        yield None
        return
    port = free_port()
    command = ["iperf3", "--server", "--bind", CENTRE_ADDRESS, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield port
    finally:
        end_process(server)


def iperf_error(link: NetworkLink, port: int, rate: float) -> float | None:
    """Return iperf3's error of the worse direction in per cent, or None if it failed."""

    def measured(*options: str) -> float:
        command = [
            "iperf3",
            "--json",
            "--client",
            CENTRE_ADDRESS,
            "--port",
            str(port),
            "--omit",
            "1",
        ]
        with link.court():
            done = subprocess.run(
                [*command, "--time", str(IPERF_S), *options],
                capture_output=True,
                text=True,
                check=False,
            )
        return float(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]) / 1e6

    try:
        return max(error_percent(measured(), rate), error_percent(measured("--reverse"), rate))
    except (KeyError, ValueError) as broken:
        print(f"bench: iperf3 at {rate:g} Mbit/s gave no result: {broken!r}", file=sys.stderr)
        return None


def measure_verdicts(template: Path, tries: int) -> Iterator[Measure]:
    """Yield for each goodput how many of ``tries`` verdicts were right."""
    for truth, wanted in VERDICTS.items():
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            jobs = [pool.submit(link_verdict, template, truth) for _ in range(tries)]
            found = [job.result() for job in jobs]
        name = f"verdict at {truth} Mbit/s of goodput is {wanted!r}"
        yield Measure(name, found.count(wanted), f"of {tries}", "goal", tries)


def link_verdict(template: Path, truth: float) -> str:
    """Return the verdict on a new link."""
    with NetworkLink() as link, running_site(template, link) as site:
        link.shape(truth / PAYLOAD_SHARE)
        return str(run_link_check(site)["verdict"])
