"""What is said at the seats at commissioning: heard by the real recorder, and kept as usual."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiosk.api.room import SpokenSentence, SpokenSentences
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
WORDS = "I saw him near the shop at about nine in the evening, and he was on the telephone."
HEARD_S = 60.0
AT = "2026-11-23T04:00:30.000Z"


def spoken(recorder: RecorderProcess) -> list[SpokenSentence]:
    """Return what the recorder has heard, by its call."""
    answer = recorder.call("GET", "/v1/room/spoken", token=recorder.sign_in("technician"))
    return list(SpokenSentences.model_validate(answer).sentences)


def commissioning(measured: dict[str, Any]) -> dict[str, Any]:
    """Return the request that saves a commissioning."""
    row = {"check": "microphones", "state": "passed", "measured": measured, "seconds": 5, "at": AT}
    run = {"started": AT, "ended": AT, "commissioning": True, "results": [row]}
    return {"kind": "selftest", "selftest": run}


def test_a_sentence_outside_a_hearing_is_known_with_its_level_and_kept_as_usual(
    recorder: RecorderProcess, microphones: VirtualMicrophones
) -> None:
    voices = [microphones.speak("witness", WORDS)]

    def sentence() -> SpokenSentence | None:
        if voices[-1].poll() is not None and len(voices) < 5:  # a busy machine has missed it
            voices.append(microphones.speak("witness", WORDS))
        rows = [row for row in spoken(recorder) if row.source == "witness" and row.level_db]
        return rows[-1] if rows else None

    found = wait_for(sentence, "the sentence", HEARD_S)
    for voice in voices:
        voice.kill()
        voice.wait()
    assert found.end_ns > found.start_ns
    assert found.level_db is not None
    assert -60 < found.level_db < 0
    measured = {"judge": {"noise_db": -60}, "witness": {"speech_db": found.level_db}}
    recorder.post("/v1/reports", commissioning(measured), "technician")
    kept = json.loads(recorder.paths.speech_levels.read_text(encoding="utf-8"))
    assert kept["witness"]["commissioning"] == found.level_db
    assert kept["judge"]["commissioning"] is None
    recorder.post("/v1/hearings", hearing())
    with pytest.raises(ServiceRefusedError) as refused:
        spoken(recorder)
    assert refused.value.code == "already_recording"
    with pytest.raises(ServiceRefusedError):
        recorder.call("GET", "/v1/room/spoken", token=recorder.sign_in("secretary"))
