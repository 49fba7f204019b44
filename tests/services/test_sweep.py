"""A sweep through a real sound server, played and heard by a real recorder, from end to end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import format_wall
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import NAMES, RecorderProcess, hearing

pytestmark = pytest.mark.slow
TEST = "/v1/tests/speech_transmission"
BUSY_TRIES = 5
"""So often a virtual sound card may lose samples on a machine that has much else to do."""
SPEAKER = '[voice]\nloudspeaker = "speaker"\n'
KEPT = "[hearing]\nkept_minute = 30\n"


@pytest.fixture
def room() -> Iterator[VirtualMicrophones]:
    """Two microphones, of which the judge's hears the loudspeaker."""
    with (
        tempfile.TemporaryDirectory(prefix="room-") as folder,
        VirtualMicrophones(Path(folder), NAMES) as virtual,
    ):
        server = virtual.pulse_environment["PULSE_SERVER"]
        with (virtual.folder / "alsa.conf").open("a", encoding="utf-8") as file:
            file.write(f'pcm.speaker {{ type pulse server "{server}" device "judge" }}\n')
        yield virtual


def test_a_room_that_echoes_more_is_told_until_it_is_mended(
    make_recorder: MakeRecorder, room: VirtualMicrophones
) -> None:
    recorder = make_recorder(microphones=room, camera="none", extra_settings=SPEAKER + KEPT)
    recorder.start()
    recorder.wait_until_ready()
    first = swept(recorder, commissioning=True)
    assert (first["state"], first.get("code")) == ("passed", None)
    assert first["measured"]["judge"]["index"] > 0.9, "a wire has no echo"
    assert first["measured"]["judge"]["quality"] == "excellent"
    assert first["measured"]["witness"] == {"index": None, "quality": "unheard"}
    recorder.stop()
    commission(recorder, first["measured"])
    told = [["morning_transmission_fell", "judge/1.00/0.60"]]
    recorder.paths.morning_check.write_text(json.dumps({"day": "2026-11-28", "found": told}))

    echo = begin_echo(room)
    recorder.start()
    recorder.wait_until_ready()
    echoing = swept(recorder)
    assert (echoing["state"], echoing.get("code")) == ("failed", "sweep_changed")
    before, now = (row["measured"]["judge"]["index"] for row in (first, echoing))
    assert now <= before - 0.1
    assert echoing["limits"]["judge.index"]["least"] == pytest.approx(before - 0.1)
    assert found(recorder) == [tuple(told[0])], "a test that failed mends nothing"

    room.pactl("unload-module", echo)
    assert swept(recorder)["state"] == "passed"
    assert found(recorder) == []

    due = hearing()["hearing"] | {"scheduled_at": format_wall()}
    recorder.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    recorder.paths.schedule.write_text(json.dumps({"hearings": [due]}))
    recorder.wait_for_state(lambda state: state["kept_before"] is not None, "the minute before")
    with ThreadPoolExecutor() as pool:
        sweep = pool.submit(swept, recorder)
        recorder.wait_for_state(lambda state: state["kept_before"] is None, "nothing kept of it")
        started = recorder.post("/v1/hearings", {"hearing": due, "with_minute_before": True})
        assert (started["part"], started["kept_seconds"]) == (1, 0.0), "no sweep is in the record"
        with pytest.raises(ServiceRefusedError) as refused:
            sweep.result()
        assert refused.value.code == "already_recording"
    with pytest.raises(ServiceRefusedError) as refused:
        swept(recorder)
    assert refused.value.code == "already_recording"


def swept(recorder: RecorderProcess, *, commissioning: bool = False) -> dict[str, Any]:
    body = {"seconds": 0, "commissioning": commissioning}
    for _ in range(BUSY_TRIES):
        answer: dict[str, Any] = recorder.post(TEST, body, "technician")
        if answer.get("code") != "sweep_incomplete":
            return answer
    raise AssertionError("the virtual microphones lose samples")


def found(recorder: RecorderProcess) -> list[tuple[str, str]]:
    rows = recorder.state()["alarms"]
    return [(row["code"], row["source"]) for row in rows if row["code"].startswith("morning_")]


def begin_echo(room: VirtualMicrophones) -> str:
    """Let what is heard at the judge's place be heard there again and again; return the module."""
    route = ("source=judge.monitor", "sink=judge", "latency_msec=150")
    module = room.pactl("load-module", "module-loopback", *route).strip()
    rows = [row.split("\t") for row in room.pactl("list", "short", "sink-inputs").splitlines()]
    (stream,) = [row[0] for row in rows if "loopback" in " ".join(row)]
    room.pactl("set-sink-input-volume", stream, "85%")
    return module


def commission(recorder: RecorderProcess, measured: dict[str, Any]) -> None:
    """Leave the report of a commissioning in which this was measured."""
    folder = recorder.paths.reports / "r"
    folder.mkdir(parents=True)
    row = {
        "check": "speech_transmission",
        "state": "passed",
        "code": None,
        "measured": measured,
        "seconds": 8.0,
        "at": "2026-11-28T08:00:00Z",
        "deviations": {},
    }
    report = {"kind": "selftest", "sequence": 1, "commissioning": True, "ran": [row["check"]],
              "results": [row]}  # fmt: skip
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
