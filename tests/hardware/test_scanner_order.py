"""Every page in its place, whatever happens to a sheet on its way; through python-sane."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.hardware.scanner.escl_status import feeder_state, status_url
from kiosk.hardware.scanner.events import (
    PageReady,
    PaperExpected,
    ScanEvent,
    ScanFault,
    ScanFinished,
    SheetExpected,
)
from kiosk.hardware.scanner.session import ScanSession
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.hardware.conftest import draw_sheet
from tests.hardware.scan_helpers import faults_of, pages_of, scan, settings_for, sheets_in
from tests.support.waiting import wait_for


@pytest.fixture
def scanner(sheets: list[Path]) -> Iterator[VirtualScanner]:
    """Return a virtual scanner with five sheets in the feeder."""
    with VirtualScanner(sheets) as device:
        yield device


def jam(scanner: VirtualScanner) -> None:
    """Jam with the third sheet inside."""
    scanner.jam(2, sheets=1)


def open_cover(scanner: VirtualScanner) -> None:
    """Open the cover with the third sheet half drawn in."""
    scanner.open_cover(2, sheets=1)


BREAKS = pytest.mark.parametrize(
    ("break_it", "code"), [(jam, "scanner_jam"), (open_cover, "scanner_cover_open")]
)


@pytest.mark.slow
@BREAKS
def test_cover_is_closed_before_the_sheet_is_back(
    scanner: VirtualScanner,
    tmp_path: Path,
    break_it: Callable[[VirtualScanner], None],
    code: str,
) -> None:
    break_it(scanner)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.clear_fault()
        if isinstance(event, SheetExpected):
            assert sheets_in(tmp_path) == [1, 2]  # sheet 4 is in the feeder but is not scanned
            scanner.put_sheets_back()
            session.confirm_sheet()

    session = ScanSession(settings_for(scanner), tmp_path)
    events = scan(session, react)
    assert faults_of(events) == [(code, 3)]
    assert SheetExpected(code, 3) in events
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]
    assert events[-1] == ScanFinished((1, 2, 3, 4, 5), ())


@pytest.mark.slow
@BREAKS
def test_nobody_answers_and_the_sheet_comes_at_the_end(
    scanner: VirtualScanner,
    tmp_path: Path,
    break_it: Callable[[VirtualScanner], None],
    code: str,
) -> None:
    break_it(scanner)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.clear_fault()
        if isinstance(event, PaperExpected):
            assert event.pages == (3,)
            scanner.put_sheets_back()

    events = scan(ScanSession(settings_for(scanner, reload_seconds=0), tmp_path), react)
    assert faults_of(events) == [(code, 3)]
    assert [page.number for page in pages_of(events)] == [1, 2, 4, 5, 3]
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_sheet_that_was_put_back_unsaid_keeps_the_order(
    scanner: VirtualScanner, tmp_path: Path
) -> None:
    jam(scanner)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.put_sheets_back()
            scanner.clear_fault()
        if isinstance(event, PaperExpected):
            session.finish()

    session = ScanSession(settings_for(scanner, reload_seconds=0), tmp_path)
    events = scan(session, react)
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]
    assert events[-1] == ScanFinished((1, 2, 4, 5, 6), (3,))


@pytest.mark.slow
def test_whole_stack_taken_out_and_put_back_needs_no_word(
    scanner: VirtualScanner, tmp_path: Path
) -> None:
    scanner.jam(2, sheets=3)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            scanner.clear_fault()
        if isinstance(event, SheetExpected):
            scanner.put_sheets_back()

    events = scan(ScanSession(settings_for(scanner), tmp_path), react)
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]
    assert events[-1] == ScanFinished((1, 2, 3, 4, 5), ())


@pytest.mark.slow
def test_double_feed_is_reported_and_both_sheets_come_again(
    scanner: VirtualScanner, tmp_path: Path
) -> None:
    scanner.double_feed(1)

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            assert sheets_in(tmp_path) == [1]
            scanner.put_sheets_back()
            scanner.clear_fault()
            session.confirm_sheet()

    session = ScanSession(settings_for(scanner), tmp_path)
    events = scan(session, react)
    assert faults_of(events) == [("scanner_double_feed", 2)]
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_jam_between_two_sides_takes_the_whole_sheet_again(
    sheets: list[Path], tmp_path: Path
) -> None:
    with VirtualScanner([(sheets[0], sheets[1]), (sheets[2], sheets[3])]) as scanner:
        scanner.jam(3)

        def react(event: ScanEvent) -> None:
            if isinstance(event, ScanFault):
                assert sheets_in(tmp_path) == [1, 2, 3]
                scanner.load([(sheets[2], sheets[3])])  # the sheet that was half through
                scanner.clear_fault()
                session.confirm_sheet()

        session = ScanSession(settings_for(scanner), tmp_path, duplex=True)
        events = scan(session, react)
    assert faults_of(events) == [("scanner_jam", 3)]
    assert sheets_in(tmp_path) == [1, 2, 3, 4]
    assert events[-1] == ScanFinished((1, 2, 3, 4), ())


@pytest.mark.slow
def test_page_that_is_missing_waits_until_the_feeder_is_empty(
    sheets: list[Path], tmp_path: Path
) -> None:
    """A half page, then a jam: the new process does not take sheet 3 for sheet 2."""
    with VirtualScanner(sheets, seconds_per_page=1.0) as scanner:
        scanner.send_half_page(1)

        def react(event: ScanEvent) -> None:
            if isinstance(event, ScanFault) and event.code == "page_incomplete":
                scanner.jam(0, sheets=1)
            elif isinstance(event, ScanFault):
                scanner.put_sheets_back()
                scanner.clear_fault()
                session.confirm_sheet()
            if isinstance(event, PaperExpected):
                assert event.pages == (2,)
                scanner.load([sheets[1]])

        session = ScanSession(settings_for(scanner), tmp_path)
        scan(session, react)
    assert sheets_in(tmp_path) == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_cover_opened_after_the_last_sheet_does_not_forget_a_missing_page(
    sheets: list[Path], tmp_path: Path
) -> None:
    with VirtualScanner(sheets[:3], seconds_per_page=1.0) as scanner:
        scanner.send_half_page(1)

        def react(event: ScanEvent) -> None:
            if isinstance(event, ScanFault) and event.code == "page_incomplete":
                wait_for(lambda: scanner.sheets_left == 0, "sheet 3 on its way")
                scanner.open_cover()
            elif isinstance(event, ScanFault):
                scanner.clear_fault()
            if isinstance(event, PaperExpected):
                assert event.pages == (2,)
                scanner.load([sheets[1]])

        session = ScanSession(settings_for(scanner, reload_seconds=0), tmp_path)
        events = scan(session, react)
    assert [code for code, _ in faults_of(events)] == ["page_incomplete", "scanner_cover_open"]
    assert sheets_in(tmp_path) == [1, 2, 3]
    assert events[-1] == ScanFinished((1, 2, 3), ())


@pytest.mark.slow
def test_sixty_sheets_need_no_more_memory_than_ten(tmp_path: Path) -> None:
    paper = [draw_sheet(tmp_path / f"{n}.png", 1 + n % 5, (874, 900)) for n in range(5)]
    (folder := tmp_path / "pages").mkdir()
    sizes: dict[int, int] = {}

    def react(event: ScanEvent) -> None:
        if isinstance(event, PageReady):  # the next page is on its way, or is not
            sizes[event.number] = resident(session.child_pid)

    with VirtualScanner(paper * 12) as scanner:
        session = ScanSession(settings_for(scanner), folder)
        events = scan(session, react)
    assert len(pages_of(events)) == 60
    first, last = (max(sizes[n] for n in range(end - 9, end + 1)) for end in (12, 55))
    assert last < first + (8 << 20)


def resident(pid: int | None) -> int:
    """Return the bytes of memory that process ``pid`` uses."""
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * resource.getpagesize()


def test_where_the_status_is(tmp_path: Path) -> None:
    (tmp_path / "airscan.conf").write_text(
        '# scanners\n[devices]\n"Desk" = https://10.0.0.7:443/eSCL/, eSCL\n'
        "Old = http://10.0.0.8/wsd, WSD\n[options]\ndiscovery = disable\n",
        encoding="utf-8",
    )
    wanted = "https://10.0.0.7:443/eSCL/ScannerStatus"
    assert status_url("airscan:e0:Desk", tmp_path) == wanted
    assert status_url("airscan:e1:Old", tmp_path) is None
    assert status_url("airscan:e0:Nobody", tmp_path) is None
    assert status_url("fujitsu:fi-7160:123", tmp_path) is None
    assert status_url("airscan:e0:Desk", tmp_path / "absent") is None


def test_scanner_that_does_not_answer_is_gone(scanner: VirtualScanner) -> None:
    url = status_url(scanner.device, scanner.config_dir)
    assert url is not None
    assert feeder_state(url) == "loaded"
    scanner.disconnect()
    assert feeder_state(url) == "gone"
