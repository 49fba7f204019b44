"""``report.json``: every value measured or read back after the story, none assumed."""

from __future__ import annotations

import json
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
from kiosk.demo.hand import Hand, ask
from kiosk.demo.stage import Stage
from kiosk.demo.story import Told
from kiosk.errors import KioskError
from kiosk.selftest.report import read_reports


@dataclass
class Checks:
    """What must hold for ``ok``; ``failed`` lists in words what does not."""

    failed: list[str] = field(default_factory=list)

    def hold(self, true: bool, what: str) -> bool:
        """Note ``what`` when it is not true; return whether it is."""
        if not true:
            self.failed.append(what)
        return true


def build_report(stage: Stage, hand: Hand, told: Told, base: Path) -> dict[str, Any]:
    """Read everything back and return the report; paths in it are relative to ``base``."""
    checks = Checks()
    report: dict[str, Any] = {
        "ok": False,
        "devices": devices(stage),
        "hearing": _hearing(stage, told, base, checks),
        "filing": _filing(stage, told, base, checks),
        "selftest": _selftest(stage, base, checks),
        "screenshots": [_relative(picture.path, base) for picture in hand.pictures],
        "taps": {"filing": told.filing_taps, "all": hand.taps},
        "failed": checks.failed,
    }
    checks.hold(told.filing_taps <= 8, f"a filing took {told.filing_taps} taps")
    report["ok"] = not checks.failed
    return report


def _relative(path: Path, base: Path) -> str:
    """Return ``path`` relative to ``base`` where it lies below it."""
    path, base = path.resolve(), base.resolve()
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def devices(stage: Stage) -> list[dict[str, Any]]:
    """Name every device in use: the recorder's own word, and this process's virtual ones."""
    rows = list(ask(stage.layout.recorder_socket, "/v1/devices").get("devices", []))
    sane = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "sane-airscan"], **_QUIET)
    rows += [
        _device("scanner", "python-sane", f"sane-airscan {sane.stdout}: {stage.scanner.device}"),
        _device("receipt printer", "python-escpos", "ESC/POS raster on a pseudo-terminal"),
        _device("badge reader", "pyserial", "text lines on a pseudo-terminal"),
        _device("touch screen", "kivy", f"{stage.display.server} {stage.display.name}"),
    ]
    return rows


_QUIET: dict[str, Any] = {"capture_output": True, "text": True, "check": False}


def _device(name: str, library: str, back_end: str) -> dict[str, Any]:
    return {
        "name": name,
        "library": library,
        "version": version(library),
        "back_end": back_end,
        "virtual": True,
    }


def _hearing(stage: Stage, told: Told, base: Path, checks: Checks) -> dict[str, Any]:
    folder = stage.layout.hearings / told.hearing_id
    ca = stage.layout.court_ca
    parts = sorted(folder.glob("part-*"))
    with tempfile.TemporaryDirectory() as scratch:
        facts = [readback.part_facts(part, Path(scratch)) for part in parts]
    verified, words = readback.verify_says(folder, ca)
    stock = all(readback.sums_hold(path) for path in [folder, *parts]) and all(
        readback.signature_holds(path, ca) for path in [folder, *parts]
    )
    state = ask(stage.layout.sync_socket, f"/v1/hearings/{told.hearing_id}")
    match = _same_as_central(stage, "hearings", folder, told.hearing_id)
    seconds = sum(fact.seconds for fact in facts)
    frames = sum(fact.video_frames for fact in facts)
    checks.hold(len(parts) == 2, f"{len(parts)} parts")
    checks.hold(seconds >= 20, f"{seconds:.1f} s recorded")
    checks.hold(frames >= 20 * seconds, f"{frames} pictures in {seconds:.1f} s")
    checks.hold(all(fact.audio_tracks == 4 for fact in facts), "not four lossless tracks")
    checks.hold(verified, f"kiosk verify: {words}")
    checks.hold(stock, "sha256sum or openssl does not agree")
    checks.hold(match, "the central system's copy differs")
    checks.hold(told.tap_to_first_durable_ms is not None, "no first durable media")
    return {
        "folder": _relative(folder, base),
        "parts": len(parts),
        "seconds": round(seconds, 3),
        "video_frames": frames,
        "microphones": _microphones(parts),
        "verified": verified and stock,
        "verify_says": words,
        "delivered": checks.hold(state.get("state") == "delivered", "hearing not delivered"),
        "central_sha256_match": match,
        "tap_to_first_durable_ms": told.tap_to_first_durable_ms,
        "marks": told.marks,
    }


def _microphones(parts: list[Path]) -> list[str]:
    """Return the names of the microphones that ``part.json`` of the first part lists."""
    part = json.loads((parts[0] / "part.json").read_text(encoding="utf-8"))
    return [microphone["name"] for microphone in part["microphones"]]


def _same_as_central(stage: Stage, kind: str, folder: Path, number: str) -> bool:
    """Compare every file of ``folder`` with the central system's own copy, byte for byte."""
    copy = next(stage.central.rglob(f"{kind}/{number}"), None)
    if copy is None:
        return False
    files = [path for path in folder.rglob("*") if path.is_file()]
    theirs = {readback.sha256_of(path) for path in copy.rglob("*") if path.is_file()}
    return readback.same_bytes(files, theirs)


def _filing(stage: Stage, told: Told, base: Path, checks: Checks) -> dict[str, Any]:
    """The visitor's PDF is read back from the central system: the kiosk has wiped its own."""
    (source,) = stage.central.rglob("filings/*/*.pdf")
    pdf = Path(shutil.copyfile(source, stage.out / "filing.pdf"))
    receipt = min((stage.out / "printed").glob("receipt-*.png"), key=lambda path: path.name)
    pages = readback.pdf_pages(pdf)
    codes = zxingcpp.read_barcodes(Image.open(receipt).convert("L"))
    checks.hold(pages == 3, f"{pages} pages in the PDF")
    checks.hold(bool(told.registration_number), "no registration number")
    checks.hold(bool(codes), "no QR code on the receipt can be read")
    return {
        "pdf": _relative(pdf, base),
        "pages": pages,
        "registration_number": told.registration_number,
        "receipt_png": _relative(receipt, base),
        "receipt_qr": codes[0].text if codes else None,
    }


def _selftest(stage: Stage, base: Path, checks: Checks) -> dict[str, Any]:
    reports = stage.reports()
    if not reports:
        raise KioskError("there is no self-test report")
    newest = next(str(one["id"]) for one in read_reports(stage.layout) if one["id"] in reports)
    path = stage.layout.reports / newest / "report.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    states = [result["state"] for result in results]
    # the clock of the machine that plays the demo may well be kept by nobody: told, not judged
    bad = [row["check"] for row in results if row["state"] != "passed" and row["check"] != "clock"]
    checks.hold(not bad, f"self-test not passed: {', '.join(bad)}")
    return {
        "report": _relative(path, base),
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "results": {result["check"]: result["state"] for result in results},
    }
