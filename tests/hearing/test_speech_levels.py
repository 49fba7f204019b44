"""How loud speech usually is at a microphone is known from the last hearings (S18)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.speech import SpeechTotal, SpokenPlace
from kiosk.hearing.room.speech_levels import HEARINGS, SpeechLevels

PLACE = SpokenPlace(part=1, part_seconds=1.0, seconds=30.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "speech-levels.json"


def total(source: str, level_db: float | None, seconds: float = 60.0) -> SpeechTotal:
    return SpeechTotal(
        source=source, turns=1, seconds=seconds, unclear_seconds=0, level_db=level_db, latest=PLACE
    )


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
    assert len(json.loads(path.read_text())["judge"]) == HEARINGS


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
    ],
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
