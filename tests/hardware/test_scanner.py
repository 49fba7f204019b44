"""The scanner through the real python-sane and sane-airscan, against eSCL on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from kiosk.alarms import ALARMS
from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.errors import (
    ScannerAbsentError,
    ScannerLostError,
    error_from_text,
)
from kiosk.hardware.scanner.events import (
    FaultCleared,
    PageMoving,
    PageReady,
    PaperExpected,
    ScanEvent,
    ScanFault,
    ScanFinished,
    ScannerOpened,
)
from kiosk.hardware.scanner.probe import probe_scanner
from kiosk.hardware.scanner.session import ScanSession
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.hardware.conftest import DPI, draw_sheet
from tests.hardware.scan_helpers import (
    faults_of,
    pages_of,
    scan,
    settings_for,
    sheets_in,
    with_timeout,
)


@pytest.fixture
def scanner() -> Iterator[VirtualScanner]:
    """Return an empty virtual scanner."""
    with VirtualScanner() as device:
        yield device


@pytest.mark.slow
def test_feeder_is_emptied_in_order(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:3])
    on_disk = []

    def react(event: ScanEvent) -> None:
        if isinstance(event, PageReady):
            on_disk.append(event.path.exists() and event.path.stat().st_size > 1000)

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert on_disk == [True, True, True]
    assert sheets_in(tmp_path) == [1, 2, 3]
    assert [page.number for page in pages_of(events)] == [1, 2, 3]
    assert events[-1] == ScanFinished((1, 2, 3), ())
    assert isinstance(events[0], ScannerOpened)
    assert events[0].options == {"source": "ADF", "mode": "Color", "resolution": DPI}
    assert not faults_of(events)


@pytest.mark.slow
def test_sheets_of_different_size(scanner: VirtualScanner, tmp_path: Path) -> None:
    a4 = draw_sheet(tmp_path / "a4.png", 1)
    a5 = draw_sheet(tmp_path / "a5.png", 2, (874, 1240))
    legal = draw_sheet(tmp_path / "legal.png", 3, (1275, 2100))
    scanner.load([a4, a5, legal])
    (folder := tmp_path / "pages").mkdir()
    scan(ScanSession(settings_for(scanner), folder))
    sizes = [Image.open(path).size for path in sorted(folder.glob("*.jpg"))]
    wanted = [(1240, 1754), (874, 1240), (1275, 2100)]
    for size, want in zip(sizes, wanted, strict=True):
        assert abs(size[0] - want[0]) <= 3
        assert abs(size[1] - want[1]) <= 3


@pytest.mark.slow
def test_waits_for_paper(scanner: VirtualScanner, sheets: list[Path], tmp_path: Path) -> None:
    def react(event: ScanEvent) -> None:
        if isinstance(event, PaperExpected):
            scanner.load(sheets[:1])

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert PaperExpected("feeder", (1,)) in events
    assert sheets_in(tmp_path) == [1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (VirtualScanner.jam, "scanner_jam"),
        (VirtualScanner.open_cover, "scanner_cover_open"),
    ],
)
def test_fault_in_the_feeder_keeps_good_pages_and_goes_on(
    scanner: VirtualScanner,
    sheets: list[Path],
    tmp_path: Path,
    break_it: Callable[[VirtualScanner, int], None],
    code: str,
) -> None:
    scanner.load(sheets[:4])
    break_it(scanner, 2)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            assert sheets_in(tmp_path) == [1, 2]
            scanner.clear_fault()

            session.confirm_sheet()

    session = ScanSession(settings_for(scanner), tmp_path)
    events = scan(session, react)
    assert faults_of(events) == [(code, 3)]
    assert events.index(FaultCleared(code)) < events.index(pages_of(events)[2])
    assert sheets_in(tmp_path) == [1, 2, 3, 4]


@pytest.mark.slow
def test_jam_that_lasts_is_told_once(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:2])
    scanner.jam(1)

    async def run() -> list[ScanEvent]:
        seen = []
        async with ScanSession(settings_for(scanner), tmp_path) as session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                if isinstance(event, ScanFault):
                    asyncio.get_running_loop().call_later(2.5, session.finish)
        return seen

    events = asyncio.run(run())
    assert faults_of(events) == [("scanner_jam", 2)]
    assert events[-1] == ScanFinished((1,), ())


@pytest.mark.slow
def test_half_a_page_is_not_kept_and_is_asked_for_again(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:3])
    scanner.send_half_page(1)

    def react(event: ScanEvent) -> None:
        if isinstance(event, PaperExpected):
            assert event.pages == (2,)
            scanner.load([sheets[1]])

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert faults_of(events) == [("page_incomplete", 2)]
    assert FaultCleared("page_incomplete") in events
    assert sheets_in(tmp_path) == [1, 2, 3]
    assert events[-1] == ScanFinished((1, 2, 3), ())


@pytest.mark.slow
def test_hang_is_noticed_the_child_killed_and_the_scan_goes_on(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:3])
    scanner.hang(1)
    pids = []

    async def run() -> list[ScanEvent]:
        seen = []
        session = ScanSession(settings_for(scanner, stall_seconds=4), tmp_path)
        async with session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                if isinstance(event, PageReady):
                    pids.append(session.child_pid)
                if isinstance(event, ScanFault):
                    assert sheets_in(tmp_path) == [1]
                    scanner.clear_fault()
                    session.confirm_sheet()
        return seen

    events = asyncio.run(run())
    assert faults_of(events) == [("scanner_stalled", 2)]
    assert FaultCleared("scanner_stalled") in events
    assert sheets_in(tmp_path) == [1, 2, 3]
    assert len(set(pids)) == 2
    for pid in pids:
        assert pid is not None
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_scanner_that_vanishes_comes_back_by_itself(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.disconnect()

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.load(sheets[:2])
            scanner.clear_fault()

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert faults_of(events) == [("scanner_lost", 1)]
    assert FaultCleared("scanner_lost") in events
    assert sheets_in(tmp_path) == [1, 2]


@pytest.mark.slow
def test_child_killed_in_the_middle_is_replaced(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    async def run() -> list[ScanEvent]:
        seen = []
        session = ScanSession(settings_for(scanner), tmp_path)
        async with session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                if isinstance(event, PaperExpected) and len(seen) == 2:
                    assert session.child_pid is not None
                    os.kill(session.child_pid, signal.SIGKILL)
                if isinstance(event, ScanFault):
                    scanner.load(sheets[:2])
        return seen

    events = asyncio.run(run())
    assert faults_of(events) == [("scanner_stalled", 1)]
    assert sheets_in(tmp_path) == [1, 2]


@pytest.mark.slow
def test_busy_scanner_is_told_only_when_it_lasts(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:1])
    scanner.set_busy()

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.clear_fault()

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert faults_of(events) == [("scanner_busy", 1)]
    assert sheets_in(tmp_path) == [1]


@pytest.mark.slow
def test_glass_takes_one_page_each_time(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    async def run() -> list[ScanEvent]:
        seen = []
        async with ScanSession(settings_for(scanner), tmp_path) as session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                if isinstance(event, PaperExpected):
                    if event.pages == (3,):
                        session.finish()
                    else:
                        scanner.lay_on_glass(sheets[event.pages[0] - 1])
                        session.select_source("glass")
        return seen

    events = asyncio.run(run())
    assert sheets_in(tmp_path) == [1, 2]
    assert events[-1] == ScanFinished((1, 2), ())


@pytest.mark.slow
def test_scanner_without_feeder_takes_the_glass_by_itself(
    sheets: list[Path], tmp_path: Path
) -> None:
    async def run(device: VirtualScanner) -> list[ScanEvent]:
        seen = []
        async with ScanSession(settings_for(device), tmp_path) as session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                if isinstance(event, PaperExpected):
                    assert event.source == "glass"
                    if event.pages == (2,):
                        session.finish()
                    session.select_source("glass")
        return seen

    with VirtualScanner(feeder=False) as device:
        device.lay_on_glass(sheets[3])
        events = asyncio.run(run(device))
    assert sheets_in(tmp_path) == [4]
    assert not faults_of(events)


@pytest.mark.slow
def test_both_sides(scanner: VirtualScanner, sheets: list[Path], tmp_path: Path) -> None:
    scanner.load([(sheets[0], sheets[1]), (sheets[2], sheets[3])])
    scan(ScanSession(settings_for(scanner), tmp_path, duplex=True))
    assert sheets_in(tmp_path) == [1, 2, 3, 4]


@pytest.mark.slow
def test_retake_of_one_page_leaves_the_others(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:3])
    scan(ScanSession(settings_for(scanner), tmp_path))
    scanner.load([sheets[4]])
    events = scan(ScanSession(settings_for(scanner), tmp_path, first_page=4, missing=(2,)))
    assert sheets_in(tmp_path) == [1, 5, 3]
    assert events[-1] == ScanFinished((2,), ())


def test_cancel_while_it_hangs_is_fast(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:2])
    scanner.hang(0)

    async def run() -> tuple[float, int]:
        session = ScanSession(settings_for(scanner), tmp_path)
        loop = asyncio.get_running_loop()
        async with session:
            async for event in session.events():
                if isinstance(event, ScannerOpened):
                    pid = session.child_pid
                    asked = loop.time()
                    session.finish()
        assert pid is not None
        return loop.time() - asked, pid

    seconds, pid = asyncio.run(run())
    assert seconds < 10
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_probe_tells_what_answers_and_what_does_not(scanner: VirtualScanner) -> None:
    info = asyncio.run(probe_scanner(settings_for(scanner)))
    assert info.back_end == "airscan"
    assert info.options["resolution"] == DPI
    scanner.disconnect()
    with pytest.raises(ScannerLostError):
        asyncio.run(probe_scanner(settings_for(scanner)))


@pytest.mark.slow
def test_no_scanner_configured(tmp_path: Path) -> None:
    async def run() -> list[ScanEvent]:
        seen = []
        async with ScanSession(ScannerSettings(), tmp_path) as session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                session.finish()
        return seen

    assert faults_of(asyncio.run(run())) == [("scanner_absent", 1)]
    with pytest.raises(ScannerAbsentError):
        asyncio.run(probe_scanner(ScannerSettings()))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Document feeder jammed", "scanner_jam"),
        ("Document feeder out of documents", "scanner_no_paper"),
        ("Scanner cover is open", "scanner_cover_open"),
        ("Device busy", "scanner_busy"),
        ("Error during device I/O", "scanner_lost"),
        ("Operation was canceled", "page_incomplete"),
        ("Operation was cancelled", "page_incomplete"),
        ("Scanner returned no data", "page_incomplete"),
        ("Something new", "scanner_failed"),
    ],
)
def test_what_sane_says(text: str, code: str) -> None:
    assert error_from_text(text).code == code
    assert code in ALARMS


@pytest.mark.slow
def test_moving_is_told_before_the_page(
    scanner: VirtualScanner, sheets: list[Path], tmp_path: Path
) -> None:
    scanner.load(sheets[:1])
    events = scan(ScanSession(settings_for(scanner), tmp_path))
    kinds = [type(event) for event in events]
    assert kinds.index(PageMoving) < kinds.index(PageReady)
