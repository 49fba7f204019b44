"""A hearing of an administrative offence online, by real taps: rights first, nobody swears.

Written down from КоАП 21, 767 and the court's letter (R20, R45, R54; S7, S24-S26).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.demo.x_server import Display
from tests.ui.walked_hearing import walked_hearing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PEOPLE = [
    {"role": "person_charged", "name": "Ахметов А."},
    {"role": "witness", "name": "Ержан Т."},
    {"role": "defender", "name": "Нұрлан С."},
    {"role": "observer", "name": "Иванова И."},
]
NOT_HERE = {
    "oath",
    "recording_announced",
    "charge_presented",
    "last_word",
    "non_disclosure_receipt",
}
"""Events of the criminal and the civil code; the order of such a hearing was not read."""


def test_a_hearing_of_an_administrative_offence_online(folder: Path, display: Display) -> None:
    row: dict[str, Any] = {
        "case_number": "7514-26-00-3/11",
        "title": "Мелкое хулиганство",
        "kind": "admin_offence",
    }
    row |= {"format": "online"}
    with walked_hearing(folder, display, **row, participants=PEOPLE) as walk:
        walk.start()
        walk.answer("format_decided_by", "court_ruling")
        walk.answer("legal_basis", "KOAP-767")
        assert not walk.events() & NOT_HERE
        walk.mark("questioning:p1")
        assert walk.hearing["marks"][-1]["left_out"] == ["rights_explained:p1"], "S25, 767(3)"
        # whoever disturbs is removed: an observer, never the defender (S7)
        walk.begin_mark("removal")
        assert "p3" not in walk.offered_people()
        walk.finish_mark("removal:p4")
        assert walk.person("p4")["left"]
        walk.answer("left_out:rights_explained:p1", "done")  # asked once something else came
        walk.tap("rec.undo")
        walk.wait_person("p4", left=False)
        walk.mark("removal:p4")
        walk.close("koap_personal")
        walk.mark("questioning:p2")
        walk.open_again()
        walk.pause("retire")
        assert walk.due[0] == "announcement"
        walk.resume()
        walk.mark("announcement")
        walk.end()
    assert walk.hall == [
        ("in_session", "open", True),
        ("in_session", "closed", False),
        ("in_session", "open", True),
        ("retired", "open", True),
        ("in_session", "open", True),
        ("ended", "open", True),
    ]
    assert walk.record.marks() == [
        "questioning:p1",
        "removal:p4",
        "removal:p4",
        "closed_declared",
        "questioning:p2",
        "opened_again",
        "retirement",
        "resumed",
        "announcement",
    ]
    assert walk.record.check_media() == [False, True, False, False]
