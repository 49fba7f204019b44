"""Who may stay in a closed part: by name at the people's sheet, and never named beside it (R54)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.people_actions import PeopleSheet
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.running_hearing.panel_view import PanelView
from kiosk.ui.secretary.running_hearing.people import sheet_view
from kiosk.ui.secretary.running_hearing.recording import CLOSED, recording_view
from kiosk.ui.view_context import ViewContext

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), sample_data.NOW
)
PARTY = {"id": "p1", "role": "plaintiff", "name": "Ахметов А.", "attendance": "hall"}
WATCHER = {"id": "p2", "role": "observer", "name": "Ким О.", "attendance": "hall"}


def state_of(*persons: dict[str, Any], is_closed: bool = True) -> RecorderState:
    hearing = {**(CLOSED if is_closed else {}), "persons": list(persons)}
    return RecorderState.model_validate(sample_data.recording(hearing=hearing))


def closed_text(*persons: dict[str, Any]) -> str:
    view = recording_view(
        CONTEXT, state_of(*persons), stale=False, schedule=None, postponed=frozenset()
    )
    assert view.closed is not None
    return view.closed.text


def choices(state: RecorderState, person: str = "") -> dict[str, str]:
    view = sheet_view(CONTEXT, state, PeopleSheet(person))
    assert isinstance(view, PanelView)
    return {choice.id: choice.label for choice in view.choices}


def test_who_only_watches_is_asked_to_leave_and_not_named_on_the_open_screen() -> None:
    text = closed_text(PARTY, WATCHER)
    assert "Ask them to leave" in text
    assert "Ким" not in text
    assert choices(state_of(PARTY, WATCHER))["person:p2"].endswith("must leave")
    assert "leave" not in choices(state_of(PARTY, WATCHER))["person:p1"]


@pytest.mark.parametrize(
    "changes",
    [{"admitted": True}, {"left": "2026-11-23T04:00:00.000Z"}, {"attendance": "absent"}],
    ids=["admitted", "left", "absent"],
)
def test_whoever_is_admitted_or_gone_is_not_asked(changes: dict[str, Any]) -> None:
    assert "Ask them to leave" not in closed_text(PARTY, {**WATCHER, **changes})


def test_admission_is_offered_only_while_it_is_closed_and_taken_back_by_the_same_tap() -> None:
    assert "admitted:yes" in choices(state_of(WATCHER), "p2")
    assert "admitted:" in choices(state_of({**WATCHER, "admitted": True}), "p2")
    assert not any(
        name.startswith("admitted") for name in choices(state_of(WATCHER, is_closed=False), "p2")
    )
