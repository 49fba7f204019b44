"""The touch screen as a process, with real clicks: one process per flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.api.rehearsal import Rehearsal
from kiosk.demo.x_server import Display
from kiosk.filing.printing.receipt import status_reference
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.hardware.virtual.claim_pages import draw_claim_page, simulate_scan
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.ui.samples import service_states as sample_data
from tests.support.waiting import wait_for
from tests.ui.fake_services import FakeRecorder
from tests.ui.touch_screen import SECONDS, TouchScreen

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("sync")
def test_secretary_records_a_hearing_with_single_taps(
    folder: Path,
    display: Display,
    recorder: FakeRecorder,
    badge: VirtualBadgeReader,
) -> None:
    """Badge, rehearsal, start, question, mark, undo, recess, resume, end, delivered, out."""
    recorder.answers["/v1/rehearsal"] = Rehearsal(seconds=8.0, played="headset").to_json()
    with TouchScreen(folder, display, {"badge": {"port": badge.port}}) as screen:
        screen.wait_screen("visitor.home")
        badge.scan("badge-of-nobody")
        assert "бейдж" in screen.text("notice")
        badge.scan("badge-secretary")
        screen.wait_screen("secretary.today")
        wait_for(
            lambda: sample_data.LIST[0]["case_number"] in screen.text("today.start"), "the list"
        )
        assert "09:03" in screen.text("ready.mic.judge")
        screen.tap("today.rehearsal")
        screen.wait_screen("secretary.rehearsal")
        screen.tap("rehearsal.begin")
        wait_for(lambda: screen.widget("ready.played"), "what came of the rehearsal", SECONDS)
        screen.tap("back")
        screen.wait_screen("secretary.today")
        screen.tap("today.start")
        screen.wait_screen("secretary.recording")
        assert recorder.paths().count("/v1/hearings") == 1
        screen.tap("ask.format.offline")
        wait_for(lambda: not screen.widget("question.text"), "the question to go", SECONDS)
        screen.tap("rec.mark.opening")
        screen.tap("rec.undo")
        wait_for(lambda: recorder.state["hearing"]["marks"][0].get("withdrawn"), "the undo")
        screen.tap("rec.recess")
        screen.wait_screen("secretary.recess")
        recorder.refusals["/v1/hearing/resume"] = "storage_failed"
        screen.tap("rec.resume")
        wait_for(lambda: screen.text("notice"), "why it is not resumed", SECONDS)
        recorder.refusals.clear()
        screen.tap("rec.resume")  # "tap again", says the remedy: nothing else has changed
        screen.wait_screen("secretary.recording")
        screen.tap("rec.end")
        screen.tap("rec.end.cancel")
        assert "/v1/hearing/end" not in recorder.paths()
        screen.tap("rec.end")
        screen.tap("rec.end.confirm")
        screen.wait_screen("secretary.delivery")
        wait_for(lambda: "сәйкес" in screen.text("delivery.text"), "the delivery", SECONDS)
        screen.tap("sealed.done")
        screen.wait_screen("secretary.today")
        screen.tap("staff.signout")
        screen.wait_screen("visitor.home")


@pytest.mark.usefixtures("sync")
def test_killed_screen_comes_back_onto_the_running_hearing(
    folder: Path,
    display: Display,
    recorder: FakeRecorder,
    badge: VirtualBadgeReader,
) -> None:
    """Kill -9: it shows the running hearing before anybody signs in, then all of it."""
    with TouchScreen(folder, display, {"badge": {"port": badge.port}}) as screen:
        badge.scan("badge-secretary")
        screen.wait_screen("secretary.today")
        screen.tap("today.start")
        screen.wait_screen("secretary.recording")
        screen.kill()
        recorder.publish(hearing={**recorder.state["hearing"], "seconds": 754.0})
        screen.start()
        screen.wait_screen("secretary.lock")
        assert screen.text("rec.timer").startswith("0:12:")
        screen.tap("staff.enter")
        screen.tap("people.1")
        for digit in "1234":
            screen.tap(f"pin.{digit}")
        screen.tap("pin.ok")
        screen.wait_screen("secretary.recording")
        assert recorder.paths().count("/v1/hearings") == 1


@pytest.mark.usefixtures("sync")
def test_recorder_gone_is_said_and_leaves_by_itself(
    folder: Path, display: Display, recorder: FakeRecorder
) -> None:
    """The screen says when the recorder is gone, and when it is back."""
    recorder.publish(**sample_data.recording())
    with TouchScreen(folder, display) as screen:
        screen.wait_screen("secretary.lock")
        screen.tap("staff.enter")
        screen.tap("people.1")
        for digit in "1234":
            screen.tap(f"pin.{digit}")
        screen.tap("pin.ok")
        screen.wait_screen("secretary.recording")
        recorder.stop()
        assert screen.text("alarm.recorder_down")
        recorder.start()
        wait_for(lambda: not screen.widget("alarm.recorder_down"), "the alarm to go", SECONDS)


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("recorder", "sync")
def test_visitor_hands_in_a_paper_and_finds_it_again(
    folder: Path,
    display: Display,
    badge: VirtualBadgeReader,
) -> None:
    """Real scanner library, a jam that goes by itself, a receipt without printer, the QR code."""
    sheets = []
    for number in (1, 2):
        sheet = folder / f"sheet-{number}.png"
        page = simulate_scan(draw_claim_page(number), 0.4, seed=number)
        page.reduce(2).save(sheet, dpi=(150, 150))
        sheets.append(sheet)
    with VirtualScanner() as scanner:
        tables: dict[str, dict[str, Any]] = {
            "badge": {"port": badge.port},
            "scanner": {
                "device": scanner.device,
                "sane_config_dir": str(scanner.config_dir),
                "resolution": 150,
            },
        }
        with TouchScreen(folder, display, tables) as screen:
            screen.tap("lang.ru")
            wait_for(lambda: screen.screen().get("language") == "ru", "Russian", SECONDS)
            screen.tap("home.file")
            screen.tap("type.claim")
            screen.tap("case.new.civil")
            screen.tap("who.done")
            screen.wait_screen("visitor.insert_paper")
            scanner.jam(after=1, sheets=1)
            scanner.load(sheets)
            screen.wait_screen("visitor.scan_fault")
            assert "застряла" in screen.text("scan.title")
            assert "1 страница" in screen.text("scan.count")
            scanner.clear_fault()
            seen = scanner.status_count
            wait_for(lambda: scanner.status_count > seen + 1, "the feeder seen empty", SECONDS)
            scanner.put_sheets_back()
            screen.wait_screen("visitor.page_review")
            wait_for(lambda: screen.widget("page.2"), "the second page", SECONDS)
            screen.tap("page.1")
            screen.tap("pages.rotate")
            screen.tap("pages.delete")
            screen.tap("pages.undo")
            wait_for(lambda: screen.widget("page.2"), "the page to be back", SECONDS)
            screen.tap("pages.done")
            screen.tap("sheets.2")
            screen.tap("slots.done")
            screen.tap("pages.submit")
            screen.wait_screen("visitor.receipt")
            assert screen.text("receipt.number") == "7514-26-00-4/1187"
            wait_for(lambda: screen.widget("receipt.printer"), "the printer's line", SECONDS)
            screen.tap("receipt.done")
            screen.wait_screen("visitor.home")
            wait_for(lambda: screen.screen().get("language") == "kk", "Kazakh again", SECONDS)
        (filing,) = screen.paths.filings.iterdir()
        with Image.open(filing / "receipt.png") as receipt:
            assert receipt.width == 576
        with TouchScreen(folder, display, tables) as screen:
            screen.wait_screen("visitor.home")
            badge.scan(status_reference(filing.name))
            screen.wait_screen("visitor.document_status")
            assert screen.text("track.answer") == "Қабылданды"
