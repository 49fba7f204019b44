"""What the secretary reads of the court's line in the list of events (R24)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import load_rules
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.secretary.running_hearing.event_log import event_log
from kiosk.ui.view_context import ViewContext

RULES = load_rules()
SILENT = {"kind": "silent", "at": "2026-11-25T04:45:02.000Z", "seconds": 36.0, "is_over": True}
POOR = {"kind": "poor", "at": "2026-11-25T04:48:40.000Z"}


def texts_of(language: str, format_: str) -> list[str]:
    """Return the list of a hearing in which the line broke twice."""
    translate = Translator(language)
    labels, zone = RuleLabels(translate, RULES), ZoneInfo("Asia/Almaty")
    context = ViewContext(translate, labels, zone, service_states.NOW)
    hearing: dict[str, Any] = {"id": "h1", "format": format_, "line": [SILENT, POOR]}
    state = RecorderState.model_validate({"phase": "recording", "hearing": hearing})
    return [entry.text for entry in event_log(context, state)]


def test_a_broken_line_is_listed_with_its_seconds() -> None:
    newest, oldest = texts_of("en", "mixed")
    assert newest == "Line: gaps or late"
    assert oldest.startswith("Line: no answer · 36")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_listed_only_where_somebody_takes_part_over_it(language: str) -> None:
    assert texts_of(language, "offline") == []
    assert len(texts_of(language, "online")) == 2
