"""The demo's scenario in three steps: a visitor, a secretary, a technician.

Each step uses only the touch screen, the scanner's tray, the badge and the voices in the courtroom;
each records the facts that the report reads back afterwards.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.demo.courtroom import Courtroom
from kiosk.demo.processes import wait_until
from kiosk.demo.screen_driver import ScreenDriver, get_json

PART_SECONDS = (11.0, 9.0)
"""Seconds recorded in the first and the second part."""
IIN = "900101300017"
"""Identification number of the applicant: the check digit is right, but nobody has it."""
NAME = "ҚАЛИ Ә"


@dataclass
class DemoResult:
    """What the screen showed, to be compared with the disk and the central system."""

    filing_taps: int = 0
    registration_number: str = ""
    tap_ns: int = 0
    hearing_id: str = ""
    tap_to_first_durable_ms: float | None = None
    marks: list[str] = field(default_factory=list)
    report_text: str = ""


def widget_text(driver: ScreenDriver, widget: str) -> str:
    """Return the text that ``widget`` shows now, or an empty string."""
    for item in driver.read_screen().get("widgets", []):
        if item["id"] == widget:
            return str(item["text"])
    return ""


def file_documents(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A visitor hands in a three-page statement of claim, in Kazakh."""
    driver.wait_screen("visitor.home", seconds=60)
    driver.tap("lang.kk")
    driver.take_screenshot("visitor-home")
    before = driver.taps
    driver.tap("home.file")
    driver.wait_screen("visitor.document_type")
    driver.take_screenshot("visitor-type")
    driver.tap("type.claim")
    driver.wait_screen("visitor.case")
    driver.take_screenshot("visitor-case")
    driver.tap("case.new.civil")
    driver.wait_screen("visitor.applicant")
    _type_applicant(driver)
    driver.take_screenshot("visitor-who")
    driver.tap("who.done")
    driver.wait_screen("visitor.insert_paper")
    driver.take_screenshot("visitor-feed")
    demo.load_scanner()
    driver.wait_screen("visitor.scanning", "visitor.page_review")  # it feeds the paper by itself
    driver.take_screenshot("visitor-scanning")
    driver.wait_screen("visitor.page_review", seconds=60)
    driver.take_screenshot("visitor-pages")
    driver.tap("pages.done")
    driver.wait_screen("visitor.sheet_count")
    driver.take_screenshot("visitor-sheets")
    driver.tap("sheets.3")
    driver.wait_screen("visitor.documents")
    driver.take_screenshot("visitor-slots")
    driver.tap("slots.done")
    driver.wait_screen("visitor.summary")
    driver.take_screenshot("visitor-confirm")
    driver.tap("pages.submit")
    driver.wait_screen("visitor.receipt", seconds=60)
    result.filing_taps = driver.taps - before
    result.registration_number = wait_until(
        lambda: widget_text(driver, "receipt.number"), "the registration number"
    )
    demo.wait_printed_receipt()
    driver.take_screenshot("visitor-receipt")
    driver.tap("receipt.done")
    driver.wait_screen("visitor.home")


def _type_applicant(driver: ScreenDriver) -> None:
    """Type number and name; the keys are typing and do not count as taps."""
    before = driver.taps
    for key in (*IIN, *NAME):
        driver.tap(f"key.{'space' if key == ' ' else key}")
    driver.taps = before


def record_hearing(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A secretary records a hearing in two parts, from one tap to the delivered record."""
    demo.show_badge("secretary")
    driver.wait_screen("secretary.today")
    driver.wait_widget("today.start")
    driver.take_screenshot("secretary-today")
    demo.play_voices()
    result.tap_ns = recording_ns()
    driver.tap("today.start")
    driver.wait_screen("secretary.recording")
    hearing = wait_until(lambda: _recorder_state(demo).get("hearing"), "the hearing")
    result.hearing_id = str(hearing["id"])
    _record_part(demo, driver, result, 1)
    driver.take_screenshot("secretary-recording")
    driver.tap("rec.recess")
    driver.wait_screen("secretary.recess")
    driver.take_screenshot("secretary-recess")
    driver.tap("rec.resume")
    driver.wait_screen("secretary.recording")
    _record_part(demo, driver, result, 2)
    driver.tap("rec.end")
    driver.wait_widget("rec.end.confirm")
    driver.take_screenshot("secretary-end")
    driver.tap("rec.end.confirm")
    driver.wait_screen("secretary.sealing", "secretary.delivery", seconds=60)
    driver.wait_screen("secretary.delivery", seconds=60)
    demo.wait_delivered("hearings", result.hearing_id)
    driver.take_screenshot("secretary-delivered")
    driver.tap("sealed.done")
    driver.wait_screen("secretary.today", "visitor.home")
    driver.tap("staff.signout")
    driver.wait_screen("visitor.home")


def run_self_test(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A technician runs every self-test with one button; the report is delivered."""
    demo.show_badge("technician")
    driver.wait_screen("technician.self_test")
    driver.take_screenshot("technician-before")
    known = demo.report_ids()
    demo.play_voices()
    demo.load_scanner()
    driver.tap("tech.run_all")
    while not demo.report_ids() - known:
        _answer_questions(demo, driver)
        time.sleep(0.2)
    (report,) = demo.report_ids() - known
    result.report_text = wait_until(
        lambda: widget_text(driver, "tech.report"), "the report's message"
    )
    demo.wait_delivered("reports", report)
    driver.take_screenshot("technician-after")
    driver.tap("staff.signout")
    driver.wait_screen("visitor.home")


def _answer_questions(demo: Courtroom, driver: ScreenDriver) -> None:
    """Do what the self-test asks of a person: speak, press, show a badge, say yes."""
    demo.play_voices()
    widgets = {item["id"]: item for item in driver.read_screen().get("widgets", [])}
    if "tech.question" not in widgets:
        return
    if widgets.get("tech.yes", {}).get("enabled"):
        demo.press_button()
        driver.tap_widget(widgets["tech.yes"])
    else:
        demo.show_badge("technician")
        time.sleep(1)


def _recorder_state(demo: Courtroom) -> dict[str, Any]:
    return get_json(demo.paths.recorder_socket, "/v1/state")


def _record_part(demo: Courtroom, driver: ScreenDriver, result: DemoResult, part: int) -> None:
    """Let part ``part`` run for its length; mark the next expected event, answer a question."""
    marked = False

    def long_enough() -> bool:
        nonlocal marked
        state = get_json(demo.paths.recorder_socket, "/v1/state")
        hearing = state.get("hearing") or {}
        if hearing.get("part") != part:
            return False
        if result.tap_to_first_durable_ms is None:
            result.tap_to_first_durable_ms = hearing.get("tap_to_first_durable_ms")
        if not marked and float(hearing["part_seconds"]) > 3:
            result.marks.append(driver.tap("rec.mark.*").removeprefix("rec.mark."))
            if driver.find_widget("ask.*"):
                driver.take_screenshot("secretary-question")
                driver.tap("ask.*")
            marked = True
        return float(hearing["part_seconds"]) >= PART_SECONDS[part - 1]

    wait_until(long_enough, f"part {part} of the hearing", seconds=60)
