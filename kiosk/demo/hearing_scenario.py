"""The secretary's part of the scenario: a hearing, and a copy of it for the parties."""

from __future__ import annotations

from pathlib import Path

from kiosk.demo.courtroom import Courtroom
from kiosk.demo.devices import loudest_dbfs
from kiosk.demo.processes import wait_until
from kiosk.demo.scenario import DemoResult, widget_text
from kiosk.demo.screen_driver import ScreenDriver
from kiosk.errors import KioskError

PART_SECONDS = (10.0, 7.0, 4.0)
"""Seconds recorded in each part: open, open after the recess, closed."""
PARTS, CLOSED_PART = len(PART_SECONDS), 3
CLOSURE_GROUND = "civ_private_life"
"""Not the state secret: that is never sent by the network."""
LISTENED_SECONDS = 1.5
SEALED_SECONDS = 60.0


def record_hearing(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """A secretary records a hearing, from one tap to the delivered record.

    It is listened back to, has a recess, and is closed at its end.
    """
    result.hearing_id = start_hearing(demo, driver)
    _record_part(demo, driver, result, 1)
    driver.take_screenshot("secretary-recording")
    _listen_back(demo, driver, result)
    driver.tap("rec.recess")
    driver.wait_screen("secretary.recess")
    driver.take_screenshot("secretary-recess")
    driver.tap("rec.resume")
    driver.wait_screen("secretary.recording")
    _record_part(demo, driver, result, 2)
    driver.tap("rec.close")
    wait_until(lambda: demo.hearing().get("closed"), "the closed hearing")
    driver.tap(f"ask.closure_ground.{CLOSURE_GROUND}")
    _record_part(demo, driver, result, CLOSED_PART)
    driver.take_screenshot("secretary-closed")
    end_hearing(demo, driver, result.hearing_id)
    sign_out(driver)


def start_hearing(demo: Courtroom, driver: ScreenDriver) -> str:
    """Sign the secretary in, start the next hearing of the list with one tap; return its id."""
    demo.show_badge("secretary")
    driver.wait_screen("secretary.today")
    driver.wait_widget("today.start")
    driver.take_screenshot("secretary-today")
    demo.play_voices()
    driver.tap("today.start")
    driver.wait_screen("secretary.recording")
    return str(wait_until(lambda: demo.hearing().get("id"), "the hearing"))


def answer_question(driver: ScreenDriver) -> None:
    """Give the first answer to the question on the screen, if there is one."""
    if driver.find_widget("ask.*"):
        driver.take_screenshot("secretary-question")
        driver.tap("ask.*")


def end_hearing(demo: Courtroom, driver: ScreenDriver, hearing: str) -> None:
    """End the hearing and wait until the central system has it."""
    driver.tap("rec.end")
    driver.wait_widget("rec.end.confirm")
    driver.take_screenshot("secretary-end")
    driver.tap("rec.end.confirm")
    driver.wait_screen("secretary.sealing", "secretary.delivery", seconds=SEALED_SECONDS)
    driver.wait_screen("secretary.delivery", seconds=SEALED_SECONDS)
    demo.wait_delivered("hearings", hearing)
    driver.take_screenshot("secretary-delivered")
    driver.tap("sealed.done")
    driver.wait_screen("secretary.today", "visitor.home")


def sign_out(driver: ScreenDriver) -> None:
    """Sign the staff out."""
    driver.tap("staff.signout")
    driver.wait_screen("visitor.home")


def copy_hearing(demo: Courtroom, driver: ScreenDriver, result: DemoResult, stick: Path) -> None:
    """A secretary copies the newest hearing onto the stick at ``stick`` for the parties."""
    demo.show_badge("secretary")
    driver.wait_screen("secretary.today")
    driver.tap("today.copies")
    driver.wait_screen("secretary.export")
    driver.tap("copies.hearing.1")
    driver.wait_widget("copies.other")
    driver.take_screenshot("secretary-copy-for-whom")
    driver.tap("copies.person.1")
    driver.wait_widget("copies.warned")
    driver.tap("copies.warned")

    def drive() -> str | None:
        cards = driver.read_screen().get("widgets", [])
        return next(
            (
                card["id"]
                for card in cards
                if card["id"].startswith("copies.medium.") and card["text"] == stick.name
            ),
            None,
        )

    driver.tap(wait_until(drive, f"the stick {stick.name} on the screen"))
    driver.tap("copies.start")
    driver.wait_widget("copies.again", seconds=SEALED_SECONDS)
    driver.take_screenshot(f"secretary-copy-{stick.name}")
    made = [path.parent for path in stick.glob("*/SHA256SUMS.p7s")]
    if len(made) != 1:
        text = widget_text(driver, "copies.text")
        raise KioskError(f"{len(made)} copies on the stick {stick.name}: {text}")
    result.copies += made
    driver.tap("back")
    driver.wait_screen("secretary.today")
    sign_out(driver)


def _listen_back(demo: Courtroom, driver: ScreenDriver, result: DemoResult) -> None:
    """Listen to what was just recorded; measure what comes out of the headset."""
    sound = demo.out / "headset.raw"
    with demo.devices.headset_sound(sound):
        driver.tap("rec.listen")
        driver.tap("panel.seconds:30")

        def played() -> bool:
            playing = demo.recorder_state().get("listening") or {}
            return float(playing.get("seconds", 0)) >= LISTENED_SECONDS

        wait_until(played, "the recording in the headset")
        driver.take_screenshot("secretary-listening")
        driver.tap("rec.listen.stop")
    result.heard_dbfs = loudest_dbfs(sound)


def _record_part(demo: Courtroom, driver: ScreenDriver, result: DemoResult, part: int) -> None:
    """Let part ``part`` run for its length; mark the next expected event, answer a question."""
    marked = False

    def long_enough() -> bool:
        nonlocal marked
        hearing = demo.hearing()
        if hearing.get("part") != part:
            return False
        if result.tap_to_first_durable_ms is None:
            result.tap_to_first_durable_ms = hearing.get("tap_to_first_durable_ms")
        if not marked and float(hearing["part_seconds"]) > 3:
            if part != CLOSED_PART:
                result.marks.append(driver.tap("rec.mark.*").removeprefix("rec.mark."))
            answer_question(driver)
            marked = True
        return float(hearing["part_seconds"]) >= PART_SECONDS[part - 1]

    wait_until(long_enough, f"part {part} of the hearing", seconds=60)
