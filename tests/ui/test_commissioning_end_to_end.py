"""A new kiosk is set up by a technician alone: real services, real taps, an empty data folder."""

from __future__ import annotations

import json
import signal
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.alarms import alarm_of
from kiosk.commissioning.heard import RISE_DB
from kiosk.commissioning.record import STEPS, Record
from kiosk.demo.devices import MICROPHONES
from kiosk.demo.screen_driver import ScreenDriver, get_json
from kiosk.demo.x_server import Display
from kiosk.evidence.cms import check_signature
from kiosk.hardware.virtual.microphones import VirtualMicrophoneClient
from kiosk.hearing.room.noise_baseline import load_noise_floors
from kiosk.room_profile import room_file
from kiosk.selftest.labels import QUESTIONS
from kiosk.selftest.report import read_reports
from tests.support.waiting import wait_for
from tests.ui.new_kiosk import WAIT_S, NewKiosk, Person, new_kiosk

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "technician.md"
ROOM = "12"
BADGE = "CK-3-9B20E4"
REPORT_S = 300.0
TESTED = {
    *("camera", "microphones", "speaker", "scanner", "receipt_printer", "badge_reader"),
    *("panel", "storage"),
}
SEATS = dict(
    zip(MICROPHONES, ("presiding", "plaintiff", "defendant_civil", "witness"), strict=True)
)
"""Microphones in the order in which the technician comes to them."""


@pytest.fixture
def kiosk(folder: Path, display: Display) -> Iterator[NewKiosk]:
    """Return a kiosk that was just installed."""
    with new_kiosk(folder, display) as made:
        yield made


def test_a_room_is_set_up_from_an_empty_folder_and_goes_on_after_a_kill(kiosk: NewKiosk) -> None:
    began = time.monotonic()
    code = kiosk.provision()
    screenshots = kiosk.settings.parent / "screens"
    driver = ScreenDriver(kiosk.paths.ui_socket, kiosk.display, screenshots, kiosk.services)
    person = Person(kiosk, driver)
    try:
        person.sign_in(code)
        person.tap("tech.open.commissioning", "com.next")
        choose_language_and_room(person)
        for microphone in MICROPHONES[:2]:
            give_seat(person, microphone)
        for service in ("ui", "recorder"):
            kiosk.services.signal(service, signal.SIGKILL)
        person.sign_in(code)
        person.tap("tech.open.commissioning", "com.next")
        person.wait_step("microphones")
        for microphone in MICROPHONES[2:]:
            give_seat(person, microphone)
        person.tap("com.next")
        walk_round(person)
        try_devices(person)
        put_off(person, "network")
        put_off(person, "court_keys")
        make_report(person)
        person.tap("com.next")
        driver.wait_screen("visitor.home", seconds=WAIT_S)
    except Exception:
        driver.take_screenshot("failed")
        raise
    seconds = time.monotonic() - began
    taps, minutes = driver.taps, person.minutes
    print(f"{taps} taps; {minutes:.1f} min of a person; {seconds / 60:.1f} min of this run")
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"{taps} taps and {minutes:.1f} minutes" in page
    assert_set_up(kiosk)
    assert_services_run_with_it(kiosk)
    assert kiosk.services.ends == [
        ("recorder", -signal.SIGKILL),
        ("ui", -signal.SIGKILL),
        ("recorder", 0),
        ("sync", 0),
        ("ui", 0),
    ]


def choose_language_and_room(person: Person) -> None:
    """Choose Russian, and type the number of the room."""
    person.wait_step("language")
    person.tap("com.language.ru")
    person.wait_step("room")
    person.tap(*(f"com.digit.{digit}" for digit in ROOM), "com.next")
    person.wait_step("microphones")


def give_seat(person: Person, microphone: str) -> None:
    """Speak at a microphone, tap the card that is framed, and choose its seat."""
    card = f"com.input.{VirtualMicrophoneClient.device(microphone)}#0"
    with person.speaking(microphone):
        person.wait_text(card, "You are heard here")
    person.tap(card, f"com.seat.{SEATS[microphone]}")

    def has_seat() -> bool:
        shown = person.texts().get(card, "")
        return bool(shown) and person.say("Without a seat") not in shown

    wait_for(has_seat, f"the seat of {microphone}", WAIT_S)


def walk_round(person: Person) -> None:
    """Say a sentence at each seat that is asked for."""
    person.wait_step("walk")
    for number, microphone in enumerate(MICROPHONES):
        with person.speaking(microphone):
            person.wait_text(f"com.again.{number}", "Right: {level}, at rest {noise}")
    person.tap("com.next")
    # Its loudspeaker is in no room with these microphones: the sweep is played, and not heard.
    person.wait_text("com.text", alarm_of("sweep_unheard").sentence)
    person.tap("com.next")


def try_devices(person: Person) -> None:
    """Test camera, printer and scanner, and say that picture and receipt are right."""
    person.kiosk.devices.load_scanner()
    for step in ("camera", "paper"):
        person.wait_step(step)
        person.tap(f"com.check.{step}", "com.yes", "com.next")


def put_off(person: Person, step: str) -> None:
    """Skip a step that cannot be done yet."""
    person.wait_step(step)
    person.tap("com.skip", "com.reason.later")


def make_report(person: Person) -> None:
    """Make the report; answer what the last checks ask, until it is signed and printed."""
    person.wait_step("report")
    printed = len(person.kiosk.devices.printer.receipts)
    person.tap("com.next")

    def is_made() -> bool:
        answer_question(person)
        said = person.texts().values()
        return person.say("The report is printed.") in said

    wait_for(is_made, "the report", REPORT_S)
    assert len(person.kiosk.devices.printer.receipts) == printed + 1
    person.tap("com.next")
    person.wait_text("com.title", "The room, step by step")


def answer_question(person: Person) -> None:
    """Do what a check asks: press the button, hold the badge to the reader, say yes."""
    shown = person.texts()
    question = shown.get("com.text", "")
    if question == person.say(QUESTIONS["badge_held"]):
        person.kiosk.devices.badge.scan(BADGE)
    elif question == person.say(QUESTIONS["button_pressed"]):
        person.kiosk.services.signal("recorder", signal.SIGUSR1)
    elif "com.yes" in shown:
        person.tap("com.yes")
    else:
        return
    wait_for(lambda: person.texts().get("com.text") != question, "the next question", WAIT_S)


def assert_set_up(kiosk: NewKiosk) -> None:
    """Check what is kept: record, profile, and the baseline with what was measured."""
    record = Record.from_json(json.loads(kiosk.paths.commissioning.read_text(encoding="utf-8")))
    assert record.unfinished == ("network", "court_keys")
    assert {record.result(step).state for step in STEPS[:6]} == {"done"}
    profile = tomllib.loads(room_file(kiosk.paths.data).read_text(encoding="utf-8"))
    assert profile["kiosk"] == {"language": "ru", "room": ROOM}
    assert {row["device"]: row["role"] for row in profile["microphones"]} == {
        VirtualMicrophoneClient.device(name): role for name, role in SEATS.items()
    }
    (report,) = read_reports(kiosk.paths)
    folder = kiosk.paths.reports / report["id"]
    signed, ca = folder / "SHA256SUMS", kiosk.paths.self_signed_certificate
    check_signature(signed, folder / "SHA256SUMS.p7s", ca)
    assert (report["commissioning"], report["room"]) == (True, ROOM)
    states = {row["check"]: row["state"] for row in report["results"]}
    assert {name for name, state in states.items() if state == "passed"} >= TESTED
    codes = {row["check"]: row["code"] for row in report["results"]}
    assert {name: codes[name] for name in ("certificate", "link", "delivery", "court_keys")} == {
        "certificate": "not_enrolled",
        "link": "link_unreachable",
        "delivery": "not_enrolled",
        "court_keys": "court_key_missing",
    }
    (measured,) = (row["measured"] for row in report["results"] if row["check"] == "microphones")
    assert {name: row["heard"] for name, row in measured.items()} == dict.fromkeys(
        SEATS.values(), True
    )
    assert all(row["level_db"] > row["noise_db"] + RISE_DB for row in measured.values())
    floors = load_noise_floors(kiosk.paths)
    assert set(floors) == set(SEATS.values())


def assert_services_run_with_it(kiosk: NewKiosk) -> None:
    """Check that recorder and screen took the room's settings."""
    state = wait_for(lambda: get_json(kiosk.paths.recorder_socket, "/v1/state"), "the recorder")
    roles = [row["role"] for row in state["microphones"]]
    assert roles == list(SEATS.values())

    def language() -> str:
        kiosk.services.check()
        return str(get_json(kiosk.paths.ui_socket, "/v1/screen").get("language", ""))

    assert wait_for(language, "the screen", WAIT_S) == "ru"
