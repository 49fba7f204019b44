"""The court's line during a hearing: journalled always, said where somebody is remote (R24)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.states import Phase
from kiosk.clocks import boot_id, wall_time
from kiosk.hearing.monitoring import court_line
from kiosk.hearing.monitoring.court_line import CourtLineMonitor
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings


class LineRig(CourtroomRig):
    """A courtroom whose line a test sets, on a boot clock of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, courtroom_settings(folder, ()))
        self.now, self.slept = 1000.0, 0.0
        self.path = self.paths.line
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.watch()

    def watch(self) -> None:
        """Watch the line anew, as after a start."""
        self.courtroom.monitor.court_line = CourtLineMonitor(
            self.path, lambda: self.now, lambda: self.now - self.slept
        )

    def put(self, state: str, since: float | None = None, **more: Any) -> None:
        """Have sync say that the line is so since then, and poll."""
        begun = {"boot": boot_id(), "uptime": self.now if since is None else since}
        measured = {"boot": boot_id(), "uptime": self.now}
        value = {"state": state, "since": begun, "measured": measured, **more}
        self.path.with_suffix(".new").write_text(json.dumps(value))
        self.path.with_suffix(".new").replace(self.path)
        self.courtroom.poll()

    def go(self, seconds: float) -> None:
        """Let time pass and poll."""
        self.now += seconds
        self.courtroom.poll()

    def codes(self) -> set[str]:
        """Return the alarms of the line."""
        found = {alarm["code"] for alarm in self.state()["alarms"]}
        return found & {"line_silent", "line_poor"}

    def line(self) -> list[dict[str, Any]]:
        """Return the rows of State."""
        return list(self.hearing()["line"])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LineRig]:
    made = LineRig(tmp_path)
    yield made
    made.crash()


@pytest.mark.parametrize("format_", ["online", "mixed"])
def test_a_silent_line_is_journalled_with_its_seconds_and_said(rig: LineRig, format_: str) -> None:
    hearing_id = rig.begin(format=format_)
    rig.put("good")
    assert rig.codes() == set()
    rig.now += 6
    rig.put("silent", rig.now - 6)
    assert rig.codes() == {"line_silent"}
    assert [(row["kind"], row["seconds"], row["is_over"]) for row in rig.line()] == [
        ("silent", None, False)
    ]
    rig.now += 30
    rig.put("good")
    assert rig.codes() == set(), "it ends by itself"
    assert [(row["seconds"], row["is_over"]) for row in rig.line()] == [(36.0, True)]
    (begun,) = rig.lines(hearing_id, "line_trouble")
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert (begun["what"], begun["part"], ended["lasted"]) == ("silent", 1, 36.0)
    assert begun["began"] < begun["at"]
    assert rig.state()["phase"] == Phase.RECORDING
    assert rig.hearing()["interruptions"] == [], "the recording lost nothing"


def test_where_nobody_is_remote_it_is_journalled_and_not_said(rig: LineRig) -> None:
    hearing_id = rig.begin(format="offline")
    rig.put("poor", rtt_ms=950.0, loss=0.1)
    assert rig.codes() == set()
    (begun,) = rig.lines(hearing_id, "line_trouble")
    assert (begun["rtt_ms"], begun["loss"]) == (950.0, 0.1)


def test_it_is_said_at_most_once_a_minute(rig: LineRig) -> None:
    rig.begin(format="online")
    rig.put("silent")
    assert rig.codes() == {"line_silent"}
    rig.now += 10
    rig.put("good")
    rig.put("poor")
    assert rig.codes() == set(), "another sentence within the minute"
    assert len(rig.line()) == 2
    rig.go(45)
    assert rig.codes() == set()
    rig.go(6)
    assert rig.codes() == {"line_poor"}, "it lasts, and the minute is over"


def test_when_nobody_watches_any_more_its_end_is_not_known(rig: LineRig) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent")
    rig.go(151)
    assert rig.codes() == set()
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert ended["lasted"] is None
    assert [(row["seconds"], row["is_over"]) for row in rig.line()] == [(None, True)]


@pytest.mark.parametrize("first", ["recorder", "sync"])
def test_an_hour_of_sleep_counts_as_no_trouble_of_the_line(rig: LineRig, first: str) -> None:
    """Nobody watched: its end is not known, and what is there later begins with the wake."""
    hearing_id = rig.begin(format="online")
    rig.now += 5
    began = rig.now
    rig.put("silent")
    rig.slept += 3600
    rig.now += 3600
    if first == "recorder":
        rig.courtroom.poll()
    rig.put("silent", began)
    rig.now += 7
    rig.put("good")
    begun = rig.lines(hearing_id, "line_trouble")
    ended = rig.lines(hearing_id, "line_trouble_ended")
    assert [entry["lasted"] for entry in ended] == [None, 7.0]
    assert [row["seconds"] for row in rig.line()] == [None, 7.0]
    assert begun[1]["part_seconds"] >= begun[0]["part_seconds"]
    assert begun[1]["began"] >= ended[0]["at"][:19]


def test_what_nobody_watched_is_not_counted_twice(rig: LineRig) -> None:
    hearing_id = rig.begin(format="online")
    began = rig.now
    rig.put("silent")
    rig.go(151)
    rig.put("silent", began)
    rig.now += 9
    rig.put("good")
    ended = rig.lines(hearing_id, "line_trouble_ended")
    assert [entry["lasted"] for entry in ended] == [None, 9.0]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_is_stepped_changes_no_seconds(
    rig: LineRig, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent")
    stepped = timedelta(hours=hours)
    monkeypatch.setattr(court_line, "wall_time", lambda: wall_time() + stepped)
    rig.now += 20
    rig.put("good")
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert ended["lasted"] == 20.0
    rig.now += 30
    rig.put("poor", rig.now - 10)
    begun = rig.lines(hearing_id, "line_trouble")[1]
    wanted = wall_time() + stepped - timedelta(seconds=10)
    assert abs(datetime.fromisoformat(begun["began"]) - wanted) < timedelta(minutes=5)


def test_what_was_before_the_hearing_is_none_of_its_business(rig: LineRig) -> None:
    """A line that was silent since yesterday counted with a day in the hearing's minutes."""
    hearing_id = rig.begin(format="online")
    rig.put("silent", rig.now - 86_400)
    rig.now += 30
    rig.put("good")
    (begun,) = rig.lines(hearing_id, "line_trouble")
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert ended["lasted"] == 30.0
    assert begun["began"] >= rig.lines(hearing_id, "opened")[0]["at"]


def test_what_lasts_ends_with_the_hearing(rig: LineRig) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent")
    rig.now += 40
    rig.courtroom.end("p1")
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert ended["lasted"] == 40.0
    rig.courtroom.poll()
    rig.sealed(hearing_id)


@pytest.mark.parametrize("uptime", [-1e300, 1e300, 10**30])
def test_an_absurd_moment_stops_nothing(rig: LineRig, uptime: float) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent", uptime, rtt_ms=1e300, loss=-5.0)
    rig.now += 2
    rig.put("good", uptime)
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert 0.0 <= ended["lasted"] <= 2.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"state": "odd"}',
        '{"state": "silent"}',
        '{"state": "silent", "since": {"boot": "BOOT", "uptime": NaN}, '
        '"measured": {"boot": "BOOT", "uptime": 1000}}',
        '{"state": "silent", "since": {"boot": "BOOT", "uptime": 1000}, "rtt_ms": NaN, '
        '"measured": {"boot": "BOOT", "uptime": 1000}}',
        '{"state": "silent", "since": {"boot": "BOOT", "uptime": 1' + "0" * 400 + "}, "
        '"measured": {"boot": "BOOT", "uptime": 1000}}',
        '{"state": "silent", "since": {"boot": "x", "uptime": 1}, "measured": 7}',
        '{"state": "silent", "since": {"boot": "x", "uptime": 1}, '
        '"measured": {"boot": "x", "uptime": 1}}',
    ],
    ids=(
        *("empty", "list", "odd", "no since", "not a number", "rtt", "endless", "no measured"),
        "other boot",
    ),
)
def test_what_cannot_be_read_or_is_of_another_boot_says_nothing(rig: LineRig, text: str) -> None:
    hearing_id = rig.begin(format="online")
    rig.path.write_text(text.replace("BOOT", boot_id()))
    rig.courtroom.poll()
    assert rig.codes() == set()
    assert rig.lines(hearing_id, "line_trouble") == []


def test_a_recess_ends_the_sentence_and_not_the_row(rig: LineRig) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent")
    rig.courtroom.recess("p1")
    rig.courtroom.poll()
    assert rig.codes() == set()
    rig.now += 20
    rig.put("good")
    (ended,) = rig.lines(hearing_id, "line_trouble_ended")
    assert ended["lasted"] == 20.0


def test_after_a_crash_the_rows_are_known_and_numbers_go_on(rig: LineRig) -> None:
    hearing_id = rig.begin(format="online")
    rig.put("silent")
    rig.crash()
    rig.courtroom = rig.start()
    rig.watch()
    assert [row["kind"] for row in rig.line()] == ["silent"]
    rig.put("poor")
    assert [line["number"] for line in rig.lines(hearing_id, "line_trouble")] == [1, 2]
