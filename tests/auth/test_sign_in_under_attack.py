"""What a visitor, a damaged file or a changed list may not do to those who sign in."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kiosk.auth.first_technician import FIRST_TECHNICIAN
from kiosk.auth.person import Person, TokenError
from kiosk.auth.tries import FREE_BADGES, FREE_TRIES, MAX_PIN_WAIT_S
from kiosk.exchange import staff_list
from tests.auth.test_sign_in import Room, row

WAIT_S = 30.0


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_list, "MEMORY_KIB", 64)
    monkeypatch.setattr(staff_list, "ITERATIONS", 1)


@pytest.fixture
def room(tmp_path: Any) -> Room:
    """Return a room with a judge, a secretary and a clerk who has only a badge."""
    return Room(tmp_path)


class SlowBadge:
    """Holds the search for a badge until it is let go."""

    def __init__(self, badge: str) -> None:
        self.badge = badge
        self.began, self.may_go = threading.Event(), threading.Event()

    def is_secret_of(self, secret: str, phc: str) -> bool:
        if secret == self.badge:
            self.began.set()
            assert self.may_go.wait(WAIT_S)
        return staff_list.is_secret_of(secret, phc)


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_a_visitors_badge_that_is_looked_up_for_long_delays_no_pin_and_no_list(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hundred badges on a list, one look-up takes a Raspberry Pi 4 some six seconds."""
    slow = SlowBadge("X-1")
    monkeypatch.setattr("kiosk.auth.sign_in.is_secret_of", slow.is_secret_of)
    stranger = in_thread(lambda: room.use_badge("X-1"))
    assert slow.began.wait(WAIT_S)
    done: list[object] = []
    staff = in_thread(
        lambda: done.extend([room.guess("judge", "2718"), room.desk.people(), room.alarms()])
    )
    staff.join(WAIT_S)
    slow.may_go.set()
    stranger.join(WAIT_S)
    assert done
    assert done[0] == "judge"


def test_badges_that_wait_for_their_turn_are_counted_at_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowBadge("X-1")
    monkeypatch.setattr("kiosk.auth.sign_in.is_secret_of", slow.is_secret_of)
    results: list[str] = []
    threads = [in_thread(lambda: results.append(room.use_badge("X-1"))) for _ in range(20)]
    assert slow.began.wait(WAIT_S)
    for _ in range(3000):
        if len(results) == 20 - FREE_BADGES:
            break
        threading.Event().wait(0.01)
    assert results == ["wait"] * (20 - FREE_BADGES)
    slow.may_go.set()
    for thread in threads:
        thread.join(WAIT_S)


ROW = {"person": "judge", "place": "screen", "wrong": 4, "last": 1000.0, "until": 1005.0}


@pytest.mark.parametrize(
    "change",
    [
        {"person": []},
        {"person": None, "place": {}},
        {"wrong": "many"},
        {"wrong": math.inf},
        {"last": "yesterday"},
        {"last": math.nan},
        {"until": math.inf},
        {"until": 10**400},
        {"until": 1e18, "last": 1e18},
        {"further": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
def test_damaged_counts_lock_nobody_out(room: Room, change: dict[str, Any], boot: str) -> None:
    room.paths.sign_in_tries.parent.mkdir(parents=True, exist_ok=True)
    value = {"boot": boot, "counts": [ROW | change], "used": ["judge"]}
    room.paths.sign_in_tries.write_text(json.dumps(value), encoding="utf-8")
    room.restart()
    room.desk.people()
    room.alarms()
    room.seconds += MAX_PIN_WAIT_S
    assert room.guess("judge", "2718") == "judge"
    assert [room.guess("judge") for _ in range(FREE_TRIES + 1)][-1] == "wait"


def test_a_new_list_changes_who_is_signed_in_already(room: Room) -> None:
    judge = room.desk.find_by_badge("J-1", "screen")
    first = Person(FIRST_TECHNICIAN.id, "", ("technician",))
    assert room.desk.as_listed(judge).roles == ("judge",)
    assert room.desk.as_listed(first) == first
    room.publish(row("judge", "2718", "J-1", "secretary"), row("t-1", "1618", "T-1", "technician"))
    room.alarms()
    assert room.desk.as_listed(judge).roles == ("secretary",)
    with pytest.raises(TokenError):
        room.desk.as_listed(first)
    room.publish(row("secretary", "3141", "S-1"))
    room.alarms()
    with pytest.raises(TokenError):
        room.desk.as_listed(judge)


def test_a_list_that_ends_in_a_hearing_leaves_it_to_who_is_signed_in(room: Room) -> None:
    secretary = room.desk.find_by_badge("S-1", "screen")
    room.moved = timedelta(days=15)
    assert room.alarms() == {("staff_list_ended", "staff_list")}
    assert room.desk.as_listed(secretary) == secretary


def test_a_list_that_has_ended_does_not_fill_the_log(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """Two lines at each look, every two seconds, pushed all else out of the log."""
    room.alarms()
    room.moved = timedelta(days=15)
    room.restart()
    room.alarms()
    caplog.clear()
    for _ in range(5):
        assert room.alarms() == {("staff_list_ended", "staff_list")}
    assert caplog.messages == []


def test_the_kept_list_opens_when_a_wrong_clock_is_set_right(room: Room) -> None:
    """The list from sync is gone, and the kiosk started with a clock that was years ahead."""
    room.alarms()
    room.paths.staff.unlink()
    room.moved = timedelta(days=4000)
    room.restart()
    assert room.use_badge("J-1") == "unknown"
    assert ("staff_list_ended", "staff_list") in room.alarms()
    room.moved = timedelta(0)
    assert room.use_badge("J-1") == "judge"


def test_an_ended_file_brings_back_no_list_from_before_the_one_in_force(room: Room) -> None:
    """The newest list could not be kept (full disk); then somebody puts an ended one there."""
    room.alarms()
    kept = room.paths.kept_staff.read_bytes()
    room.publish(row("judge", "2718", "J-1", "judge"))
    assert room.use_badge("S-1") == "unknown"
    room.paths.kept_staff.write_bytes(kept)
    room.publish(row("x", None, "X-1"), issued=room.now - timedelta(days=40))
    assert ("staff_list_ended", "staff_list") in room.alarms()
    assert room.use_badge("S-1") == "unknown"
    assert room.use_badge("J-1") == "judge"
