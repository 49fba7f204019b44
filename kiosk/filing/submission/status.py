"""Status of a submitted filing, for the holder of its receipt (R5).

The id in the QR code gives access. It has 122 random bits and is known only to the receipt and the
court's systems; a registration number can be guessed and gives no access.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kiosk.clocks import parse_wall, wall_time
from kiosk.locale import N_, Translator

FilingStage = Literal["received", "sent", "registered", "accepted", "returned", "passed_to_judge"]
#: Label of each stage.
STAGE_LABELS: dict[str, str] = {
    "received": N_("Received by the kiosk"),
    "sent": N_("Sent to the court"),
    "registered": N_("Registered"),
    "accepted": N_("Accepted"),
    "returned": N_("Returned, with a reason"),
    "passed_to_judge": N_("Passed to the judge"),
}


@dataclass(frozen=True)
class FilingStatus:
    """Status of a filing.

    Attributes:
        stage: the latest stage.
        reached: all stages reached, in order.
        number: the court's number, or None.
        provisional: the kiosk's provisional number, or None.
        reason: why it was returned, in the registry's words.
        as_of: wall time of the central system's last report, or None.
        age_seconds: age of that report.
    """

    stage: FilingStage
    reached: tuple[FilingStage, ...]
    number: str | None
    provisional: str | None
    reason: str | None
    as_of: datetime | None
    age_seconds: float | None

    def label(self, translate: Translator) -> str:
        """Return the label of the stage."""
        return translate(STAGE_LABELS[self.stage])


def parse_status(reply: dict[str, Any]) -> FilingStatus:
    """Return the status in the answer of sync's ``GET /v1/filings/{id}``."""
    sync_state = str(reply.get("state") or "queued")
    stage: FilingStage = sync_state if sync_state in STAGE_LABELS else "received"  # type: ignore[assignment]
    number = _text(reply.get("number"))
    reached: list[FilingStage] = ["received"]
    if number is not None:
        reached.append("registered")
    if reply.get("delivered") is True or stage == "sent":
        reached.append("sent")
    if stage in ("accepted", "passed_to_judge"):
        reached.append("accepted")
    if stage in ("returned", "passed_to_judge"):
        reached.append(stage)
    if stage in ("received", "registered"):
        stage = reached[-1] if reached[-1] != "sent" or number is None else "registered"
    as_of = parse_wall(_text(reply.get("as_of")))
    return FilingStatus(
        stage=stage,
        reached=tuple(dict.fromkeys(reached)),
        number=number,
        provisional=_text(reply.get("provisional")),
        reason=_text(reply.get("reason")),
        as_of=as_of,
        age_seconds=None if as_of is None else max(0.0, (wall_time() - as_of).total_seconds()),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
