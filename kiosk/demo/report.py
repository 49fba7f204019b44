"""Builds ``report.json``: every value is measured or read back after the scenario, none assumed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from kiosk.demo import readback
from kiosk.demo.courtroom import Courtroom
from kiosk.demo.hearing_scenario import CLOSED_PART, PARTS
from kiosk.demo.sample_court import SPEAKERS
from kiosk.demo.scenario import DemoResult
from kiosk.demo.screen_driver import ScreenDriver, get_json
from kiosk.errors import KioskError
from kiosk.export.spoken import read_turns
from kiosk.selftest.report import read_reports
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import part_folders

HEARD_DBFS = -40.0
"""Speech in the headset is louder; room noise is quieter."""


@dataclass
class Checks:
    """Expectations of the report; ``failed`` lists those that did not hold, in words."""

    failed: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str) -> bool:
        """Add ``what`` to the failures if it does not hold; return whether it holds."""
        if not holds:
            self.failed.append(what)
        return holds


def build_report(
    demo: Courtroom, driver: ScreenDriver, result: DemoResult, base: Path
) -> dict[str, Any]:
    """Read everything back and return the report; paths in it are relative to ``base``."""
    checks = Checks()
    report: dict[str, Any] = {
        "ok": False,
        "devices": list_devices(demo),
        "hearing": _read_hearing(demo, result, base, checks),
        "filing": _read_filing(demo, result, base, checks),
        "copies": [_read_copy(path, demo, base, checks) for path in result.copies],
        "selftest": _read_selftest(demo, base, checks),
        "screenshots": [_relative(picture.path, base) for picture in driver.screenshots],
        "taps": {"filing": result.filing_taps, "all": driver.taps},
        "failed": checks.failed,
    }
    checks.expect(result.filing_taps <= 8, f"a filing took {result.filing_taps} taps")
    report["ok"] = not checks.failed
    return report


def _relative(path: Path, base: Path) -> str:
    """Return ``path`` relative to ``base`` if it is below it."""
    path, base = path.resolve(), base.resolve()
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def list_devices(demo: Courtroom) -> list[dict[str, Any]]:
    """Return every device in use: those of the recorder, and the demo's virtual ones."""
    rows = list(get_json(demo.paths.recorder_socket, "/v1/devices").get("devices", []))
    sane = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "sane-airscan"], **_CAPTURE)  # noqa: PLW1510
    rows += [
        _device(
            "scanner", "python-sane", f"sane-airscan {sane.stdout}: {demo.devices.scanner.device}"
        ),
        _device("receipt printer", "python-escpos", "ESC/POS raster on a pseudo-terminal"),
        _device("badge reader", "pyserial", "text lines on a pseudo-terminal"),
        _device("touch screen", "kivy", f"{demo.display.server} {demo.display.name}"),
    ]
    return rows


_CAPTURE: dict[str, Any] = {"capture_output": True, "text": True, "check": False}


def _device(name: str, library: str, back_end: str) -> dict[str, Any]:
    return {
        "name": name,
        "library": library,
        "version": version(library),
        "back_end": back_end,
        "virtual": True,
    }


def _read_hearing(
    demo: Courtroom, result: DemoResult, base: Path, checks: Checks
) -> dict[str, Any]:
    folder = demo.paths.hearings / result.hearing_id
    ca = demo.paths.court_ca
    parts = [path for _, path in part_folders(folder)]
    key = demo.central / "authority" / "court-age-key.txt"
    with tempfile.TemporaryDirectory() as scratch:
        facts = [
            readback.read_closed_part(folder, number, key, Path(scratch) / "closed")
            if number == CLOSED_PART
            else readback.read_part(part, Path(scratch))
            for number, part in enumerate(parts, 1)
        ]
    verified, words = readback.run_verify(folder, ca, key)
    stock = all(readback.checksums_match(path) for path in [folder, *parts]) and all(
        readback.is_signature_valid(path, ca) for path in [folder, *parts]
    )
    state = get_json(demo.paths.sync_socket, f"/v1/hearings/{result.hearing_id}")
    match = _matches_central_copy(demo, "hearings", folder, result.hearing_id)
    seconds = sum(fact.seconds for fact in facts)
    spoken = _seconds_spoken(folder)
    frames = sum(fact.video_frames for fact in facts)
    checks.expect(len(parts) == PARTS, f"{len(parts)} parts")
    checks.expect(seconds >= 20, f"{seconds:.1f} s recorded")
    checks.expect(frames >= 20 * seconds, f"{frames} pictures in {seconds:.1f} s")
    checks.expect(all(fact.audio_tracks == 4 for fact in facts), "not four lossless tracks")
    checks.expect(verified, f"kiosk verify: {words}")
    checks.expect(stock, "sha256sum or openssl does not agree")
    checks.expect(match, "the central system's copy differs")
    checks.expect(result.tap_to_first_durable_ms is not None, "no first durable media")
    silent = ", ".join(sorted({row.microphone for row in SPEAKERS} - spoken.keys()))
    checks.expect(not silent, f"no speech was heard at: {silent}")
    checks.expect(result.heard_dbfs > HEARD_DBFS, f"{result.heard_dbfs:.0f} dBFS in the headset")
    return {
        "folder": _relative(folder, base),
        "parts": len(parts),
        "seconds": round(seconds, 3),
        "video_frames": frames,
        "microphones": _microphones(parts),
        "verified": verified and stock,
        "verify_says": words,
        "delivered": checks.expect(state.get("state") == "delivered", "hearing not delivered"),
        "central_sha256_match": match,
        "tap_to_first_durable_ms": result.tap_to_first_durable_ms,
        "marks": result.marks,
        "heard_dbfs": round(result.heard_dbfs, 1),
        "seconds_spoken": spoken,
    }


def _seconds_spoken(folder: Path) -> dict[str, float]:
    """Return the seconds of speech that the voice detector heard, by microphone."""
    found: dict[str, float] = {}
    for turn in read_turns(folder):
        found[turn["source"]] = round(found.get(turn["source"], 0.0) + turn["lasts"], 2)
    return found


def _microphones(parts: list[Path]) -> list[str]:
    """Return the names of the microphones that ``part.json`` of the first part lists."""
    part = read_json(parts[0] / "part.json")
    return [microphone["name"] for microphone in part["microphones"]]


def _matches_central_copy(demo: Courtroom, kind: str, folder: Path, number: str) -> bool:
    """Compare every file of ``folder`` with the central system's own copy, byte for byte."""
    copy = next(demo.central.rglob(f"{kind}/{number}"), None)
    if copy is None:
        return False
    files = [path for path in folder.rglob("*") if path.is_file()]
    theirs = {sha256_of(path) for path in copy.rglob("*") if path.is_file()}
    return readback.are_all_delivered(files, theirs)


def _read_filing(demo: Courtroom, result: DemoResult, base: Path, checks: Checks) -> dict[str, Any]:
    """The visitor's PDF is read back from the central system: the kiosk has wiped its own."""
    (source,) = demo.central.rglob("filings/*/*.pdf")
    pdf = Path(shutil.copyfile(source, demo.out / "filing.pdf"))
    receipt = min((demo.out / "printed").glob("receipt-*.png"), key=lambda path: path.name)
    pages = readback.pdf_pages(pdf)
    codes = zxingcpp.read_barcodes(Image.open(receipt, formats=("PNG",)).convert("L"))
    checks.expect(pages == 3, f"{pages} pages in the PDF")
    checks.expect(bool(result.registration_number), "no registration number")
    checks.expect(bool(codes), "no QR code on the receipt can be read")
    return {
        "pdf": _relative(pdf, base),
        "pages": pages,
        "registration_number": result.registration_number,
        "receipt_png": _relative(receipt, base),
        "receipt_qr": codes[0].text if codes else None,
    }


def _read_copy(folder: Path, demo: Courtroom, base: Path, checks: Checks) -> dict[str, Any]:
    """Check a copy as its receiver does; it has the open parts alone."""
    ca = demo.paths.court_ca
    same = readback.checksums_match(folder) and readback.is_signature_valid(folder, ca)
    checks.expect(same, f"copy {folder}: sha256sum or openssl does not agree")
    videos = sorted((folder / "video").glob("*.mp4"))
    seconds = [readback.video_seconds(video) for video in videos]
    wanted = [name for name in range(1, PARTS + 1) if name != CLOSED_PART]
    names = [f"part-{number:02d}.mp4" for number in wanted]
    checks.expect([video.name for video in videos] == names, f"copy {folder}: {videos}")
    checks.expect(all(seconds), f"copy {folder}: a video is empty")
    return {"folder": _relative(folder, base), "seconds": [round(value, 3) for value in seconds]}


def _read_selftest(demo: Courtroom, base: Path, checks: Checks) -> dict[str, Any]:
    reports = demo.report_ids()
    if not reports:
        raise KioskError("there is no self-test report")
    newest = next(str(row["id"]) for row in read_reports(demo.paths) if row["id"] in reports)
    path = demo.paths.reports / newest / "report.json"
    results = read_json(path)["results"]
    states = [result["state"] for result in results]
    # What the demo has not is no fault; the clock of its machine may be unsynchronised.
    bad = [
        row["check"]
        for row in results
        if row["state"] != "passed" and row["code"] not in ("not_fitted", "clock_unsynchronised")
    ]
    checks.expect(not bad, f"self-test not passed: {', '.join(bad)}")
    return {
        "report": _relative(path, base),
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "results": {result["check"]: result["state"] for result in results},
    }
