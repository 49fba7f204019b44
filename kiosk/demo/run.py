"""The demo from curtain to curtain."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.demo import story
from kiosk.demo.court import BADGES
from kiosk.demo.hand import Hand
from kiosk.demo.report import build_report
from kiosk.demo.stage import Stage, set_stage
from kiosk.storage.atomic_io import write_json

Act = Callable[[Stage, Hand, story.Told], None]
ACTS: tuple[tuple[str, Act], ...] = (
    ("A visitor files three pages in Kazakh", story.visitor),
    ("A secretary records a hearing in two parts", story.secretary),
    ("A technician runs the self-test", story.technician),
)


def run_demo(out: Path) -> int:
    """Play the story on a stage under ``out``, read it back, print a summary; return 0 if ok."""
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    _say(begun, "Setting up: X server, central system, virtual devices, the kiosk's services")
    with set_stage(out.resolve()) as stage:
        hand = Hand(stage.layout.ui_socket, stage.display, stage.out / "screens", stage.company)
        told = story.Told()
        for title, act in ACTS:
            _say(begun, title)
            try:
                act(stage, hand, told)
            except Exception:
                hand.photograph("failed")
                raise
        _say(begun, "Reading everything back")
        report = build_report(stage, hand, told, Path.cwd())
    write_json(out / "report.json", report)
    print(summary(report, out), flush=True)
    return 0 if report["ok"] else 1


def run_live(out: Path) -> int:
    """Set the stage and leave it to the person until Ctrl-C."""
    out.mkdir(parents=True, exist_ok=True)
    with set_stage(out.resolve()) as stage:
        print(
            f"The kiosk runs on display {stage.display.name} ({stage.display.server}).", flush=True
        )
        print("Paper lies in the scanner. Type a role and Enter to hold its badge:", *BADGES)
        print("  paper: put the paper in again; speak: everybody speaks; Ctrl-C ends.", flush=True)
        stage.put_paper_into_scanner()
        try:
            _attend(stage)
        except KeyboardInterrupt:
            print()
    return 0


def _attend(stage: Stage) -> None:
    """Do what the person types, until the input ends; then wait for Ctrl-C."""
    while True:
        try:
            word = input("> ").strip()
        except EOFError:
            while True:
                time.sleep(1)
                stage.company.check()
        if word in BADGES:
            stage.show_badge(word)
        elif word == "paper":
            stage.put_paper_into_scanner()
        elif word == "speak":
            stage.let_them_speak()
        elif word:
            print("paper, speak, or one of:", *BADGES)
        stage.company.check()


def _say(begun: float, text: str) -> None:
    print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)


def summary(report: dict[str, Any], out: Path) -> str:
    """Return the report in a few readable lines."""
    hearing, filing, selftest = report["hearing"], report["filing"], report["selftest"]
    same = hearing["central_sha256_match"]
    lines = [
        "",
        f"Filing    {filing['pages']} pages registered as {filing['registration_number']}"
        f" in {report['taps']['filing']} taps; receipt {filing['receipt_png']}",
        f"Hearing   {hearing['parts']} parts, {hearing['seconds']:.1f} s,"
        f" {hearing['video_frames']} pictures, microphones {', '.join(hearing['microphones'])}",
        f"          tap to first durable media {hearing['tap_to_first_durable_ms']} ms;"
        f" verified: {hearing['verified']}; delivered, same bytes: {same}",
        f"Self-test {selftest['passed']} passed, {selftest['failed']} failed",
        f"Devices   {', '.join(sorted({row['library'] for row in report['devices']}))}",
        f"Screens   {len(report['screenshots'])} in {out / 'screens'}",
    ]
    lines += [f"NOT HELD  {what}" for what in report["failed"]]
    lines.append(f"{'All held.' if report['ok'] else 'Failed.'} {out / 'report.json'}")
    return "\n".join(lines)
