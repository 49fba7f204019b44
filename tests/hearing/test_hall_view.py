"""What the hall's display is told of today's hearings, and what never (R54, R56, S14)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.persons import SavePerson
from kiosk.api.recorder_calls import CloseSince
from kiosk.api.states import ClockState
from kiosk.clocks import format_wall, recording_ns, wall_time
from kiosk.hearing.monitoring import hall_view
from kiosk.hearing.room.ended_hearings import EndedHearings
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.seal_queue import SealQueue
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

SECRET = ("Ахметов", "4511", "Қала құрылыс", "Серікова", "Ким")
"""Of the hearing that is hidden: no reader of the view may find one of them."""
OURS = "11111111-2222-4333-8444-555555555555"
NEXT = "21111111-2222-4333-8444-555555555555"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CourtroomRig]:
    rig = CourtroomRig(tmp_path)
    CourtSecrets().pin(rig.paths)
    yield rig
    rig.courtroom.shutdown(1)


def row(hearing_id: str, minutes: int, **fields: Any) -> dict[str, Any]:
    base = {
        "id": hearing_id,
        "case_number": "7514-26-00-2/4511",
        "title": "Ахметов А. – «Қала құрылыс» ЖШС",
        "kind": "civil",
        "judge": "Серікова Г.",
        "scheduled_at": format_wall(wall_time() + timedelta(minutes=minutes)),
        "participants": [{"name": "Ким О.", "role": "plaintiff"}],
        "publicity": "open",
    }
    return base | fields


def publish(rig: CourtroomRig, *rows: dict[str, Any]) -> None:
    path = rig.paths.schedule
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"hearings": rows}))
    wait_for(lambda: shown(rig), "the list")


def shown(rig: CourtroomRig) -> list[dict[str, Any]]:
    return list(rig.courtroom.hall_view().to_json()["rows"])


def named(rig: CourtroomRig) -> list[str]:
    """Return which of the hidden hearing's words the whole view has."""
    text = json.dumps(rig.courtroom.hall_view().to_json(), ensure_ascii=False)
    return [word for word in SECRET if word in text]


def untimed(hearing_id: str, **fields: Any) -> dict[str, Any]:
    """Return a row that is of today at any time of day."""
    return row(hearing_id, 0, scheduled_at=None, **fields)


def test_the_rows_say_what_happens(rig: CourtroomRig) -> None:
    publish(rig, untimed(OURS), untimed(NEXT, case_number="2-16", title="Other"))
    assert [r["status"] for r in shown(rig)] == ["next", "listed"]
    rig.begin(id=OURS)
    assert [r["status"] for r in shown(rig)] == ["in_session", "next"]
    assert shown(rig)[0]["case"] == {
        "number": "7514-26-00-2/4511",
        "title": "Ахметов А. – «Қала құрылыс» ЖШС",
    }
    rig.courtroom.recess("p1")
    assert (shown(rig)[0]["status"], shown(rig)[0]["until"]) == ("recess", None)
    rig.statement("recess_until", "2026-11-23T11:30:00+05:00")
    assert shown(rig)[0]["until"] == "2026-11-23T06:30:00.000Z"
    rig.courtroom.resume("p1")
    assert (shown(rig)[0]["status"], shown(rig)[0]["until"]) == ("in_session", None)
    rig.courtroom.retire("p1")
    assert shown(rig)[0]["status"] == "retired"
    rig.courtroom.end("p1")
    assert [r["status"] for r in shown(rig)] == ["ended", "next"]
    assert rig.courtroom.seal_queue.wait_idle(10)
    assert [r["status"] for r in shown(rig)] == ["ended", "next"]
    rig.crash()
    rig.start()
    publish(rig, untimed(OURS), untimed(NEXT))
    assert [r["status"] for r in shown(rig)] == ["ended", "next"], "also after a restart"


def test_open_hearings_held_online_are_told_and_no_others(rig: CourtroomRig) -> None:
    """R55, R62, R66: the observers' sign follows format, publicity and the court's permission."""

    def online() -> list[tuple[bool, bool]]:
        return [(r["online"], r["is_streamed"]) for r in shown(rig)]

    publish(
        rig,
        untimed(OURS, format="mixed"),
        untimed(NEXT, format="offline"),
        untimed(NEXT[:-1] + "6", format="online", publicity="closed", case_number="2-17"),
        untimed(NEXT[:-1] + "7", format="online", publicity="oddly", case_number="2-18"),
        untimed(NEXT[:-1] + "8", format="by pigeon"),
    )
    rest = [(False, False)] * 4
    assert online() == [(True, False), *rest]
    rig.begin(id=OURS)
    assert online() == [(True, False), *rest]
    allow = {"kind": "web_stream", "opinions": "agreed", "allowed": True}
    rig.statement("permission", allow)
    assert online() == [(True, True), *rest]
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    assert online() == [(False, False), *rest], "closed: no sign of it"
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    rig.statement("format", "offline")
    assert online()[0][0] is False, "it is held in the room now"
    rig.statement("format", "online")
    assert online()[0][0] is True
    rig.courtroom.end("p1")
    assert online() == [(False, False), *rest], "it has ended"


def test_the_end_of_a_recess_outlives_a_crash_and_must_be_a_time(rig: CourtroomRig) -> None:
    hearing = rig.begin(id=OURS)
    with pytest.raises(StepRefusedError):
        rig.statement("recess_until", "2026-11-23T11:30:00Z")
    rig.courtroom.recess("p1")
    for wrong in ("11:30 or so", 17, ["2026-11-23T11:30:00Z"], True):
        with pytest.raises(BadRequestError):
            rig.statement("recess_until", wrong)
    rig.statement("recess_until", "2026-11-23T11:30:00Z")
    rig.crash()
    rig.start()
    assert rig.hearing()["recess_until"] == "2026-11-23T11:30:00.000Z"
    rig.statement("recess_until", None)
    assert rig.hearing()["recess_until"] is None
    values = [line["value"] for line in rig.lines(hearing, "statement")]
    assert values == ["2026-11-23T11:30:00.000Z", None], "what was refused is in no journal"


# -- what never leaves -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fields",
    [
        {"publicity": "closed"},
        {"state_secret": True},
        {"publicity": None},
        {"publicity": "ашық"},
        {"closure_ground": "civ_adoption"},
        {"publicity": "closed", "state_secret": "perhaps"},
    ],
)
def test_what_the_list_hides_is_named_in_no_key(rig: CourtroomRig, fields: dict[str, Any]) -> None:
    publish(rig, untimed(OURS, **fields))
    assert (named(rig), shown(rig)[0]["case"]) == ([], None)
    rig.begin(id=OURS)
    assert (named(rig), shown(rig)[0]["status"]) == ([], "in_session")
    rig.courtroom.recess("p1")
    assert named(rig) == []
    rig.courtroom.end("p1")
    assert named(rig) == []
    assert rig.courtroom.seal_queue.wait_idle(10)
    assert (named(rig), shown(rig)[0]["status"]) == ([], "ended")


def test_a_tap_in_mid_hearing_hides_it_at_once_and_for_good(rig: CourtroomRig) -> None:
    publish(rig, untimed(OURS))
    rig.begin(id=OURS)
    assert set(named(rig)) == {"Ахметов", "4511", "Қала құрылыс"}, "judge and persons: never"
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    assert (named(rig), shown(rig)[0]["publicity"]) == ([], "closed")
    rig.crash()
    rig.start()
    publish(rig, untimed(OURS))
    assert (named(rig), shown(rig)[0]["publicity"]) == ([], "closed")
    rig.courtroom.end("p1")
    assert rig.courtroom.seal_queue.wait_idle(10)
    assert (named(rig), shown(rig)[0]["publicity"]) == ([], "closed")
    rig.crash()
    rig.start()
    publish(rig, untimed(OURS))  # the next day: the list still has it
    assert named(rig) == []


def test_closed_since_an_earlier_moment_is_hidden(rig: CourtroomRig) -> None:
    publish(rig, untimed(OURS))
    rig.begin(id=OURS)
    request = CloseSince(since=format_wall(), ground="crim_minors")
    rig.courtroom.close_retroactively("p1", request, recording_ns())
    assert named(rig) == []


def test_opened_again_it_may_be_entered_and_a_state_secret_stays_unnamed(rig: CourtroomRig) -> None:
    publish(rig, untimed(OURS), untimed(NEXT))
    rig.begin(id=OURS)
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    assert (shown(rig)[0]["publicity"], shown(rig)[0]["case"] is not None) == ("open", True)
    rig.courtroom.end("p1")
    assert rig.courtroom.seal_queue.wait_idle(10)
    rig.begin(id=NEXT)
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "state_secret")
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    opened = next(r for r in shown(rig) if r["status"] == "in_session")
    assert (opened["publicity"], opened["case"]) == ("open", None)


def test_a_secret_that_is_named_after_the_closed_part_hides_it_for_good(rig: CourtroomRig) -> None:
    """The ground is asked afterwards, so the hearing may be open again by then (R54, R86)."""
    publish(rig, untimed(OURS))
    rig.begin(id=OURS)
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    assert shown(rig)[0]["case"] is not None
    rig.statement("closure_ground", "state_secret")
    assert named(rig) == []
    assert rig.state()["closed_hearings"] == [OURS]
    assert rig.hearing()["formats"] == ["offline"]
    rig.crash()
    rig.start()
    assert named(rig) == []


def test_a_secret_that_is_named_while_it_is_sealed_hides_it_for_good(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(rig, untimed(OURS))
    rig.begin(id=OURS)
    seal, may_seal = OpenHearing.seal, threading.Event()

    def wait_and_seal(hearing: OpenHearing, person: str) -> None:
        assert may_seal.wait(60)
        seal(hearing, person)

    monkeypatch.setattr(OpenHearing, "seal", wait_and_seal)
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    rig.courtroom.change_publicity(False, "p1", recording_ns())
    rig.courtroom.end("p1")
    rig.statement("closure_ground", "state_secret")
    may_seal.set()
    rig.sealed(OURS)
    assert rig.phase() == "idle"
    assert named(rig) == []
    rig.crash()
    rig.start()
    assert rig.state()["closed_hearings"] == [OURS]


def test_one_that_had_ended_before_a_crash_is_hidden_before_it_is_sealed(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its seal may wait for the disk, or behind others."""
    publish(rig, untimed(OURS))
    rig.begin(id=OURS)
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    with monkeypatch.context() as patch:
        patch.setattr(SealQueue, "submit", lambda *_: None)
        rig.courtroom.end("p1")
        rig.crash()
        rig.start()
        wait_for(lambda: shown(rig), "the list")
        assert named(rig) == []
        assert [row["status"] for row in shown(rig)] == ["ended"]


def test_one_that_is_in_no_list_is_shown_and_hidden_likewise(rig: CourtroomRig) -> None:
    rig.begin(adhoc=True, case_number="2-4511", title="Ахметов")
    assert shown(rig)[0]["case"] == {"number": "2-4511", "title": "Ахметов"}
    assert shown(rig)[0]["starts_at"] == rig.hearing()["started"]
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "crim_minors")
    assert (named(rig), shown(rig)[0]["publicity"]) == ([], "closed")


def test_a_case_that_the_list_hides_is_hidden_when_it_is_typed_in(rig: CourtroomRig) -> None:
    """Begun as one that is in no list, with its number at once, or said later."""
    publish(rig, row(OURS, 5, publicity="closed"))
    rig.begin(adhoc=True, case_number="7514-26-00-2 \\ 4511", title="Ахметов")
    assert named(rig) == []
    assert "publicity" in rig.hearing()["open_questions"]
    hearing = rig.hearing()["id"]
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    rig.begin(adhoc=True, case_number="", title="Ахметов")
    assert named(rig) == ["Ахметов"]
    rig.statement("case_number", "7514–26–00–2/4511")
    assert named(rig) == []


def test_nobody_of_a_hearing_that_the_list_hides_is_called_by_role(rig: CourtroomRig) -> None:
    """It may be hidden though it is not closed: a ground stands beside it, or the list changed."""
    publish(rig, row(OURS, 5, closure_ground="civ_family"))
    rig.begin(id=OURS)
    rig.courtroom.save_person(SavePerson(id="p1", called=True), "p1")
    assert [call.role for call in rig.courtroom.hall_view().calls] == [""]


@pytest.mark.parametrize("title", [17, ["a"], {"kk": "x"}, "x" * 5000])
def test_an_odd_statement_breaks_no_view(rig: CourtroomRig, title: object) -> None:
    rig.begin(adhoc=True)
    rig.statement("title", title)
    assert shown(rig)[0]["status"] == "in_session"


def test_the_lists_title_names_nobody_whom_the_court_protects(rig: CourtroomRig) -> None:
    title, witness = "Theft from Ким О.", [{"name": "Ким О.", "role": "witness"}]
    publish(rig, untimed(OURS, title=title, kind="criminal", participants=witness))
    rig.begin(id=OURS, title=title, kind="criminal", participants=witness)
    assert shown(rig)[0]["case"]["title"] == title
    save(rig, id="p1", protected=True)
    assert shown(rig)[0]["case"]["title"] == "Theft from Куә 1"
    rig.courtroom.change_publicity(True, "p1", recording_ns())
    assert shown(rig)[0]["case"] is None


# -- day and order -----------------------------------------------------------------------------
# -- calls -------------------------------------------------------------------------------------
def calls(rig: CourtroomRig) -> list[tuple[str, int]]:
    view = rig.courtroom.hall_view().to_json()
    assert not [word for word in ("Ким", "Ли", "Цой") if word in json.dumps(view["calls"])]
    return [(call["role"], call["number"]) for call in view["calls"]]


def save(rig: CourtroomRig, **fields: Any) -> str:
    return rig.courtroom.save_person(SavePerson.model_validate(fields), "p1").person.id


def test_who_is_called_in_is_shown_by_role_and_number_until_they_come(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(publicity="open", participants=[{"name": "Ким О.", "role": "брат"}])
    first = save(rig, role="witness", name="Ли С.")
    second = save(rig, role="witness", name="Цой В.")
    assert calls(rig) == []
    save(rig, id=second, called=True)
    since = rig.courtroom.hall_view().calls[0].since
    save(rig, id=second, called=True)
    assert rig.courtroom.hall_view().calls[0].since == since, "twice is once"
    save(rig, id="p1", called=True)
    assert sorted(calls(rig)) == [("", 1), ("witness", 2)], "a role of no rules is not told"
    save(rig, id="p1", called=False)
    save(rig, id=first, called=True)
    assert calls(rig) == [("witness", 2), ("witness", 1)], "in the order of the calls"
    save(rig, id=second, attendance="hall")
    rig.courtroom.add_mark("questioning", "p1", of=first)
    assert calls(rig) == [], "one has come, the other speaks"
    save(rig, id=first, called=True)
    save(rig, id=first, left=True)
    assert calls(rig) == []
    save(rig, id=second, called=True)
    rig.crash()
    rig.start()
    assert calls(rig) == [("witness", 2)], "also after a crash"
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    assert calls(rig) == []


def test_of_a_hidden_hearing_not_even_the_role_is_called(rig: CourtroomRig) -> None:
    rig.begin(publicity="open")
    save(rig, role="victim", name="Ким О.", minor=True)
    witness = save(rig, role="witness", name="Ли С.")
    save(rig, id=witness, called=True)
    assert calls(rig) == [("witness", 1)]
    rig.courtroom.change_publicity(True, "p1", recording_ns(), "civ_adoption")
    assert calls(rig) == [("", 2)]
    with pytest.raises(BadRequestError):
        save(rig, id="p9", called=True)


def test_hearings_of_other_days_are_not_shown(rig: CourtroomRig) -> None:
    listed = (row(OURS, 60 * 48), row(NEXT, -60 * 48), untimed("№ 3", case_number="2-17"))
    publish(rig, *listed)
    assert [r["case"]["number"] for r in shown(rig)] == ["2-17"]


def test_while_nobody_knows_the_day_only_the_open_hearing_is_shown(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(rig, untimed(OURS), untimed(NEXT))
    rig.begin(adhoc=True, title="Ours")
    monkeypatch.setattr(hall_view, "clock_state", lambda: ClockState.UNSET)
    view = rig.courtroom.hall_view()
    assert (view.is_day_known, [r.status for r in view.rows]) == (False, ["in_session"])
    hearing = rig.courtroom.current
    assert hearing is not None
    assert view.rows[0].starts_at == hearing.state.started
    hearing.state.started = "1970-01-01T00:07:12.000Z"  # as the journal has it then
    assert rig.courtroom.hall_view().rows[0].starts_at is None, "the hall is told no false time"


def test_what_ended_yesterday_may_come_today(tmp_path: Path) -> None:
    today = wall_time().date()
    ended = EndedHearings(tmp_path / "ended.json")
    ended.add([OURS], today - timedelta(days=1))
    ended.save()
    assert EndedHearings(tmp_path / "ended.json").on(today) == frozenset()
    ended.add([NEXT], today)
    ended.save()
    assert EndedHearings(tmp_path / "ended.json").on(today) == {NEXT}
    for damaged in ("", "{", '{"day": 3, "hearings": 4}', "[]"):
        (tmp_path / "ended.json").write_text(damaged)
        assert EndedHearings(tmp_path / "ended.json").on(today) == frozenset()
