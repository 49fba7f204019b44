"""What the central system decides: whether an upload is what was sent, why it gives no receipt."""

from __future__ import annotations

from typing import Any

from kiosk.errors import CentralError
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError

HASHING_SECONDS = 20.0
VERDICTS = frozenset({"complete", "mismatch", "closed"})
HELD_BACK = "held_back"
OWN_ALARMS = {
    code: code
    for code in (
        "journal_rewritten",
        "files_left_out",
        "files_changed",
        "closing_unproven",
        HELD_BACK,
        "closure_unproven",
        "other_room",
    )
} | {"foreign": "other_room"}
"""Alarms of the refusals that have a sentence of their own, by code."""


class VerdictMissingError(CentralError):
    """The central system has every byte of a file, but neither confirms nor refuses it yet."""

    code = "verdict_missing"


class HeldBackError(RefusedError):
    """The central system has an item completely and gives no receipt: a person has to look.

    Args:
        problem: why, as the central system says it; the code is ``held_back`` where it is unknown.
    """

    def __init__(self, problem: str) -> None:
        code = problem if problem in OWN_ALARMS else HELD_BACK
        super().__init__(f"held back: {problem}", code=code, status=0, body={})


def fetch_verdict(client: CentralClient, upload_id: str) -> dict[str, Any]:
    """Return the answer on an upload that has its verdict.

    The central system may take its time; one that answers at once and decides nothing must not be
    asked again and again. So this asks once, and the caller sets the file aside for a while.

    Raises:
        VerdictMissingError: there is no verdict, or bytes were lost; the next attempt sends those.
    """
    answer = client.wait_verified(upload_id, HASHING_SECONDS)
    if answer.get("state") not in VERDICTS:
        raise VerdictMissingError(f"upload {upload_id}: {answer.get('state')!r}")
    return answer
