"""What the secretary reads when an oath or a warning was not heard alone and in full. R50, R51."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import Mark, RunningHearing
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.secretary.running_hearing.oath import (
    EXPLAINED_SHORT,
    NOT_EXPLAINED,
    NOT_HEARD,
    OTHERS_SPOKE,
    OTHERS_SPOKE_OVER_IT,
    TOO_SHORT,
    oath_hint,
)
from kiosk.ui.view_context import ViewContext

RULES = load_rules()
OATH, WARNING = "oath", "warning_false_testimony"
ALONE = {"heard": True, "said_seconds": 1.2, "is_short": False}
SHORT, OVER = ALONE | {"is_short": True}, ALONE | {"also": ("plaintiff", "witness")}


def hint(type_: str, language: str, **fields: Any) -> tuple[str, ViewContext]:
    translate = Translator(language)
    labels = RuleLabels(translate, RULES)
    context = ViewContext(translate, labels, ZoneInfo("Asia/Almaty"), service_states.NOW)
    mark = Mark(id=1, type=type_, ended=service_states.at(9, 50), **fields)
    return oath_hint(context, RunningHearing(id="h", marks=(mark,))), context


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize(
    ("type_", "fields", "sentence"),
    [
        (OATH, {"heard": False}, NOT_HEARD),
        (OATH, OVER, OTHERS_SPOKE),
        (OATH, SHORT, TOO_SHORT),
        (OATH, OVER | {"is_short": True}, OTHERS_SPOKE),
        (WARNING, {"heard": False}, NOT_EXPLAINED),
        (WARNING, OVER, OTHERS_SPOKE_OVER_IT),
        (WARNING, SHORT, EXPLAINED_SHORT),
    ],
    ids=("silent", "over", "short", "both", "not warned", "warned over", "warned short"),
)
def test_it_is_said_with_what_can_be_done(
    type_: str, fields: dict[str, Any], sentence: str, language: str
) -> None:
    said, context = hint(type_, language, **fields)
    who = ", ".join(context.labels.role(role) for role in fields.get("also", ()))
    assert said == context.translate.gettext(sentence, who=who, n=1.2)
    assert (said == sentence.format(who=who, n=1.2)) == (language == "en"), "it is translated"


@pytest.mark.parametrize("fields", [ALONE, {"heard": True}, {"heard": None}])
@pytest.mark.parametrize("type_", [OATH, WARNING])
def test_nothing_is_said_of_what_was_heard_or_cannot_be_known(
    type_: str, fields: dict[str, Any]
) -> None:
    assert hint(type_, "en", **fields)[0] == ""
