"""The report for the presiding judge on the screen, against the recorder's own calls. S18."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.quality import LostSeconds, QualityReport, QualityWord, SeatQuality
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import UnclearSpeech
from kiosk.auth.person import Person
from kiosk.clocks import recording_ns
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.quality_actions import QualityActions, QualityState
from kiosk.ui.formatting import sentence_case
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.secretary.sealed_hearing.quality import (
    CAUSES,
    MISSING,
    SOURCES,
    VERDICTS,
    QualityView,
    quality_view,
)
from kiosk.ui.secretary.sealed_hearing.quality_samples import HEAR_FIRST, UNUSABLE, USABLE
from kiosk.ui.view_context import ViewContext
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig

RULES = load_rules()
LANGUAGES = ("kk", "ru", "en")


def context(language: str = "en") -> ViewContext:
    translate = Translator(language)
    labels = RuleLabels(translate, RULES)
    return ViewContext(translate, labels, ZoneInfo("Asia/Almaty"), service_states.NOW)


def seen(state: QualityState, person: Person = JUDGE, language: str = "en") -> QualityView:
    session = StaffSession(token="t", person=person.id, name=person.name, roles=person.roles)
    return quality_view(context(language), state, session)


def of(report: QualityReport, language: str = "en") -> QualityView:
    return seen(QualityState("1", report), language=language)


def test_of_a_seat_that_was_switched_off_nobody_claims_that_nobody_spoke() -> None:
    seats = (SeatQuality(source="witness", role="witness", switched_off_seconds=6303.0),)
    (row,) = of(USABLE.model_copy(update={"seats": seats})).rows
    assert (row.below, row.note) == ("switched off at the seat: 1:45:03", "")


@pytest.mark.parametrize(
    ("name", "at", "who"),
    [
        ("Серікова С.", "2026-11-28T07:20:00.000Z", "Серікова С., 28.11.2026 12:20"),
        ("", "2026-11-28T07:20:00.000Z", "p-2, 28.11.2026 12:20"),
        ("Серікова С.", "1970-01-01T00:00:09.000Z", "Серікова С."),
        ("Серікова С.", "", "Серікова С."),
    ],
    ids=("day", "no name", "clock not set", "no time"),
)
def test_the_judges_word_has_its_day(name: str, at: str, who: str) -> None:
    """A time of day alone was read as one of today."""
    word = QualityWord(is_good=True, person="p-2", name=name, at=at)
    said = of(USABLE.model_copy(update={"word": word})).word
    assert said == f"Checked, complete and of good quality: {who}"


def test_each_cause_has_its_words() -> None:
    """Overdriven and much quieter stood there without a word."""
    assert set(CAUSES) == {str(cause) for cause in UnclearSpeech}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", list(VERDICTS))
def test_each_verdict_has_its_sentence_in_each_language(verdict: Any, language: str) -> None:
    report = HEAR_FIRST.model_copy(update={"verdict": verdict})
    sentence = of(report, language).sentence
    assert sentence == context(language).translate.gettext(VERDICTS[verdict][0])
    assert (sentence == VERDICTS[verdict][0]) == (language == "en"), "it is translated"


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_gaps_alone_no_place_is_promised(language: str) -> None:
    report = HEAR_FIRST.model_copy(update={"worst": (), "places": 0})
    assert of(report, language).sentence == context(language).translate.gettext(MISSING)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_place_says_when_whose_and_why(cause: str, language: str) -> None:
    place = HEAR_FIRST.worst[0].model_copy(update={"cause": cause})
    row = of(HEAR_FIRST.model_copy(update={"worst": (place,)}), language).rows[-1]
    assert row.place == place
    assert row.text.startswith("1/14 · 10:03:17 · ")
    assert row.text.endswith("Ержан Т.")
    assert context(language).translate.gettext(CAUSES[cause]) in row.below


@pytest.mark.parametrize(
    ("language", "quiet", "clipped"),
    [
        ("en", "much quieter than usual: −15 dB", "overdriven: cut off 11 %"),
        ("ru", "намного тише обычного: −15 дБ", "перегружен: обрезано 11 %"),
        ("kk", "әлдеқайда бәсең: −15 дБ", "шамадан тыс жүктелген: 11 % кесілген"),
    ],
    ids=("en", "ru", "kk"),
)
def test_how_much_is_said_where_it_was_measured(language: str, quiet: str, clipped: str) -> None:
    rows = of(HEAR_FIRST, language).rows
    places = [row.below for row in rows if row.place is not None]
    assert quiet in places[1]
    assert clipped in places[2]
    (witness,) = [row.below for row in rows if row.place is None and "Ержан" in row.text]
    assert quiet in witness
    old = HEAR_FIRST.worst[1].model_copy(update={"below_usual_db": None})
    below = of(HEAR_FIRST.model_copy(update={"worst": (old,)}), language).rows[-1].below
    assert quiet.partition(":")[0] in below
    assert "15" not in below


def test_a_seat_says_its_share_its_causes_and_what_was_not_recorded() -> None:
    rows = {row.text: row for row in of(HEAR_FIRST).rows}
    witness = rows["Witness: Ержан Т."]
    assert (witness.note, witness.tone) == ("Clear: 89 %", "caution")
    causes = "the microphone is far away, the voice is much quieter than usual: −15 dB"
    assert f"hard to make out: 0:01:36 ({causes})" in witness.below
    assert "not recorded: 0:00:41, switched off or muted" in rows["Plaintiff: Ахметов А."].below
    lost = {row.text: row.below for row in of(UNUSABLE).rows}
    assert lost["The recorder"] == "not recorded: 0:05:01 and longer, the power failed"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("language", ["kk", "ru"])
def test_what_is_no_microphone_is_named_in_the_language(source: str, language: str) -> None:
    lost = (LostSeconds(kind="power", count=1, seconds=9.0),)
    seats = (SeatQuality(source=source, lost=lost),)
    (row,) = of(USABLE.model_copy(update={"seats": seats}), language).rows
    assert row.text == sentence_case(context(language).translate.gettext(SOURCES[source]))
    assert row.text.casefold() not in (source, SOURCES[source])


@pytest.mark.parametrize(
    ("unchecked", "wanted"),
    [(0.0, "Nobody spoke"), (12.0, "Not checked in full"), (6303.0, "Not checked")],
)
def test_silence_is_claimed_only_where_it_was_listened_all_the_time(
    unchecked: float, wanted: str
) -> None:
    report = USABLE.model_copy(update={"unchecked_seconds": unchecked})
    rows = {row.text: row.note for row in of(report).rows}
    assert rows["Defendant: Ли В."] == wanted


def test_words_too_short_to_tell_are_not_called_clear() -> None:
    seat = USABLE.seats[0].model_copy(update={"judged_seconds": 0.0})
    (row,) = of(USABLE.model_copy(update={"seats": (seat,)})).rows
    assert (row.note, row.share) == ("Too short to tell", None)


def test_what_was_not_checked_is_said_in_figures() -> None:
    assert "not checked: 0:00:12" in of(HEAR_FIRST).facts
    assert "not checked" not in of(USABLE).facts
    odd = USABLE.model_copy(update={"unreadable": 3})
    assert "lines that cannot be read: 3" in of(odd).facts


def test_a_report_that_cannot_be_made_says_what_to_do() -> None:
    assert "Hear the recording" in seen(QualityState("1", is_unreadable=True)).sentence
    assert "Hear the recording" not in seen(QualityState("1")).sentence


def with_hearing(rig: MinutesRig) -> None:
    """Seal a hearing with words that are hard to make out; the calls are about it then."""
    built = new_hearing(rig.paths.hearings, rig.signer, language="ru")
    tap_ns = recording_ns()
    add_part(built, fragments=6, tap_ns=tap_ns)
    detector = {"part": 1, "part_seconds": 0.1, "is_working": True}
    built.journal.append("speech_detector", detector)
    turn = {"part": 1, "source": "witness", "part_seconds": 0.2, "lasts": 2.0}
    unclear = {"unclear_seconds": 1.5, "cause": "far", "intelligibility": 0.6}
    built.journal.append("speech", turn | unclear)
    close_part(built, 1, stop_ns=tap_ns + 2_400_000_000)
    built.journal.end({"person": "p1"})
    rig.hearing = built.folder.name


def tap_through(rig: MinutesRig, steps: Callable[[QualityActions], Awaitable[None]]) -> list[str]:
    codes: list[str] = []

    async def run(client: LocalClient) -> None:
        await steps(QualityActions(client, lambda: None, codes.append))

    rig.run(run)
    return codes


@pytest.mark.slow
def test_from_the_report_to_full_minutes_by_taps(tmp_path: Path) -> None:
    rig = MinutesRig(tmp_path)
    with_hearing(rig)

    async def steps(quality: QualityActions) -> None:
        await quality.open(rig.hearing)
        assert not (rig.paths.minutes_drafts / rig.hearing).exists(), "looking begins no minutes"
        view = seen(quality.state, SECRETARY)
        assert view.sentence == VERDICTS["unusable"][0]
        assert (view.can_judge, view.is_good) == (False, None)
        assert view.rows[0].begins_full
        await quality.say(is_good=True)
        assert seen(quality.state, SECRETARY).is_good is None, "a secretary does not say it"
        rig.person = JUDGE
        await quality.refresh()
        assert seen(quality.state).can_judge
        await quality.say(is_good=True)
        view = seen(quality.state)
        assert view.is_good
        assert view.word.startswith(f"Checked, complete and of good quality: {JUDGE.name}, ")
        assert not any(row.begins_full for row in view.rows), "the judge decides"
        await quality.say(is_good=False)
        assert seen(quality.state).word.startswith("Checked, not usable: ")
        assert seen(quality.state).rows[0].begins_full
        assert await quality.begin_full_minutes()
        assert quality.state.report is not None
        assert quality.state.report.is_full
        assert not seen(quality.state).rows[0].begins_full

    assert tap_through(rig, steps) == ["quality_judge_only"]


@pytest.mark.slow
def test_a_hearing_that_is_gone_leaves_no_report_of_another(tmp_path: Path) -> None:
    rig = MinutesRig(tmp_path)

    async def steps(quality: QualityActions) -> None:
        await quality.open(rig.hearing)
        assert quality.state.report is not None
        await quality.open("00000000-0000-0000-0000-000000000000")
        assert quality.state == replace(
            QualityState("00000000-0000-0000-0000-000000000000"), is_unreadable=True
        )

    assert set(tap_through(rig, steps)) == {"hearing_unknown"}
