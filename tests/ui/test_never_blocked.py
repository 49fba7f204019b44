"""Nothing that is asked or shown large keeps the secretary from people, notes and events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.ui.samples import service_states as sample_data
from tests.support.waiting import wait_for
from tests.ui.fake_services import FakeRecorder
from tests.ui.touch_screen import SECONDS, TouchScreen

CHILD = [{"event": event, "of": "p3"} for event in ("truth_explained", "questioning")]
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
