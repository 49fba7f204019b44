"""What a secretary reads of a link check: the call first, the rate apart, its age, what helps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.sync import CallClass, LinkCheckResult, Remedy, SyncState, Verdict
from kiosk.clocks import format_wall
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import load_rules
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, readiness
from kiosk.ui.view_context import ViewContext

RULES = load_rules()


def line_of(language: str, minutes: float = 3, **result: Any) -> ReadinessLine:
    """Return the line of the link after a check ``minutes`` ago."""
    translate = Translator(language)
    labels, zone = RuleLabels(translate, RULES), ZoneInfo("Asia/Almaty")
    context = ViewContext(translate, labels, zone, service_states.NOW)
    at = format_wall(service_states.NOW - timedelta(minutes=minutes))
    last = LinkCheckResult(at=at, **result).to_json()
    known = service_states.sync(link_check={"running": False, "last": last, "next": None})
    lines = readiness(context, None, SyncState.model_validate(known))
    return next(line for line in lines if line.item == "link")


def test_every_class_rate_and_remedy_has_a_sentence() -> None:
    assert set(RULES.call_verdicts) == set(get_args(CallClass))
    assert set(RULES.link_remedies) == set(get_args(Remedy))
    assert set(RULES.link_verdicts) == set(get_args(Verdict))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("remedy", get_args(Remedy))
@pytest.mark.parametrize("call", get_args(CallClass))
def test_the_call_the_rate_and_what_helps_are_said(call: str, remedy: str, language: str) -> None:
    said: dict[str, Any] = {
        "sentence": RULES.call_verdicts[call].label.as_map(),
        "rate_sentence": RULES.link_verdicts["good"].label.as_map(),
        "remedy_sentence": RULES.link_remedies[remedy].label.as_map(),
    }
    line = line_of(language, 3, verdict="good", call=call, remedy=remedy, **said)
    words = {name: sentence[language] for name, sentence in said.items()}
    assert line.text.endswith(f"{words['sentence']} {words['rate_sentence']}")
    assert line.remedy == words["remedy_sentence"]
    assert line.tone == ("good" if call == "heard" else "caution")


def test_a_fast_line_over_which_nobody_is_heard_is_not_good() -> None:
    assert line_of("en", verdict="good", call="unheard", sentence={"en": "x"}).tone == "caution"
    assert line_of("en", verdict="below", call="heard", sentence={"en": "x"}).tone == "caution"


@pytest.mark.parametrize(("minutes", "age"), [(0, "0 min ago"), (59, "59 min ago")])
def test_the_age_of_the_check_is_told(minutes: int, age: str) -> None:
    line = line_of("en", minutes, verdict="good", sentence={"en": "Well."})
    assert line.text == f"{age} · Well."


def test_an_old_check_has_its_time_and_another_days_its_date() -> None:
    assert "ago" not in line_of("en", 61, verdict="good", sentence={"en": "Well."}).text
    yesterday = line_of("en", 24 * 60, verdict="good", sentence={"en": "Well."}).text
    day = (service_states.NOW - timedelta(days=1)).astimezone(ZoneInfo("Asia/Almaty"))
    assert yesterday.startswith(day.strftime("%d.%m."))
