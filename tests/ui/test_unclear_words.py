"""Words that are hard to make out: whose, why and what to do, as the secretary reads it (S18)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.api.states import UnclearSpeech
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.running_hearing.notices import AlarmView, alarm_view
from kiosk.ui.view_context import ViewContext

LANGUAGES = ("kk", "ru", "en")
WHY = {
    UnclearSpeech.NOISE: ("шу тым көп", "слишком шумно", "too much noise"),
    UnclearSpeech.FAR: ("микрофон тым алыс", "микрофон слишком далеко", "too far away"),
    UnclearSpeech.CROSS_TALK: ("бірнеше адам", "несколько человек", "several people"),
    UnclearSpeech.CLIPPED: ("дауыс тым қатты", "голос слишком громкий", "voice is too loud"),
    UnclearSpeech.QUIET: ("бәсең", "тише обычного", "quieter than usual"),
}
REPEAT = {"kk": "қайталауды сұраңыз", "ru": "попросите", "en": "repeat"}
"""In what to do: it is to be asked for, as it can still be repeated."""
WITNESS = {"kk": "Куә", "ru": "Свидетель", "en": "Witness"}
DEFENDANT = {"kk": "Жауапкер", "ru": "Ответчик", "en": "Defendant"}
NAME = "Сериков Ерлан"
SITS = {"id": "p1", "role": "witness", "name": NAME, "seat": "witness", "attendance": "hall"}


def shown(
    language: str,
    cause: UnclearSpeech,
    persons: list[dict[str, Any]],
    roles: tuple[str, ...] = ("witness",),
) -> AlarmView:
    """Return the alarm of the microphone of the witness, with ``persons`` at the hearing."""
    translate = Translator(language)
    labels = RuleLabels(translate, load_rules())
    context = ViewContext(translate, labels, ZoneInfo("Asia/Almaty"), sample_data.NOW)
    role = roles[0] if roles else "spare"
    witness = {"name": "witness", "role": role, "roles": roles, "state": "ok", "unclear": cause}
    state = sample_data.recording(
        microphones=[witness],
        alarms=[{"code": cause.alarm, "source": "witness"}],
        hearing={"persons": persons},
    )
    view = alarm_view(context, RecorderState.model_validate(state))
    assert view is not None
    return view


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", list(UnclearSpeech))
def test_it_says_whose_words_why_and_what_to_do(cause: UnclearSpeech, language: str) -> None:
    role = WITNESS[language]
    other = {**SITS, "id": "p2", "name": "Ахметова Гульнара"}
    known = shown(language, cause, [SITS])
    seat = shown(language, cause, [])
    several = shown(language, cause, [SITS, other])
    doubled = shown(language, cause, [SITS], ("witness", "defendant_civil"))
    assert f"{role}: {NAME}" in known.sentence
    for view in (seat, several, doubled):
        assert NAME not in view.sentence, "whose words they are nobody has said"
    quoted = "“{}”" if language == "en" else "«{}»"
    assert quoted.format(role) in seat.sentence
    assert quoted.format(role) in several.sentence
    assert quoted.format(f"{role}, {DEFENDANT[language]}") in doubled.sentence
    for view in (known, seat, several, doubled):
        assert WHY[cause][LANGUAGES.index(language)] in view.sentence
        assert REPEAT[language].casefold() in view.remedy.casefold()
        assert "{" not in view.sentence + view.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"attendance": "absent"},
        {"attendance": "online"},
        {"left": "2026-11-23T04:00:30.000Z"},
        {"seat": "defendant_civil"},
        {"name": ""},
    ],
    ids=["did not come", "online", "left", "another seat", "no name"],
)
def test_who_is_not_known_to_sit_there_is_not_named(changed: dict[str, Any]) -> None:
    view = shown("en", UnclearSpeech.FAR, [{**SITS, **changed}])
    assert "“Witness”" in view.sentence


def test_a_name_that_the_court_withholds_is_the_pseudonym() -> None:
    view = shown("en", UnclearSpeech.FAR, [{**SITS, "pseudonym": "Witness A"}])
    assert "“Witness: Witness A”" in view.sentence
    assert NAME not in view.sentence


def test_a_spare_that_serves_nobody_is_called_so() -> None:
    """Its words have no role: the seat's own name says where."""
    view = shown("en", UnclearSpeech.NOISE, [], ())
    assert "“Spare”" in view.sentence
