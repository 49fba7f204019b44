"""The technician's upkeep: what the screen shows and does, and the screen's own restart."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.upkeep import ServiceStatus, StartReason
from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.rules import load_rules
from kiosk.ui import screenshots
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import UpkeepPlace
from kiosk.ui.samples import service_states
from kiosk.ui.technician.support import view as support_view
from kiosk.ui.technician.upkeep import UpkeepView, view
from tests.support.waiting import PATIENCE
from tests.ui.fake_services import FakeRecorder, FakeSync
from tests.ui.touch_screen import TouchScreen

BOOT: dict[str, Any] = {"version": "1", "up_seconds": 3600.0, "reason": "boot", "starts": 1}


def rows(shown: UpkeepView) -> dict[str, tuple[str, bool]]:
    """Return what is said of each service, and whether it can be restarted."""
    return {row.service: (row.why or row.since, row.can_restart) for row in shown.rows}


def test_a_restart_is_asked_about_once_and_seen_through(
    folder: Path, recorder: FakeRecorder, sync: FakeSync
) -> None:
    """The token goes to sync with this call alone; a service is back when its starts have grown."""
    recorder.answers["/v1/service"] = BOOT
    recorder.answers["/v1/restart"] = {}
    sync.stop()

    async def steps() -> None:
        settings = screenshots.make_settings(folder, *screenshots.LARGE)
        app = AppState(settings, wall=lambda: service_states.NOW, rules=load_rules())
        app.translate.switch_language("en")
        await app.sign_in.with_badge("badge-technician")
        app.secretary.show(UpkeepPlace())
        await app.upkeep.refresh()
        assert rows(view(app)) == {
            "recorder": ("started with the kiosk", True),
            "sync": ("It does not answer.", False),
            "ui": ("started with the kiosk", True),
        }
        app.upkeep.ask_restart("recorder")
        assert "Restart “Recorder”?" in view(app).question
        app.upkeep.ask_restart(None)
        await app.upkeep.restart()
        assert "/v1/restart" not in recorder.paths()
        app.upkeep.ask_restart("recorder")
        await app.upkeep.restart()
        assert recorder.paths().count("/v1/restart") == 1
        await app.upkeep.refresh()
        assert rows(view(app))["recorder"] == ("Restarting…", False)
        recorder.answers["/v1/service"] = {**BOOT, "reason": "technician", "starts": 2}
        await app.upkeep.refresh()
        assert rows(view(app))["recorder"] == ("restarted on this screen; starts: 2", True)
        await app.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("sync")
def test_a_refusal_is_said(folder: Path, recorder: FakeRecorder) -> None:
    recorder.refusals["/v1/restart"] = "restart_busy"

    async def steps() -> None:
        settings = screenshots.make_settings(folder, *screenshots.LARGE)
        app = AppState(settings, wall=lambda: service_states.NOW, rules=load_rules())
        app.translate.switch_language("en")
        await app.sign_in.with_badge("badge-technician")
        app.upkeep.ask_restart("recorder")
        await app.upkeep.restart()
        assert "cannot be restarted now" in app.screen_chrome().notice
        assert app.upkeep.state.restarting == {}
        await app.close()

    asyncio.run(steps())


def test_without_a_known_clock_no_time_of_day_is_shown(folder: Path) -> None:
    settings = screenshots.make_settings(folder, *screenshots.LARGE)
    app = AppState(settings, wall=lambda: service_states.NOW, rules=load_rules())
    app.translate.switch_language("en")
    state = service_states.recorder(clock={"state": "unset"})
    app.handle_recorder_event("state", state)
    status = ServiceStatus(version="1", up_seconds=7500, reason=StartReason.FAILED, starts=2)
    app.upkeep.state = type(app.upkeep.state)({"sync": status})
    (shown,) = [row for row in view(app).rows if row.service == "sync"]
    assert (shown.since, shown.tone) == ("for 2 h 5 min · 1", "caution")


@pytest.mark.slow
def test_the_screen_ends_in_order_for_a_technician_and_by_a_signal(
    folder: Path,
    display: Display,
    badge: VirtualBadgeReader,
    recorder: FakeRecorder,
    sync: FakeSync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder.answers["/v1/service"] = BOOT
    del sync
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "n"))
        screen = TouchScreen(folder, display, {"badge": {"port": badge.port}})
        with screen:
            badge.scan("badge-technician")
            screen.wait_screen("technician.home")
            screen.tap("tech.open.upkeep")
            screen.wait_screen("technician.upkeep")
            screen.tap("upkeep.ui.restart")
            screen.tap("upkeep.restart")
            assert screen.process.wait(PATIENCE) == 0
            note = json.loads((screen.paths.ui_run / "life.json").read_text())
            assert note["ended"] == "technician"
            screen.start()
            screen.process.send_signal(signal.SIGTERM)
            assert screen.process.wait(PATIENCE) == 0
            note = json.loads((screen.paths.ui_run / "life.json").read_text())
            assert (note["ended"], note["starts"]) == ("stopped", 2)


@pytest.mark.usefixtures("sync")
def test_help_by_phone_shows_the_code_and_says_why_not(
    folder: Path, recorder: FakeRecorder
) -> None:
    async def steps() -> None:
        settings = screenshots.make_settings(folder, *screenshots.LARGE)
        app = AppState(settings, wall=lambda: service_states.NOW, rules=load_rules())
        app.translate.switch_language("en")
        await app.sign_in.with_badge("badge-technician")
        recorder.refusals["/v1/support"] = "drive_absent"
        await app.upkeep.send_support(to_drive=True)
        assert "No drive is plugged in" in app.screen_chrome().notice
        assert support_view(app).code == ""
        recorder.refusals.clear()
        bundle = {"code": "3FA85F", "report": "3fa85f64-0000-4000-8000-000000000000", "file": ""}
        recorder.answers["/v1/support"] = bundle
        await app.upkeep.send_support(to_drive=False)
        assert recorder.calls[-1] == ("/v1/support", {"to_drive": False})
        assert support_view(app).code == "3FA 85F"
        assert "next contact" in support_view(app).state
        await app.close()

    asyncio.run(steps())
