"""Offset between picture and sound, and between microphones, as the files have it.

An hour with clocks 100 ppm off each way in compressed time, and half a minute in which each source
stalls and returns; the tests of the recording hold the same figures to their limit.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.measure import Measure
from tests.support.synchrony import (
    compressed_media,
    largest_offset,
    record_an_hour,
    record_stalls_and_returns,
)


def run(_repeats: int) -> list[Measure]:
    """Record once each: the same devices every time."""
    with tempfile.TemporaryDirectory(prefix="kb") as name, compressed_media() as rate:
        _, _, hour = record_an_hour(Path(name), rate)
    with tempfile.TemporaryDirectory(prefix="kb") as name:
        _, stalls = record_stalls_and_returns(Path(name))
    return [
        Measure("largest offset in an hour at 100 ppm each way", largest_offset(hour), "ms"),
        Measure("largest offset with stalls and returns", largest_offset(stalls), "ms"),
    ]
