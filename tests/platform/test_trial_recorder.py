"""The recorder of trials and benchmarks starts as an installed one does."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from bench.processes import descendants
from tests.support.virtual_courtroom import VirtualCourtroom


@pytest.mark.slow
def test_it_and_its_children_keep_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with (
        tempfile.TemporaryDirectory(prefix="tr-") as folder,
        VirtualCourtroom(Path(folder) / "k") as room,
    ):
        room.start_recorder()
        room.wait_ready()
        assert room.recorder is not None
        processes = {room.recorder.pid, *descendants(room.recorder.pid)}
        assert len(processes) > 1
        for pid in processes:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert b"KIOSK_CONFIG=" + os.fsencode(room.config) in variables
            assert b"PYTHONDONTWRITEBYTECODE=1" not in variables
