"""Limits the rate of bulk transfers while a hearing is running.

Measured behind a router with a queue: beside an unpaced upload a live call's one-way delay grows
from 10 to over 400 ms; with the upload held by ``SO_MAX_PACING_RATE`` so that both fill 90 % of the
link, by 2 ms. A third of the link stays free, for calls of better quality; on a slow link, where a
call of 480 kbit/s needs more than that, the call and a reserve.
"""

from __future__ import annotations

LINK_SHARE = 2 / 3
CALL_MBIT = 0.5
RESERVED_SHARE = 0.07  # of the link: a link check may err by 3 %
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
    return max(1, round(share * BYTES_PER_MBIT))
