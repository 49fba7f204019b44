"""The self-test end to end: every check, the report, its seal; faults are results (R68, R72)."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.reports import Limit
from kiosk.config import (
    CameraSettings,
    PanelSettings,
    PrinterSettings,
    ScannerSettings,
    SerialPortSettings,
)
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.locale import Translator
from kiosk.selftest import (
    CHECKS,
    CheckFinished,
    CheckResult,
    CheckStarted,
    RunFinished,
    RunPlanned,
    SelfTestContext,
    latest_results,
    run_selftest,
    save_run,
)
from kiosk.selftest.model import TOUCH_POINTS, Question, TouchPoint
from kiosk.selftest.report import read_history, read_reports
from kiosk.selftest.run import run_check
from kiosk.selftest.slip import render_slip, slip_lines
from kiosk.selftest.words import MeasuredWords
from tests.selftest.conftest import Kiosk, Open, Services, answering
from tests.support.waiting import PATIENCE


async def results_of(
    context: SelfTestContext, only: tuple[str, ...] | None = None
) -> dict[str, CheckResult]:
    """Return the results of a run by check."""
    events = [event async for event in run_selftest(context, only)]
    return {
        event.result.check: event.result for event in events if isinstance(event, CheckFinished)
    }


async def reported(context: SelfTestContext, only: tuple[str, ...]) -> RunFinished:
    """Return the last event of a run."""
    events = [event async for event in run_selftest(context, only)]
    assert isinstance(events[-1], RunFinished)
    return events[-1]


@pytest.mark.slow
def test_all_checks_pass_and_the_report_is_sealed_and_delivered(
    open_kiosk: Open, tmp_path: Path
) -> None:
    async def story() -> None:
        with (
            VirtualPrinter(tmp_path / "paper") as printer,
            VirtualBadgeReader() as badge,
            VirtualScanner() as scanner,
        ):
            async with open_kiosk(
                printer=PrinterSettings(port=printer.port),
                badge=SerialPortSettings(port=badge.port),
                scanner=ScannerSettings(device=scanner.device, sane_config_dir=scanner.config_dir),
            ) as kiosk:
                pressed = asyncio.Event()
                kiosk.recorder.press = pressed
                kiosk.recorder.answers["panel"] = {
                    "state": "passed",
                    "measured": {"button_pressed": True},
                }

                async def person(question: Question, seconds: float) -> bool | None:
                    if question == "button_pressed":
                        pressed.set()
                        await asyncio.sleep(seconds)
                    while question == "badge_held":  # until the reader has it
                        badge.scan("KZ-7")
                        await asyncio.sleep(0.1)
                    return True

                context = replace(
                    kiosk.context, ask=person, answer_seconds=5, read_touches=exact_finger
                )
                events = [event async for event in run_selftest(context)]
                check_story(kiosk, events)
        assert printer.receipts[0].width == 576

    asyncio.run(story())


async def exact_finger(seconds: float) -> dict[TouchPoint, float]:
    """Touch every point."""
    del seconds
    return dict.fromkeys(TOUCH_POINTS, 0.5)


def check_story(kiosk: Kiosk, events: Sequence[object]) -> None:
    """Check the events of a good run and what lies on the disk after it."""
    assert events[0] == RunPlanned(CHECKS)
    names = [event.check for event in events if isinstance(event, CheckStarted)]
    results = [event.result for event in events if isinstance(event, CheckFinished)]
    assert names == [result.check for result in results] == list(CHECKS)
    found = {result.check: (result.state, result.code) for result in results}
    not_fitted = ("speaker", "speech_transmission", "headset", "mirror")
    assert {found.pop(check) for check in not_fitted} == {("skipped", "not_fitted")}
    assert set(found.values()) == {("passed", None)}
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.path is not None
    report = json.loads((last.path / "report.json").read_text(encoding="utf-8"))
    assert (report["passed"], report["failed"], report["skipped"]) == (len(CHECKS) - 4, 0, 4)
    assert report["devices"][0]["name"] == "camera"
    assert report["person"] == "t-1"
    badge = next(row for row in report["results"] if row["check"] == "badge_reader")
    assert badge["measured"]["length"] == 4
    assert "KZ-7" not in json.dumps(report)
    assert kiosk.sync.taken[last.path.name]["id"] == last.path.name
    sealed_well(last.path)


def sealed_well(folder: Path) -> None:
    """Check the seal with stock tools."""
    sums = "sha256sum --strict -c SHA256SUMS"
    signature = (
        "openssl cms -verify -noverify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS"
    )
    for command in (sums, signature):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


def test_dead_services_are_failed_results_and_lose_nothing(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk(Services(recorder=False, sync=False)) as kiosk:
            events = [event async for event in run_selftest(kiosk.context)]
            results = {e.result.check: e.result for e in events if isinstance(e, CheckFinished)}
            for check in (
                "camera",
                "microphones",
                "storage",
                "clock",
                "machine",
                "panel",
                "court_keys",
                "certificate",
            ):
                assert (results[check].state, results[check].code) == ("failed", "recorder_down")
            for check in ("link", "delivery"):
                assert (results[check].state, results[check].code) == ("failed", "sync_down")
            last = events[-1]
            assert isinstance(last, RunFinished)
            assert (last.path, last.code) == (None, "recorder_down")
            assert (last.report["devices"], last.report["failed"]) == (None, 10)
            assert read_reports(kiosk.paths) == []

            runner = await kiosk.recorder.start(kiosk.paths.recorder_socket)
            saved = await save_run(kiosk.context, last.run)
            await runner.cleanup()
            assert saved.code is None
            assert saved.path is not None
            sealed_well(saved.path)
            (report,) = read_reports(kiosk.paths)
            assert report["results"] == last.report["results"]

    asyncio.run(story())


def test_a_delivery_check_without_a_recorder_blames_the_recorder(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk(Services(recorder=False)) as kiosk:
            result = await run_check(kiosk.context, "delivery")
            assert (result.state, result.code) == ("failed", "recorder_down")

    asyncio.run(story())


def test_what_is_not_fitted_is_skipped(open_kiosk: Open) -> None:
    async def story() -> None:
        fitted = {
            "camera": CameraSettings(back_end="none"),
            "microphones": (),
            "panel": PanelSettings(enabled=False),
        }
        async with open_kiosk(**fitted) as kiosk:
            only = ("camera", "microphones", "panel", "scanner", "receipt_printer", "badge_reader")
            results = await results_of(kiosk.context, only)
            assert {(row.state, row.code) for row in results.values()} == {
                ("skipped", "not_fitted")
            }
            assert kiosk.recorder.calls == []

    asyncio.run(story())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        ("stop_answering", "printer_silent"),
        ("remove_paper", "printer_no_paper"),
        ("open_cover", "printer_cover_open"),
    ],
)
def test_printer_faults(open_kiosk: Open, tmp_path: Path, break_it: str, code: str) -> None:
    async def story() -> None:
        with VirtualPrinter(tmp_path / "paper") as printer:
            getattr(printer, break_it)()
            async with open_kiosk(printer=PrinterSettings(port=printer.port)) as kiosk:
                context = replace(kiosk.context, check_seconds=10)
                result = await run_check(context, "receipt_printer")
                assert (result.state, result.code) == ("failed", code)

    asyncio.run(story())


@pytest.mark.slow
def test_absent_devices(open_kiosk: Open, tmp_path: Path) -> None:
    async def story() -> None:
        gone = str(tmp_path / "gone")
        with VirtualScanner() as scanner:
            scanner.disconnect()
            async with open_kiosk(
                printer=PrinterSettings(port=gone),
                badge=SerialPortSettings(port=gone),
                scanner=ScannerSettings(device=scanner.device, sane_config_dir=scanner.config_dir),
            ) as kiosk:
                context = replace(kiosk.context, answer_seconds=5)
                results = await results_of(context, ("scanner", "receipt_printer", "badge_reader"))
                codes = {check: (row.state, row.code) for check, row in results.items()}
                assert codes["receipt_printer"] == ("failed", "printer_absent")
                assert codes["badge_reader"] == ("failed", "badge_reader_absent")
                assert codes["scanner"][0] == "failed"
                assert str(codes["scanner"][1]).startswith("scanner_")

    asyncio.run(story())


def test_a_badge_that_nobody_holds_is_not_a_fault(open_kiosk: Open) -> None:
    async def story() -> None:
        with VirtualBadgeReader() as badge:
            async with open_kiosk(badge=SerialPortSettings(port=badge.port)) as kiosk:
                result = await run_check(kiosk.context, "badge_reader")
                assert (result.state, result.code) == ("skipped", "badge_not_read")

    asyncio.run(story())


def test_the_callers_own_badge_reader_is_used(open_kiosk: Open) -> None:
    async def story() -> None:
        async def read_badge(seconds: float) -> str | None:
            del seconds
            return "QR-123456"

        async with open_kiosk(badge=SerialPortSettings(port="/dev/held-by-the-screen")) as kiosk:
            context = replace(kiosk.context, read_badge=read_badge)
            result = await run_check(context, "badge_reader")
            assert (result.state, result.measured["length"]) == ("passed", 9)

    asyncio.run(story())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "heard", "expected"),
    [
        ({}, True, ("skipped", "not_confirmed")),
        ({"lamp_seen": False}, True, ("failed", "denied_by_person")),
        ({"lamp_seen": True}, True, ("passed", None)),
        ({"lamp_seen": True, "button_pressed": True}, False, ("failed", "button_not_heard")),
        ({"lamp_seen": True, "button_pressed": False}, False, ("failed", "button_not_heard")),
        ({"lamp_seen": True}, None, ("skipped", "not_confirmed")),
    ],
)
def test_lamp_and_button(
    open_kiosk: Open,
    answers: dict[str, bool],
    heard: bool | None,
    expected: tuple[str, str | None],
) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.recorder.answers["panel"] = {
                "state": "passed",
                "measured": {"button_pressed": True},
            }
            if not heard:
                kiosk.recorder.press = asyncio.Event()
            context = replace(kiosk.context, ask=answering(**answers))
            result = await run_check(context, "panel")
            assert (result.state, result.code) == expected

    asyncio.run(story())


def test_an_absent_panel_is_told_before_anybody_is_asked_twice(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.recorder.answers["panel"] = {"state": "failed", "code": "panel_absent"}
            asked: list[Question] = []

            async def slow(question: Question, seconds: float) -> bool | None:
                asked.append(question)
                await asyncio.sleep(seconds)
                return None

            result = await run_check(replace(kiosk.context, ask=slow, answer_seconds=20), "panel")
            assert (result.state, result.code) == ("failed", "panel_absent")
            assert asked == ["lamp_seen"]
            assert result.seconds < 10

    asyncio.run(story())


def test_a_running_hearing_is_left_alone(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.recorder.recording = True
            results = await results_of(kiosk.context, ("camera", "microphones", "storage"))
            assert {(row.state, row.code) for row in results.values()} == {
                ("skipped", "already_recording")
            }

    asyncio.run(story())


def test_without_sign_in_the_recorder_refuses(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.context.recorder.token = None
            result = await run_check(kiosk.context, "camera")
            assert (result.state, result.code) == ("failed", "sign_in_refused")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ({"state": "passed", "verdict": "good"}, ("passed", None)),
        ({"state": "passed", "verdict": "borderline"}, ("passed", "link_borderline")),
        ({"state": "failed", "verdict": "below", "up_mbit": 0.4}, ("failed", "link_below")),
        (
            {"state": "passed", "verdict": "good", "call": "gaps"},
            ("passed", "link_gaps"),
        ),
        (
            {"state": "failed", "verdict": "below", "call": "unheard"},
            ("failed", "link_unheard"),
        ),
        ({"state": "failed", "verdict": "unreachable"}, ("failed", "link_unreachable")),
        ({"nonsense": 1}, ("failed", "link_unreachable")),
    ],
)
def test_link_verdicts(
    open_kiosk: Open, link: dict[str, object], expected: tuple[str, str | None]
) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.sync.link = link
            result = await run_check(kiosk.context, "link")
            assert (result.state, result.code) == expected

    asyncio.run(story())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"central_sha256_match": False}, "hash_mismatch"),
        ({"delivers": False}, "delivery_failed"),
        (
            {"delivers": False, "link_state": {"state": "down", "problem": "not_enrolled"}},
            "not_enrolled",
        ),
    ],
)
def test_delivery_faults(open_kiosk: Open, change: dict[str, object], code: str) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            for name, value in change.items():
                setattr(kiosk.sync, name, value)
            result = await run_check(replace(kiosk.context, check_seconds=0.5), "delivery")
            assert (result.state, result.code) == ("failed", code)
            assert result.measured["delivered"] is False

    asyncio.run(story())


@pytest.mark.slow
def test_a_kiosk_that_is_not_enrolled_does_not_wait_for_its_delivery(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.sync.delivers = False
            kiosk.sync.link_state = {"state": "down", "problem": "not_enrolled"}
            patient = replace(kiosk.context, check_seconds=3600)
            async with asyncio.timeout(PATIENCE):
                assert (await run_check(patient, "delivery")).code == "not_enrolled"

    asyncio.run(story())


def test_a_report_that_cannot_be_saved_is_said(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.paths.data.mkdir(parents=True, exist_ok=True)
            kiosk.paths.reports.write_text("a file where the folder should be")
            last = await reported(kiosk.context, ("clock",))
            assert last.path is None
            assert last.code == "storage_failed"
            assert last.report["passed"] == 1

    asyncio.run(story())


def test_without_sign_in_no_report_is_saved_and_it_is_said(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.context.recorder.token = None
            last = await reported(kiosk.context, ("link",))
            assert (last.path, last.code) == (None, "token_expired")
            assert last.report["passed"] == 1
            assert read_reports(kiosk.paths) == []

    asyncio.run(story())


def test_unknown_check_is_refused(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            with pytest.raises(ValueError, match="no check coffee"):
                await results_of(kiosk.context, ("coffee",))

    asyncio.run(story())


def test_latest_results_say_never_tested_and_prefer_the_newest(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            assert {row.state for row in latest_results(kiosk.paths).values()} == {"never_tested"}
            await reported(kiosk.context, ("clock", "storage"))
            kiosk.recorder.answers["clock"] = {"state": "failed", "code": "clock_unset"}
            await reported(kiosk.context, ("clock",))
            (kiosk.paths.reports / "damaged").mkdir()
            (kiosk.paths.reports / "damaged" / "report.json").write_text("{")
            latest = latest_results(kiosk.paths)
            assert latest["clock"].code == "clock_unset"
            assert latest["storage"].state == "passed"
            assert latest["camera"].state == "never_tested"
            newest, older = read_reports(kiosk.paths)
            assert (newest["sequence"], older["sequence"]) == (2, 1)
            kept = {row["check"]: row["state"] for row in newest["results"]}
            assert kept["storage"] == "passed"
            assert kept["camera"] == "never_tested"
            assert newest["ran"] == ["clock"]

    asyncio.run(story())


def test_measured_values_are_compared_with_commissioning(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            levels = {"microphones": {"judge": {"rms_db": -23.0, "ok": True}}}
            kiosk.recorder.answers["microphones"] = {"state": "passed", "measured": levels}
            first = await reported(replace(kiosk.context, commissioning=True), ("microphones",))
            levels["microphones"]["judge"]["rms_db"] = -31.5
            result = (await results_of(kiosk.context, ("microphones",)))["microphones"]
            assert result.deviations == {"microphones.judge.rms_db": -8.5}
            assert first.path is not None
            assert read_reports(kiosk.paths)[0]["baseline"] == first.path.name

    asyncio.run(story())


@pytest.mark.parametrize(
    ("missed", "expected"),
    [
        (dict.fromkeys(TOUCH_POINTS, 1.2), ("passed", None)),
        (dict.fromkeys(TOUCH_POINTS, 6.5), ("failed", "touch_inexact")),
        ({"top_left": 0.3}, ("failed", "touch_dead")),
        ({}, ("skipped", "not_confirmed")),
        (None, ("skipped", "only_on_screen")),
    ],
)
def test_touch(
    open_kiosk: Open, missed: dict[TouchPoint, float] | None, expected: tuple[str, str | None]
) -> None:
    async def story() -> None:
        async def read(seconds: float) -> dict[TouchPoint, float]:
            del seconds
            return missed or {}

        async with open_kiosk() as kiosk:
            context = replace(kiosk.context, read_touches=None if missed is None else read)
            result = await run_check(context, "touch")
            assert (result.state, result.code) == expected
            assert set(result.limits) == set(missed or ())

    asyncio.run(story())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(None, ("passed", None)), (True, ("passed", None)), (False, ("failed", "denied_by_person"))],
)
def test_a_person_has_the_last_word_on_the_picture(
    open_kiosk: Open, answer: bool | None, expected: tuple[str, str | None]
) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            context = replace(kiosk.context, ask=answering(picture_right=answer))
            result = await run_check(context, "camera")
            assert (result.state, result.code) == expected
            assert result.measured["picture"] is answer

    asyncio.run(story())


def test_what_changed_is_in_the_history(open_kiosk: Open) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            await reported(kiosk.context, ("link", "clock"))
            kiosk.sync.link = {**kiosk.sync.link, "up_mbit": 0.4, "limit_mbit": 1.0}
            await reported(kiosk.context, ("link",))
            history = read_history(read_reports(kiosk.paths))
            assert [row.measured["up_mbit"] for row in history["link"]] == [0.4, 4.8]
            assert len(history["clock"]) == 1, (
                "a report repeats the newest result of what it ran not"
            )
            assert history["link"][0].limits["up_mbit"] == Limit(least=1.0)
            words = MeasuredWords(Translator("en"), ZoneInfo("Asia/Almaty"))
            assert words.changes(*history["link"]) == ["Upload: 4.8 Mbit/s, now 0.4 Mbit/s"]

    asyncio.run(story())


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_the_slip_says_what_the_report_says(open_kiosk: Open, language: str) -> None:
    async def story() -> None:
        async with open_kiosk() as kiosk:
            kiosk.sync.link = {"state": "failed", "verdict": "below", "up_mbit": 0.4}
            end = await reported(kiosk.context, ("clock", "link"))
            words = MeasuredWords(Translator(language), ZoneInfo("Asia/Almaty"))
            lines = dict(slip_lines(end.report, words))
            assert len(lines) == len(CHECKS)
            link = next(
                below for head, below in lines.items() if below and "0" in below[-2] + below[-1]
            )
            assert any("0,4" in line or "0.4" in line for line in link)
            image = render_slip(end.report, words, "Court", 576)
            assert image.width == 576
            assert image.height > 40 * len(CHECKS)

    asyncio.run(story())
