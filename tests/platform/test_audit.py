"""The audit of the lock files, with the real pip-audit against snapshots."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from requirements.audit import SNAPSHOT, is_affected, query_osv, read_pins, trim

ROOT = Path(__file__).resolve().parents[2]
PSD = {
    "id": "GHSA-cfh3-3jmp-rvhc",
    "aliases": ["CVE-2026-25990"],
    "summary": "Out-of-bounds write while loading a PSD picture",
    "affected": [
        {
            "package": {"name": "Pillow", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"fixed": "12.1.1"}, {"introduced": "10.3.0"}]},
            ],
        }
    ],
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the audit as ``make audit`` does."""
    command = [sys.executable, "-m", "requirements.audit", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """Return a folder with two lock files, which name numpy in two versions."""
    (tmp_path / "pi.lock").write_text(
        "pillow==12.1.0 ; python_full_version < '3.15' \\\n    --hash=sha256:00\n    # via x\n"
    )
    (tmp_path / "run.lock").write_text(
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n"
    )
    return tmp_path


def write_snapshot(folder: Path, **changes: Any) -> Path:
    """Write a snapshot that knows Pillow's advisory; return its path."""
    snapshot = {
        "made": "2026-11-27",
        "source": "test",
        "complete": True,
        "accepted": {},
        "packages": {"numpy": [], "pillow": [trim(PSD)]},
        **changes,
    }
    (path := folder / "snapshot.json").write_text(json.dumps(snapshot))
    return path


@pytest.mark.slow
def test_the_lock_files_have_no_known_vulnerability() -> None:
    result = run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(read_pins((ROOT / 'requirements').glob('*.lock')))} pins" in result.stdout


def test_the_snapshot_says_what_it_holds() -> None:
    snapshot = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert {"made", "source", "complete", "accepted", "packages"} == snapshot.keys()
    old, new = ("pillow", "10.4.0"), ("pillow", "13.0.0")
    found = [
        alias
        for record in snapshot["packages"]["pillow"]
        if is_affected(record, old) and not is_affected(record, new)
        for alias in record["aliases"]
    ]
    assert "CVE-2026-25990" in found


@pytest.mark.slow
def test_a_vulnerable_pin_fails(locks: Path) -> None:
    result = run("--locks", locks, "--snapshot", write_snapshot(locks))
    assert result.returncode == 1
    assert "CVE-2026-25990" in result.stdout
    assert "12.1.1" in result.stdout


@pytest.mark.slow
def test_an_accepted_advisory_passes_with_its_reason(locks: Path) -> None:
    accepted = {"CVE-2026-25990": "the kiosk opens no PSD"}
    result = run("--locks", locks, "--snapshot", write_snapshot(locks, accepted=accepted))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the kiosk opens no PSD" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("complete", [True, False])
def test_a_package_that_the_snapshot_does_not_know_is_said(complete: bool, locks: Path) -> None:
    (locks / "pi.lock").unlink()
    snapshot = write_snapshot(locks, complete=complete, packages={})
    result = run("--locks", locks, "--snapshot", snapshot)
    assert "0 OF 1 PACKAGES" in result.stdout
    assert result.returncode == int(complete)


@pytest.mark.parametrize(
    ("version", "affected"),
    [("10.2.0", False), ("10.3.0", True), ("12.1.0", True), ("12.1.1", False), ("13.0", False)],
)
def test_a_range_holds_from_its_start_to_before_its_mending(version: str, affected: bool) -> None:
    assert is_affected(PSD, ("pillow", version)) is affected
    assert not is_affected(PSD, ("pikepdf", version))


def test_a_refresh_reads_a_checkout_and_keeps_what_was_accepted(locks: Path) -> None:
    (folder := locks / "checkout" / "vulns" / "pillow").mkdir(parents=True)
    (folder / "a.yaml").write_text(yaml.safe_dump({**PSD, "details": "long", "references": []}))
    (folder / "b.yaml").write_text(yaml.safe_dump({**PSD, "id": "X", "withdrawn": "2026-01-01"}))
    accepted = {"PYSEC-1": "because"}
    snapshot = write_snapshot(locks, complete=False, accepted=accepted, packages={})
    checkout = locks / "checkout"
    result = run("refresh", "--from", checkout, "--locks", locks, "--snapshot", snapshot)
    assert result.returncode == 0, result.stderr
    renewed = json.loads(snapshot.read_text())
    assert renewed["accepted"] == accepted
    assert renewed["complete"] is True
    assert renewed["packages"]["numpy"] == []
    (record,) = renewed["packages"]["pillow"]
    assert is_affected(record, ("pillow", "12.1.0"))
    assert "references" not in record


def test_a_refresh_asks_osv_for_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {None: {"vulns": [PSD], "next_page_token": "2"}, "2": {"vulns": [{**PSD, "id": "X"}]}}
    queries = []

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            queries.append(query["package"])
            body = json.dumps(pages[query.get("page_token")]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr("requirements.audit.OSV_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        try:
            assert [record["id"] for record in query_osv("pillow")] == [PSD["id"], "X"]
        finally:
            server.shutdown()
            thread.join()
    assert queries == [{"name": "pillow", "ecosystem": "PyPI"}] * 2


def test_a_refresh_that_fails_changes_nothing(locks: Path) -> None:
    snapshot = write_snapshot(locks)
    before = snapshot.read_bytes()
    result = run("refresh", "--from", locks / "absent", "--locks", locks, "--snapshot", snapshot)
    assert result.returncode == 1
    assert "stays as it is" in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot.read_bytes() == before
