"""Hearings of each kind from the first word to the seal: journal, minutes and questions agree.

The secretary marks what the recorder says is due, through its API. Requirements: R46-R53, R57,
S10-S14, S25.
"""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.config import KioskSettings, Settings
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import build_minutes, load_hearing_state
from kiosk.recording.verify.hearing import verify
from kiosk.rules import load_rules
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.court_keys import CourtSecrets

pytestmark = pytest.mark.slow

RULES = load_rules()
SETTINGS = Settings(kiosk=KioskSettings(court={"ru": "Тестовый суд"}))
WITNESS, MINOR = "Ержан Т.", "Дана К."
PEOPLE: dict[str, list[tuple[str, str]]] = {
    "criminal": [
        ("accused_in_court", "Ахметов Б."),
        ("witness", WITNESS),
        ("witness", MINOR),
        ("interpreter", "Ким О."),
    ],
    "civil": [
        ("plaintiff", "Омаров С."),
        ("defendant_civil", "Ли В."),
        ("witness", WITNESS),
        ("witness", MINOR),
        ("interpreter", "Ким О."),
    ],
    "admin_offence": [("person_charged", "Сеитов Д."), ("witness", WITNESS)],
}
PEOPLE["admin_justice"] = PEOPLE["civil"]
TURNS = {
    ("criminal", "offline"): ["oath", "receipt_taken", "questioning"],
    ("criminal", "online"): ["oath", "warning_false_testimony", "questioning"],
    ("civil", "offline"): ["warning_false_testimony", "questioning"],
    ("civil", "online"): ["warning_false_testimony", "questioning"],
    ("admin_justice", "offline"): ["warning_false_testimony", "questioning"],
    ("admin_offence", "offline"): ["questioning"],
}
MINORS_TURN = ["minor_accompanied", "truth_explained", "questioning", "minor_leaves"]
BEFORE = ["identity_checked", "rights_explained"]


class Walk:
    """A hearing at a running recorder; whoever is under sixteen is said to be."""

    def __init__(self, recorder: RecorderProcess, kind: str, format_: str) -> None:
        self.recorder = recorder
        people = [{"role": role, "name": name} for role, name in PEOPLE[kind]]
        body = hearing(kind=kind, format=format_, participants=people)
        self.id = recorder.post("/v1/hearings", body)["hearing_id"]
        for person in self.hearing()["persons"]:
            if person["name"] == MINOR:
                changes = {"id": person["id"], "minor": True}
                recorder.post("/v1/hearing/persons", changes)

    def hearing(self) -> dict[str, Any]:
        return dict(self.recorder.state()["hearing"])

    def id_of(self, name: str) -> str:
        return next(str(row["id"]) for row in self.hearing()["persons"] if row["name"] == name)

    def mark(self, event: str, of: str = "") -> None:
        self.recorder.post("/v1/hearing/marks", {"type": event, "of": of})

    def follow(self, until: str = "") -> list[dict[str, Any]]:
        """Mark what is due until ``until`` is, or nothing; return what is due then."""
        for _ in range(80):
            due = list(self.hearing()["due"])
            if not due or due[0]["event"] == until:
                return due
            self.mark(due[0]["event"], due[0]["of"])
        raise AssertionError("what is due comes to no end")

    def left_out(self) -> list[str]:
        asked = self.hearing()["open_questions"]
        return [name for name in asked if name.startswith("left_out")]

    def end(self) -> None:
        self.recorder.post("/v1/hearing/end")
        self.recorder.wait_for_state(lambda state: state["phase"] == "idle", "the seal")
        folder = self.recorder.hearing_folder(self.id)
        report = verify(folder, self.recorder.court.ca, decode=False)
        assert report.problems == []

    def turn(self, name: str) -> list[str]:
        """Return what the sealed journal has of that person, in order."""
        state = load_hearing_state(self.recorder.hearing_folder(self.id))
        return [m.type for m in state.marks_in_force if m.of is not None and m.of.name == name]


@pytest.fixture
def recorder(bare_recorder: RecorderProcess) -> RecorderProcess:
    bare_recorder.wait_until_ready()
    return bare_recorder


@pytest.mark.parametrize(("kind", "format_"), list(TURNS))
def test_who_follows_what_is_due_leaves_nothing_out(
    recorder: RecorderProcess, kind: str, format_: str
) -> None:
    walk = Walk(recorder, kind, format_)
    walk.follow(until="announcement")
    recorder.post("/v1/hearing/retire")
    assert recorder.state()["hearing"]["due"][0]["event"] == "announcement"
    recorder.post("/v1/hearing/resume")
    assert walk.follow() == []
    assert walk.left_out() == []
    walk.end()
    assert walk.turn(WITNESS) == BEFORE + TURNS[kind, format_]
    if kind != "admin_offence":
        assert walk.turn(MINOR) == BEFORE + MINORS_TURN
        assert walk.turn("Ким О.") == ["interpreter_rights", "receipt_taken"]
    folder = recorder.hearing_folder(walk.id)
    entries = [row for part in (1, 2) for row in marks_of(walk, part)]
    assert not [row for row in entries if row.get("left_out")]
    assert [row["type"] for row in entries].index("announcement") > [
        row["type"] for row in entries
    ].index("resumed"), "between retirement and announcement nothing is recorded"
    text = build_minutes(folder, RULES, SETTINGS, "ru").as_text()
    assert ("принесение клятвы" in text) is (kind == "criminal")
    assert ("последнее слово" in text) is (kind == "criminal")


def marks_of(walk: Walk, part: int) -> list[dict[str, Any]]:
    path = walk.recorder.hearing_folder(walk.id) / f"part-{part:02d}" / "journal.jsonl"
    return [entry for entry in read_chain(path).entries if entry["kind"] == "mark"]


def test_what_the_court_leaves_out_is_in_journal_and_questions_and_holds_nothing_up(
    recorder: RecorderProcess,
) -> None:
    walk = Walk(recorder, "criminal", "offline")
    witness, minor = walk.id_of(WITNESS), walk.id_of(MINOR)
    walk.mark("attendance")
    walk.mark("questioning", witness)
    walk.mark("questioning", minor)
    expected = [
        ["recording_announced"],
        [
            "witnesses_leave",
            *(f"{name}:{witness}" for name in (*BEFORE, "oath", "receipt_taken")),
        ],
        [
            "witnesses_leave",
            *(f"{name}:{minor}" for name in (*BEFORE, "minor_accompanied", "truth_explained")),
        ],
    ]
    wanted = [f"left_out:{name}" for row in expected for name in row]
    assert walk.left_out() == list(dict.fromkeys(wanted))
    for subject in walk.left_out():
        recorder.post("/v1/hearing/statements", {"subject": subject, "value": "not_due"})
    assert walk.left_out() == []
    walk.end()
    assert [row["left_out"] for row in marks_of(walk, 1)] == expected


def test_a_part_that_is_closed_and_the_act_announced_in_open_session(
    recorder: RecorderProcess,
) -> None:
    """УПК 350(2), 29(3), S14, R57."""
    CourtSecrets().pin(recorder.paths)
    walk = Walk(recorder, "criminal", "offline")
    walk.follow(until="questioning")
    body = {"ground": "crim_intimate"}
    recorder.post("/v1/hearing/close", body)
    due = [(step["event"], step["of"]) for step in walk.hearing()["due"]]
    accused, witness = walk.id_of("Ахметов Б."), walk.id_of(WITNESS)
    assert due[:3] == [
        ("non_disclosure_warned", ""),
        ("non_disclosure_receipt", accused),
        ("non_disclosure_receipt", witness),
    ]
    assert walk.hearing()["announced_part"] == "introductory_and_operative"
    walk.follow(until="opened_again")
    recorder.post("/v1/hearing/retire")
    recorder.post("/v1/hearing/resume")
    assert walk.hearing()["due"][0]["event"] == "opened_again"
    walk.mark("opened_again")
    assert walk.hearing()["closed"] is None
    assert walk.follow() == []
    assert walk.left_out() == []
    walk.end()
    assert "non_disclosure_receipt" in walk.turn(WITNESS)
