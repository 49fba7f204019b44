"""Every alarm has a sentence and a remedy in three languages; no code goes without one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

import kiosk
from kiosk.alarms import (
    ALARMS,
    Alarm,
    Severity,
    alarm_of,
    index_aliases,
    is_known,
    load_alarms,
    most_severe,
    name_source,
    with_values,
)
from kiosk.central.admin.texts import SENTENCES
from kiosk.central.deliveries.head_check import Problem
from kiosk.locale import LANGUAGES, Language, Translator
from kiosk.sync.delivery.verdict import OWN_ALARMS, HeldBackError

PACKAGE = Path(kiosk.__file__).parent
TRANSLATORS = {language: Translator(language) for language in LANGUAGES}
KNOWN_FAULTS = [
    "recorder_down",
    "sync_down",
    "central_unreachable",
    "not_enrolled",
    "certificate_invalid",
    "clock_unset",
    "clock_unsynchronised",
    "schedule_stale",
    "no_schedule",
    "unknown_badge",
    "already_recording",
    "camera_absent",
    "camera_frozen",
    "microphone_absent",
    "microphone_dead",
    "microphone_muted",
    "microphone_stuck",
    "microphone_refused",
    "microphone_humming",
    "remote_link_lost",
    "line_silent",
    "line_poor",
    "clock_stepped",
    "headset_absent",
    "microphone_quiet",
    "microphone_clipping",
    "sound_server_down",
    "disk_low",
    "disk_full",
    "storage_failed",
    "proof_failed",
    "recorder_recovered",
    "database_rebuilt",
    "settings_invalid",
    "scanner_jam",
    "scanner_no_paper",
    "scanner_cover_open",
    "scanner_busy",
    "scanner_lost",
    "scanner_stalled",
    "page_incomplete",
    "printer_silent",
    "printer_no_paper",
    "badge_reader_absent",
    "panel_absent",
    "hash_mismatch",
    "queue_growing",
    "link_below",
    "link_gaps",
    "link_unheard",
]


@pytest.mark.parametrize("code", KNOWN_FAULTS)
def test_known_faults_have_an_alarm(code: str) -> None:
    assert alarm_of(code).code == code


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS.keys())
def test_alarm_speaks_three_languages(alarm: Alarm) -> None:
    said = {language: alarm.say(TRANSLATORS[language], "X") for language in LANGUAGES}
    assert len(set(said.values())) == 3
    assert all("{" not in sentence and alarm.code not in sentence for sentence in said.values())
    assert all(alarm.remedy(TRANSLATORS[language], staff=True) for language in LANGUAGES)


def test_the_microphone_is_named() -> None:
    said = alarm_of("microphone_absent").say(Translator("ru"), "свидетель")
    assert said.startswith("Микрофон «свидетель» не записывается")


def test_unknown_code_gets_a_plain_sentence() -> None:
    assert alarm_of("quantum_flux").code == "error"


def test_gravest_comes_first() -> None:
    assert most_severe(["schedule_stale", "camera_absent", "unknown_badge"]) == "camera_absent"
    assert most_severe([]) is None
    assert alarm_of("unknown_badge").severity is Severity.NOTICE


def test_alias_means_its_alarm() -> None:
    assert alarm_of("storage_gone").code == "disk_gone"
    assert is_known("storage_gone")


@pytest.mark.parametrize("problem", get_args(Problem))
def test_each_reason_to_hold_a_recording_back_has_a_sentence_of_its_own(problem: str) -> None:
    """A reason that the kiosk does not know is shown as a neutral ``held_back``."""
    assert problem in ALARMS
    assert HeldBackError(problem).code == problem
    assert OWN_ALARMS[problem] == problem
    assert problem in SENTENCES, "court IT's page"


JAM = '[jam]\nseverity = "fault"\nsentence = "Stuck."\nstaff = "Pull."\n'


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("staff", "staf"),
        ('"Stuck."', '""'),
        ('"fault"', '"grave"'),
        ('staff = "Pull."', ""),
        ('"Pull."', '"Pull."\naliases = [1]'),
    ],
)
def test_wrong_row_is_refused(tmp_path: Path, right: str, wrong: str) -> None:
    file = tmp_path / "alarms.toml"
    file.write_text(JAM, encoding="utf-8")
    assert load_alarms(file)["jam"].severity is Severity.FAULT
    file.write_text(JAM.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ValidationError):
        load_alarms(file)


def test_alias_belongs_to_one_alarm(tmp_path: Path) -> None:
    file = tmp_path / "alarms.toml"
    second = JAM.replace("[jam]", "[stall]") + 'aliases = ["jam"]\n'
    file.write_text(JAM + second, encoding="utf-8")
    with pytest.raises(ValueError, match=r"“stall”: alias “jam”"):
        index_aliases(load_alarms(file))


def declared_codes() -> Iterator[tuple[str, str]]:
    """Yield ``(file, code)`` of every ``code = "..."`` of a class and ``code="..."`` of a call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "central" in path.relative_to(PACKAGE).parts:
            continue  # the central system is another machine; its codes never reach a screen
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = _class_codes(node) if isinstance(node, ast.ClassDef) else []
            if isinstance(node, ast.Call):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            for value in values:
                # an empty one means "nothing is wrong"
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                    yield path.name, value.value


def _class_codes(node: ast.ClassDef) -> list[ast.expr]:
    """Return what ``node``'s body assigns to the name ``code``."""
    values: list[ast.expr] = []
    for line in node.body:
        targets = line.targets if isinstance(line, ast.Assign) else []
        if isinstance(line, ast.AnnAssign):
            targets = [line.target]
        named = any(isinstance(target, ast.Name) and target.id == "code" for target in targets)
        if named and isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            values.append(line.value)
    return values


@pytest.mark.slow
def test_every_code_of_an_error_has_an_alarm() -> None:
    assert sorted({item for item in declared_codes() if not is_known(item[1])}) == []


def test_an_alarm_tells_the_values_before_and_now_as_the_language_writes_them() -> None:
    names = {"witness": "Witness", "judge": "Judge"}
    source = name_source("witness/0.62/0.41", names)
    alarm = alarm_of("morning_transmission_fell")
    assert "“Witness”" in alarm.say(TRANSLATORS["en"], source)
    assert "0.62 at its installation, 0.41" in alarm.say(TRANSLATORS["en"], source)
    for language in ("kk", "ru"):
        text = alarm.say(TRANSLATORS[language], source)
        assert "0,62" in text
        assert "0,41" in text
        assert "{" not in text
    everywhere = alarm_of("morning_transmission_fell_everywhere")
    assert "0.70" in everywhere.say(TRANSLATORS["en"], name_source("loudspeaker/0.70/0.5", names))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    [
        "morning_microphone_louder",
        "morning_microphone_weaker",
        "morning_sweep_louder",
        "morning_sweep_weaker",
        "morning_sweep_muffled",
    ],
)
def test_by_how_much_a_microphone_has_changed_is_told_in_decibels(
    code: str, language: Language
) -> None:
    unit = "dB" if language == "en" else "дБ"
    text = alarm_of(code).say(TRANSLATORS[language], with_values("Куә", -30.4, -42.6))
    assert "Куә" in text
    assert f"−30 {unit}" in text
    assert f"−43 {unit}" in text
    unheard = alarm_of(code).say(TRANSLATORS[language], with_values("Куә", -30.4, None))
    assert f"– {unit}" in unheard
    assert "{" not in alarm_of(code).say(TRANSLATORS[language], "of an earlier release")


def test_a_source_without_values_is_named_or_unknown() -> None:
    assert name_source("witness", {"witness": "Witness"}) == "Witness"
    assert name_source("camera", {}, "?") == "?"
    assert name_source("1/12", {"1": "x"}) == ""
