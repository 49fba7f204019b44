"""The delivery probe: delivers a small signed folder all the way to the central system."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from kiosk.api.reports import NewReport
from kiosk.ipc import ServiceRefusedError
from kiosk.selftest.model import SelfTestContext
from kiosk.selftest.report_request import request_report

_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Outcome of the probe within the time limit."""

    id: str
    delivered: bool
    central_sha256_match: bool | None
    seconds: float

    def measured_values(self) -> dict[str, Any]:
        """Return it as measured values."""
        return {
            "probe": self.id,
            "delivered": self.delivered,
            "central_sha256_match": self.central_sha256_match,
            "delivery_ms": round(self.seconds * 1000),
        }


async def save_probe(context: SelfTestContext) -> str:
    """Have the recorder seal a probe; return its id.

    Raises:
        KioskError: see :func:`kiosk.selftest.report_request.request_report`.
    """
    return (await request_report(context, NewReport(kind="delivery_probe"))).id


async def deliver_probe(context: SelfTestContext, probe_id: str, limit: float) -> ProbeResult:
    """Wake the delivery, and wait ``limit`` seconds for the central system's receipt of the probe.

    Raises:
        ServiceDownError: sync does not answer.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    await context.sync.post("/v1/deliver")
    while True:
        answer = await _probe_state(context, probe_id)
        match = answer.get("central_sha256_match")
        delivered = answer.get("state") == "delivered"
        waited = clock() - started
        if delivered or match is False or waited > limit:
            return ProbeResult(probe_id, delivered, match, waited)
        await asyncio.sleep(_POLL_SECONDS)


async def _probe_state(context: SelfTestContext, identifier: str) -> dict[str, Any]:
    """Return sync's state of the probe; empty while sync does not know it yet."""
    try:
        return await context.sync.get(f"/v1/reports/{identifier}")
    except ServiceRefusedError as error:
        if error.status == 404:
            return {}
        raise
