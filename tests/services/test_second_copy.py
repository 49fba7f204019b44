"""The recorder as in use, on two storages: pulled out, read-only, hanging memory, and recovery."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume_marker import write_marker
from tests.services.recorder_process import KIOSK, RecorderProcess, hearing, seconds_at_least
from tests.support.mounts import Stick, read_hearing_files, sticks
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def storages(microphones: VirtualMicrophones) -> Iterator[tuple[RecorderProcess, Stick, Stick]]:
    """A running recorder whose data and mirror are storages of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="room-") as folder,
        sticks(Path(folder), "data", "mirror", megabytes=300) as (own, mirror),
    ):
        write_marker(mirror.folder, KIOSK, "mirror")
        recorder = RecorderProcess(Path(folder), microphones)
        settings = recorder.folder / "kiosk.toml"
        path = json.dumps(str(mirror.folder))
        settings.write_text(
            settings.read_text().replace("[paths]\n", f"[paths]\nmirror = {path}\n")
        )
        recorder.start()
        try:
            yield recorder, own, mirror
        finally:
            recorder.close()


@pytest.mark.root
def test_both_storages_fail_in_turn_and_both_copies_verify(
    storages: tuple[RecorderProcess, Stick, Stick],
) -> None:
    recorder, own, mirror = storages

    def until(kind: str, second: str) -> None:
        def reached(state: dict[str, dict[str, str]]) -> bool:
            return (state["storage"]["state"], state["mirror"]["state"]) == (kind, second)

        recorder.wait_for_state(reached, f"{kind}, {second}")

    def record(seconds: float) -> None:
        now = recorder.state()["hearing"]["seconds"]
        recorder.wait_for_state(seconds_at_least(now + seconds), f"{seconds} s more")

    recorder.wait_until_ready()
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    record(2)
    mirror.pull()
    until("ok", "absent")
    record(1)
    mirror.plug()
    until("ok", "ok")
    own.read_only()
    until("read_only", "ok")
    record(7)  # the proof is made from the mirror
    state = recorder.state()
    assert state["proof"]["state"] == "good"
    assert "recording_on_mirror" in {alarm["code"] for alarm in state["alarms"]}
    own.read_only(on=False)
    until("ok", "ok")
    record(1)

    def storage_rows(state: dict[str, Any]) -> list[dict[str, Any]]:
        rows = state["hearing"]["interruptions"]
        return [row for row in rows if row["source"] in ("storage", "mirror")]

    ledger = storage_rows(
        recorder.wait_for_state(  # a busy disk may be slow just now
            lambda state: all(row["seconds"] is not None for row in storage_rows(state)),
            "the end of every interruption of a storage",
        )
    )
    kinds = {(row["source"], row["kind"]) for row in ledger}
    assert kinds >= {("mirror", "absent"), ("storage", "read_only")}
    assert {row["seconds"] for row in ledger} == {0.0}
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    wait_for(
        lambda: read_hearing_files(own.folder) == read_hearing_files(mirror.folder),
        "two copies",
    )
    for stick in (own, mirror):
        report = verify(stick.folder / "hearings" / hearing_id, recorder.court.ca)
        assert report.problems == []
    assert recorder.stop() == 0
