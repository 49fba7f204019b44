"""What closes a hearing is taken from the court's list, whatever a request repeats of it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import format_wall, recording_ns
from kiosk.hearing.room.errors import BadRequestError
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    rig = CourtroomRig(tmp_path)
    CourtSecrets().pin(rig.paths)
    yield rig
    rig.courtroom.shutdown(1)


def publish(rig: CourtroomRig, **fields: Any) -> str:
    """Publish a list with one hearing; return its id."""
    row = {"id": str(uuid.uuid4()), "case_number": "1-26", "title": "A v. B", "publicity": "open"}
    row |= {"kind": "criminal", "scheduled_at": format_wall()} | fields
    rig.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    rig.paths.schedule.write_text(json.dumps({"hearings": [row]}))
    return str(row["id"])


def is_encrypted(rig: CourtroomRig, hearing: str, part: int = 1) -> bool:
    """Return whether every media file of a part is encrypted, with some there."""
    pattern = f"part-{part:02d}/*/run-*/*"
    files = wait_for(lambda: list(rig.folder(hearing).glob(pattern)), "media")
    return {path.suffix for path in files} == {".tar"}


def is_for_the_courier(rig: CourtroomRig, hearing: str) -> bool:
    return (rig.folder(hearing) / "courier-only").exists()


CLOSES: dict[str, tuple[dict[str, Any], bool]] = {
    "closed": ({"publicity": "closed", "closure_ground": "crim_minors"}, False),
    "secret": ({"publicity": "closed", "state_secret": True}, True),
    "secret, said to be open": ({"state_secret": True}, True),
    "secret is unreadable": ({"state_secret": "иә"}, True),
    "ground is a state secret": ({"publicity": "closed", "closure_ground": "state_secret"}, True),
    "criminal ground": ({"publicity": "closed", "closure_ground": "crim_secret"}, True),
    "open with the ground of a secret": ({"closure_ground": "crim_secret"}, True),
}


@pytest.mark.parametrize("name", CLOSES)
def test_a_request_never_opens_what_the_list_closes(rig: CourtroomRig, name: str) -> None:
    fields, is_secret = CLOSES[name]
    listed = publish(rig, **fields)
    hearing = rig.begin(id=listed, publicity="open", title="Another", state_secret=False)
    assert hearing == listed
    assert is_encrypted(rig, hearing)
    assert is_for_the_courier(rig, hearing) is is_secret
    state = rig.hearing()
    assert (state["title"], state["publicity"]) == ("A v. B", "closed")
    assert state["closed"]["ground"] == fields.get("closure_ground")
    assert ("closure_ground" in state["open_questions"]) is ("closure_ground" not in fields)


def test_a_request_may_close_more_than_the_list(rig: CourtroomRig) -> None:
    hearing = rig.begin(id=publish(rig), state_secret=True, closure_ground="state_secret")
    assert is_encrypted(rig, hearing)
    assert is_for_the_courier(rig, hearing)


def test_a_list_that_becomes_unreadable_closes_as_before(rig: CourtroomRig) -> None:
    listed = publish(rig, state_secret=True)
    wait_for(lambda: rig.state()["court_keys"]["needed"], "the list")  # read in its own time
    rig.paths.schedule.write_text("{")
    assert is_encrypted(rig, rig.begin(id=listed))
    rig.courtroom.end("p1")
    rig.paths.schedule.unlink()
    assert is_for_the_courier(rig, rig.begin(id=listed))


def test_of_a_hearing_that_is_in_no_list_the_request_tells(rig: CourtroomRig) -> None:
    publish(rig, state_secret=True)
    hearing = rig.begin(title="Ours", publicity="closed", closure_ground="because")
    assert is_encrypted(rig, hearing)
    assert rig.hearing()["title"] == "Ours"
    assert "closure_ground" in rig.hearing()["open_questions"], "no such ground: it is asked"


@pytest.mark.parametrize("publicity", [None, 17, "", "ашық", ["closed"]])
def test_an_unreadable_publicity_is_asked(rig: CourtroomRig, publicity: object) -> None:
    hearing = rig.begin(id=publish(rig, publicity=publicity))
    assert "publicity" in rig.hearing()["open_questions"]
    rig.crash()
    rig.start()
    assert "publicity" in rig.hearing()["open_questions"], "also after a crash"
    with pytest.raises(BadRequestError):
        rig.statement("publicity", "closed")
    assert rig.hearing()["publicity"] == ""
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    assert "publicity" not in rig.hearing()["open_questions"]
    with pytest.raises(BadRequestError):
        rig.statement("publicity", "open")
    assert rig.hearing()["publicity"] == "closed"
    rig.courtroom.end("p1")
    rig.sealed(hearing)


def test_the_secretary_says_that_it_is_open(rig: CourtroomRig) -> None:
    rig.begin(id=publish(rig, publicity=None))
    assert "publicity" not in rig.statement("publicity", "open")
    assert rig.hearing()["publicity"] == "open"


# -- hidden titles -----------------------------------------------------------------------------
def closed_here(rig: CourtroomRig) -> list[str]:
    return list(rig.state()["closed_hearings"])


@pytest.mark.parametrize("listed", ["11111111-2222-4333-8444-555555555555", "№ 17"])
def test_a_title_stays_hidden_of_what_a_tap_has_closed(rig: CourtroomRig, listed: str) -> None:
    publish(rig, id=listed)
    hearing = rig.begin(id=listed)
    assert listed not in closed_here(rig)
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_secret")
    assert is_for_the_courier(rig, hearing)
    assert listed in closed_here(rig)
    rig.crash()
    rig.start()
    assert listed in closed_here(rig)
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    assert listed in closed_here(rig), "a state secret is announced to nobody"
    rig.courtroom.end("p1")
    rig.begin(adhoc=True)
    assert listed in closed_here(rig), "also while the next hearing is on"
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    rig.crash()
    rig.start()
    assert listed in closed_here(rig), "also after its end and a restart"


def test_a_hearing_that_is_opened_again_shows_its_title(rig: CourtroomRig) -> None:
    hearing = rig.begin(id=publish(rig))
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    assert closed_here(rig) == [hearing]
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    assert closed_here(rig) == []
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    assert closed_here(rig) == []


def test_held_a_second_time_it_is_the_same_hearing_of_the_list(rig: CourtroomRig) -> None:
    listed = publish(rig)
    rig.begin(id=listed)
    rig.courtroom.end("p1")
    again = rig.begin(id=listed)
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    assert set(closed_here(rig)) == {listed, again}


def test_an_ended_hearing_is_remembered_by_who_seals_it_after_a_crash(rig: CourtroomRig) -> None:
    hearing = rig.begin(id=publish(rig))
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    rig.courtroom.seal_queue.close(1)  # the seal is never made
    rig.courtroom.end("p1")
    rig.crash()
    rig.paths.closed_hearings.write_text("{")  # nothing that can be read
    rig.start()
    rig.sealed(hearing)
    assert closed_here(rig) == [hearing]
