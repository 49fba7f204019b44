"""``kiosk selftest``: table, exit status, JSON, newest results."""

from __future__ import annotations

import asyncio
import json
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


def test_dead_recorder_is_exit_status_1(
    open_kiosk: Open, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--config", str(settings_file), "selftest", "--no-questions", "--json"]
    assert run_beside(open_kiosk, Services(recorder=False), [*command, "--only", "camera"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == 1
    assert report["results"][0]["code"] == "recorder_down"


def test_unknown_check_names_those_that_there_are(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(settings_file), "selftest", "--only", "coffee"]) == 1
    assert "no check “coffee”; there are camera, microphones" in capsys.readouterr().err
