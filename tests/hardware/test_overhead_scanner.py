"""The overhead camera through ScanSession, with photographs in place of the camera."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kiosk.config import OverheadCameraSettings, ScannerSettings
from kiosk.hardware.scanner.errors import ScannerAbsentError, ScannerLostError
from kiosk.hardware.scanner.events import (
    FaultCleared,
    PageReady,
    PaperExpected,
    ScanEvent,
    ScanFault,
    ScanFinished,
    ScannerOpened,
)
from kiosk.hardware.scanner.probe import probe_scanner
from kiosk.hardware.scanner.session import ScanSession
from tests.support.desk_photographs import A4_CORNERS, draw_page, likeness, photograph


def settings_for(pictures: Path | None) -> ScannerSettings:
    """Return settings that play ``pictures``."""
    overhead = OverheadCameraSettings(back_end="virtual", pictures=pictures, still_seconds=0.3)
    return ScannerSettings(kind="overhead", overhead=overhead)


def play(folder: Path, *pictures: Image.Image) -> Path:
    """Write ``pictures`` into ``folder`` in their order."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:03d}.jpg", quality=92)
    return folder


def two_pages(folder: Path) -> Path:
    """Return a desk on which two pages are laid after each other; the last stays."""
    lower = tuple((x - 40, y + 14) for x, y in A4_CORNERS)
    return play(
        folder,
        photograph(None),
        photograph(draw_page(1)),
        photograph(draw_page(1), hand=True),
        photograph(draw_page(1), seed=5),
        photograph(None, hand=True),
        photograph(draw_page(2), lower),
    )


def scan(session: ScanSession, react: Callable[[ScanEvent], None]) -> list[ScanEvent]:
    """Run a session to its end; ``react`` is called with each event."""

    async def run() -> list[ScanEvent]:
        seen: list[ScanEvent] = []
        async with asyncio.timeout(60), session:
            async for event in session.events():
                seen.append(event)
                react(event)
        return seen

    return asyncio.run(run())


def finish_after(session: ScanSession, page: int) -> Callable[[ScanEvent], None]:
    """Return a reaction that ends the session once ``page`` is there and the next is awaited."""

    def react(event: ScanEvent) -> None:
        if isinstance(event, PaperExpected) and event.pages == (page + 1,):
            session.finish()

    return react


@pytest.mark.slow
def test_two_pages_each_once(tmp_path: Path) -> None:
    session = ScanSession(settings_for(two_pages(tmp_path / "desk")), tmp_path)
    events = scan(session, finish_after(session, 2))
    assert isinstance(events[0], ScannerOpened)
    assert events[1] == PaperExpected("feeder", (1,))
    pages = [event for event in events if isinstance(event, PageReady)]
    assert [page.number for page in pages] == [1, 2]
    assert events[-1] == ScanFinished((1, 2), ())
    for page, seed in zip(pages, (1, 2), strict=True):
        with Image.open(page.path) as image:
            assert image.size == (page.width, page.height)
            dots = image.info["dpi"][0]
            assert abs(image.height / dots * 25.4 - 297) < 1
            assert likeness(image, draw_page(seed)) > 0.9


@pytest.mark.slow
def test_retake_takes_its_page_and_ends(tmp_path: Path) -> None:
    folder = play(tmp_path / "desk", photograph(draw_page(7)))
    session = ScanSession(settings_for(folder), tmp_path, first_page=4, missing=(2,))
    events = scan(session, lambda _event: None)
    assert [event.number for event in events if isinstance(event, PageReady)] == [2]
    assert events[-1] == ScanFinished((2,), ())


@pytest.mark.slow
def test_glass_and_feeder_are_not_asked_for(tmp_path: Path) -> None:
    folder = play(tmp_path / "desk", photograph(draw_page(7)))
    session = ScanSession(settings_for(folder), tmp_path, source="glass", duplex=True)
    session.select_source("glass")
    events = scan(session, finish_after(session, 1))
    assert [event.number for event in events if isinstance(event, PageReady)] == [1]


@pytest.mark.slow
def test_lost_camera_comes_back_and_takes_no_page_twice(tmp_path: Path) -> None:
    folder = play(tmp_path / "desk", photograph(draw_page(1)))
    away = tmp_path / "away"
    session = ScanSession(settings_for(folder), tmp_path)

    def react(event: ScanEvent) -> None:
        if isinstance(event, PageReady) and event.number == 1:
            folder.rename(away)
        elif isinstance(event, ScanFault):
            photograph(None).save(away / "001.jpg")
            photograph(draw_page(2)).save(away / "002.jpg", quality=92)
            away.rename(folder)
        else:
            finish_after(session, 2)(event)

    events = scan(session, react)
    faults = [event for event in events if isinstance(event, ScanFault)]
    assert [(fault.code, fault.page) for fault in faults] == [("scanner_lost", 2)]
    assert FaultCleared("scanner_lost") in events
    pages = [event for event in events if isinstance(event, PageReady)]
    assert [page.number for page in pages] == [1, 2]
    with Image.open(pages[1].path) as image:
        assert likeness(image, draw_page(2)) > 0.9


def test_probe_tells_the_camera(tmp_path: Path) -> None:
    folder = play(tmp_path / "desk", photograph(None))
    assert settings_for(folder).fitted
    info = asyncio.run(probe_scanner(settings_for(folder)))
    assert (info.device, info.library, info.back_end) == ("overhead camera 1", "Pillow", "virtual")
    assert (info.options["width"], info.options["height"]) == (1600, 1200)


@pytest.mark.slow
def test_probe_without_a_camera_says_why(tmp_path: Path) -> None:
    with pytest.raises(ScannerAbsentError):
        asyncio.run(probe_scanner(settings_for(None)))
    with pytest.raises(ScannerLostError):
        asyncio.run(probe_scanner(settings_for(tmp_path / "nowhere")))
    real = ScannerSettings(kind="overhead")
    with pytest.raises((ScannerAbsentError, ScannerLostError)):
        asyncio.run(probe_scanner(real))
