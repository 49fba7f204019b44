"""A sweep through a real sound server, played and heard by a real recorder, from end to end.

Between the loudspeaker and the judge's microphone is a room with an impulse response.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.clocks import format_wall
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import NAMES, RecorderProcess, hearing
from tests.support.reverberant_room import DRY, HALL, ReverberantRoom, decaying
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
TEST = "/v1/tests/speech_transmission"
BUSY_TRIES = 5
"""So often a virtual sound card may lose samples on a machine that has much else to do."""
TEXTBOOK = 0.5
"""Speech transmission index of a reverberation time of 1.5 s: 1 / sqrt(1 + (2 pi F T / 13.8)^2)."""
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
            file.write(f'pcm.speaker {{ type pulse server "{server}" device "{HALL}" }}\n')
        yield virtual


def test_a_room_that_echoes_more_is_told_by_the_morning_check_until_it_is_mended(
    make_recorder: MakeRecorder, room: VirtualMicrophones
) -> None:
    """And so is a microphone that hears less; a hearing takes both off the screens."""
    recorder = make_recorder(microphones=room, camera="none", extra_settings=SPEAKER + KEPT)
    with ReverberantRoom(room, "judge") as hall:
        recorder.start()
        recorder.wait_until_ready()
        first = swept(recorder, commissioning=True)
        assert (first["state"], first.get("code")) == ("passed", None)
        before = first["measured"]["judge"]["index"]
        assert before > 0.9, "there is no echo"
        assert first["measured"]["judge"]["quality"] == "excellent"
        assert first["measured"]["witness"] == {"index": None, "quality": "unheard"}
        levels = recorder.post("/v1/tests/microphones", {"seconds": 2}, "technician")["measured"]
        quiet = float(np.median([row["noise_db"] for row in levels.values()]))
        recorder.stop()
        noise = {"judge": {"noise_db": quiet}, "witness": {"noise_db": quiet + 25}}
        commission(recorder, {"speech_transmission": first["measured"], "microphones": noise})
        with (recorder.folder / "kiosk.toml").open("a", encoding="utf-8") as settings:
            settings.write('[morning_check]\nat = "00:00"\n')

        hall.response = decaying(1.5)
        recorder.start()
        told = dict(wait_for(lambda: found(recorder), "the morning check", 90))
        assert set(told) == {"morning_microphone_weaker", "morning_transmission_fell"}
        assert told["morning_microphone_weaker"].startswith(f"witness/{quiet + 25:.0f}/")
        device, *values = told["morning_transmission_fell"].split("/")
        then, now = map(float, values)
        assert device == "judge"
        assert then == pytest.approx(before, abs=0.01)
        assert now == pytest.approx(TEXTBOOK, abs=0.1)
        echoing = swept(recorder)
        assert (echoing["state"], echoing.get("code")) == ("failed", "sweep_changed")
        assert echoing["measured"]["judge"]["index"] == pytest.approx(now, abs=0.1)
        assert echoing["limits"]["judge.index"]["least"] == pytest.approx(before - 0.1)
        assert dict(found(recorder)) == told, "a test that failed mends nothing"

        hall.response = DRY
        assert swept(recorder)["state"] == "passed"
        assert [code for code, _ in found(recorder)] == ["morning_microphone_weaker"]

        begin_in_a_sweep(recorder)
        assert found(recorder) == []
        with pytest.raises(ServiceRefusedError) as refused:
            swept(recorder)
        assert refused.value.code == "already_recording"


def begin_in_a_sweep(recorder: RecorderProcess) -> None:
    """Begin a hearing that is due while a sweep sounds: neither it nor its minute has the sweep."""
    due = hearing()["hearing"] | {"scheduled_at": format_wall()}
    recorder.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    recorder.paths.schedule.write_text(json.dumps({"hearings": [due]}))
    recorder.wait_for_state(lambda state: state["kept_before"] is not None, "the minute before")
    with ThreadPoolExecutor() as pool:
        sweep = pool.submit(swept, recorder)
        recorder.wait_for_state(lambda state: state["kept_before"] is None, "nothing kept of it")
        started = recorder.post("/v1/hearings", {"hearing": due, "with_minute_before": True})
        assert (started["part"], started["kept_seconds"]) == (1, 0.0), "no sweep in the record"
        with pytest.raises(ServiceRefusedError) as refused:
            sweep.result()
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


def commission(recorder: RecorderProcess, measured: dict[str, Any]) -> None:
    """Leave the report of a commissioning in which this was measured, by check."""
    folder = recorder.paths.reports / "r"
    folder.mkdir(parents=True)
    rows = [
        {
            "check": check,
            "state": "passed",
            "code": None,
            "measured": values,
            "seconds": 8.0,
            "at": "2026-11-28T08:00:00Z",
            "deviations": {},
        }
        for check, values in measured.items()
    ]
    report = {"kind": "selftest", "sequence": 1, "commissioning": True, "ran": list(measured),
              "results": rows}  # fmt: skip
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
