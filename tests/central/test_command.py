"""``kiosk central`` from the command line: start, stop, tasks, messages on failure."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kiosk.cli import main
from tests.support.central_rig import SEED, Central, filing_body, new_id
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def run(*arguments: str) -> int:
    return main(["central", *arguments])


def test_it_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "--data DIR" in capsys.readouterr().err


def test_everything_is_made_by_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert run("--data", str(data), "--seed", str(SEED), "init") == 0
    assert str(data / "authority" / "ca.crt") in capsys.readouterr().out
    root = (data / "authority" / "ca.crt").read_bytes()
    assert run("init", "--data", str(data), "--seed", str(SEED)) == 0
    assert (data / "authority" / "ca.crt").read_bytes() == root, "twice is as once"
    capsys.readouterr()
    assert run("staff", "--data", str(data)) == 0
    listed = capsys.readouterr().out
    assert "Айгүл Серікқызы Нұрланова" in listed
    assert "SECRETARY-1001" not in listed
    for file in data.glob("central.db*"):
        assert b"SECRETARY-1001" not in file.read_bytes(), "badges are kept as hashes only"


def test_codes_come_in_batches_and_for_known_kiosks_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(tmp_path / "data"))
    run("init", *data, "--seed", str(SEED))
    capsys.readouterr()
    assert run("enrol-code", *data, "kiosk-0001", "kiosk-0002") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["kiosk-0001", "kiosk-0002"]
    assert len({line.split()[1] for line in lines}) == 2
    assert run("enrol-code", *data, "kiosk-0099") == 1
    assert "--room" in capsys.readouterr().err
    assert run("enrol-code", *data, "kiosk-0099", "--room", "12") == 0


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[court]\n", "court.id"),
        ("not toml", "seed.toml"),
        ('[court]\nid="1"\nname={en="C"}\ntimezone="Mars/Base"', "Mars"),
        ('[court]\nid="1"\nname={en="C"}\n[[hearings]]\nroom="1"', "hearings.0.case_number"),
        ('[court]\nid="1"\nname={en="C"}\ncolour="red"', "court.colour"),
    ],
)
def test_a_wrong_seed_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, where: str
) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(text, encoding="utf-8")
    assert run("init", "--data", str(tmp_path / "data"), "--seed", str(seed)) == 2
    assert where in capsys.readouterr().err


def test_one_server_per_folder_and_it_stops_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Central(tmp_path / "data") as central:
        assert run("--data", str(central.data), "--port", "0") == 1
        assert "another server" in capsys.readouterr().err
        kiosk = central.enrol()
        content = os.urandom(500_000)
        file = kiosk.put(f"/v1/filings/{new_id()}", filing_body(content))["missing"][0]
        with kiosk.tls() as line:
            line.sendall(
                f"PATCH {file['address']} HTTP/1.1\r\nHost: localhost\r\n"
                "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                "Content-Type: application/offset+octet-stream\r\n"
                f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content[:300_000]
            )
            spool = central.data / "spool" / file["upload"]
            wait_for(lambda: spool.exists() and spool.stat().st_size == 300_000, "the bytes")
            assert central.process is not None
            central.process.send_signal(signal.SIGTERM)
            assert central.process.wait(20) == 0
        central.start()
        assert kiosk.offset(file["address"]) == 300_000
