"""The morning check: when it is due, and how it judges; a real one is in :mod:`test_sweep`."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import PathSettings, Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.selftest.morning_check import is_due, judge_noise
from kiosk.services.morning_check import MorningCheckService
from kiosk.storage.paths import Paths

EIGHT = time(8)
FLOORS = {"judge": -60.0, "witness": -62.0, "clerk": -58.0}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}+05:00")


@pytest.mark.parametrize(
    ("now", "done_on", "is_trusted", "done", "expected"),
    [
        ("28T07:59", "2026-11-27", True, False, False),
        ("28T08:00", "2026-11-27", True, False, True),
        ("28T13:00", "2026-11-27", True, False, True),
        ("28T13:00", "2026-11-28", True, True, False),
        ("28T09:00", "2026-11-29", True, True, True),
        ("28T07:00", "", False, False, True),
        ("28T09:00", "", False, True, False),
    ],
    ids=[
        "too early",
        "in time",
        "missed: the kiosk was off",
        "done today",
        "a day that has not come: the clock was wrong then",
        "no clock: once after the start",
        "no clock: done since the start",
    ],
)
def test_when_it_is_due(
    now: str, done_on: str, is_trusted: bool, done: bool, expected: bool
) -> None:
    due = is_due(EIGHT, moment(now), done_on, is_clock_trusted=is_trusted, done=done)
    assert due is expected


def shifted(**changes: float) -> dict[str, float]:
    return {name: level + changes.get(name, 0.0) for name, level in FLOORS.items()}


@pytest.mark.parametrize(
    ("noise", "is_occupied", "expected"),
    [
        (shifted(judge=4, witness=-5), False, []),
        (shifted(judge=14), False, [("morning_microphone_louder", "judge/-60/-46")]),
        (shifted(clerk=-13), False, [("morning_microphone_weaker", "clerk/-58/-71")]),
        (
            shifted(judge=15, witness=18, clerk=13),
            False,
            [("morning_room_noisy", "microphones")],
        ),
        (
            shifted(judge=25, witness=24, clerk=2),
            False,
            [("morning_room_noisy", "microphones"), ("morning_microphone_weaker", "clerk/-58/-56")],
        ),
        (shifted(judge=14), True, [("morning_room_noisy", "microphones")]),
        ({"new": -20.0}, False, []),
        ({}, False, []),
    ],
    ids=["as ever", "hum", "covered", "noisy", "noisy, one covered", "spoken", "new", "none"],
)
def test_what_all_microphones_hear_is_the_room(
    noise: dict[str, float], is_occupied: bool, expected: list[tuple[str, str]]
) -> None:
    assert judge_noise(noise, FLOORS, is_occupied=is_occupied) == expected


class Rig:
    """A service over a room without devices, whose clock and hearings a test sets."""

    def __init__(self, folder: Path, at: str = "08:00") -> None:
        settings: dict[str, Any] = {"morning_check": {"at": at}, "camera": {"back_end": "none"}}
        paths = PathSettings(data=folder / "d", run=folder / "r")
        self.settings = Settings.model_validate(settings).model_copy(update={"paths": paths})
        self.paths = Paths.from_settings(paths)
        self.paths.data.mkdir()
        self.now, self.is_busy, self.is_trusted = moment("28T09:00"), False, True
        self.looks, self.changes = 0, 0

    def service(self) -> MorningCheckService:
        sources = Sources(self.settings, self.paths.preview)
        return MorningCheckService(
            self.settings,
            self.paths,
            sources,
            self._look,
            self._count,
            wall=lambda: self.now.astimezone(UTC),
            is_trusted=lambda: self.is_trusted,
        )

    def _look(self) -> bool:
        self.looks += 1
        return self.is_busy

    def _count(self) -> None:
        self.changes += 1

    @property
    def kept(self) -> dict[str, Any] | None:
        file = self.paths.morning_check
        return json.loads(file.read_text()) if file.exists() else None


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_hearing_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its end; one that begins ends the check, which is made up for afterwards."""
    began, ended = threading.Event(), threading.Event()

    async def slow(*_: Any) -> list[tuple[str, str]]:
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()
        return []

    async def quick(*_: Any) -> list[tuple[str, str]]:
        return [("morning_room_noisy", "microphones")]

    async def steps() -> None:
        rig = Rig(tmp_path)
        rig.is_busy = True
        monkeypatch.setattr("kiosk.services.morning_check.run_morning_check", slow)
        service = rig.service()
        task = asyncio.create_task(service.run(0.01))
        await until(lambda: rig.looks > 3)
        assert not began.is_set()
        rig.is_busy = False
        await until(began.is_set)
        began.clear()
        service.make_way()  # it could not start: the check is made again
        await until(began.is_set)
        ended.clear()
        service.is_minute_kept = lambda: True
        await until(ended.is_set)
        began.clear()
        looks = rig.looks
        await until(lambda: rig.looks > looks + 3)
        assert not began.is_set(), "the minute before a hearing holds no sweep"
        service.is_minute_kept = lambda: False
        await until(began.is_set)
        ended.clear()
        rig.is_busy = True
        await until(ended.is_set)
        assert rig.kept is None
        monkeypatch.setattr("kiosk.services.morning_check.run_morning_check", quick)
        rig.is_busy = False
        await until(lambda: rig.kept)
        assert rig.kept == {"day": "2026-11-28", "found": [["morning_room_noisy", "microphones"]]}
        await until(lambda: rig.changes)
        assert service.alarms() == [("morning_room_noisy", "microphones")]
        rig.is_busy = True
        assert service.alarms() == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        rig.is_busy = False
        assert rig.service().alarms() == [("morning_room_noisy", "microphones")]

    asyncio.run(asyncio.wait_for(steps(), 60))


def test_a_check_with_a_fault_of_its_own_does_not_sound_all_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    async def faulty(*_: Any) -> list[tuple[str, str]]:
        made.append("sweep")
        raise OverflowError("of a garbage baseline")

    async def steps() -> None:
        rig = Rig(tmp_path)
        monkeypatch.setattr("kiosk.services.morning_check.run_morning_check", faulty)
        task = asyncio.create_task(rig.service().run(0.001))
        await until(lambda: made)
        await asyncio.sleep(0.1)  # a hundred looks
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert made == ["sweep"]

    asyncio.run(asyncio.wait_for(steps(), 60))


def test_without_a_time_nothing_is_checked(tmp_path: Path) -> None:
    rig = Rig(tmp_path, at="")
    asyncio.run(asyncio.wait_for(rig.service().run(0.01), 60))
    assert rig.kept is None


def test_no_damaged_file_ends_the_checks(tmp_path: Path) -> None:
    """Neither a report with impossible numbers nor findings that this version does not know."""

    async def steps() -> None:
        rig = Rig(tmp_path)
        commission(rig.paths, judge=-60.0)
        report = rig.paths.reports / "r" / "report.json"
        text = report.read_text()
        report.write_text(text.replace('"sequence": 1', '"sequence": Infinity'))
        found = [["from_a_newer_release", "x"], "ab", ["morning_room_noisy", "microphones"]]
        rig.paths.morning_check.parent.mkdir(parents=True, exist_ok=True)
        rig.paths.morning_check.write_text(json.dumps({"day": "2026-11-27", "found": found}))
        service = rig.service()
        assert service.alarms() == [("morning_room_noisy", "microphones")]
        task = asyncio.create_task(service.run(0.01))
        await until(lambda: task.done() or (rig.kept or {}).get("day") == "2026-11-28")
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(steps(), 60))


def commission(paths: Paths, **floors: float) -> None:
    """Leave the report of a commissioning with these noise floors."""
    folder = paths.reports / "r"
    folder.mkdir(parents=True)
    measured = {name: {"noise_db": floor} for name, floor in floors.items()}
    row = {"check": "microphones", "state": "passed", "measured": measured}
    report = {"commissioning": True, "sequence": 1, "results": [row]}
    (folder / "report.json").write_text(json.dumps(report))


def test_what_is_mended_goes_away_when_its_test_passes(tmp_path: Path) -> None:
    """Only what that test shows; what is still so stays."""
    found = [
        ["morning_camera_dark", "camera"],
        ["morning_microphone_weaker", "judge"],
        ["morning_microphone_louder", "witness/-60/-47"],
    ]

    async def steps() -> None:
        rig = Rig(tmp_path)
        commission(rig.paths, judge=-60.0, witness=-60.0, clerk=-60.0)
        rig.paths.morning_check.parent.mkdir(parents=True, exist_ok=True)
        rig.paths.morning_check.write_text(json.dumps({"day": "2026-11-28", "found": found}))
        service = rig.service()
        await service.forget_mended("storage", {})
        assert len(service.alarms()) == 3
        await service.forget_mended("camera", {})
        assert [source for _, source in service.alarms()] == ["judge", "witness/-60/-47"]
        noise = {"judge": -59.0, "witness": -45.0, "clerk": -60.0}
        measured = {name: {"state": "ok", "noise_db": level} for name, level in noise.items()}
        await service.forget_mended("microphones", measured)
        assert service.alarms() == [("morning_microphone_louder", "witness/-60/-47")]
        assert rig.changes == 2
        kept = {"day": "2026-11-28", "found": [["morning_microphone_louder", "witness/-60/-47"]]}
        assert rig.kept == kept, "the check of the day stays done"

    asyncio.run(steps())


def test_a_sweep_that_passes_mends_what_a_sweep_found_and_nothing_else(tmp_path: Path) -> None:
    found = [
        ["morning_microphone_weaker", "judge"],
        ["morning_sweep_muffled", "judge/1/-11"],
        ["morning_loudspeaker_changed", "loudspeaker"],
        ["morning_transmission_fell", "witness/0.62/0.41"],
        ["morning_transmission_fell_everywhere", "loudspeaker/0.62/0.41"],
    ]

    async def steps() -> None:
        rig = Rig(tmp_path)
        rig.paths.morning_check.parent.mkdir(parents=True, exist_ok=True)
        rig.paths.morning_check.write_text(json.dumps({"day": "2026-11-28", "found": found}))
        service = rig.service()
        assert len(service.alarms()) == 5
        await service.forget_mended("microphones", {})
        assert len(service.alarms()) == 4, "a microphone that is loud enough is not yet clear"
        unheard = {"judge": {"index": 0.7}, "witness": {"index": None, "quality": "clipped"}}
        await service.forget_mended("speech_transmission", unheard)
        assert service.alarms() == [("morning_transmission_fell", "witness/0.62/0.41")]
        await service.forget_mended("speech_transmission", {"witness": {"index": 0.7}})
        assert service.alarms() == []
        assert rig.kept == {"day": "2026-11-28", "found": []}

    asyncio.run(steps())
