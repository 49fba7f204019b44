"""The sheet in a photograph of a desk: found, flattened, compared with another one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kiosk.hardware.scanner.page_finder import find_page, to_preview
from kiosk.hardware.scanner.page_flattener import make_scan, sheet_size_mm
from kiosk.hardware.scanner.still_page_detector import StillPageDetector, TakenPage
from tests.support.desk_photographs import (
    A4_CORNERS,
    Corners,
    draw_page,
    likeness,
    photograph,
)

pytestmark = pytest.mark.slow

TURNED: Corners = ((600.0, 100.0), (1213.0, 320.0), (927.0, 1107.0), (320.0, 887.0))
ACROSS: Corners = ((220.0, 200.0), (1387.0, 220.0), (1413.0, 1047.0), (200.0, 1000.0))


@pytest.mark.parametrize("corners", [A4_CORNERS, TURNED, ACROSS], ids=["upright", "turned", "wide"])
def test_corners_are_found_within_a_few_pixels(corners: Corners) -> None:
    picture = photograph(draw_page(1), corners)
    grey = to_preview(picture)
    found = find_page(grey)
    assert found is not None
    away = np.abs(found * (picture.width / grey.width) - np.array(corners)).max()
    assert away < 5


def test_text_is_readable_after_flattening() -> None:
    page = draw_page(2)
    picture = photograph(page)
    grey = to_preview(picture)
    found = find_page(grey)
    assert found is not None
    scan, dots = make_scan(picture, found * 2, "auto", 0, 300)
    assert 80 <= dots <= 95
    assert scan.size == (round(210 / 25.4 * dots), round(297 / 25.4 * dots))
    assert likeness(scan, page) > 0.93
    assert likeness(scan, draw_page(3)) < 0.7


@pytest.mark.parametrize(
    "picture",
    [
        photograph(None),
        photograph(draw_page(1), hand=True),
        photograph(draw_page(1), ((460, -54), (1120, -40), (1180, 1000), (400, 986))),
        photograph(None, desk=240),
    ],
    ids=["empty", "hand on it", "cut off", "bright desk"],
)
def test_no_page_is_no_page(picture: Image.Image) -> None:
    assert find_page(to_preview(picture)) is None


def test_page_of_desks_own_colour_is_not_found() -> None:
    assert find_page(to_preview(photograph(draw_page(1), desk=245))) is None


def test_format_comes_from_shape_scale_and_setting() -> None:
    def upright(width: float, height: float) -> np.ndarray:
        return np.array([(0, 0), (width, 0), (width, height), (0, height)])

    assert sheet_size_mm(upright(700, 990), "auto", None) == (210.0, 297.0)
    assert sheet_size_mm(upright(990, 700), "auto", None) == (297.0, 210.0)
    assert sheet_size_mm(upright(700, 990), "auto", 0.21) == (148.0, 210.0)
    assert sheet_size_mm(upright(700, 990), "a5", None) == (148.0, 210.0)
    assert sheet_size_mm(upright(773, 1000), "auto", None) == (215.9, 279.4)
    width, height = sheet_size_mm(upright(300, 1000), "auto", None)
    assert (round(width), round(height)) == (89, 297)


def test_resolution_is_never_more_than_was_seen_or_asked_for() -> None:
    picture = photograph(draw_page(1))
    corners = np.array(A4_CORNERS)
    assert make_scan(picture, corners, "auto", 0, 72)[1] == 72
    assert make_scan(picture, corners, "auto", 0, 600)[1] < 95


def test_page_is_ready_when_still_and_only_once() -> None:
    detector = StillPageDetector(1.0)
    first = [to_preview(photograph(draw_page(1), seed=seed)) for seed in range(3)]
    empty = to_preview(photograph(None))
    assert detector.observe(empty, 0.0) == "nothing"
    assert detector.observe(first[0], 0.2) == "moving"
    assert detector.observe(first[1], 0.8) == "moving"
    assert detector.observe(first[2], 1.3) == "ready"
    corners = find_page(first[2])
    assert corners is not None
    detector.mark_taken(TakenPage.from_preview(first[2], corners))
    assert detector.observe(first[0], 1.5) == "taken"
    assert detector.observe(to_preview(photograph(draw_page(1), hand=True)), 1.7) == "nothing"
    assert [detector.observe(first[0], now) for now in (2.0, 2.5, 3.1)] == [
        "moving",
        "moving",
        "taken",
    ]
    assert detector.observe(empty, 4.0) == "nothing"
    assert [detector.observe(first[0], now) for now in (5.0, 5.5, 6.1)] == [
        "moving",
        "moving",
        "ready",
    ]


def test_page_laid_on_the_last_one_is_another_page() -> None:
    first, second = (to_preview(photograph(draw_page(seed), seed=seed)) for seed in (1, 2))
    nudged: Corners = tuple((x + 17, y + 9) for x, y in A4_CORNERS)
    corners, others = find_page(first), find_page(second)
    assert corners is not None
    assert others is not None
    taken = TakenPage.from_json(TakenPage.from_preview(first, corners).to_json())
    assert not taken.matches(second, others)
    moved = to_preview(photograph(draw_page(1), nudged, seed=9))
    found = find_page(moved)
    assert found is not None
    assert taken.matches(moved, found)
