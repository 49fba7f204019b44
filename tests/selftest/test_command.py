"""``kiosk selftest``: table, exit status, JSON, newest results."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.cli import main
from tests.selftest.conftest import Open, Services


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text(
        f'[kiosk]\nlanguage = "ru"\n[camera]\nback_end = "virtual"\n[panel]\nenabled = false\n'
        f'[paths]\ndata = "{tmp_path / "data"}"\nrun = "{tmp_path / "run"}"\n',
        encoding="utf-8",
    )
    return path


def run_beside(open_kiosk: Open, services: Services, arguments: list[str]) -> int:
    """Run the command while the services answer."""

    async def story() -> int:
        async with open_kiosk(services):
            return await asyncio.to_thread(main, arguments)

    return asyncio.run(story())


def test_table_and_exit_status(
    open_kiosk: Open, settings_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = tmp_path / "pin"
    pin.write_text("4711\n")
    command = ["--config", str(settings_file), "selftest", "--no-questions", "--pin-file", str(pin)]
    assert run_beside(open_kiosk, Services(), [*command, "--only", "camera,clock,delivery"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["Камера", "Пройдено"],
        ["Часы", "Пройдено"],
        ["Доставка", "Пройдено"],
    ]
    assert (Path(lines[-1]) / "SHA256SUMS.p7s").exists()

    assert main([*command[:3], "--latest", "--language", "en"]) == 0
    shown = capsys.readouterr().out
    assert "Never tested" in shown
    assert "This has never been tested." in shown
    dark = {"state": "failed", "code": "camera_dark", "measured": {"fps": 5.0}}

    async def again() -> int:
        async with open_kiosk(Services()) as kiosk:
            kiosk.recorder.answers["camera"] = dark
            return await asyncio.to_thread(main, [*command, "--only", "camera"])

    assert asyncio.run(again()) == 1
    capsys.readouterr()
    asked = [*command[:3], "--history", "camera,scanner", "--language", "en"]
    assert main(asked) == 0
    newest, *changes, oldest, never = capsys.readouterr().out.splitlines()
    assert "Failed" in newest
    assert "Passed, now failed" in "".join(changes)
    assert "Passed" in oldest
    assert never == "Scanner: Never tested"
    assert main([*command[:3], "--history", "toaster"]) == 2


def test_dead_recorder_is_exit_status_1(
    open_kiosk: Open, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--config", str(settings_file), "selftest", "--no-questions", "--json"]
    assert run_beside(open_kiosk, Services(recorder=False), [*command, "--only", "camera"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == 1
    assert report["results"][0]["code"] == "recorder_down"


def test_a_report_that_is_not_saved_is_told_and_printed(
    open_kiosk: Open, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--config", str(settings_file), "selftest", "--no-questions", "--json"]
    assert run_beside(open_kiosk, Services(), [*command, "--only", "link"]) == 1
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert (report["passed"], "id" in report) == (1, False)
    assert told.err == "kiosk: the report is not saved: give a technician's PIN\n"


def test_the_person_at_the_terminal_has_it_saved_again(
    open_kiosk: Open, settings_file: Path, tmp_path: Path
) -> None:
    """On a real terminal: the disk refuses until somebody has made room, then "y" saves it."""
    pin = tmp_path / "pin"
    pin.write_text("4711\n")
    blocked = tmp_path / "data" / "reports"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the folder should be")
    command = [sys.executable, "-m", "kiosk.cli", "--config", str(settings_file), "selftest"]
    command += ["--only", "link", "--language", "en", "--pin-file", str(pin)]

    def type_answers() -> tuple[int, str]:
        ours, theirs = os.openpty()
        child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = read_until(ours, "Save the report again? [y/n]")
        blocked.unlink()
        os.write(ours, b"y\n")
        shown += read_until(ours, None)
        os.close(ours)
        return child.wait(30), shown

    async def story() -> tuple[int, str]:
        async with open_kiosk():
            return await asyncio.to_thread(type_answers)

    status, shown = asyncio.run(story())
    assert status == 0, shown
    assert "Saving failed: the disk refuses to write." in shown
    assert len(list(blocked.glob("*/SHA256SUMS.p7s"))) == 1


def read_until(terminal: int, text: str | None) -> str:
    """Return what a terminal shows up to ``text``; None: up to the end of its process."""
    shown = ""
    while text is None or text not in shown:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # EIO: nobody has it open any more
            break
        if not block:
            break
        shown += block.decode()
    return shown


def test_unknown_check_names_those_that_there_are(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(settings_file), "selftest", "--only", "coffee"]) == 2
    assert "no check “coffee”; there are camera, microphones" in capsys.readouterr().err
