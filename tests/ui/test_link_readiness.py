"""What a secretary reads of a link check: the call first, the rate apart, its age, what helps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.sync import CallClass, LinkCheckResult, Remedy, SyncState, Verdict
from kiosk.clocks import format_wall
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import load_rules
from kiosk.services.sync_core import link_limits
from kiosk.sync.link_check.line_verdict import Flow, Line
from kiosk.sync.link_check.link_check import reported, worded
from kiosk.ui.registry import TodayPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, readiness
from kiosk.ui.secretary.schedule.today import SAMPLES, view
from kiosk.ui.view_context import ViewContext
from tests.ui.app_without_services import Clock, app_in

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


def with_directions(names: Iterable[str], apart: Iterable[str]) -> set[str]:
    """Return ``names``, and those of them that are said of one direction alone."""
    return {*names, *(f"{name}_{direction}" for name in apart for direction in ("up", "down"))}


def test_every_class_rate_and_remedy_has_its_sentences() -> None:
    calls, remedies = get_args(CallClass), get_args(Remedy)
    assert set(RULES.call_verdicts) == with_directions(calls, ("gaps", "unheard"))
    assert set(RULES.link_remedies) == with_directions(remedies, ("rate", "loss", "jitter", "load"))
    assert set(RULES.link_verdicts) == with_directions(get_args(Verdict), ("below",))
    rows = (RULES.call_verdicts, RULES.link_remedies, RULES.link_verdicts)
    labels = [row.label.as_map() for table in rows for row in table.values()]
    for language in LANGUAGES:
        words = [str(label[language] or "") for label in labels]
        assert all(words), "none is left untranslated"
        assert len(set(words)) == len(words), "none says the same as another"
        assert not [text for text in words if "{" in text or not text.endswith(".")]
    assert all(len(set(label.values())) == len(LANGUAGES) for label in labels)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("direction", [None, "up", "down"])
@pytest.mark.parametrize("remedy", get_args(Remedy))
@pytest.mark.parametrize("call", get_args(CallClass))
def test_the_call_the_rate_and_what_helps_are_said(
    call: str, remedy: str, direction: str | None, language: str
) -> None:
    measured = {"verdict": "below", "call": call, "remedy": remedy}
    directions = {"direction": direction, "rate_direction": direction}
    line = line_of(language, 3, **worded(measured | directions, link_limits(RULES)))

    def words(table: Mapping[str, Any], name: str) -> str:
        row = table.get(f"{name}_{direction}") or table[name]
        return str(row.label.as_map()[language])

    said = f"{words(RULES.call_verdicts, call)} {words(RULES.link_verdicts, 'below')}"
    assert line.text.endswith(said)
    assert line.remedy == words(RULES.link_remedies, remedy)
    assert line.tone == "caution"


@pytest.mark.parametrize(
    ("direction", "language", "whom", "remedy"),
    [
        ("up", "en", "the others will not hear you", "your own picture"),
        ("up", "ru", "другие вас не услышат", "своё изображение"),
        ("up", "kk", "басқалар сізді естімейді", "Өз суретіңізді"),
        ("down", "en", "you will not hear the others", "Ask the others"),
        ("down", "ru", "вы не услышите других", "Попросите других"),
        ("down", "kk", "сіз басқаларды естімейсіз", "Басқалардан"),
    ],
)
def test_who_is_not_heard_is_said(direction: str, language: str, whom: str, remedy: str) -> None:
    measured = {"verdict": "below", "call": "unheard", "remedy": "rate", "direction": direction}
    line = line_of(language, 3, **worded(measured, link_limits(RULES)))
    assert whom in line.text
    assert remedy in line.remedy


@pytest.mark.parametrize(
    ("down_mbit", "up_mbit", "language", "which"),
    [
        (0.9, 5.0, "en", "The line to here is slow"),
        (0.9, 5.0, "ru", "Связь сюда медленная"),
        (0.9, 5.0, "kk", "Осы жерге байланыс баяу"),
        (5.0, 0.9, "en", "The line from here is slow"),
        (5.0, 0.9, "ru", "Связь отсюда медленная"),
        (5.0, 0.9, "kk", "Осы жерден байланыс баяу"),
        (0.9, 0.9, "en", "send or load"),
        (5.0, 5.0, "en", "send or load"),
    ],
)
def test_the_direction_that_alone_is_too_slow_is_named_in_the_remedy(
    down_mbit: float, up_mbit: float, language: str, which: str
) -> None:
    """A call is heard over it, until somebody sends a large file."""
    call = Flow(0.0, (0.0, 1.0, 2.0))
    measured = Line(call, call, 40.0, 0.0, 1200.0, 0.0, up_mbit, down_mbit)
    limits = link_limits(RULES)
    line = line_of(language, 3, **worded(reported(measured, limits), limits))
    assert which in line.remedy


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


def test_every_remedy_has_a_place_of_its_own_until_nothing_needs_one(tmp_path: Path) -> None:
    app = app_in(tmp_path, Clock())
    SAMPLES["today-broken-remedies"](app)
    shown = view(app)
    assert shown.remedies == tuple(line for line in shown.ready if line.remedy)
    assert {line.item for line in shown.remedies} >= {"camera", "link", "disk", "clock"}
    SAMPLES["today-line-remedy"](app)
    assert [line.item for line in view(app).remedies] == ["link"]
    staff_at(TodayPlace(remedies=True))(app)
    assert view(app).remedies == (), "the list is there again by itself"
    SAMPLES["today-line-up"](app)
    assert view(app).remedies == (), "nobody has asked"
