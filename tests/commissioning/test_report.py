"""The report of setting a room up: signed, printed, delivered; paper and network may be missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.commissioning.record import Record
from kiosk.errors import KioskError
from kiosk.evidence.cms import check_signature
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.selftest.report import find_baseline, read_reports
from kiosk.sync.enrolment import enrol
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.commissioning import view
from tests.support.delivery_rig import KIOSK, Central
from tests.support.room_rig import RoomRig, checked_record, room_rig
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


async def at_report(app: AppState, record: Record) -> None:
    """Show the step of the report."""
    app.commissioning.state = replace(app.commissioning.state, record=record)
    app.commissioning.show("report")


def said(app: AppState) -> list[str]:
    """Return what the screen says of the report."""
    return [line for line, _tone in view(app).lines]


def taps(app: AppState) -> list[str]:
    """Return what can be tapped."""
    return [choice.tap for choice in view(app).choices]


def test_without_printer_and_network_it_is_signed_and_kept_as_the_baseline(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            record = checked_record().with_result("network", "skipped", "later")
            await at_report(app, record.with_result("walk", "failed"))
            await app.commissioning.make_report()
            assert view(app).text == "The report is signed and kept as the baseline."
            assert "It is delivered as soon as there is a network." in said(app)
            assert taps(app) == ["save", "report"]
            await app.commissioning.load()  # the technician comes back to it
            app.commissioning.show("report")
            assert view(app).primary_tap == "show:"

    asyncio.run(story())
    (report,) = read_reports(room.paths)
    assert find_baseline([report]) is report
    assert (report["person"], report["room"]) == ("first-technician", "1")
    assert report["steps"]["network"]["reason"] == "later"
    assert report["steps"]["walk"]["state"] == "failed"
    assert "report" not in report["steps"]
    folder = room.paths.reports / report["id"]
    seal = folder / "SHA256SUMS", folder / "SHA256SUMS.p7s"
    check_signature(*seal, room.paths.self_signed_certificate)


def test_it_is_printed_on_the_printer_that_was_just_chosen(room: RoomRig) -> None:
    """The screen itself takes the room's settings at its next start only."""

    async def story(printer: VirtualPrinter) -> None:
        async with room.screen() as app:
            await app.commissioning.choose_printer(printer.port)
            await asyncio.to_thread(room.restart_recorder)  # as systemd does
            await app.commissioning.load()
            assert app.settings.printer.port == ""
            await at_report(app, checked_record(receipt_printer="passed"))
            await app.commissioning.make_report()
            assert "The report is printed." in said(app)
            assert printer.wait_for_receipt().height > 500
            printer.remove_paper()
            await app.commissioning.print_report()
            assert "The receipt was not printed: the printer has no paper." in said(app)
            printer.clear_fault()
            await app.commissioning.print_report()
            assert "The report is printed." in said(app)
            assert len(printer.receipts) == 2
        assert len(read_reports(room.paths)) == 1

    with VirtualPrinter() as printer:
        asyncio.run(story(printer))


def test_a_report_that_nobody_could_sign_is_none(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            await at_report(app, checked_record())
            await asyncio.to_thread(room.recorder.kill)
            await app.commissioning.make_report()
            assert view(app).primary_tap == "report"
            assert app.commissioning.state.problem == "recorder_down"
            assert app.commissioning.state.record.result("report").state == "open"

    asyncio.run(story())
    assert read_reports(room.paths) == []


def test_it_is_delivered_later_and_shown_to_court_it(short: Path, central: Central) -> None:
    """Made before the kiosk was enrolled: with the network it goes by itself."""

    def page(path: str = "", **query: str) -> requests.Response:
        url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        return requests.get(url + path, params=query, timeout=10)

    async def story(rig: RoomRig) -> None:
        async with rig.screen() as app:
            record = checked_record(clock="passed").with_result("network", "skipped", "later")
            await at_report(app, record)
            await app.commissioning.make_report()
            await app.commissioning.report.refresh()
            assert "It is delivered as soon as there is a network." in said(app)
            report = app.commissioning.report.state.report
            assert report is not None
            code = central.run_task("enrol-code", KIOSK)
            await asyncio.to_thread(enrol, rig.paths, KIOSK, code, central.url, None)

            def is_shown() -> str | None:
                text = page("/", lang="en").text
                return text if f'href="reports/{report["id"]}?lang=en"' in text else None

            shown = await asyncio.to_thread(wait_for, is_shown, "the report on court IT's page")
            assert "Still open: Network" in shown
            await asyncio.to_thread(rig.kiosk.wait_delivered, "report", str(report["id"]))
            await app.commissioning.report.refresh()
            assert "The central system has the report." in said(app)
            check_page(str(report["id"]))

    def check_page(report: str) -> None:
        text = page(f"/reports/{report}", lang="en").text
        assert "<title>Room set up · kiosk-0001</title>" in text
        assert '<li class="open">Network: Later</li>' in text
        assert "Clock: passed" in text.replace("Passed", "passed")
        assert "Желі" in page(f"/reports/{report}", lang="kk").text
        assert page("/reports/00000000-0000-0000-0000-000000000000").status_code == 404

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(story(rig))


def test_steps_that_are_none_are_refused_and_nothing_is_signed(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            run: dict[str, Any] = {"started": "2026-11-28T04:00:00.000Z", "results": []}
            run |= {"ended": "2026-11-28T04:00:00.000Z", "steps": {"coffee": {"state": "done"}}}
            client = app.recorder_connection.client
            with pytest.raises(KioskError, match="a step is unknown"):
                await client.post("/v1/reports", {"kind": "selftest", "selftest": run})

    asyncio.run(story())
    assert read_reports(room.paths) == []
