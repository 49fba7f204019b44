"""The display in the hall: what it shows, what it shows no more, the program itself (R54, R88)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk.api.hall import HallView
from kiosk.config import HallSettings
from kiosk.demo.processes import end_process
from kiosk.demo.screen_driver import get_json
from kiosk.demo.x_server import Display
from kiosk.locale import Translator
from kiosk.storage.paths import Paths
from kiosk.ui.hall.board import BoardView, board_view
from kiosk.ui.hall_state import HallState
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.theme import CAP_HEIGHT, DESIGN_WIDTH
from kiosk.ui.view_context import ViewContext
from tests.services.recorder_process import RecorderProcess
from tests.support.court_keys import CourtSecrets
from tests.support.ports import free_port
from tests.support.waiting import wait_for

PROXY = Path("/usr/lib/systemd/systemd-socket-proxyd")
CASE, TITLE = "7514-26-00-2/4511", "Ахметов А. – «Қала құрылыс» ЖШС"
OURS = "11111111-2222-4333-8444-555555555555"
OPEN = {
    "status": "in_session",
    "publicity": "open",
    "starts_at": service_states.at(9, 10),
    "case": {"number": CASE, "title": TITLE},
}


class Hall:
    """A display whose clock the test moves."""

    def __init__(self, **settings: Any) -> None:
        self.now = 100.0
        self.state = HallState(HallSettings.model_validate(settings), lambda: self.now)
        self._translate = Translator("en")
        self._labels = RuleLabels(self._translate)

    def hear(self, *rows: dict[str, Any], **fields: Any) -> None:
        value = {"wall": service_states.at(9, 52), "room": "4", "rows": rows, **fields}
        self.state.handle_event("hall", HallView.model_validate(value).to_json())

    def shown(self, day: int = 23) -> BoardView:
        now = service_states.NOW.replace(day=day)
        context = ViewContext(self._translate, self._labels, service_states.ZONE, now)
        return board_view(context, self.state)


def test_observers_are_told_how_and_by_which_rules() -> None:
    """R55, R66, R73, S6: no reason is asked; who may watch, and what stays forbidden online."""
    hall = Hall()
    hall.hear(OPEN | {"online": True}, OPEN | {"status": "listed", "case": {"number": "2-16"}})
    shown = hall.shown()
    assert [row.entry for row in shown.rows] == ["Open, also online", ""]
    observer = shown.observer
    assert observer is not None
    assert (observer.hearings, observer.link) == ((f"09:10 · {CASE}",), "")
    assert observer.how == "Ask the secretary of the hearing for the link."
    words = " ".join(observer.rules)
    for rule in ("nobody is asked for a reason", "does not hinder", "permission, online too",
                 "under sixteen", "intoxicated"):  # fmt: skip
        assert rule in words
    hall.hear(OPEN | {"online": True, "is_streamed": True})
    assert (hall.shown().observer or observer).hearings[0].endswith("internet stream")
    linked = Hall(observer_url="https://court.example/watch")
    linked.hear(OPEN | {"online": True})
    found = linked.shown().observer
    assert found is not None
    assert (found.link, "Scan the code" in found.how) == ("https://court.example/watch", True)


@pytest.mark.parametrize(
    "row",
    [OPEN, OPEN | {"publicity": "closed", "case": None, "online": True}],
    ids=["in the room", "hidden"],
)
def test_without_an_open_online_hearing_observers_are_told_nothing(row: dict[str, Any]) -> None:
    hall = Hall(observer_url="https://court.example/watch")
    hall.hear(row)
    assert hall.shown().observer is None
    hall.hear(OPEN | {"online": True})
    assert hall.shown().observer is not None
    hall.now += 60
    assert hall.shown().observer is None, "an old word could be wrong"


@pytest.mark.parametrize("url", ["http://court.example", "https://", "javascript:alert(1)", "x y"])
def test_a_link_for_observers_must_be_one(url: str) -> None:
    with pytest.raises(ValidationError):
        HallSettings(observer_url=url)


@pytest.mark.parametrize(
    ("change", "status", "until", "entry"),
    [
        ({}, "In session", "", "Open to everybody"),
        ({"status": "recess"}, "Recess", "", ""),
        ({"status": "recess", "until": service_states.at(11, 30)}, "Recess", "until 11:30", ""),
        ({"status": "retired"}, "Deliberation room", "", ""),
        ({"status": "ended", "publicity": "closed", "case": None}, "Ended", "", ""),
        ({"status": "next"}, "Next hearing", "", ""),
        ({"status": "listed"}, "", "", ""),
        ({"publicity": "closed", "case": None}, "In session", "", "No outsiders"),
        (
            {"publicity": "unclear", "case": None},
            "In session",
            "",
            "Entry: please ask the secretary",
        ),
    ],
    ids=["open", "recess", "until", "retired", "ended", "next", "listed", "closed", "unclear"],
)
def test_a_row_says_what_is_so_and_who_may_enter(
    change: dict[str, Any], status: str, until: str, entry: str
) -> None:
    hall = Hall()
    hall.hear(OPEN | change)
    (row,) = hall.shown().rows
    assert (row.status, row.until, row.entry) == (status, until, entry)
    assert (CASE in repr(row)) == ("case" not in change)


def test_who_is_called_in_is_told_by_role_and_number_and_not_for_ever() -> None:
    hall = Hall()
    calls = [{"role": "witness", "number": 2}, {"role": "", "number": 3}]
    hall.hear(OPEN, calls=calls)
    assert hall.shown().calls == (
        "Room 4 – please come in: Witness 2",
        "Room 4 – please come in: Person 3",
    )
    hall.now += 60
    assert hall.shown().calls == (), "an old call sends somebody into another hearing"


def test_an_old_open_is_never_shown() -> None:
    """Nobody knows what was closed meanwhile: numbers, names and states go, and it says so."""
    hall = Hall(stale_seconds=10)
    assert hall.shown().warning.startswith("The list cannot be shown now")
    hall.hear(OPEN)
    hall.now += 10
    assert (hall.shown().warning, hall.shown().rows[0].number) == ("", CASE)
    hall.now += 0.1
    stale = hall.shown()
    assert "09:52" in stale.warning
    assert [(r.time, r.number, r.status, r.entry) for r in stale.rows] == [("09:10", "", "", "")]
    assert (stale.clock, stale.day) == ("", ""), "a clock that stands still is no clock"
    assert not any(word in repr(stale) for word in (CASE, TITLE, "In session", "Open to"))
    hall.hear(OPEN)
    assert (hall.shown().warning, hall.shown().rows[0].status) == ("", "In session")


@pytest.mark.parametrize(
    "value",
    [None, 17, "x", {"rows": "x"}, {"rows": [{"status": "dreaming"}]}, {"rows": [OPEN, 17]}],
    ids=["null", "number", "text", "no list", "odd row", "one odd row of two"],
)
def test_what_cannot_be_read_is_no_news(value: object) -> None:
    hall = Hall(stale_seconds=10)
    hall.hear(OPEN)
    hall.now += 9
    with suppress(ValueError):  # the connection logs it
        hall.state.handle_event("hall", value)
    hall.now += 2
    assert hall.shown().warning


def test_without_a_clock_no_list_is_promised() -> None:
    hall = Hall()
    hall.hear(OPEN, is_day_known=False)
    shown = hall.shown()
    assert "not known" in shown.warning
    assert [row.status for row in shown.rows] == ["In session"]
    assert (shown.clock, shown.day, shown.empty) == ("", "", "")
    hall.hear()
    assert hall.shown().empty.startswith("No hearings")


def test_languages_and_pages_take_turns() -> None:
    hall = Hall(languages=("kk", "ru"), language_seconds=10)
    seen = []
    for _step in range(5):
        seen.append((hall.state.language, hall.state.round))
        hall.now += 10
    assert seen == [("kk", 0), ("ru", 0), ("kk", 1), ("ru", 1), ("kk", 2)]


def test_the_sanitary_notice_is_the_courts_own_and_off_by_itself() -> None:
    """R88, R98: nothing without a text; with one, from the first to the last day."""
    hall = Hall()
    hall.hear(OPEN)
    assert hall.shown().sanitary == ""
    dates = {"sanitary_from": date(2026, 11, 22), "sanitary_to": date(2026, 11, 24)}
    hall = Hall(sanitary={"kk": "Маска", "en": "Masks"}, **dates)
    hall.hear(OPEN)
    found = {day: hall.shown(day).sanitary for day in (21, 22, 23, 24, 25)}
    assert found == {21: "", 22: "Masks", 23: "Masks", 24: "Masks", 25: ""}


def test_notices_are_those_of_the_settings() -> None:
    hall = Hall(notices=("address_judge",))
    hall.hear(OPEN)
    assert [("Құрметті сот" in notice) for notice in hall.shown().notices] == [True]
    assert "under sixteen" in Hall().shown().notices[0]


@pytest.mark.slow
def test_letters_are_read_from_three_metres(tmp_path: Path) -> None:
    """On a screen of 90 cm the smallest capital has 13 mm: an angle of a quarter of a degree."""
    code = (
        "from kiosk.ui.theme import Theme; from kiosk.locale import Translator\n"
        "from kiosk.config import UiSettings; from kiosk.ui.kivy_setup import prepare\n"
        f"from pathlib import Path; prepare(UiSettings(), Path({str(tmp_path)!r}))\n"
        "from kiosk.ui.hall.board_screen import HallKit\n"
        "print(HallKit(Theme(1920, 1080), Translator()).min_font / 1920)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    share = float(done.stdout)
    assert share * CAP_HEIGHT * 900 >= 12.5, f"{share * DESIGN_WIDTH} of {DESIGN_WIDTH}"


# -- the program -------------------------------------------------------------------------------
class HallProcess:
    """``kiosk ui --role hall`` as a process."""

    def __init__(self, folder: Path, display: Display, address: str, run: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.log, self._socket = folder / "hall.log", Paths(folder, run).hall_screen_socket
        settings: dict[str, dict[str, Any]] = {
            "kiosk": {"id": "hall-1"},
            "paths": {"data": str(folder / "data"), "run": str(run)},
            "ui": {"fullscreen": False, "automation": True},
            "hall": {"address": address, "languages": ["ru"], "stale_seconds": 3},
        }
        lines = []
        for name, values in settings.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        (folder / "kiosk.toml").write_text("\n".join(lines), encoding="utf-8")
        command = [
            "-m",
            "kiosk.cli",
            "--config",
            str(folder / "kiosk.toml"),
            "ui",
            "--role",
            "hall",
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "--role", "hall"],
                env={**os.environ, "DISPLAY": display.name, "LIBGL_ALWAYS_SOFTWARE": "1"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def texts(self) -> str:
        """Return all that stands on the screen."""
        assert self.process.poll() is None, self.log.read_text()
        return "\n".join(w["text"] for w in get_json(self._socket, "/v1/screen").get("widgets", ()))

    def wait_text(self, *words: str) -> str:
        def found() -> str:
            shown = self.texts()
            return shown if all(word in shown for word in words) else ""

        try:
            return wait_for(found, " and ".join(words), 60)
        except AssertionError as error:
            shown = f"{self.texts()}\n{self.log.read_text()}"
            raise AssertionError(f"{error}; shown: {shown}") from None


@contextmanager
def network_view(socket: Path) -> Iterator[str]:
    """Carry the view into the network as ``kiosk-hall-view.service`` does; yield its address."""
    port = free_port()
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", str(PROXY), str(socket)]
    proxy = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end_process(proxy)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["same machine", "another machine"])
def test_the_program_shows_what_the_recorder_says(
    place: str, folder: Path, display: Display
) -> None:
    """Closed in mid-hearing, the name is gone from screen and log; a dead recorder is said."""
    if place == "another machine" and not PROXY.exists():
        pytest.skip("systemd-socket-proxyd is not installed")
    recorder = RecorderProcess(folder, None, camera="none")
    CourtSecrets().pin(recorder.paths)
    recorder.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    row = {"id": OURS, "case_number": CASE, "title": TITLE, "publicity": "open", "kind": "civil"}
    recorder.paths.schedule.write_text(json.dumps({"hearings": [row]}))
    recorder.start()
    with ExitStack() as stack:
        stack.callback(recorder.close)
        address, run = "", recorder.paths.run
        if place == "another machine":
            address = stack.enter_context(network_view(recorder.paths.hall_socket))
            run = folder / "hall-run"
        hall = HallProcess(folder / "hall", display, address, run)
        stack.callback(end_process, hall.process)
        hall.wait_text(CASE, "Следующее заседание")
        recorder.post("/v1/hearings", {"hearing": {"id": OURS}})
        hall.wait_text(TITLE, "Идёт заседание", "Вход свободный")
        recorder.post("/v1/hearing/close", {"ground": "crim_minors"})
        hall.wait_text("Закрытое заседание", "Посторонним вход воспрещён")
        assert not [word for word in (CASE, "Ахметов", "құрылыс") if word in hall.texts()]
        recorder.kill()
        shown = hall.wait_text("Сведений из зала нет")
        assert "Идёт заседание" not in shown
        recorder.start()
        hall.wait_text("Закрытое заседание")
        assert "Сведений" not in hall.texts()
        log = hall.log.read_text()
        assert not [word for word in (CASE, "4511", "Ахметов", "құрылыс") if word in log]
