"""Limits the rate of bulk transfers while a hearing is running.

Measured: beside an unpaced upload a live call's one-way delay grows from 20 to 417 ms; with the
upload held to 60 % of the link (``SO_MAX_PACING_RATE``) it is 32 ms. On a slow link 60 % and a call
of 480 kbit/s are more than there is: then the call and a reserve are left free.
"""

from __future__ import annotations

LINK_SHARE = 0.6
CALL_MBIT = 0.5
RESERVED_SHARE = 0.15  # of the link
MIN_SHARE = 0.1  # of the link: or the hearing would never be delivered
UNLIMITED = 0
BYTES_PER_MBIT = 125_000


def pacing_rate(up_mbit: float | None, *, is_hearing_open: bool) -> int:
    """Return the maximum bytes per second of bulk transfers; 0: no limit.

    Args:
        up_mbit: uplink by the last link check, or None while nothing was measured.
        is_hearing_open: whether a hearing is open in this room.
    """
    if not is_hearing_open or up_mbit is None or up_mbit <= 0:
        return UNLIMITED
    left_by_call = up_mbit * (1 - RESERVED_SHARE) - CALL_MBIT
    share = max(min(up_mbit * LINK_SHARE, left_by_call), up_mbit * MIN_SHARE)
    return max(1, int(share * BYTES_PER_MBIT))
