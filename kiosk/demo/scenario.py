"""The demo's scenario: a visitor, a secretary (see ``hearing_scenario``), a technician.

Each step uses only the touch screen, the scanner's tray, the badge and the voices in the courtroom;
each records the facts that the report reads back afterwards.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.demo.courtroom import Courtroom
from kiosk.demo.processes import wait_until
from kiosk.demo.screen_driver import ScreenDriver

SELF_TEST_SECONDS = 120
"""The longest that it may take."""
IIN = "900101300017"
"""Identification number of the applicant: the check digit is right, but nobody has it."""
NAME = "ҚАЛИ Ә"


@dataclass
class DemoResult:
    """What the screen showed, to be compared with the disk and the central system."""

    filing_taps: int = 0
    registration_number: str = ""
    hearing_id: str = ""
    tap_to_first_durable_ms: float | None = None
    marks: list[str] = field(default_factory=list)
    heard_dbfs: float = -math.inf
    copies: list[Path] = field(default_factory=list)
    report_text: str = ""


def widget_text(driver: ScreenDriver, widget: str) -> str:
    """Return the text that ``widget`` shows now, or an empty string."""
    for item in driver.read_screen().get("widgets", []):
        if item["id"] == widget:
            return str(item["text"])
    return ""


def file_documents(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A visitor hands in a three-page statement of claim, in Kazakh."""
    before = driver.taps
    scan_pages(demo, driver)
    submit_pages(demo, driver, result)
    result.filing_taps = driver.taps - before - UNCOUNTED_TAPS


UNCOUNTED_TAPS = 2
"""The choice of the language, and the receipt's "done"."""


def scan_pages(demo: Courtroom, driver: ScreenDriver) -> None:
    """Begin a filing and scan its pages."""
    driver.wait_screen("visitor.home", seconds=60)
    driver.tap("lang.kk")
    driver.take_screenshot("visitor-home")
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


def submit_pages(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """Say that these are all pages, and submit them."""
    driver.tap("pages.done")
    driver.wait_screen("visitor.sheet_count")
    driver.take_screenshot("visitor-sheets")
    driver.tap("sheets.3")
    submit_documents(demo, driver, result)


def submit_documents(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """Submit the documents, and take the receipt with the number."""
    printed = len(demo.devices.printer.receipts)
    driver.wait_screen("visitor.documents")
    driver.take_screenshot("visitor-slots")
    driver.tap("slots.done")
    driver.wait_screen("visitor.summary")
    driver.take_screenshot("visitor-confirm")
    driver.tap("pages.submit")
    driver.wait_screen("visitor.receipt", seconds=60)
    result.registration_number = wait_until(
        lambda: widget_text(driver, "receipt.number"), "the registration number"
    )
    wait_until(lambda: len(demo.devices.printer.receipts) > printed, "the printed receipt")
    driver.take_screenshot("visitor-receipt")
    driver.tap("receipt.done")
    driver.wait_screen("visitor.home")


def _type_applicant(driver: ScreenDriver) -> None:
    """Type number and name; the keys are typing and do not count as taps."""
    before = driver.taps
    for key in (*IIN, *NAME):
        driver.tap(f"key.{'space' if key == ' ' else key}")
    driver.taps = before


def run_self_test(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A technician runs every self-test with one button; the report is delivered."""
    demo.show_badge("technician")
    driver.wait_screen("technician.home")
    driver.tap("tech.open.self_test")
    driver.wait_screen("technician.self_test")
    driver.take_screenshot("technician-before")
    known = demo.report_ids()
    demo.play_voices()
    demo.load_scanner()
    driver.tap("tech.run_all")

    def saved() -> set[str]:
        _answer_questions(demo, driver)
        return demo.report_ids() - known

    (report,) = wait_until(saved, "the sealed report", SELF_TEST_SECONDS, every=0.2)
    result.report_text = wait_until(
        lambda: widget_text(driver, "tech.report"), "the report's message"
    )
    demo.wait_delivered("reports", report)
    driver.take_screenshot("technician-after")
    driver.tap("staff.signout")
    driver.wait_screen("visitor.home")


def _is_shown(driver: ScreenDriver, widget: str) -> bool:
    """Return whether ``widget`` is on the screen, enabled or not."""
    return widget in {item["id"] for item in driver.read_screen().get("widgets", [])}


def _answer_questions(demo: Courtroom, driver: ScreenDriver) -> None:
    """Do what the self-test asks of a person: speak, press, touch, show a badge, say yes."""
    demo.play_voices()
    widgets = {item["id"]: item for item in driver.read_screen().get("widgets", [])}
    for cross in [name for name in widgets if name.startswith("touch.cross.")]:
        driver.tap_widget(widgets[cross])
        wait_until(lambda: not _is_shown(driver, cross), "the next point")  # noqa: B023 (at once)
    if "tech.question" not in widgets:
        return
    if widgets.get("tech.yes", {}).get("enabled"):
        demo.press_button()
        driver.tap_widget(widgets["tech.yes"])
    else:
        demo.show_badge("technician")
        time.sleep(1)
