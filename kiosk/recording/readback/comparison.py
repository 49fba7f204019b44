"""Is what decodes from the disk what was captured? Each source is named that is not."""

from __future__ import annotations

import math

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.recording.readback.capture_reference import Witness
from kiosk.recording.readback.decoded_media import Decoded, Grid, Track
from kiosk.recording.readback.read_back import ProofError

LOUD = 10 ** (-55 / 10)
"""Mean square above which a block is compared; below it rounding would decide."""
SILENT = 10 ** (-75 / 10)
DIFFERENT_DB = 6.0
LEAST_BLOCKS = 2
MIX_LOUD = 10 ** (-45 / 10)
MIX_LOSS_DB = 15.0
"""The mix may be so much softer than its loudest source (others may cancel some of it)."""
NEAR_NS = 1_300_000_000
"""Live pictures so near in time to a key picture are compared with it."""
BLACK, BRIGHT = 30.0, 50.0
FLAT, STRUCTURED = 8.0, 10.0
"""Spread of brightness in a picture without, and in one with, something to recognise."""
ALIKE = 0.3


def compare_channels(decoded: Decoded, tap_ns: int, witness: Witness) -> None:
    """Compare each source's own track with what was captured.

    Args:
        tap_ns: recording clock of media time 0.

    Raises:
        ProofError: a source is silent or something else on the disk.
    """
    for track in decoded.tracks:
        pairs = _pairs(track, tap_ns, witness)
        relevant = [(was, now) for was, now in pairs if max(was, now) > LOUD]
        wrong = [(was, now) for was, now in relevant if _differ(was, now)]
        if len(relevant) >= LEAST_BLOCKS and len(wrong) * 2 > len(relevant):
            silent = sum(now < SILENT for _, now in wrong) * 2 > len(wrong)
            what = "silent on the disk" if silent else "other sound on the disk than was captured"
            raise ProofError(f"{track.name}: {what}", track.name)


def compare_main(decoded: Decoded, tap_ns: int, sources: set[str], witness: Witness) -> None:
    """Compare the mix with its loudest source, and key pictures with the live picture.

    Raises:
        ProofError: the mix is silent, the picture is black or shows something else.
    """
    for track in decoded.tracks:
        _compare_mix(track, tap_ns, sources, witness)
    seen = witness.seen()
    for at_ns, grid in decoded.pictures:
        near = [live for moment, live in seen if abs(moment - tap_ns - at_ns) < NEAR_NS]
        if near:
            _compare_picture(grid, near)


def _pairs(track: Track, tap_ns: int, witness: Witness) -> list[tuple[float, float]]:
    """Return mean squares as captured and as decoded of every block that is all on the disk."""
    found = []
    for start_ns, end_ns, was in witness.heard(track.name):
        now = track.mean_square(start_ns - tap_ns, end_ns - tap_ns)
        if now is not None:
            found.append((was, now))
    return found


def _differ(was: float, now: float) -> bool:
    return abs(10 * math.log10(max(was, 1e-12) / max(now, 1e-12))) > DIFFERENT_DB


def _compare_mix(track: Track, tap_ns: int, sources: set[str], witness: Witness) -> None:
    lost = loud = 0
    first = min((one.start_ns for one in track.stretches), default=0) + NS_PER_S // 10
    for source in sources:
        for start_ns, end_ns, was in witness.heard(source):
            if was < MIX_LOUD or start_ns - tap_ns < first:  # a decoder fades in
                continue
            now = track.mean_square(start_ns - tap_ns, end_ns - tap_ns)
            if now is not None:
                loud += 1
                lost += 10 * math.log10(was / max(now, 1e-12)) > MIX_LOSS_DB
    if loud >= LEAST_BLOCKS and lost * 2 > loud:
        raise ProofError("the mix is silent on the disk", "mix")


def _compare_picture(grid: Grid, near: list[Grid]) -> None:
    dark = float(grid.mean()) < BLACK and float(grid.std()) < FLAT
    if dark and all(float(live.mean()) > BRIGHT for live in near):
        raise ProofError("the picture is black on the disk, the camera's is not", "camera")
    if float(grid.std()) < STRUCTURED:
        return
    structured = [live for live in near if float(live.std()) >= STRUCTURED]
    if structured and all(_likeness(grid, live) < ALIKE for live in structured):
        raise ProofError("the picture on the disk is not the camera's", "camera", doubtful=True)


def _likeness(one: Grid, other: Grid) -> float:
    """Return the correlation of two grids."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
