"""Commissioning: court and escrow prove that they can open what the kiosk closes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.storage.court_keys import court_key_status, proof_times
from kiosk.storage.paths import Paths
from tests.support.court_keys import CourtSecrets


def test_both_answers_prove_the_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets, paths = CourtSecrets(), Paths(tmp_path / "data", tmp_path / "run")
    settings = tmp_path / "kiosk.toml"
    settings.write_text(f'[paths]\ndata = "{paths.data}"\nrun = "{paths.run}"\n')

    def kiosk(*words: str) -> int:
        return main(["--config", str(settings), *words])

    assert court_key_status(paths) == "missing"
    assert kiosk("court-keys", "challenge", "--out", str(tmp_path)) != 0
    keys = secrets.keys
    assert kiosk("court-keys", "pin", keys.court, "nonsense") != 0
    assert kiosk("court-keys", "pin", keys.court, keys.escrow) == 0
    assert kiosk("court-keys", "show") == 1
    assert court_key_status(paths) == "unproven"
    assert kiosk("court-keys", "challenge", "--out", str(tmp_path)) == 0
    key = secrets.write(tmp_path)
    court = tmp_path / "kiosk-0001-court-challenge.age"
    capsys.readouterr()
    assert kiosk("decrypt", "--challenge", str(court), "--key", str(key)) == 0
    text = capsys.readouterr().out
    stock = subprocess.run(["age", "-d", "-i", key, court], capture_output=True, check=True)
    assert stock.stdout.decode() == text
    assert kiosk("court-keys", "answer", "AAAA-BBBB-CCCC-DDDD") != 0
    assert kiosk("court-keys", "answer", text.split()[-1].lower()) == 0
    assert kiosk("court-keys", "show") == 1
    first = proof_times(paths)
    assert set(first) == {"court"}
    assert kiosk("court-keys", "answer", text.split()[-1]) == 0
    assert proof_times(paths) == first  # read off a note, it proves nothing anew
    escrow = tmp_path / "kiosk-0001-escrow-challenge.age"
    assert kiosk("decrypt", "--challenge", str(escrow), "--key", str(key)) == 1
    key.write_text(str(secrets.escrow))
    capsys.readouterr()
    assert kiosk("decrypt", "--challenge", str(escrow), "--key", str(key)) == 0
    assert kiosk("court-keys", "answer", capsys.readouterr().out.split()[-1]) == 0
    assert court_key_status(paths) == "ok"
    CourtSecrets().pin(paths)  # another court: nothing is proven any more
    assert court_key_status(paths) == "unproven"
