"""What the court decides on format, closing and filming: asked, changed, kept over a crash.

Requirements: R20-R23, R56, R59-R65, R78, R84, R86, R87, R89, S3, S15.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.api.persons import SavePerson
from kiosk.clocks import recording_ns
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import build_minutes
from kiosk.hearing.room.errors import BadRequestError
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.hearing.courtroom_rig import RULES, CourtroomRig
from tests.support.court_keys import CourtSecrets


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    rig = CourtroomRig(tmp_path)
    CourtSecrets().pin(rig.paths)
    yield rig
    rig.courtroom.shutdown(1)


def asked(rig: CourtroomRig, beginning: str) -> set[str]:
    """Return the open questions that begin with ``beginning``."""
    return {name for name in rig.hearing()["open_questions"] if name.startswith(beginning)}


def marks(rig: CourtroomRig) -> list[str]:
    return [mark["type"] for mark in rig.hearing()["marks"]]


def test_the_format_is_asked_and_another_one_is_asked_about_anew(rig: CourtroomRig) -> None:
    """An ad hoc hearing has no format until somebody says so; online and back is a decision."""
    rig.begin(adhoc=True)
    assert rig.hearing()["format"] is None
    assert "format" in rig.hearing()["open_questions"]
    rig.statement("format", "online")
    assert marks(rig) == [], "the first answer is no change"
    details = {"format_decided_by", "format_ground", "format_opinions"}
    assert asked(rig, "format_") == details
    rig.statement("format_ground", "application")
    assert asked(rig, "format_") == {"format_decided_by", "format_application", "format_opinions"}
    for subject in ("format_decided_by", "format_application", "format_opinions", "legal_basis"):
        rig.statement(subject, "x")
    assert asked(rig, "format_") == set()
    rig.statement("format", "offline")
    assert (rig.hearing()["format"], marks(rig)) == ("offline", ["format_decided"])
    assert asked(rig, "format_") == set(), "in the room nothing more is asked (R91)"
    rig.statement("format", "mixed")
    assert asked(rig, "format_") == details, "another decision has reasons of its own"
    rig.crash()
    rig.start()
    assert (rig.hearing()["format"], asked(rig, "format_")) == ("mixed", details)
    assert marks(rig) == ["format_decided", "format_decided"]


@pytest.mark.parametrize("value", ["by telephone", "", None, "open", ["online"]])
def test_what_is_no_format_is_refused_and_nothing_is_lost(rig: CourtroomRig, value: Any) -> None:
    rig.begin(format="online")
    with pytest.raises(BadRequestError) as refused:
        rig.statement("format", value)
    assert refused.value.code == "unknown_format"
    assert rig.hearing()["format"] == "online"


def test_a_state_secret_is_never_heard_online(rig: CourtroomRig) -> None:
    """R86, R87; by the list, or by the ground that is named in the hearing."""
    rig.begin()
    rig.courtroom.change_publicity(True, "p1", recording_ns(), ground="state_secret")
    with pytest.raises(BadRequestError) as refused:
        rig.statement("format", "online")
    assert refused.value.code == "secret_never_online"
    rig.statement("format", "offline")
    assert rig.hearing()["format"] == "offline"


def test_what_closing_rests_on_is_asked_for_each_closing(rig: CourtroomRig) -> None:
    """R78, R84: application and act by the ground; another closing has others."""
    rig.begin(kind="civil")
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    assert asked(rig, "closure_") == {"closure_ground", "closure_admitted"}
    rig.statement("closure_ground", "civ_private_life")
    needed = {"closure_basis", "closure_application", "closure_act", "closure_admitted"}
    assert asked(rig, "closure_") == needed
    rig.statement("closure_basis", "initiative")
    assert asked(rig, "closure_") == needed - {"closure_basis", "closure_application"}
    rig.statement("closure_act", "№ 12")
    rig.statement("closure_admitted", "participants")
    assert asked(rig, "closure_") == set()
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    rig.courtroom.change_publicity(True, "p1", recording_ns(), ground="civ_adoption")
    assert asked(rig, "closure_") == {"closure_admitted"}, "the law closes it, without an act"
    rig.crash()
    rig.start()
    assert asked(rig, "closure_") == {"closure_admitted"}


def test_filming_is_not_allowed_unless_the_court_says_so(rig: CourtroomRig) -> None:
    """R59-R65; in a criminal case without consent it is written down as a departure (S15)."""
    hearing = rig.begin(kind="criminal")
    assert rig.hearing()["allowed"] == []
    rig.statement("permission", {"kind": "film_photo", "allowed": True, "opinions": "objected"})
    rig.statement("permission", {"kind": "radio_tv", "allowed": True, "opinions": "agreed"})
    rig.statement("permission", {"kind": "web_stream", "allowed": False, "opinions": "not_asked"})
    assert rig.hearing()["allowed"] == ["film_photo", "radio_tv"]
    assert marks(rig) == ["permission_decided"] * 3
    rig.statement("permission", {"kind": "film_photo", "allowed": False, "opinions": "objected"})
    assert rig.hearing()["allowed"] == ["radio_tv"], "taken back"
    rig.courtroom.change_publicity(True, "p1", recording_ns(), ground="crim_minors")
    assert rig.hearing()["allowed"] == [], "closed: nobody films"
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    rig.crash()
    rig.start()
    assert rig.hearing()["allowed"] == ["radio_tv"]
    entries = read_chain(rig.folder(hearing) / JOURNAL_FILE).entries
    said = [entry for entry in entries if entry.get("subject") == "permission"]
    assert [entry.get("departs_from") for entry in said] == ["S15", None, None, None]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "film_photo",
        {"kind": "drone", "allowed": True, "opinions": "agreed"},
        {"kind": "film_photo", "allowed": "yes", "opinions": "agreed"},
        {"kind": "film_photo", "allowed": True},
        {"kind": ["film_photo"], "allowed": True, "opinions": "agreed"},
        {"kind": "film_photo", "allowed": 1, "opinions": "agreed"},
    ],
)
def test_an_unclear_permission_is_refused(rig: CourtroomRig, value: Any) -> None:
    rig.begin()
    with pytest.raises(BadRequestError):
        rig.statement("permission", value)
    assert (rig.hearing()["allowed"], marks(rig)) == ([], [])


def test_a_secret_is_heard_in_the_room_and_the_judge_may_depart_from_it(rig: CourtroomRig) -> None:
    """R87: a secret protected by law, on an application; a state secret always."""
    rig.begin(kind="civil", format="offline")
    assert "online" in rig.hearing()["formats"]
    rig.courtroom.change_publicity(True, "s1", recording_ns(), "civ_commercial")
    assert "online" in rig.hearing()["formats"], "nobody has applied for it"
    rig.statement("closure_basis", "application")
    assert rig.hearing()["formats"] == ["offline"]
    rig.statement("format", "online")
    assert rig.hearing()["format"] == "online", "the judge decides"
    rig.crash()
    rig.start()
    assert rig.hearing()["formats"] == ["offline"]
    entries = read_chain(rig.folder(rig.hearing()["id"]) / JOURNAL_FILE).entries
    said = [entry for entry in entries if entry.get("subject") == "format"]
    assert [entry.get("departs_from") for entry in said] == ["R87"]
    rig.statement("closure_ground", "civ_private_life")
    assert "online" in rig.hearing()["formats"], "no secret"
    rig.statement("closure_ground", "state_secret")
    assert rig.hearing()["formats"] == ["offline"]


def test_an_online_hearing_on_liberty_is_confirmed_or_comes_back(rig: CourtroomRig) -> None:
    """R89: the list says that it is at stake; the court decides."""
    rig.begin(kind="criminal", format="online", liberty_at_stake=True)
    assert "format_confirmed" in asked(rig, "format_")
    rig.statement("format_confirmed", "offline")
    assert (rig.hearing()["format"], marks(rig)) == ("offline", ["format_decided"])
    assert asked(rig, "format_") == set()
    rig.statement("format", "mixed")
    assert "format_confirmed" in asked(rig, "format_"), "another decision"
    rig.statement("format_confirmed", "yes")
    assert "format_confirmed" not in asked(rig, "format_")
    assert rig.hearing()["format"] == "mixed"


def test_an_online_hearing_on_anything_else_is_not_confirmed(rig: CourtroomRig) -> None:
    rig.begin(kind="criminal", format="online")
    assert "format_confirmed" not in asked(rig, "format_")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "civil", "session": "conciliation"},
        {"kind": "civil", "case_number": "6003-25-00-4к/1454"},
    ],
    ids=["mediation", "cassation"],
)
def test_a_recording_without_minutes_is_asked_about(rig: CourtroomRig, fields: Any) -> None:
    """АПК 179(7), 281(4): the judge decides; it is recorded until then."""
    rig.begin(**fields)
    assert asked(rig, "without") == {"without_minutes"}
    assert rig.hearing()["keeps_minutes"] is False
    rig.statement("without_minutes", "yes")
    assert asked(rig, "without") == set()


def test_that_it_is_a_mediation_can_be_said_while_it_runs(rig: CourtroomRig) -> None:
    rig.begin(kind="civil")
    assert asked(rig, "without") == set()
    with pytest.raises(BadRequestError):
        rig.statement("session", "offline")
    rig.statement("session", "conciliation")
    assert (rig.hearing()["session"], asked(rig, "without")) == (
        "conciliation",
        {"without_minutes"},
    )
    rig.statement("session", "")
    assert asked(rig, "without") == set()


def test_when_nobody_came_the_judge_decides(rig: CourtroomRig) -> None:
    """S3, АПК 281(1)."""
    people = [{"role": "plaintiff", "name": "А."}, {"role": "defendant_civil", "name": "Б."}]
    rig.begin(kind="civil", participants=people)
    rig.courtroom.save_person(SavePerson(id="p1", attendance="absent"), "s1")
    assert asked(rig, "nobody") == set(), "one may come"
    rig.courtroom.save_person(SavePerson(id="p2", attendance="absent"), "s1")
    assert asked(rig, "nobody") == {"nobody_came"}
    rig.courtroom.save_person(SavePerson(id="p2", attendance="hall"), "s1")
    assert asked(rig, "nobody") == set(), "late, and there"
    rig.courtroom.save_person(SavePerson(id="p2", attendance="absent"), "s1")
    rig.statement("nobody_came", "written")
    assert asked(rig, "nobody") == set()


@pytest.mark.parametrize("value", ["", " \n", None, 5, "Ә" * 501], ids=range(5))
def test_circumstances_that_are_no_sentence_are_refused(rig: CourtroomRig, value: Any) -> None:
    """R77: typed on the screen's keys, at most 500 characters."""
    rig.begin()
    with pytest.raises(BadRequestError):
        rig.statement("closure_text", value)
    rig.statement("closure_text", "Ә" * 500)


def test_a_decision_that_is_taken_back_is_in_force_no_more(rig: CourtroomRig) -> None:
    """Its mark and what it allowed belong together; the decision before it stands again."""
    rig.begin(format="offline")
    allowed = {"kind": "film_photo", "allowed": True, "opinions": "agreed"}
    rig.statement("permission", allowed)
    assert rig.courtroom.undo_mark("p1").mark.type == "permission_decided"
    assert (rig.hearing()["allowed"], marks_in_force(rig)) == ([], [])
    rig.statement("permission", allowed)
    rig.statement("permission", allowed | {"allowed": False})
    rig.courtroom.undo_mark("p1")
    assert rig.hearing()["allowed"] == ["film_photo"]
    rig.statement("format", "online")
    rig.courtroom.undo_mark("p1")
    assert (rig.hearing()["format"], asked(rig, "format_")) == ("offline", set())
    before = rig.hearing()
    rig.crash()
    rig.start()
    for key in ("allowed", "format", "marks"):
        assert rig.hearing()[key] == before[key], key


def test_a_secret_stays_in_the_room_whatever_is_taken_back(rig: CourtroomRig) -> None:
    rig.begin(format="online")
    rig.courtroom.change_publicity(True, "p1", recording_ns(), ground="state_secret")
    rig.statement("format", "offline")
    rig.courtroom.undo_mark("p1")
    assert rig.hearing()["format"] == "offline"


def marks_in_force(rig: CourtroomRig) -> list[str]:
    return [mark["type"] for mark in rig.hearing()["marks"] if not mark["withdrawn"]]


def test_each_closing_and_each_format_is_in_the_minutes(rig: CourtroomRig) -> None:
    """A hearing may be closed for two parts, each with its ground and act (R56, R78; АПК 19(8))."""
    hearing = rig.begin(kind="criminal", format="online")
    rig.statement("format_application", "5")
    for ground, act in (("crim_minors", "11"), ("crim_intimate", "12")):
        rig.courtroom.change_publicity(True, "p1", recording_ns(), ground=ground)
        rig.statement("closure_act", act)
        rig.courtroom.change_publicity(False, "p1", recording_ns())
    rig.statement("format", "offline")
    rig.courtroom.undo_mark("p1")
    assert "format_application" not in asked(rig, "format_"), "what was said of it counts again"
    rig.statement("format", "mixed")
    rig.statement("format_application", "6")
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    text = build_minutes(rig.folder(hearing), RULES, rig.settings, "ru").as_text()
    lines = [line.strip() for line in text.splitlines() if "№" in line]
    assert [line.rpartition("№ ")[2] for line in lines] == ["5", "6", "11", "12"]
    assert len([line for line in lines if line.startswith("закрытое заседание: ")]) == 2
