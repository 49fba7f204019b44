"""Runs the demo from start to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.demo import scenario
from kiosk.demo.courtroom import Courtroom
from kiosk.demo.environment import MEDIA, STICK, DemoEnvironment, demo_environment
from kiosk.demo.hearing_scenario import copy_hearing, record_hearing
from kiosk.demo.report import build_report
from kiosk.demo.sample_court import BADGES
from kiosk.demo.screen_driver import ScreenDriver
from kiosk.storage.atomic_io import write_json


def copy_for_parties(demo: Courtroom, driver: ScreenDriver, result: scenario.DemoResult) -> None:
    """Copy the hearing onto the demo's stick."""
    copy_hearing(demo, driver, result, demo.out / MEDIA / STICK)


Step = Callable[[Courtroom, ScreenDriver, scenario.DemoResult], None]
STEPS: tuple[tuple[str, Step], ...] = (
    ("A visitor files three pages in Kazakh", scenario.file_documents),
    ("A secretary records a hearing with a recess and a closed part", record_hearing),
    ("A secretary copies it for the parties", copy_for_parties),
    ("A technician runs the self-test", scenario.run_self_test),
)


def run_demo(out: Path) -> int:
    """Run the scenario under ``out``, read it back, print a summary; return 0 if all holds."""
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    _print_progress(
        started, "Setting up: X server, central system, virtual devices, the kiosk's services"
    )
    with demo_environment(out.resolve()) as demo:
        driver = ScreenDriver(
            demo.paths.ui_socket, demo.display, demo.out / "screens", demo.processes
        )
        result = scenario.DemoResult()
        for title, step in STEPS:
            _print_progress(started, title)
            try:
                step(demo, driver, result)
            except Exception:
                driver.take_screenshot("failed")
                raise
        _print_progress(started, "Reading everything back")
        report = build_report(demo, driver, result, Path.cwd())
    write_json(out / "report.json", report)
    print(summary(report, out), flush=True)
    return 0 if report["ok"] else 1


def run_live(out: Path) -> int:
    """Set up the environment and leave it to the person until Ctrl-C."""
    out.mkdir(parents=True, exist_ok=True)
    with demo_environment(out.resolve()) as demo:
        print(f"The kiosk runs on display {demo.display.name} ({demo.display.server}).", flush=True)
        print("There is paper in the scanner. Type a role and Enter to show its badge:", *BADGES)
        print("  paper: reload the scanner; speak: everybody speaks; Ctrl-C ends.", flush=True)
        demo.load_scanner()
        try:
            _read_commands(demo)
        except KeyboardInterrupt:
            print()
    return 0


def _read_commands(demo: DemoEnvironment) -> None:
    """Carry out typed commands until the input ends; then wait for Ctrl-C."""
    while True:
        try:
            command = input("> ").strip()
        except EOFError:
            while True:
                time.sleep(1)
                demo.processes.check()
        if command in BADGES:
            demo.show_badge(command)
        elif command == "paper":
            demo.load_scanner()
        elif command == "speak":
            demo.play_voices()
        elif command:
            print("paper, speak, or one of:", *BADGES)
        demo.processes.check()


def _print_progress(started: float, text: str) -> None:
    print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)


def _spoken(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.0f} s" for name, value in sorted(seconds.items()))


def summary(report: dict[str, Any], out: Path) -> str:
    """Return the report in a few lines for a person."""
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
        f"          speech was heard for {_spoken(hearing['seconds_spoken'])}",
        f"          {hearing['heard_dbfs']} dBFS in the headset; copies for the parties:"
        f" {len(report['copies'])}",
        f"Self-test {selftest['passed']} passed, {selftest['failed']} failed",
        f"Devices   {', '.join(sorted({row['library'] for row in report['devices']}))}",
        f"Screens   {len(report['screenshots'])} in {out / 'screens'}",
    ]
    lines += [f"NOT HELD  {what}" for what in report["failed"]]
    lines.append(f"{'All held.' if report['ok'] else 'Failed.'} {out / 'report.json'}")
    return "\n".join(lines)
