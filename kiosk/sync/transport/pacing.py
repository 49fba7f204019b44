"""How fast bulk transfers may send while a hearing is on.

Measured: beside an unpaced upload a live call's one-way delay grows from 20 to 417 ms; with the
upload held to 60 % of the link (``SO_MAX_PACING_RATE``) it is 32 ms. On a slow line 60 % and a call
of 480 kbit/s are more than there is: then the call and a reserve are left free.
"""

from __future__ import annotations

from typing import Any

SHARE = 0.6
CALL_MBIT = 0.5
RESERVE = 0.15  # of the line
LEAST = 0.1  # of the line: or the hearing would never leave
UNLIMITED = 0
BYTES_PER_MBIT = 125_000
BUSY_PHASES = frozenset({"recording", "recess", "retired"})


def pacing_rate(recorder: dict[str, Any] | None, check: dict[str, Any] | None) -> int:
    """Return the most bytes a second that bulk transfers may send; 0: no limit.

    Args:
        recorder: the recorder's state, or None while it does not answer.
        check: the last link check's result, or None.
    """
    if recorder is None or recorder.get("phase") not in BUSY_PHASES:
        return UNLIMITED
    up = (check or {}).get("up_mbit")
    if not isinstance(up, int | float) or up <= 0:
        return UNLIMITED
    beside_call = up * (1 - RESERVE) - CALL_MBIT
    return max(1, int(max(min(up * SHARE, beside_call), up * LEAST) * BYTES_PER_MBIT))
