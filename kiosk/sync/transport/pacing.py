"""Limits the rate of bulk transfers while a hearing is running.

Measured: beside an unpaced upload a live call's one-way delay grows from 20 to 417 ms; with the
upload held to 60 % of the link (``SO_MAX_PACING_RATE``) it is 32 ms. On a slow link 60 % and a call
of 480 kbit/s are more than there is: then the call and a reserve are left free.
"""

from __future__ import annotations

from typing import Any

LINK_SHARE = 0.6
CALL_MBIT = 0.5
RESERVED_SHARE = 0.15  # of the link
MIN_SHARE = 0.1  # of the link: or the hearing would never be delivered
UNLIMITED = 0
BYTES_PER_MBIT = 125_000
BUSY_PHASES = frozenset({"recording", "recess", "retired"})


def pacing_rate(recorder_state: dict[str, Any] | None, link_check: dict[str, Any] | None) -> int:
    """Return the maximum bytes per second of bulk transfers; 0: no limit.

    Args:
        recorder_state: state of the recorder, or None while it does not answer.
        link_check: result of the last link check, or None.
    """
    if recorder_state is None or recorder_state.get("phase") not in BUSY_PHASES:
        return UNLIMITED
    up = (link_check or {}).get("up_mbit")
    if not isinstance(up, int | float) or up <= 0:
        return UNLIMITED
    left_by_call = up * (1 - RESERVED_SHARE) - CALL_MBIT
    return max(1, int(max(min(up * LINK_SHARE, left_by_call), up * MIN_SHARE) * BYTES_PER_MBIT))
