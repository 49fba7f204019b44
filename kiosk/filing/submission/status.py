"""Where a filing stands, for who holds its receipt: the QR code's id is the key to it.

The id has 122 random bits and stands nowhere but on the receipt and in the court's systems; a
registration number can be guessed and opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kiosk.clocks import wall_time
from kiosk.locale import N_, Translator

State = Literal["received", "sent", "registered", "accepted", "returned", "passed_to_judge"]
#: Each state has a word of its own.
WORDS: dict[str, str] = {
    "received": N_("Received by the kiosk"),
    "sent": N_("Sent to the court"),
    "registered": N_("Registered"),
    "accepted": N_("Accepted"),
    "returned": N_("Returned, with a reason"),
    "passed_to_judge": N_("Passed to the judge"),
}


@dataclass(frozen=True)
class Standing:
    """Where a filing stands.

    Attributes:
        state: the newest of the steps.
        reached: every step that was reached, in order.
        number: the court's number; None while it has none.
        provisional: the number that the kiosk gave, if it did.
        reason: why it was returned, in the registry's words.
        as_of: when the central system last said so; None: never.
        age_seconds: the same as an age.
    """

    state: State
    reached: tuple[State, ...]
    number: str | None
    provisional: str | None
    reason: str | None
    as_of: datetime | None
    age_seconds: float | None

    def word(self, translate: Translator) -> str:
        """Return the state in words."""
        return translate(WORDS[self.state])


def standing_of(told: dict[str, Any]) -> Standing:
    """Return what sync's ``GET /v1/filings/{id}`` says, in the filing room's words."""
    state = str(told.get("state") or "queued")
    now: State = state if state in WORDS else "received"  # type: ignore[assignment]
    number = _text(told.get("number"))
    reached: list[State] = ["received"]
    if number is not None:
        reached.append("registered")
    if told.get("delivered") is True or now == "sent":
        reached.append("sent")
    if now in ("accepted", "passed_to_judge"):
        reached.append("accepted")
    if now in ("returned", "passed_to_judge"):
        reached.append(now)
    if now in ("received", "registered"):
        now = reached[-1] if reached[-1] != "sent" or number is None else "registered"
    as_of = _moment(told.get("as_of"))
    return Standing(
        state=now,
        reached=tuple(dict.fromkeys(reached)),
        number=number,
        provisional=_text(told.get("provisional")),
        reason=_text(told.get("reason")),
        as_of=as_of,
        age_seconds=None if as_of is None else max(0.0, (wall_time() - as_of).total_seconds()),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
