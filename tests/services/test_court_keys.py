"""The court's keys on the technician's screen: shown, tried and proven through a real recorder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kiosk.ipc import ServiceRefusedError
from kiosk.storage.court_keys import court_key_status
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import KIOSK, RecorderProcess
from tests.support.court_keys import CourtSecrets

TECHNICIAN = "technician"


@pytest.fixture
def keyless(make_recorder: MakeRecorder, tmp_path: Path) -> RecorderProcess:
    """A recorder without devices, with a place for sticks and no court keys."""
    made = make_recorder(camera="none", extra_settings=f'[export]\nmedia = ["{tmp_path}"]\n')
    for path in (made.paths.court_recipient, made.paths.escrow_recipient):
        path.unlink(missing_ok=True)
    made.start()
    return made


def refusal(recorder: RecorderProcess, path: str, role: str, **body: str) -> str:
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post(path, dict(body), role)
    return refused.value.code


@pytest.mark.slow
def test_the_keys_are_shown_tried_and_proven(keyless: RecorderProcess, tmp_path: Path) -> None:
    recorder, secrets = keyless, CourtSecrets()
    assert recorder.call("GET", "/v1/court-keys")["is_pinned"] is False
    for call in ("test", "challenges"):
        assert refusal(recorder, f"/v1/court-keys/{call}", TECHNICIAN) == "court_key_missing"
    secrets.pin(recorder.paths)
    shown = recorder.call("GET", "/v1/court-keys")
    assert (shown["court_key"], shown["court"]) == (secrets.keys.court, None)
    assert (shown["escrow_key"], shown["escrow"]) == (secrets.keys.escrow, None)
    tried = recorder.post("/v1/court-keys/test", {}, TECHNICIAN)
    assert tried["bytes"] > 0
    assert refusal(recorder, "/v1/court-keys/challenges", TECHNICIAN) == "drive_absent"
    (tmp_path / ".virtual-media").touch()
    (tmp_path / "stick").mkdir()
    files = recorder.post("/v1/court-keys/challenges", {}, TECHNICIAN)["files"]
    assert files == [f"{KIOSK}-court-challenge.age", f"{KIOSK}-escrow-challenge.age"]
    key = tmp_path / "key"
    for secret, file in zip((secrets.court, secrets.escrow), files, strict=True):
        wrong = refusal(recorder, "/v1/court-keys/answer", TECHNICIAN, answer="AAAABBBBCCCCDDDD")
        assert wrong == "challenge_wrong"
        key.write_text(str(secret))
        stock = ["age", "-d", "-i", str(key), str(tmp_path / "stick" / file)]
        text = subprocess.run(stock, capture_output=True, check=True).stdout.decode()
        answer = {"answer": text.split()[-1].lower()}
        shown = recorder.post("/v1/court-keys/answer", answer, TECHNICIAN)
    assert shown["court"]
    assert shown["escrow"]
    assert court_key_status(recorder.paths) == "ok"


def test_only_a_technician_tries_them(bare_recorder: RecorderProcess) -> None:
    for call in ("test", "challenges", "answer"):
        path = f"/v1/court-keys/{call}"
        assert refusal(bare_recorder, path, "secretary", answer="A") == "sign_in_refused"
