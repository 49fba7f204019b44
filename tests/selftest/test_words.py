"""Every measured value has words in three languages, with its unit and its limit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

import kiosk.selftest
from kiosk.api.reports import Limit
from kiosk.api.states import CameraState, ClockState, CourtKeyState, MicrophoneState
from kiosk.api.sync import CallClass, LinkCheckResult, Remedy, Verdict
from kiosk.hardware.machine_health import MachineHealth
from kiosk.locale import LANGUAGES, Translator
from kiosk.selftest import CHECKS
from kiosk.selftest.measurements import MEASURED, OF_EVERY_CHECK, Each, Number, Value, Word
from kiosk.selftest.model import CheckResult
from kiosk.selftest.words import MeasuredWords

ALMATY = ZoneInfo("Asia/Almaty")
SOURCES = sorted(Path(kiosk.selftest.__file__).parent.glob("*.py"))
NO_MEASUREMENT = {"seconds", "limits", "tests", "commissioning"}


def names_of(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield the names of values, those of parts included."""
    for name, value in values.items():
        yield name
        if isinstance(value, Each):
            yield from names_of(value.values)


def measured_names(source: Path) -> Iterator[str]:
    """Yield the keys of each dictionary in the functions that measure."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Dict) and source.name.endswith(("checks.py", "probe.py", "run.py")):
            for key, value in zip(node.keys, node.values, strict=True):
                is_function = isinstance(value, ast.Name) and value.id.startswith("check_")
                is_call = isinstance(value, ast.Call) and ast.unparse(value.func) == "Limit"
                if isinstance(key, ast.Constant) and not is_function and not is_call:
                    yield str(key.value)


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_no_check_measures_what_has_no_words(source: Path) -> None:
    """A new value in a check is red here until it has words."""
    known = {name for values in MEASURED.values() for name in names_of(values)}
    known |= set(OF_EVERY_CHECK)
    codes = {*get_args(Verdict), *get_args(CallClass)}
    assert set(measured_names(source)) - known - codes - NO_MEASUREMENT == set()


def test_what_other_modules_measure_has_words() -> None:
    assert {field.name for field in fields(MachineHealth)} == set(MEASURED["machine"])
    assert set(LinkCheckResult.model_fields) - {"state"} == set(MEASURED["link"])
    assert set(MEASURED) == set(CHECKS)


@pytest.mark.parametrize(
    ("value", "states"),
    [
        (MEASURED["camera"]["state"], set(CameraState)),
        (MEASURED["clock"]["state"], set(ClockState)),
        (MEASURED["court_keys"]["state"], set(CourtKeyState)),
        (MEASURED["link"]["verdict"], set(get_args(Verdict))),
        (MEASURED["link"]["call"], set(get_args(CallClass))),
        (MEASURED["link"]["remedy"], set(get_args(Remedy))),
        (MEASURED["link"]["bearer"], {"wired", "wifi", "cellular", "unknown"}),
    ],
)
def test_every_state_has_words(value: Word, states: set[str]) -> None:
    assert set(value.words) == {str(state) for state in states}


def test_every_state_of_a_microphone_has_words() -> None:
    each = MEASURED["microphones"]["*"]
    assert isinstance(each, Each)
    state = each.values["state"]
    assert isinstance(state, Word)
    assert {str(value) for value in MicrophoneState} - {"replaced"} <= set(state.words)


def sample(value: Value) -> Any:
    """Return a measured value of that kind."""
    match value:
        case Number():
            return 12.3
        case Word():
            return next(iter(value.words))
        case Each():
            return {("judge" if key == "*" else key): sample(v) for key, v in value.values.items()}
        case _:
            return None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("check", CHECKS)
def test_nothing_on_the_screen_is_a_raw_key(check: str, language: str) -> None:
    """No underscore, no True, False or None, no English in Kazakh and Russian."""
    names = {"judge": "Судья"}
    words = MeasuredWords(Translator(language), ALMATY, names)
    measured = {("judge" if k == "*" else k): sample(v) for k, v in MEASURED[check].items()}
    lines = words.lines(CheckResult(check, "passed", None, measured))
    assert lines
    for line in lines:
        assert not re.search(r"_|\bTrue\b|\bFalse\b|\bNone\b|\{", line.text), line
        if language != "en":
            plain = re.sub(r"Wi-Fi|dpi", "", line.text)
            assert not re.search(r"[A-Za-z]{2}", plain), line


def test_units_limits_and_the_value_at_commissioning() -> None:
    result = CheckResult(
        "link",
        "failed",
        "link_below",
        {"rtt_ms": 31.0, "down_mbit": 4.84, "up_mbit": 0.4, "loss": 0.012, "jitter_ms": None},
        deviations={"up_mbit": -2.6},
        limits={"down_mbit": Limit(least=2), "up_mbit": Limit(least=2)},
    )
    lines = MeasuredWords(Translator("ru"), ALMATY).lines(result)
    assert [line.text for line in lines] == [
        "Отдача: 0,4 Мбит/с (не менее 2,0 Мбит/с; при вводе в эксплуатацию 3,0 Мбит/с)",
        "Туда и обратно: 31,0 мс",
        "Загрузка: 4,8 Мбит/с (не менее 2,0 Мбит/с)",
        "Потерянные пакеты: 1,2 %",
        "Неравномерность: не измерено",
    ]
    assert [line.is_outside for line in lines] == [True, False, False, False, False]


def test_a_person_is_named_as_the_source() -> None:
    words = MeasuredWords(Translator("en"), ALMATY)

    def said(answer: bool | None) -> str:
        return words.lines(CheckResult("panel", "passed", None, {"lamp_seen": answer}))[0].text

    assert said(True) == "Light seen: confirmed by a person"
    assert said(False) == "Light seen: denied by a person"
    assert said(None) == "Light seen: nobody answered"


def test_a_result_of_another_version_shows_nothing_raw() -> None:
    words = MeasuredWords(Translator("en"), ALMATY)
    assert words.lines(CheckResult("clock", "passed", None, {"new_thing_ms": 5})) == []
    assert words.lines(CheckResult("brewer", "passed", None, {"coffee": True})) == []
