"""Live levels and proof: what is sent, how much it is, and what is never sent (R86, R87)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.config import MAX_MICROPHONES, Settings
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER
from kiosk.sync.context import SyncContext
from kiosk.sync.polling.live_room import EVERY_S, LiveRoomSender, live_room

HEARING = "11111111-2222-4333-8444-555555555555"
LEVELS = {"judge": {"rms_db": -31.4, "peak_db": -20.0}, "witness": {"rms_db": -140.0}}
TITLE = "Ахметов А. – «Қала құрылыс» ЖШС"


def recorder(phase: str = "recording", **fields: Any) -> RecorderState:
    hearing = {"id": HEARING, "case_number": "7514", "title": TITLE}
    base = {"phase": phase, "hearing": hearing, "proof": {"state": "good", "age_seconds": 2.2}}
    return RecorderState.model_validate(base | fields)


def test_it_has_loudness_and_proof_and_nothing_of_the_case() -> None:
    body = live_room(recorder(), LEVELS)
    assert body == {
        "phase": "recording",
        "levels": {"judge": -31, "witness": -120},
        "proof": "good",
        "proof_age": 2,
    }
    text = json.dumps(live_room(recorder(closed={"since": "x"}), LEVELS), ensure_ascii=False)
    assert not [word for word in (HEARING, "7514", "Ахметов") if word in text]


def test_an_odd_level_costs_the_others_nothing() -> None:
    odd = {"a": None, "b": {}, "c": {"rms_db": "loud"}, "d": {"rms_db": True}, "e": 7}
    assert live_room(recorder(), {**odd, **LEVELS})["levels"] == {"judge": -31, "witness": -120}


def test_it_is_some_ten_bytes_a_second() -> None:
    """The body of a room with all microphones that may be set, in full names."""
    names = [f"microphone-number-{n}" for n in range(MAX_MICROPHONES)]
    body = live_room(recorder(), {name: {"rms_db": -31.4} for name in names})
    assert len(json.dumps(body)) / EVERY_S <= 60
    assert len(json.dumps(live_room(recorder(), LEVELS))) / EVERY_S <= 20


class Central:
    """Stands for the client of a central system; keeps what is sent."""

    def __init__(self, revision: int) -> None:
        self.announced, self.revision = revision, 0
        self.sent: list[dict[str, Any]] = []
        self.asked = 0

    def check_contract(self) -> None:
        self.asked += 1
        self.revision = self.announced

    def call(self, method: str, path: str, body: dict[str, Any], _timeout: object) -> None:
        assert (method, path) == ("PUT", "/v1/live")
        self.sent.append(body)


@pytest.fixture
def sender(tmp_path: Path) -> Any:
    settings = Settings.model_validate(
        {"paths": {"data": str(tmp_path / "data"), "run": str(tmp_path / "run")}}
    )
    (tmp_path / "data" / "sync").mkdir(parents=True)
    context = SyncContext(settings, lambda: None)
    context.link.mark_up()
    made = LiveRoomSender(context)
    yield made
    context.close()


def attach(sender: LiveRoomSender, central: Central, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender.connection, "client", lambda: central)


def test_only_a_part_that_is_recorded_is_told(
    sender: LiveRoomSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    central = Central(7)
    attach(sender, central, monkeypatch)
    assert sender.step() == EVERY_S
    for phase in ("recess", "retired", "sealing", "idle"):
        sender.word = (recorder(phase), LEVELS)
        sender.step()
    assert central.sent == []
    sender.word = (recorder(), LEVELS)
    sender.step()
    sender.step()
    assert [body["levels"]["judge"] for body in central.sent] == [-31, -31]


def test_of_a_hearing_for_the_courier_nothing_leaves(
    sender: LiveRoomSender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R86, R87: not even that somebody speaks."""
    central = Central(7)
    attach(sender, central, monkeypatch)
    folder = tmp_path / "data" / "hearings" / HEARING
    folder.mkdir(parents=True)
    (folder / COURIER_ONLY_MARKER).write_text("{}")
    sender.word = (recorder(), LEVELS)
    sender.step()
    assert central.sent == []


def test_an_earlier_central_system_is_not_troubled(
    sender: LiveRoomSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    central = Central(6)
    attach(sender, central, monkeypatch)
    sender.word = (recorder(), LEVELS)
    for _ in range(5):
        sender.step()
    assert (central.sent, central.asked) == ([], 1)
