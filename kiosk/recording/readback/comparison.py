"""Compares media decoded from disk with what was captured, and names each source that differs."""

from __future__ import annotations

import math

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import sound_power
from kiosk.hardware.audio.repetition import holds_nothing_new
from kiosk.recording.readback.capture_reference import CaptureReference
from kiosk.recording.readback.decoded_media import DecodedMedia, DecodedTrack, Grid
from kiosk.recording.readback.fragment_reader import ReadbackError

MIN_COMPARED_POWER = 10 ** (-55 / 10)
"""Power (full scale: 1.0) of compared blocks; below it rounding errors are too large."""
SILENT_POWER = 10 ** (-75 / 10)
MAX_DIFFERENCE_DB = 6.0
MIN_BLOCKS = 2
MIN_MIX_POWER = 10 ** (-45 / 10)
MAX_MIX_LOSS_DB = 15.0
"""The mix may be this much softer than its loudest source, because others may cancel it partly."""
MAX_PICTURE_DISTANCE_NS = 1_300_000_000
"""Live pictures this close in time to a key picture are compared with it."""
BLACK_MEAN, BRIGHT_MEAN = 30.0, 50.0
FLAT_DEVIATION, STRUCTURED_DEVIATION = 8.0, 10.0
"""Spread of brightness in a picture without, and in one with, something to recognise."""
MIN_CORRELATION = 0.3


def compare_channels(decoded: DecodedMedia, tap_ns: int, reference: CaptureReference) -> None:
    """Compare each source's own track with what was captured.

    Args:
        tap_ns: recording clock of media time 0.

    Raises:
        ReadbackError: a source is silent on the disk, sounds different, or is the same sound again
            and again.
    """
    for track in decoded.tracks:
        if _is_stuck(track):
            what = "the same samples again and again"
            raise ReadbackError(f"{track.name}: {what}", track.name, is_doubtful=True)
        pairs = _level_pairs(track, tap_ns, reference)
        audible = [(was, now) for was, now in pairs if max(was, now) > MIN_COMPARED_POWER]
        differing = [(was, now) for was, now in audible if _is_different(was, now)]
        if len(audible) >= MIN_BLOCKS and len(differing) * 2 > len(audible):
            silent = sum(now < SILENT_POWER for _, now in differing) * 2 > len(differing)
            what = "silent on the disk" if silent else "other sound on the disk than was captured"
            raise ReadbackError(f"{track.name}: {what}", track.name)


def compare_main(
    decoded: DecodedMedia, tap_ns: int, sources: set[str], reference: CaptureReference
) -> None:
    """Compare the mix with its loudest source, and key pictures with the live picture.

    Raises:
        ReadbackError: the mix is silent, or the picture is black or a different one.
    """
    for track in decoded.tracks:
        _compare_mix(track, tap_ns, sources, reference)
    live_pictures = reference.pictures()
    for at_ns, grid in decoded.pictures:
        near = [
            live
            for moment, live in live_pictures
            if abs(moment - tap_ns - at_ns) < MAX_PICTURE_DISTANCE_NS
        ]
        if near:
            _compare_picture(grid, near)


def _level_pairs(
    track: DecodedTrack, tap_ns: int, reference: CaptureReference
) -> list[tuple[float, float]]:
    """Return the powers, captured and decoded, of every block that is entirely on the disk."""
    found = []
    for start_ns, end_ns, was in reference.audio_levels(track.name):
        now = track.power(start_ns - tap_ns, end_ns - tap_ns)
        if now is not None:
            found.append((was, now))
    return found


def _is_stuck(track: DecodedTrack) -> bool:
    """Return whether the second half of a track is audible and holds nothing new."""
    samples = np.concatenate([np.zeros(0, np.float32), *(part.samples for part in track.segments)])
    if sound_power(samples) < MIN_COMPARED_POWER:
        return False
    exact = (samples * 32768).astype(np.int16)
    half = len(exact) // 2
    return holds_nothing_new(exact[:half], exact[half:])


def _is_different(was: float, now: float) -> bool:
    return abs(10 * math.log10(max(was, 1e-12) / max(now, 1e-12))) > MAX_DIFFERENCE_DB


def _compare_mix(
    track: DecodedTrack, tap_ns: int, sources: set[str], reference: CaptureReference
) -> None:
    lost_blocks = loud_blocks = 0
    first = min((segment.start_ns for segment in track.segments), default=0) + NS_PER_S // 10
    for source in sources:
        for start_ns, end_ns, was in reference.audio_levels(source):
            if was < MIN_MIX_POWER or start_ns - tap_ns < first:  # a decoder fades in
                continue
            now = track.power(start_ns - tap_ns, end_ns - tap_ns)
            if now is not None:
                loud_blocks += 1
                lost_blocks += 10 * math.log10(was / max(now, 1e-12)) > MAX_MIX_LOSS_DB
    if loud_blocks >= MIN_BLOCKS and lost_blocks * 2 > loud_blocks:
        raise ReadbackError("the mix is silent on the disk", "mix")


def _compare_picture(grid: Grid, near: list[Grid]) -> None:
    dark = float(grid.mean()) < BLACK_MEAN and float(grid.std()) < FLAT_DEVIATION
    if dark and all(float(live.mean()) > BRIGHT_MEAN for live in near):
        raise ReadbackError("the picture is black on the disk, the camera's is not", "camera")
    if float(grid.std()) < STRUCTURED_DEVIATION:
        return
    structured = [live for live in near if float(live.std()) >= STRUCTURED_DEVIATION]
    if structured and all(_correlation(grid, live) < MIN_CORRELATION for live in structured):
        raise ReadbackError(
            "the picture on the disk is not the camera's", "camera", is_doubtful=True
        )


def _correlation(first: Grid, second: Grid) -> float:
    """Return the correlation of two grids."""
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
