"""The short protocol from the journals of a hearing: every field of the statute, none invented.

Requirements: S16, S17.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import numpy as np
import pikepdf
import pytest

from kiosk import fonts
from kiosk.api.minutes import MinutesForm
from kiosk.cli import main
from kiosk.config import KioskSettings, Settings
from kiosk.errors import RecordingError
from kiosk.export.minutes import (
    Minutes,
    MinutesOptions,
    build_minutes,
    fill_minutes,
    load_hearing_state,
)
from kiosk.export.text_pdf import minutes_to_pdf, render_pages
from kiosk.export.texts import ExportTexts, given_reason
from kiosk.export.time_account import Interval
from kiosk.fonts.drawing import load_font, wrap_text
from kiosk.locale import Translator
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.rules import load_rules
from kiosk.ui.secretary.running_hearing.questions import FIXED_ANSWERS
from tests.support.identity import Court

RULES = load_rules()
SETTINGS = Settings(
    kiosk=KioskSettings(court={"kk": "Сынақ соты", "ru": "Тестовый суд", "en": "Test"})
)
HEARING: dict[str, Any] = {
    "id": "6f2b7d7e-3c33-4f0b-9a41-0d3c1f2f8a11",
    "case_number": "7527-26-00-1/12",
    "title": "Пример",
    "kind": "criminal",
    "judge": "Судья С.",
    "participants": [
        {"name": "Подсудимый П.", "role": "accused_in_court"},
        {"name": "Свидетель В.", "role": "witness"},
    ],
}
SECOND = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a hearing in two parts with marks, one withdrawn, and a camera that failed."""
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = tmp_path / str(HEARING["id"])
    book = HearingJournal.create(folder, HEARING, {}, JournalOptions("kiosk-7", signer))
    marks = [("oath", 65.4, "witness"), ("questioning", 3725.0, "witness"), ("challenges", 5.0, "")]
    for number in (1, 2):
        part = book.open_part(number, {"reason": "start", "tap_ns": 0}, {})
        if number == 1:
            for identifier, (kind, at, role) in enumerate(marks, 1):
                mark = {"id": identifier, "type": kind, "seconds": at, "part_seconds": at}
                part.append("mark", {**mark, "role": role, "note": ""})
            part.append("mark_withdrawn", {"mark": 3})
            lost = {"number": 1, "source": "camera", "what": "absent", "seconds": 12.0}
            part.append("interruption", lost)
        part.end({"stop_ns": 3800 * SECOND})
        book.append("part_closed", {"part": number, "reason": "recess" if number == 1 else "end"})
    book.append("statement", {"subject": "failure_reason", "value": "кабель камеры"})
    return folder


def field(minutes: Minutes, identifier: str) -> str:
    return "\n".join(next(row.lines for row in minutes.fields if row.id == identifier))


def test_all_ten_fields_in_the_statutes_order(folder: Path) -> None:
    minutes = build_minutes(folder, RULES, SETTINGS, "ru")
    assert minutes.title == "краткий протокол судебного заседания"
    assert [row.number for row in minutes.fields] == list(range(1, 11))
    assert "Тестовый суд" in field(minutes, "date_place")
    assert "Судья С." in field(minutes, "court")
    assert field(minutes, "case") == "7527-26-00-1/12 · Пример"
    assert field(minutes, "defendant") == "подсудимый: Подсудимый П."
    assert "[  ] свидетель: Свидетель В." in field(minutes, "attendance")
    assert minutes.signatures == ("председательствующий", "секретарь судебного заседания")


def test_questioning_is_listed_with_file_and_time(folder: Path) -> None:
    course = field(build_minutes(folder, RULES, SETTINGS, "ru"), "course").splitlines()
    assert len(course) == 2
    assert "принесение клятвы свидетелем · свидетель · part-01, 0:01:05" in course[0]
    assert course[1].endswith("допрос · свидетель · part-01, 1:02:05 – part-02, 1:03:20")


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Return a hearing that was told of whom its marks are, with notes, over a recess."""
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = tmp_path / str(HEARING["id"])
    book = HearingJournal.create(folder, HEARING, {}, JournalOptions("kiosk-7", signer))
    witness = {"id": "p2", "role": "witness", "name": "Свидетель В."}
    expert = {"id": "p3", "role": "expert", "name": "Эксперт Э."}
    book.append("person", {**expert, "attendance": "online"})
    book.append("person", {"id": "p1", "role": "accused_in_court", "name": "Подсудимый Петров"})
    book.append("person", {**witness, "attendance": "hall", "left": "2026-11-23T05:15:00.000Z"})
    part = book.open_part(1, {"reason": "start", "tap_ns": 0}, {})

    def mark(journal: Any, number: int, kind: str, at: float, **fields: Any) -> None:
        journal.append("mark", {"id": number, "type": kind, "part_seconds": at, **fields})

    mark(part, 1, "questioning", 60.0, of_whom=True)
    mark(part, 2, "motion_made", 90.0, of={"id": "p1", "role": "accused_in_court", "name": "П."})
    mark(part, 3, "questioning", 120.0, of=expert)
    note = {"mark": 3, "seconds": 0.0, "part_seconds": 130.0, "moment": "2026-11-23T05:00:00.000Z"}
    part.append("note", {"id": 1, "text": "схема показана", **note})
    part.append("note", {"id": 2, "text": "ошибка", **note})
    part.append("note_withdrawn", {"note": 2})
    mark(part, 4, "questioning", 300.0, of_whom=True)
    part.end({"stop_ns": 400 * SECOND})
    book.append("part_closed", {"part": 1, "reason": "retire"})
    mark(book, 5, "retirement", 0.0)
    book.append("statement", {"subject": "of_whom:1", "value": witness})
    turns = [("witness", 61.0, 20.0), ("judge", 85.0, 4.0), ("witness", 119.0, 9.0)]
    for source, at, lasts in [*turns, ("expert", 130.0, 60.0)]:
        turn = {"source": source, "part": 1, "part_seconds": at, "lasts": lasts}
        book.append("speech", turn)
    return folder


def test_each_questioning_has_person_role_begin_and_end(told: Path) -> None:
    course = field(build_minutes(told, RULES, SETTINGS, "ru"), "course").splitlines()
    assert len(course) == 5
    assert course[0].endswith(
        "допрос · свидетель: Свидетель В. · part-01, 0:01:00 – part-01, 0:02:00"
    )
    assert course[1].endswith("ходатайства · подсудимый: Подсудимый Петров · part-01, 0:01:30")
    assert course[2].endswith(
        "эксперт: Эксперт Э. · схема показана · part-01, 0:02:00 – part-01, 0:05:00"
    )
    assert course[3].endswith("допрос · ____________________ · part-01, 0:05:00 – part-01, 0:06:40")
    times = course[0].split(" · ")[0]
    assert len(times) == len("10:15:00 – 10:20:00"), "wall times of begin and end"
    assert "ошибка" not in "".join(course)


def test_attendance_says_who_takes_part_from_where(told: Path) -> None:
    """АПК 190(1); a corrected name is the new one."""
    rows = field(build_minutes(told, RULES, SETTINGS, "ru"), "attendance").splitlines()
    assert rows == [
        "[  ] подсудимый: Подсудимый Петров",
        "свидетель: Свидетель В. · в зале · выход в 10:15",
        "эксперт: Эксперт Э. · с использованием технических средств связи",
    ]
    assert "залда" in field(build_minutes(told, RULES, SETTINGS, "kk"), "attendance")


def test_decisions_stand_in_the_minutes_with_what_they_rest_on(tmp_path: Path) -> None:
    """R20-R23, R59-R65, R84: the format, the closing and its ruling, who may film."""
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = tmp_path / str(HEARING["id"])
    book = HearingJournal.create(folder, HEARING, {}, JournalOptions("kiosk-7", signer))
    said: dict[str, Any] = {
        "format": "online",
        "legal_basis": "UPK-345-1",
        "format_ground": "application",
        "format_application": "15",
        "format_opinions": "agreed",
        "closure_ground": "crim_minors",
        "closure_act": "№ 12 от 28.11.2026",
        "permission": {"kind": "film_photo", "allowed": False, "opinions": "objected"},
    }
    for subject, value in said.items():
        book.append("statement", {"subject": subject, "value": value})
    lines = field(build_minutes(folder, RULES, SETTINGS, "ru"), "course").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("онлайн")
    assert lines[0].endswith(" · по заявлению · № 15 · все согласны")
    assert lines[1].startswith("закрытое заседание: ")
    assert lines[1].endswith(" · № 12 от 28.11.2026")
    assert lines[2] == "кино- и фотосъёмка: отказано · есть возражения"
    assert "бас тартылды" in field(build_minutes(folder, RULES, SETTINGS, "kk"), "course")


def test_minutes_of_a_civil_case_have_the_fields_of_its_code(tmp_path: Path) -> None:
    """АПК 282(4): recess and announcement with their times, and no list of persons questioned."""
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = tmp_path / str(HEARING["id"])
    hearing = {**HEARING, "kind": "civil"}
    book = HearingJournal.create(folder, hearing, {}, JournalOptions("kiosk-7", signer))
    part = book.open_part(1, {"reason": "start", "tap_ns": 0}, {})
    for number, kind in enumerate(("questioning", "recess", "announcement"), 1):
        mark = {"id": number, "type": kind, "seconds": 5.0, "part_seconds": 5.0}
        part.append("mark", {**mark, "role": "", "note": ""})
    part.end({"stop_ns": 60 * SECOND})
    book.append("part_closed", {"part": 1, "reason": "end"})
    minutes = build_minutes(folder, RULES, SETTINGS, "ru")
    assert "перерыв" in field(minutes, "recess")
    assert "part-01, 0:00:05" in field(minutes, "announcement")
    assert "допрос" not in minutes.as_text()
    assert "course" not in {row.id for row in minutes.fields}


PAUSES = ("recess", "retirement", "failure")
CONTINUED = "продолжение заседания"


@pytest.mark.slow
@pytest.mark.parametrize("order", tuple(product(PAUSES, repeat=3)), ids="-".join)
def test_who_comes_back_from_the_deliberation_ends_no_recess(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    """АПК 282(2)13-1), 282(4). A retirement has a field of its own; what a failure stopped, none.

    The act is announced after each retirement. Short minutes have no field for notes to what is
    not listed; full ones have.
    """
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    book = HearingJournal.create(
        tmp_path / str(HEARING["id"]),
        {**HEARING, "kind": "civil"},
        {},
        JournalOptions("kiosk-7", signer),
    )
    number = 0

    def mark(journal: Any, kind: str) -> None:
        nonlocal number
        number += 1
        journal.append("mark", {"id": number, "type": kind, "part_seconds": 1.0})

    part = book.open_part(1, {"reason": "start", "tap_ns": 0}, {})
    for n, pause in enumerate(order, 2):
        part.end({"stop_ns": 400 * SECOND})
        book.append("part_closed", {"part": n - 1, "reason": pause})
        if pause != "failure":
            mark(book, pause)
        part = book.open_part(n, {"reason": "resume", "tap_ns": 0}, {})
        mark(part, "resumed")
        moment = "2026-11-23T05:00:00.000Z"
        note = {"mark": number, "seconds": 0.0, "part_seconds": 2.0, "moment": moment}
        part.append("note", {"id": n, "text": f"заметка {n}", **note})
        if pause == "retirement":
            mark(part, "announcement")
    part.end({"stop_ns": 400 * SECOND})
    expected: list[str] = []
    for pause in order:
        expected += ["перерыв"] if pause == "recess" else []
        expected += [CONTINUED] if pause != "retirement" else []
    for form in get_args(MinutesForm):
        state = load_hearing_state(book.folder)
        options = MinutesOptions(form)
        minutes = fill_minutes(book.folder, state, RULES, SETTINGS, "ru", options)
        lines = field(minutes, "recess").splitlines()
        assert [line.split(" · ")[1] for line in lines] == expected
        said = minutes.as_text()
        is_listed = [form == "full" or pause != "retirement" for pause in order]
        assert [said.count(f"заметка {n}") == 1 for n in (2, 3, 4)] == is_listed
        assert said.count("оглашение судебного акта · part") == order.count("retirement")


def test_files_and_failures_with_their_reason(folder: Path) -> None:
    minutes = build_minutes(folder, RULES, SETTINGS, "ru")
    files = field(minutes, "file").splitlines()
    assert [line.split(" · ")[0][-7:] for line in files] == ["part-01", "part-02"]
    assert files[0].endswith("1:03:20")
    means = field(minutes, "means")
    assert "камера, не подключено" in means
    assert "12 с" in means
    assert "кабель камеры" in means


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_reason_that_was_given_by_a_tap_stands_in_words(language: str) -> None:
    """S16. What was typed stays as it is."""
    translate = Translator(language)
    taps = {**FIXED_ANSWERS["failure_reason"], **FIXED_ANSWERS["recess_reason"]}
    said = {tap: given_reason(translate, tap) for tap in taps}
    assert [tap for tap, text in said.items() if re.search("[A-Za-z]", text)] == []
    assert given_reason(translate, "кабель камеры") == "кабель камеры"
    texts = ExportTexts(translate, RULES, ZoneInfo("Asia/Almaty"), {}, {})
    interval = Interval("gap", 1, 0, 1000, "", "recess", "rest", "")
    assert texts.interval_row(interval)[-1] == said["rest"]


def test_what_is_not_known_stays_empty(folder: Path) -> None:
    minutes = build_minutes(folder, RULES, SETTINGS, "kk")
    assert field(minutes, "finished") == ""
    text = minutes.as_text()
    assert text.startswith("СОТ ОТЫРЫСЫНЫҢ ҚЫСҚАША ХАТТАМАСЫ")
    assert "10. Хаттаманың аяқталған күні:\n   ____" in text
    assert "challenges" not in text


def test_pdf_for_paper(folder: Path, tmp_path: Path) -> None:
    minutes = build_minutes(folder, RULES, SETTINGS, "kk")
    path = tmp_path / "minutes.pdf"
    path.write_bytes(minutes_to_pdf(minutes))
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == len(list(render_pages(minutes.as_text()))) >= 1
        assert str(pdf.Root.Lang) == "kk"
    page = next(render_pages(minutes.as_text()))
    ink = np.count_nonzero(np.asarray(page.resize((165, 234)).convert("L")) < 128)
    assert 100 < ink < 12000


def test_a_changed_journal_is_refused(folder: Path) -> None:
    journal = folder / "part-01" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"questioning", b"questionings"))
    with pytest.raises(RecordingError, match="journal"):
        build_minutes(folder, RULES, SETTINGS, "ru")


def test_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text('[kiosk]\nlanguage = "ru"\n', encoding="utf-8")
    command = ["--config", str(settings), "minutes", str(folder)]
    assert main(command) == 0
    assert "КРАТКИЙ ПРОТОКОЛ" in capsys.readouterr().out
    assert main([*command, "--pdf", str(tmp_path / "out.pdf")]) == 0
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("kind", "times"), [("criminal", 2), ("civil", 1)])
def test_full_minutes_lose_no_note_and_double_none(told: Path, kind: str, times: int) -> None:
    """A note stands with its event: in criminal cases in the course, too (S18)."""
    state = load_hearing_state(told)
    state.details["kind"] = kind
    full = fill_minutes(told, state, RULES, SETTINGS, "ru", MinutesOptions("full"))
    everything = "\n".join(line for row in full.fields for line in row.lines)
    assert everything.count("схема показана") == times
    assert "ошибка" not in everything
    testimony = field(full, "testimony").splitlines()
    assert "Свидетель В." in testimony[0]
    spoken = [line for line in testimony if line.startswith("говорили: ")]
    assert spoken == ["говорили: witness 0:00:29, judge 0:00:04", "говорили: expert 0:01:00"]
    assert len(testimony) == 3 + len(spoken)


class CountingFont:
    """A font that counts how often something is measured."""

    def __init__(self) -> None:
        self.font, self.measured = load_font(fonts.REGULAR, 31), 0

    def getlength(self, text: str) -> float:
        self.measured += 1
        return self.font.getlength(text)


def test_a_word_of_5000_letters_is_broken_without_measuring_each_letter() -> None:
    font, word = CountingFont(), "Жі" * 2500
    lines = wrap_text(f"до {word} после", font, 1300, "   ")  # type: ignore[arg-type]
    assert "".join(line.strip() for line in lines) == f"до{word} после"
    assert all(font.font.getlength(line) <= 1300 for line in lines)
    assert font.font.getlength(lines[1] + word[0]) > 1300, "lines are full"
    assert font.measured < 20 * len(lines)


@pytest.mark.parametrize("format_", ["online", "mixed", "offline"])
def test_a_broken_line_stands_in_the_minutes_where_somebody_took_part_over_it(
    tmp_path: Path, format_: str
) -> None:
    signer = Court.make(tmp_path / "ca").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = tmp_path / str(HEARING["id"])
    hearing = {**HEARING, "format": format_}
    book = HearingJournal.create(folder, hearing, {}, JournalOptions("kiosk-7", signer))
    part = book.open_part(1, {"reason": "start", "tap_ns": 0}, {})
    for number, kind in ((1, "silent"), (2, "poor"), (3, "poor")):
        day = "1970-01-01" if number == 3 else "2026-11-23"  # the clock was not set
        began = {"began": f"{day}T05:00:00.000Z", "part": 1, "part_seconds": 30.0}
        book.append("line_trouble", {"number": number, "what": kind, **began})
    book.append("line_trouble_ended", {"number": 1, "what": "silent", "lasted": 36.0})
    book.append("line_trouble_ended", {"number": 7, "what": "silent", "lasted": 1.0})
    part.end({"stop_ns": 60 * SECOND})
    book.append("part_closed", {"part": 1, "reason": "end"})
    expected = {
        "ru": [
            "Нет ответа по линии суда: 10:00:00, 36 с",
            "опаздывали на линии суда: 10:00:00",
            "опаздывали на линии суда: __:__:__",
        ],
        "kk": ["Сот желісінен жауап болмады: 10:00:00, 36 с", "кешікті: 10:00:00"],
    }
    for language, texts in expected.items():
        means = field(build_minutes(folder, RULES, SETTINGS, language), "means")
        for text in texts:
            assert (text in means) is (format_ != "offline"), means
