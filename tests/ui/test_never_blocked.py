"""Nothing that is asked, shown large or written keeps the secretary from people, notes, events.

Requirements: S18 (full minutes are begun during the hearing).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.screen_sample import alarm
from kiosk.ui.secretary.sealed_hearing.minutes import full_minutes
from tests.support.waiting import wait_for
from tests.ui.fake_services import FakeRecorder
from tests.ui.touch_screen import SECONDS, TouchScreen

CHILD = [{"event": event, "of": "p3"} for event in ("identity_checked", "questioning")]
LAST = [{"event": "minor_leaves", "of": "p3"}, {"event": "documents_examined", "of": ""}]
EXPLAINED: dict[str, Any] = {
    "id": 9,
    "type": "rights_explained",
    "at": sample_data.at(9, 40),
    "of": {"id": "p3", "role": "witness", "name": "Ержан Т."},
}


@pytest.fixture
def screen(
    folder: Path, display: Display, badge: VirtualBadgeReader, recorder: FakeRecorder, sync: object
) -> Iterator[TouchScreen]:
    """Return a screen that shows the running hearing."""
    del sync
    recorder.publish(**sample_data.recording(hearing={"due": [*CHILD, *LAST]}))
    with TouchScreen(folder, display, {"badge": {"port": badge.port}}) as shown:
        badge.scan("badge-secretary")
        shown.wait_screen("secretary.recording")
        yield shown


def wait_until_shown(screen: TouchScreen, wid: str) -> None:
    wait_for(lambda: screen.widget(wid), wid, SECONDS)


def marked(recorder: FakeRecorder, count: int) -> list[dict[str, Any]]:
    """Wait for ``count`` calls that mark an event; return them."""

    def calls() -> list[dict[str, Any]]:
        found = [body for path, body in recorder.calls if path == "/v1/hearing/marks"]
        return found if len(found) >= count else []

    return wait_for(calls, f"mark {count}", SECONDS)


@pytest.mark.slow
def test_all_that_is_due_is_one_tap_away(screen: TouchScreen, recorder: FakeRecorder) -> None:
    """A child's third step is due, too, and of that child."""
    assert screen.text("rec.due") == "+2"
    assert screen.widget("rec.mark.minor_leaves") is None
    screen.tap("rec.due")
    screen.tap("rec.mark.minor_leaves")
    assert marked(recorder, 1) == [{"type": "minor_leaves", "of": "p3"}]
    wait_until_shown(screen, "rec.all")


@pytest.mark.slow
def test_people_and_notes_are_reached_while_a_question_shows(
    screen: TouchScreen, recorder: FakeRecorder
) -> None:
    recorder.publish(hearing={**recorder.state["hearing"], "open_questions": ["format"]})
    wait_until_shown(screen, "question.text")
    screen.tap("rec.people")
    screen.tap("panel.close")
    wait_until_shown(screen, "question.text")
    screen.tap("rec.note")
    wait_until_shown(screen, "panel.title")
    screen.tap("panel.close")
    wait_until_shown(screen, "question.text")
    assert not recorder.calls or "/v1/hearing/statements" not in recorder.paths()


@pytest.mark.slow
def test_an_explanation_hides_neither_events_nor_people_nor_notes(
    screen: TouchScreen, recorder: FakeRecorder
) -> None:
    """Whoever goes on without having said that it is over marks the next event at once."""
    recorder.publish(hearing={**recorder.state["hearing"], "marks": [EXPLAINED]})
    wait_until_shown(screen, "oath.text")
    screen.tap("rec.people")
    screen.tap("panel.close")
    screen.tap("rec.note")
    screen.tap("panel.close")
    wait_until_shown(screen, "oath.text")
    screen.tap("rec.all")
    screen.tap("rec.all.close")
    wait_until_shown(screen, "oath.text")
    screen.tap("rec.all")
    screen.tap("rec.mark.opening")
    assert marked(recorder, 1) == [{"type": "opening", "of": ""}]


def minutes_path(recorder: FakeRecorder) -> str:
    """Let the recorder answer with full minutes; return the path of the call."""
    hearing = recorder.state["hearing"]["id"]
    path = f"/v1/minutes/{hearing}/form"
    recorder.answers[path] = full_minutes(hearing_id=hearing, due="", is_running=True).to_json()
    return path


@pytest.mark.slow
def test_minutes_are_written_while_it_is_recorded_and_one_tap_leads_back(
    screen: TouchScreen, recorder: FakeRecorder
) -> None:
    """S18. Light and time stay, an alarm comes over whatever is being typed."""
    minutes_path(recorder)
    screen.tap("rec.note")
    screen.tap("panel.minutes:")
    screen.wait_screen("secretary.minutes")
    screen.tap("minutes.field.1")
    screen.tap("minutes.add")
    screen.tap("key.Ә")
    assert screen.text("rec.timer").startswith("0:42:")
    recorder.publish(alarms=[alarm("microphone_absent", "defendant")])
    said = wait_for(lambda: screen.widget("notice"), "the alarm", SECONDS)["text"]
    assert "Ответчик" in said or "Жауапкер" in said
    assert screen.text("typing.text") == "Ә"
    assert screen.widget("notice.close") is None, "it lasts as long as its cause"
    recorder.publish(alarms=[])
    wait_for(lambda: screen.widget("rec.timer") and not screen.widget("notice"), "calm", SECONDS)
    screen.tap("minutes.hearing")
    screen.wait_screen("secretary.recording")
    screen.tap("rec.mark.identity_checked")
    assert marked(recorder, 1) == [{"type": "identity_checked", "of": "p3"}]


@pytest.mark.slow
def test_minutes_that_are_slow_to_open_do_not_come_over_the_next_mark(
    screen: TouchScreen, recorder: FakeRecorder
) -> None:
    path = minutes_path(recorder)
    recorder.held.add(path)
    screen.tap("rec.note")
    screen.tap("panel.minutes:")
    wait_for(lambda: path in recorder.paths(), "the call", SECONDS)
    screen.tap("rec.mark.identity_checked")
    marked(recorder, 1)
    recorder.held.clear()
    recorder.publish(alarms=[alarm("disk_low")])
    wait_until_shown(screen, "alarm.disk_low")
    screen.tap("rec.mark.questioning")
    marked(recorder, 2)
    assert screen.wait_screen("secretary.recording")
