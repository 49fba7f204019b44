"""An administrative-justice hearing online, by real taps: an institution takes the receipt.

Written down from ӘРПК 147, АПК 133-3(3), 189, 192, 203 and the court's letter (R20-R22, R28, R49).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.demo.x_server import Display
from tests.ui.walked_hearing import walked_hearing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUMBER, TITLE = "7514-26-00-4/77", "О разрешении на строительство"
PEOPLE = [
    {"role": "plaintiff", "name": "Ахметов А."},
    {"role": "defendant_civil", "name": "Әкімдік"},
    {"role": "witness", "name": "Ержан Т."},
]
ROW: dict[str, Any] = {
    "case_number": NUMBER,
    "title": TITLE,
    "kind": "admin_justice",
    "format": "online",
}


def test_an_administrative_justice_hearing_online(folder: Path, display: Display) -> None:
    with walked_hearing(folder, display, **ROW, participants=PEOPLE) as walk:
        walk.start()
        walk.answer("format_decided_by", "presiding")
        walk.answer("legal_basis", "APPK-147-1")
        # the presiding judge announces the recording, right after the opening (АПК 189(1))
        assert walk.due[:2] == ["court_enters", "opening"]
        walk.mark("opening")
        assert walk.due[:2] == ["case_announced", "recording_announced"]
        walk.mark("recording_announced", "attendance")
        assert walk.hearing["marks"][-1]["left_out"] == []
        # a patient is warned and swears nothing; the institution takes the receipt (133-3(3))
        walk.say_of("p3", "means:institution")
        walk.mark("identity_checked:p3", "rights_explained:p3")
        assert walk.due[:2] == ["warning_false_testimony:p3", "receipt_taken:p3"]
        walk.mark("warning_false_testimony:p3", "receipt_taken:p3", "questioning:p3")
        assert walk.hearing["marks"][-1]["left_out"] == ["witnesses_leave"], "АПК 192(1)"
        walk.lose("witness")
        walk.answer("failure_reason", "device")
        walk.mark("debates")
        walk.answer("left_out:witnesses_leave", "not_due")
        assert walk.due[0] == "announcement", "nobody is accused: no last word"
        walk.pause("retire")
        walk.resume()
        assert walk.hearing["announced_part"] == "operative", "ӘРПК 147(2)"
        walk.mark("announcement")
        walk.end()
    assert walk.hall == [
        ("in_session", "open", True),
        ("retired", "open", True),
        ("in_session", "open", True),
        ("ended", "open", True),
    ]
    assert walk.record.marks() == [
        "opening",
        "recording_announced",
        "attendance",
        "identity_checked:p3",
        "rights_explained:p3",
        "warning_false_testimony:p3",
        "receipt_taken:p3",
        "questioning:p3",
        "debates",
        "retirement",
        "resumed",
        "announcement",
    ]
    assert walk.record.lost("witness") > 0
    said = "\n".join(walk.record.minutes_lines("means"))
    assert said.count("Не записывалось: ") == 1, "S16: once, of one microphone"
    assert "Причина: отказ устройства" in said
    assert walk.record.check_media() == [False, False]
    assert walk.record.minutes_lines("attendance") == [
        "[  ] истец: Ахметов А.",
        "[  ] ответчик: Әкімдік",
        "[  ] свидетель: Ержан Т.",
    ], "who came was not marked: the secretary ticks it"
    assert walk.record.minutes_lines("announcement") == ["оглашение судебного акта"]
    ((person, begin, end),) = walk.record.questioned()
    assert person == "p3"
    assert 0 < begin < end
