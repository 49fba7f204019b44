"""A hearing that is open, closed and open again, through the recorder on virtual devices."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.chain import read_chain
from kiosk.recording.encryption.decrypt import decrypt_parts
from kiosk.recording.formats.run_reader import count_run, list_runs
from kiosk.recording.verify.hearing import verify
from tests.services.recorder_process import RecorderProcess
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

PLAIN = (b"moof", b"moov", b"fLaC")


def media_bytes(part: Path) -> bytes:
    """Return all that lies on the disk in the files of a part, its journal left out."""
    files = [path for path in sorted(part.rglob("run-*/*")) if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def closed_line(folder: Path, part: int) -> dict[str, Any]:
    entries = read_chain(folder / f"part-{part:02d}" / "journal.jsonl").entries
    return next(entry for entry in entries if entry["kind"] == "closed")


def test_half_a_request_to_close_does_not_hold_up_the_recording(
    recorder: RecorderProcess,
) -> None:
    """Captured media wait for the request in memory, but not for one that never comes."""
    CourtSecrets().pin(recorder.paths)
    recorder.wait_until_ready()
    hearing = recorder.post("/v1/hearings", {"hearing": {"adhoc": True}})["hearing_id"]
    part = recorder.paths.hearings / hearing / "part-01"
    wait_for(lambda: media_bytes(part), "media")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(recorder.paths.recorder_socket))
        head = (
            "POST /v1/hearing/close HTTP/1.1",
            "Host: kiosk",
            f"Authorization: Bearer {recorder.sign_in()}",
            "Content-Type: application/json",
            "Content-Length: 100",
        )
        client.sendall(("\r\n".join(head) + '\r\n\r\n{"note": "fam').encode())
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
        before = len(media_bytes(part))
        wait_for(lambda: len(media_bytes(part)) > before, "more media")
        assert recorder.state()["hearing"]["closed"] is None
    recorder.post("/v1/hearing/end")


def test_open_closed_open(recorder: RecorderProcess, tmp_path: Path) -> None:
    secrets = CourtSecrets()
    secrets.pin(recorder.paths)
    recorder.wait_until_ready()
    about = {"id": str(uuid.uuid4()), "case_number": "1", "kind": "civil", "publicity": "open"}
    hearing = recorder.post("/v1/hearings", {"hearing": about})["hearing_id"]
    folder = recorder.paths.hearings / hearing
    recorder.wait_for_state(lambda state: (state["hearing"] or {}).get("part_seconds", 0) > 2, "it")
    answer = recorder.post("/v1/hearing/close", {"note": "family"})
    assert (answer["part"], answer["closed"]["ground"]) == (2, None)
    state = recorder.wait_for_state(lambda state: state["hearing"]["part_seconds"] > 2, "it")
    assert "closure_ground" in state["hearing"]["open_questions"]
    assert state["lamp"] != "off"
    recorder.wait_for_state(lambda state: state["proof"]["state"] == "good", "it")
    assert not any(marker in media_bytes(folder / "part-02") for marker in PLAIN)
    recorder.kill()
    recorder.start()
    state = recorder.wait_for_state(
        lambda state: (state["hearing"] or {}).get("part_seconds", 0) > 2, "it"
    )
    assert state["hearing"]["closed"] is not None
    assert state["hearing"]["closed_parts"] == [2, 3]
    recorder.post("/v1/hearing/open")
    recorder.wait_for_state(lambda state: state["hearing"]["part_seconds"] > 2, "it")
    recorder.post("/v1/hearing/end")
    wait_for(lambda: (folder / "SHA256SUMS.p7s").exists(), "the seal")
    for number in (2, 3):
        part = folder / f"part-{number:02d}"
        assert not any(marker in media_bytes(part) for marker in PLAIN)
        assert not (part / "main" / "index.m3u8").exists()
    assert verify(folder, recorder.court.ca, identities=[secrets.court]).problems == []

    taps = read_chain(folder / "journal.jsonl").entries
    opened = {e["part"]: e["tap_ns"] for e in taps if e["kind"] == "part_opened"}
    assert closed_line(folder, 1)["stop_ns"] == opened[2], "no gap and no overlap"
    assert closed_line(folder, 3)["stop_ns"] == opened[4], "no gap and no overlap"
    parts = decrypt_parts(folder, [secrets.escrow], tmp_path)
    assert [part.damaged for part in parts] == [[], []]
    (run,) = list_runs(tmp_path / "part-02" / "main")
    counts = count_run(run)
    assert counts.errors == []
    assert counts.frames == counts.packets > 10
    for run in list_runs(tmp_path / "part-03" / "channels"):  # the camera may come up later
        assert count_run(run).errors == []
    lost = verify(folder / "part-02", recorder.court.ca).parts[0].seconds
    assert lost > 1, "of more than two seconds a kill costs at most one"


def test_declared_closed_later_nothing_plain_is_left(
    recorder: RecorderProcess, tmp_path: Path
) -> None:
    secrets = CourtSecrets()
    secrets.pin(recorder.paths)
    recorder.wait_until_ready()
    about = {"id": str(uuid.uuid4()), "case_number": "1", "kind": "civil", "publicity": "open"}
    hearing = recorder.post("/v1/hearings", {"hearing": about})["hearing_id"]
    folder = recorder.paths.hearings / hearing
    recorder.wait_for_state(lambda state: (state["hearing"] or {}).get("part_seconds", 0) > 3, "it")
    mark = recorder.post("/v1/hearing/marks", {"type": "oath"})["mark"]["id"]
    recorder.wait_for_state(lambda state: state["hearing"]["part_seconds"] > 5, "it")
    recorder.post("/v1/hearing/close-since", {"mark": mark, "ground": "civ_adoption"})
    recorder.kill()
    recorder.start()
    recorder.wait_for_state(
        lambda state: bool(state["hearing"]) and not state["hearing"]["replacing"], "it"
    )
    recorder.post("/v1/hearing/end")
    wait_for(lambda: (folder / "SHA256SUMS.p7s").exists(), "the seal")
    assert verify(folder, recorder.court.ca, identities=[secrets.court]).problems == []
    names = {path.name for path in (folder / "part-01" / "main" / "run-01").iterdir()}
    assert names == {"init.mp4", "000001-open.m4s", "000001.tar"}
    lines = read_chain(folder / "journal.jsonl").entries
    (line,) = [entry for entry in lines if entry["kind"] == "closed_since"]
    assert {marker["by"] for marker in line["replaced"]} >= {"main/run-01/000001.tar"}
    decrypt_parts(folder, [secrets.court], tmp_path)
    assert count_run(tmp_path / "part-01" / "main" / "run-01").errors == []
    assert count_run(tmp_path / "part-01" / "channels" / "run-01").errors == []
