"""How loud speech usually is at a microphone: from commissioning, then from hearings (S18)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.reports import TestedCheck
from kiosk.api.speech import SpeechTotal, SpokenPlace
from kiosk.hearing.room.speech_levels import HEARINGS, SpeechLevels

PLACE = SpokenPlace(part=1, part_seconds=1.0, seconds=30.0)


FIRST, SECOND = "2026-11-02T09:00:00+05:00", "2026-11-20T09:00:00+05:00"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "speech-levels.json"


def total(source: str, level_db: float | None, seconds: float = 60.0) -> SpeechTotal:
    return SpeechTotal(
        source=source, turns=1, seconds=seconds, unclear_seconds=0, level_db=level_db, latest=PLACE
    )


def commissioned(at: str, state: str = "passed", **levels: Any) -> list[TestedCheck]:
    """Return the results of a commissioning at which somebody spoke so loudly at each seat."""
    measured = {
        name: {"noise_db": -60.0} | ({} if level is None else {"speech_db": level})
        for name, level in levels.items()
    }
    row = {"check": "microphones", "state": state, "measured": measured, "seconds": 5, "at": at}
    camera = {"check": "camera", "state": "passed", "measured": {}, "seconds": 1, "at": at}
    return [TestedCheck.model_validate(camera), TestedCheck.model_validate(row)]


def test_the_median_of_the_last_hearings_is_usual_also_after_a_restart(path: Path) -> None:
    levels = SpeechLevels(path)
    for level_db in (-30.0, -45.0):
        levels.add([total("judge", level_db)])
        assert levels.usual("judge") is None, "too few hearings"
    levels.add([total("judge", -32.0), total("witness", -20.0)])
    assert (levels.usual("judge"), levels.usual("witness")) == (-32.0, None)
    again = SpeechLevels(path)
    assert again.usual("judge") == -32.0
    for number in range(HEARINGS):
        again.add([total("judge", -20.0 - number % 2)])
    assert again.usual("judge") == -20.5, "the old gain is forgotten"
    assert len(json.loads(path.read_text())["judge"]["hearings"]) == HEARINGS


def test_a_few_words_or_an_unknown_level_count_for_nothing(path: Path) -> None:
    levels = SpeechLevels(path)
    for _ in range(5):
        levels.add([total("judge", -30.0, seconds=19.9), total("witness", None)])
    assert levels.usual("judge") is None
    assert levels.usual("witness") is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("kept", "usual"),
    [
        ("", None),
        ("[]", None),
        ('{"judge": 3}', None),
        ('{"judge": [-30, "x", null, NaN, 999, true, false, [1]]}', None),
        ('{"judge": [-30, "x", -31, null, -32]}', -31.0),
        ('{"judge": {"commissioning": -33, "hearings": 5}}', -33.0),
        ('{"judge": {"commissioning": true, "hearings": [-30, -31]}}', None),
        ('{"judge": {"commissioning": "loud"}}', None),
        ('{"judge": {"commissioning": 1e999, "hearings": [0, 0, 0, {}]}}', 0.0),
        ('{"judge": {"commissioned": 7, "commissioning": -33, "hearings": [-1, -2, -3]}}', -2.0),
        ('{"judge": [-30, 1' + "0" * 400 + ", -31, -1e999, -32]}", -31.0),
    ],
    ids=(
        *("empty", "list", "number", "odd", "some odd"),
        *("hearings odd", "true", "words", "infinite", "day odd", "endless"),
    ),
)
def test_what_cannot_be_read_of_the_file_is_left_out(path: Path, kept: str, usual: Any) -> None:
    path.write_text(kept)
    assert SpeechLevels(path).usual("judge") == usual


def test_a_full_disk_loses_nothing_of_what_is_known(path: Path) -> None:
    path.mkdir()  # cannot be written
    levels = SpeechLevels(path)
    for _ in range(3):
        levels.add([total("judge", -30.0)])
    assert levels.usual("judge") == -30.0


def test_the_sentence_of_commissioning_is_usual_until_there_are_enough_hearings(path: Path) -> None:
    SpeechLevels(path).begin_anew(commissioned(FIRST, judge=-31.5, witness=None))
    kept = json.loads(path.read_text())
    assert kept["judge"] == {"commissioned": FIRST, "commissioning": -31.5, "hearings": []}
    levels = SpeechLevels(path)
    for level_db in (-20.0, -21.0):
        levels.add([total("judge", level_db), total("witness", level_db)])
        assert (levels.usual("judge"), levels.usual("witness")) == (-31.5, None)
    levels.add([total("judge", -22.0)])
    assert levels.usual("judge") == -21.0
    assert SpeechLevels(path).usual("judge") == -21.0


def test_a_new_commissioning_begins_anew_also_where_nobody_spoke(path: Path) -> None:
    levels = SpeechLevels(path)
    levels.begin_anew(commissioned(FIRST, judge=-31.0))
    for _ in range(3):
        levels.add([total("judge", -20.0), total("witness", -20.0), total("lawyer", -20.0)])
    levels.begin_anew(commissioned(SECOND, judge=-40.0, witness=None))
    assert (levels.usual("judge"), levels.usual("witness")) == (-40.0, None)
    assert levels.usual("lawyer") == -20.0, "it was not commissioned again"
    assert SpeechLevels(path).usual("judge") == -40.0


def test_the_commissioning_of_another_device_changes_nothing(path: Path) -> None:
    """Its report has the result of the microphones from before."""
    levels = SpeechLevels(path)
    levels.begin_anew(commissioned(FIRST, judge=-31.0))
    for _ in range(3):
        levels.add([total("judge", -20.0)])
    levels.begin_anew(commissioned(FIRST, judge=-31.0))
    assert levels.usual("judge") == -20.0


@pytest.mark.parametrize("level", ["loud", True, 400.0, {}, [-30.0]])
def test_a_level_of_commissioning_that_can_be_none_is_left_out(path: Path, level: Any) -> None:
    levels = SpeechLevels(path)
    levels.begin_anew(commissioned(FIRST, judge=level, witness=-30.0))
    assert (levels.usual("judge"), levels.usual("witness")) == (None, -30.0)


def test_what_was_measured_and_has_failed_is_not_usual(path: Path) -> None:
    levels = SpeechLevels(path)
    levels.begin_anew(commissioned(FIRST, "failed", judge=-31.0))
    assert levels.usual("judge") is None
    assert not path.exists()
