"""Rooms that record now, as court IT's page shows them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from kiosk.central.contract import LiveRoom
from kiosk.central.live_rooms import LIVE_S, LiveRooms
from kiosk.clocks import format_wall
from tests.support.central_rig import Central, Kiosk

ROOM = {"phase": "recording", "levels": {"judge": -31, "witness": -60}, "proof": "good"}


def test_a_room_that_falls_silent_is_not_live_any_more() -> None:
    now = [100.0]
    rooms = LiveRooms(lambda: now[0])
    rooms.put("kiosk-2", LiveRoom(levels={"judge": -30}))
    rooms.put("kiosk-1", LiveRoom())
    now[0] += LIVE_S
    rooms.put("kiosk-1", LiveRoom(proof="bad"))
    assert [(r.kiosk, r.age, r.room.proof) for r in rooms.rooms()] == [
        ("kiosk-1", 0.0, "bad"),
        ("kiosk-2", LIVE_S, ""),
    ]
    now[0] += 0.1
    assert [row.kiosk for row in rooms.rooms()] == ["kiosk-1"]


def test_only_a_change_of_alarms_counts() -> None:
    rooms = LiveRooms()
    rooms.note_alarms("kiosk-1", [])
    assert rooms.alarm_changes == 0
    alarm = {"code": "disk_low", "source": "storage"}
    steps: list[tuple[list[dict[str, Any]], int]] = [([alarm], 1), ([alarm], 1), ([], 2), ([{}], 3)]
    for alarms, expected in steps:
        rooms.note_alarms("kiosk-1", alarms)
        assert rooms.alarm_changes == expected


def page(central: Central, path: str) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        return http.get(url + path, timeout=10)


@pytest.mark.slow
def test_the_page_gets_levels_proof_and_alarms_as_they_come(central: Central, kiosk: Kiosk) -> None:
    before = page(central, "/live").json()["alarms"]
    kiosk.put("/v1/live", ROOM)
    live = page(central, "/live?lang=en").json()
    (shown,) = [room for room in live["rooms"].values() if room["levels"] == ROOM["levels"]]
    assert (shown["proof"], shown["proof_text"]) == ("good", "read back")
    alarm = {"code": "camera_absent", "source": "camera"}
    state = {"kiosk_time": format_wall(), "version": "1", "alarms": [alarm]}
    kiosk.put("/v1/state", state)
    assert page(central, "/live").json()["alarms"] == before + 1
    text = page(central, "/?lang=en").text
    assert f'data-alarms="{before + 1}"' in text
    assert "data-live=" in text
    assert "connect-src 'self'" in page(central, "/").headers["Content-Security-Policy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [{"levels": {"judge": 5}}, {"levels": {"judge": "loud"}}, {"levels": [1]}, {"proof": 7}, []],
    ids=["too loud", "text", "list", "proof", "no object"],
)
def test_what_does_not_fit_is_refused_and_keeps_the_last_word(
    body: object, central: Central, kiosk: Kiosk
) -> None:
    kiosk.put("/v1/live", ROOM)
    answer = kiosk.call("PUT", "/v1/live", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    rooms = page(central, "/live").json()["rooms"].values()
    assert ROOM["levels"] in [room["levels"] for room in rooms]
