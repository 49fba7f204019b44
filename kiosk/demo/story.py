"""The demo's story in three acts: a visitor, a secretary, a technician.

Each act acts only through the touch screen, the scanner's tray, the badge and the voices in the
room; each returns the facts that the report reads back afterwards.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.demo.hand import Hand, ask
from kiosk.demo.processes import wait_until
from kiosk.demo.stage import Stage

#: Seconds recorded in the first and the second part: 20 s in all.
PART_SECONDS = (11.0, 9.0)
#: Who files: an identification number with a right check digit, which nobody has.
IIN = "900101300017"
NAME = "ҚАЛИ Ә"


@dataclass
class Told:
    """What happened on the screen, to be checked against the disk and the central system."""

    filing_taps: int = 0
    registration_number: str = ""
    tap_ns: int = 0
    hearing_id: str = ""
    tap_to_first_durable_ms: float | None = None
    marks: list[str] = field(default_factory=list)
    report_said: str = ""


def text_of(hand: Hand, widget: str) -> str:
    """Return the text that ``widget`` shows now, or an empty string."""
    for item in hand.look().get("widgets", []):
        if item["id"] == widget:
            return str(item["text"])
    return ""


def visitor(stage: Stage, hand: Hand, told: Told) -> None:
    """A visitor hands in a three-page statement of claim, in Kazakh."""
    hand.wait_screen("visitor.home", seconds=60)
    hand.tap("lang.kk")
    hand.photograph("visitor-home")
    before = hand.taps
    hand.tap("home.file")
    hand.wait_screen("visitor.type")
    hand.photograph("visitor-type")
    hand.tap("type.claim")
    hand.wait_screen("visitor.case")
    hand.photograph("visitor-case")
    hand.tap("case.new.civil")
    hand.wait_screen("visitor.who")
    _introduce(hand)
    hand.photograph("visitor-who")
    hand.tap("who.done")
    hand.wait_screen("visitor.feed")
    hand.photograph("visitor-feed")
    stage.put_paper_into_scanner()
    hand.wait_screen("visitor.scanning", "visitor.pages")  # it takes the paper by itself
    hand.photograph("visitor-scanning")
    hand.wait_screen("visitor.pages", seconds=60)
    hand.photograph("visitor-pages")
    hand.tap("pages.done")
    hand.wait_screen("visitor.sheets")
    hand.photograph("visitor-sheets")
    hand.tap("sheets.3")
    hand.wait_screen("visitor.slots")
    hand.photograph("visitor-slots")
    hand.tap("slots.done")
    hand.wait_screen("visitor.confirm")
    hand.photograph("visitor-confirm")
    hand.tap("pages.submit")
    hand.wait_screen("visitor.receipt", seconds=60)
    told.filing_taps = hand.taps - before
    told.registration_number = wait_until(
        lambda: text_of(hand, "receipt.number"), "the registration number"
    )
    stage.wait_printed_receipt()
    hand.photograph("visitor-receipt")
    hand.tap("receipt.done")
    hand.wait_screen("visitor.home")


def _introduce(hand: Hand) -> None:
    """Type number and name; the keys are typing and do not count as taps."""
    before = hand.taps
    for key in (*IIN, *NAME):
        hand.tap(f"key.{'space' if key == ' ' else key}")
    hand.taps = before


def secretary(stage: Stage, hand: Hand, told: Told) -> None:
    """A secretary records a hearing in two parts, from one tap to the delivered record."""
    stage.show_badge("secretary")
    hand.wait_screen("secretary.today")
    hand.wait_widget("today.start")
    hand.photograph("secretary-today")
    stage.let_them_speak()
    told.tap_ns = recording_ns()
    hand.tap("today.start")
    hand.wait_screen("secretary.recording")
    hearing = wait_until(lambda: _state(stage).get("hearing"), "the hearing")
    told.hearing_id = str(hearing["id"])
    _record(stage, hand, told, 1)
    hand.photograph("secretary-recording")
    hand.tap("rec.recess")
    hand.wait_screen("secretary.stopped")
    hand.photograph("secretary-recess")
    hand.tap("rec.resume")
    hand.wait_screen("secretary.recording")
    _record(stage, hand, told, 2)
    hand.tap("rec.end")
    hand.wait_widget("rec.end.confirm")
    hand.photograph("secretary-end")
    hand.tap("rec.end.confirm")
    hand.wait_screen("secretary.sealing", "secretary.delivered", seconds=60)
    hand.wait_screen("secretary.delivered", seconds=60)
    stage.wait_delivered("hearings", told.hearing_id)
    hand.photograph("secretary-delivered")
    hand.tap("sealed.done")
    hand.wait_screen("secretary.today", "visitor.home")
    hand.tap("staff.signout")
    hand.wait_screen("visitor.home")


def technician(stage: Stage, hand: Hand, told: Told) -> None:
    """A technician runs every self-test with one button; the report is delivered."""
    stage.show_badge("technician")
    hand.wait_screen("technician.tests")
    hand.photograph("technician-before")
    known = stage.reports()
    stage.let_them_speak()
    stage.put_paper_into_scanner()
    hand.tap("tech.run_all")
    while not stage.reports() - known:
        _attend(stage, hand)
        time.sleep(0.2)
    (report,) = stage.reports() - known
    told.report_said = wait_until(lambda: text_of(hand, "tech.report"), "the report's message")
    stage.wait_delivered("reports", report)
    hand.photograph("technician-after")
    hand.tap("staff.signout")
    hand.wait_screen("visitor.home")


def _attend(stage: Stage, hand: Hand) -> None:
    """Do what the self-test asks of the person in the room: speak, press, hold a badge, say yes."""
    stage.let_them_speak()
    widgets = {item["id"]: item for item in hand.look().get("widgets", [])}
    if "tech.question" not in widgets:
        return
    if widgets.get("tech.yes", {}).get("enabled"):
        stage.press_button()
        hand.tap_on(widgets["tech.yes"])
    else:
        stage.show_badge("technician")
        time.sleep(1)


def _state(stage: Stage) -> dict[str, Any]:
    return ask(stage.layout.recorder_socket, "/v1/state")


def _record(stage: Stage, hand: Hand, told: Told, part: int) -> None:
    """Let part ``part`` run for its length; mark the next expected event, answer a question."""
    marked = False

    def long_enough() -> bool:
        nonlocal marked
        state = ask(stage.layout.recorder_socket, "/v1/state")
        hearing = state.get("hearing") or {}
        if hearing.get("part") != part:
            return False
        if told.tap_to_first_durable_ms is None:
            told.tap_to_first_durable_ms = hearing.get("tap_to_first_durable_ms")
        if not marked and float(hearing["part_seconds"]) > 3:
            told.marks.append(hand.tap("rec.mark.*").removeprefix("rec.mark."))
            if hand.find("ask.*"):
                hand.photograph("secretary-question")
                hand.tap("ask.*")
            marked = True
        return float(hearing["part_seconds"]) >= PART_SECONDS[part - 1]

    wait_until(long_enough, f"part {part} of the hearing", seconds=60)
