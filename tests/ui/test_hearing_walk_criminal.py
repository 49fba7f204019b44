"""A criminal hearing in the room, by real taps: oath and receipt, a child, a closed part.

Written down from УПК 29, 345-371 and the court's letter (R46-R48, R54, R57; S7, S10, S12, S14).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.demo.x_server import Display
from tests.ui.walked_hearing import walked_hearing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUMBER, TITLE = "7514-26-00-1/17", "Обвинение по делу о краже"
ACCUSED, WITNESS, CHILD, REMOVED = "p1", "p2", "p3", "p4"
PEOPLE = [
    {"role": "accused_in_court", "name": "Ахметов Б."},
    {"role": "witness", "name": "Ержан Т."},
    {"role": "witness", "name": "Сейтова А."},
    {"role": "accused_in_court", "name": "Ким О."},
]
MARKED = [
    "removal:p4",
    "identity_checked:p2",
    "rights_explained:p2",
    "oath:p2",
    "receipt_taken:p2",
    "questioning:p2",
    "recess",
    "resumed",
    "identity_checked:p3",
    "truth_explained:p3",
    "questioning:p3",
    "minor_leaves:p3",
    "closed_declared",
    "non_disclosure_warned",
    "documents_examined",
    "opened_again",
    "debates",
    "last_word:p1",
    "retirement",
    "resumed",
    "announcement",
]
COURSE = [
    "принесение клятвы свидетелем · свидетель: Ержан Т.",
    "отобрание подписки · свидетель: Ержан Т. · подписка не отсканирована",
    "допрос · свидетель: Ержан Т.",
    "допрос · свидетель: Сейтова А.",
    "исследование письменных документов",
    "судебные прения",
    "последнее слово подсудимого · подсудимый: Ахметов Б.",
    "удаление в совещательную комнату",
    "оглашение судебного акта",
    "закрытое заседание: уголовные правонарушения несовершеннолетних · УПК 29(1) · № 5",
]
"""The events of УПК 347-1(2)9 in the short minutes, then the decision on closing."""
HIDDEN = (NUMBER, TITLE, *(person["name"] for person in PEOPLE))
ROW: dict[str, Any] = {
    "case_number": NUMBER,
    "title": TITLE,
    "kind": "criminal",
    "format": "offline",
}


def test_a_criminal_hearing_in_the_room(folder: Path, display: Display) -> None:
    with walked_hearing(folder, display, **ROW, participants=PEOPLE) as walk:
        walk.start()
        assert walk.due[:2] == ["court_enters", "opening"], "УПК 345(2), 350"
        walk.say_of(CHILD, "minor:yes")
        walk.mark("removal:p4")
        assert walk.person(REMOVED)["left"], "S7, УПК 346"
        # a witness: identity, rights, oath, receipt, questions (УПК 370(2); R46, R47)
        walk.mark("identity_checked:p2", "rights_explained:p2")
        assert walk.due[:2] == ["oath:p2", "receipt_taken:p2"]
        walk.mark("oath:p2")
        walk.swear("witness")
        assert walk.hearing["marks"][-1]["heard"] is True
        walk.mark("receipt_taken:p2", "questioning:p2")
        assert walk.hearing["marks"][-1]["left_out"] == ["witnesses_leave"], "УПК 354, S10"
        walk.lose("witness")
        walk.answer("failure_reason", "device")
        walk.pause("recess")
        walk.answer("recess_reason", "rest")
        walk.resume()
        # a child is neither warned nor sworn (371(2), S12), and leaves when heard (371(4))
        assert walk.due[:2] == ["questioning:p1", "identity_checked:p3"]
        walk.mark("identity_checked:p3")
        assert walk.due[:3] == ["rights_explained:p3", "minor_accompanied:p3", "truth_explained:p3"]
        walk.mark("truth_explained:p3", "questioning:p3")
        left_out = ["witnesses_leave", "rights_explained:p3", "minor_accompanied:p3"]
        assert walk.hearing["marks"][-1]["left_out"] == left_out, "S10, S25, УПК 371(1)"
        walk.mark("minor_leaves:p3")
        # a part is closed: ground, ruling, warning; the act is announced openly (29(1, 3), S14)
        walk.close("crim_minors")
        walk.type_answer("closure_act", "5")
        assert walk.due[:2] == ["non_disclosure_warned", "non_disclosure_receipt:p1"], "350(2)"
        # meanwhile neither the hall nor who stands before the kiosk reads what it is about (R66)
        assert walk.read_of(HIDDEN) == []
        walk.mark("non_disclosure_warned", "documents_examined")
        walk.open_again()
        assert NUMBER in walk.hall_text()
        walk.mark("debates")
        assert walk.due[0] == "last_word:p1", "whoever was removed is not asked"
        walk.mark("last_word:p1")
        walk.pause("retire")
        walk.resume()
        assert walk.due[0] == "announcement"
        walk.mark("announcement")
        walk.end()
        walk.sign_out()
        listed = walk.visitors_list()
    assert walk.hall == [
        ("in_session", "open", True),
        ("recess", "open", True),
        ("in_session", "open", True),
        ("in_session", "closed", False),
        ("in_session", "open", True),
        ("retired", "open", True),
        ("in_session", "open", True),
        ("ended", "open", True),
    ]
    assert NUMBER in listed, "it ended as an open one"
    assert walk.record.marks() == MARKED
    assert walk.record.lost("witness") > 0
    assert walk.record.check_media() == [False, False, True, False, False]
    assert walk.record.minutes_lines("course") == COURSE
    assert [person for person, _, _ in walk.record.questioned()] == ["p2", "p3"]
    assert all(0 < begin < end for _, begin, end in walk.record.questioned())
