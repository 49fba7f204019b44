"""``kiosk state`` and ``kiosk watch`` on real services, and what their logs say."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from kiosk.api.base import read_strictly
from kiosk.api.recorder import RecorderState
from kiosk.api.sync import SyncState
from kiosk.cli import main
from kiosk.commands.state import recorder_rows, sync_rows
from kiosk.commands.watch import changes
from kiosk.ipc import serve_unix
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

WRONG_LEVEL = "WARNING kiosk.logs: KIOSK_LOG: no level in “b=LOUD”"
STACK = "most recent call first"


def kiosk(recorder: RecorderProcess, *arguments: str) -> list[str]:
    """Return a command line on the recorder's settings."""
    settings = ["--config", str(recorder.folder / "kiosk.toml")]
    return [sys.executable, "-m", "kiosk.cli", *settings, *arguments]


@pytest.fixture(scope="module")
def sync(bare_recorder: RecorderProcess) -> Iterator[subprocess.Popen[bytes]]:
    """The delivery service of the same kiosk; no central system answers."""
    with (bare_recorder.folder / "sync.log").open("wb") as log:
        process = subprocess.Popen(kiosk(bare_recorder, "sync"), stdout=log, stderr=log)
    wait_for(bare_recorder.paths.sync_socket.exists, "sync")
    yield process
    process.terminate()
    process.wait(20)


def test_state_without_services_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text(f'[kiosk]\nid = "k"\n[paths]\ndata = "{tmp_path}"\nrun = "{tmp_path}"\n')
    assert main(["--config", str(settings), "state"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "recorder",
        "  does not answer; see: systemctl status kiosk-recorder",
        "sync",
        "  does not answer; see: systemctl status kiosk-sync",
    ]
    assert main(["--config", str(settings), "state", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"recorder": None, "sync": None}


@pytest.mark.usefixtures("sync")
def test_state_as_a_table_and_raw(
    bare_recorder: RecorderProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--config", str(bare_recorder.folder / "kiosk.toml")]
    wait_for(lambda: main([*settings, "state"]) == 0, "both answers")
    text = capsys.readouterr().out
    for row in ("phase", "storage", "proof", "link", "queue", "alarm"):
        assert f"  {row} " in text
    assert main([*settings, "state", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    read_strictly(RecorderState, answers["recorder"])
    read_strictly(SyncState, answers["sync"])
    recorder = RecorderState.model_validate(answers["recorder"])
    assert dict(recorder_rows(recorder))["phase"] == "idle"
    assert "link" in dict(sync_rows(SyncState.model_validate(answers["sync"])))


@pytest.mark.usefixtures("sync")
def test_watch_follows_both_services(bare_recorder: RecorderProcess) -> None:
    watch = subprocess.Popen(
        kiosk(bare_recorder, "watch", "--seconds", "12"), stdout=subprocess.PIPE, text=True
    )
    assert watch.stdout is not None
    first = [watch.stdout.readline() for _ in range(2)]  # in any order
    assert any("phase: idle" in line for line in first)
    assert any("sync      answers" in line for line in first)
    hearing_id = bare_recorder.post("/v1/hearings", hearing())["hearing_id"]
    bare_recorder.post("/v1/hearing/end")
    text, _ = watch.communicate(timeout=40)
    assert 'phase: "recording"' in text
    assert hearing_id in text


def test_watch_prints_json_lines(bare_recorder: RecorderProcess) -> None:
    command = kiosk(bare_recorder, "watch", "--json", "--seconds", "3")
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert {(event["service"], event["event"]) for event in events} >= {("recorder", "state")}


def test_changes_name_the_place_and_leave_ticking_values_out() -> None:
    before = {"wall": "1", "microphones": [{"state": "ok"}], "alarms": [], "lamp": False}
    after = {
        "wall": "2",
        "microphones": [{"state": "dead"}],
        "alarms": [{"code": "x"}],
        "lamp": False,
    }
    assert list(changes(before, after)) == [
        'microphones[0].state: "dead"',
        'alarms: [{"code": "x"}]',
    ]
    assert list(changes(None, {"phase": "idle"})) == ["phase: idle"]


# -- logs --------------------------------------------------------------------------------------
def test_lines_of_the_log_name_the_hearing_and_its_part(bare_recorder: RecorderProcess) -> None:
    hearing_id = bare_recorder.post("/v1/hearings", hearing())["hearing_id"]
    bare_recorder.post("/v1/hearing/marks", {"type": "opening"})
    bare_recorder.post("/v1/hearing/end")
    bare_recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    bare_recorder.sign_in()
    lines = bare_recorder.log.read_text().splitlines()
    marked = next(line for line in lines if "/v1/hearing/marks" in line and hearing_id[:8] in line)
    assert f": [hearing {hearing_id[:8]} part 1] /v1/hearing/marks" in marked
    assert "[hearing" not in lines[-1], "no hearing is open any more"


def _has_stacks(log: Path) -> bool:
    return STACK in log.read_text()


@pytest.mark.usefixtures("sync")
def test_sigusr2_writes_the_stacks_and_the_service_goes_on(
    bare_recorder: RecorderProcess, sync: subprocess.Popen[bytes]
) -> None:
    for process, name in ((bare_recorder.process, "recorder.log"), (sync, "sync.log")):
        log = bare_recorder.folder / name
        process.send_signal(signal.SIGUSR2)
        wait_for(partial(_has_stacks, log), "the stacks")
        assert process.poll() is None
    assert bare_recorder.state()["phase"] == "idle"


STOP = "lambda *_: os.kill(os.getpid(), signal.SIGUSR2) or sys.exit(3)"


@pytest.mark.parametrize(
    "steps",
    [
        f"import kiosk.commands.ui as m; m.load_settings = {STOP}; m.run(Namespace(config=None))",
        "import kiosk.commands.central as m, kiosk.central.tasks as t; "
        f"t.run_task = {STOP}; m.run(Namespace(data='x'))",
    ],
    ids=["ui", "central"],
)
def test_sigusr2_is_heard_by_screen_and_central_system(steps: str) -> None:
    code = f"import os, signal, sys; from argparse import Namespace; {steps}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 3, result.stderr
    assert STACK in result.stderr.decode()


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("", ["INFO a: one", "INFO b.c: one"]),
        ("b=DEBUG,a=ERROR", ["INFO b.c: one", "DEBUG b.c: two"]),
        ("ERROR", []),
        (
            "b=LOUD",
            ["WARNING kiosk.logs: KIOSK_LOG: no level in “b=LOUD”", "INFO a: one", "INFO b.c: one"],
        ),
    ],
)
def test_levels_by_package_from_the_environment(levels: str, expected: list[str]) -> None:
    code = (
        "import logging; from kiosk.logs import set_up_logging; set_up_logging()\n"
        "for name in ('a', 'b.c'):\n"
        "    logging.getLogger(name).info('one'); logging.getLogger(name).debug('two')"
    )
    environment = {**os.environ, "KIOSK_LOG": levels}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stderr.splitlines() == expected


ODD_STATES = {
    "half a surrogate pair": '{"phase": "idle", "camera": {"back_end": "\\ud800"}}',
    "no object": "[1]",
    "no JSON": "hello",
    "cut off": '{"phase"',
    "nested": "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("name", ODD_STATES)
def test_whatever_a_service_sends_the_commands_end_well(
    tmp_path: Path, name: str, status: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        text, kind = ODD_STATES[name], "application/json"
        if request.path.endswith("events"):
            text, kind = f"event: state\ndata: {text}\n\n", "text/event-stream"
        return web.Response(text=text, content_type=kind, status=status)

    async def outputs() -> list[str]:
        app = web.Application()
        app.router.add_get("/{tail:.*}", answer)
        runner = await serve_unix(app, tmp_path / "recorder.sock")
        found = []
        for words in (["state"], ["state", "--json"], ["watch", "--seconds", "0.7"]):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kiosk.cli", "--config", str(settings), *words),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            found.append((await process.communicate())[0].decode())
        await runner.cleanup()
        return found

    settings = tmp_path / "kiosk.toml"
    settings.write_text(f'[kiosk]\nid = "k"\n[paths]\ndata = "{tmp_path}"\nrun = "{tmp_path}"\n')
    for output in asyncio.run(outputs()):
        assert "recorder" in output
        assert "Traceback" not in output
