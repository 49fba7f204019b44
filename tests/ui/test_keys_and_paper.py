"""The technician's screens of the court's keys, the receipt printer and the people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import PrinterSettings
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.rules import load_rules
from kiosk.ui import screenshots
from kiosk.ui.actions.paper_actions import PaperActions
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CourtKeysPlace, PaperPlace, StaffListPlace
from kiosk.ui.samples import service_states
from kiosk.ui.technician.court_keys import view as keys_view
from kiosk.ui.technician.paper import view as paper_view
from kiosk.ui.technician.staff_list import view as people_view
from tests.ui.fake_services import FakeRecorder

KEYS: dict[str, Any] = {
    "is_pinned": True,
    "court_key": f"age1{'q' * 58}",
    "court": "2026-11-23T04:10:00.000Z",
    "escrow_key": f"age1{'z' * 58}",
    "escrow": None,
}


def run(folder: Path, steps: Callable[[AppState], Awaitable[None]]) -> None:
    """Run ``steps`` with an app at which a technician is signed in."""

    async def with_app() -> None:
        settings = screenshots.make_settings(folder, *screenshots.LARGE)
        app = AppState(settings, wall=lambda: service_states.NOW, rules=load_rules())
        app.translate.switch_language("en")
        await app.sign_in.with_badge("badge-technician")
        try:
            await steps(app)
        finally:
            await app.close()

    asyncio.run(with_app())


@pytest.mark.usefixtures("sync")
def test_the_keys_are_shown_tried_and_answered(folder: Path, recorder: FakeRecorder) -> None:
    async def steps(app: AppState) -> None:
        app.secretary.show(CourtKeysPlace())
        recorder.answers["/v1/court-keys"] = {"is_pinned": False}
        await app.court_keys.refresh()
        shown = keys_view(app)
        assert (shown.rows, shown.tone, shown.can_act) == ((), "fault", False)
        recorder.answers["/v1/court-keys"] = KEYS
        await app.court_keys.refresh()
        proofs = {row.name: row.proof for row in keys_view(app).rows}
        assert proofs == {
            "court": "Its holder could decrypt on 23.11.2026. It has no end.",
            "escrow": "Not proven yet",
        }
        recorder.answers["/v1/court-keys/test"] = {"bytes": 262144, "milliseconds": 4.2}
        await app.court_keys.test()
        assert "read back in 4 ms" in keys_view(app).text
        recorder.refusals["/v1/court-keys/challenges"] = "drive_absent"
        await app.court_keys.challenge()
        assert keys_view(app).tone == "caution"
        assert "4 ms" not in keys_view(app).text, "what was before is no answer to this tap"
        del recorder.refusals["/v1/court-keys/challenges"]
        recorder.answers["/v1/court-keys/challenges"] = {"files": ["a.age", "b.age"]}
        await app.court_keys.challenge()
        assert keys_view(app).text == "On the stick: a.age, b.age"
        app.court_keys.begin_answer()
        for key in "ABCDEFGH234567XYZ":
            app.court_keys.type_answer(key)
        app.court_keys.type_answer("")
        assert not keys_view(app).can_answer
        app.court_keys.type_answer("Y")
        assert keys_view(app).typed == "ABCD-EFGH-2345-67XY"
        recorder.refusals["/v1/court-keys/answer"] = "challenge_wrong"
        await app.court_keys.answer()
        assert "Nothing is proven" in keys_view(app).text
        assert keys_view(app).typed is not None, "one wrong letter is mended, not typed anew"
        del recorder.refusals["/v1/court-keys/answer"]
        proven = {**KEYS, "escrow": "2026-11-23T05:00:00.000Z"}
        recorder.answers["/v1/court-keys/answer"] = proven
        await app.court_keys.answer()
        assert keys_view(app).typed is None
        assert all(row.tone == "good" for row in keys_view(app).rows)
        recorder.stop()
        await app.court_keys.test()
        assert keys_view(app).tone == "caution"

    run(folder, steps)


@pytest.mark.usefixtures("sync", "recorder")
def test_the_printer_says_what_it_says_itself(folder: Path) -> None:
    """Paper, cover and silence come from the printer; the test print really comes out."""

    async def steps(app: AppState) -> None:
        app.secretary.show(PaperPlace())
        assert paper_view(app).text == "No receipt printer is set up."
        with VirtualPrinter() as printer:
            fitted = PrinterSettings(port=printer.port, baud=115200, width_dots=576)
            settings = app.settings.model_copy(update={"printer": fitted})
            app.paper = PaperActions(settings, app.notify_observers)
            await app.paper.refresh()
            assert paper_view(app).text == "The printer is ready; it has paper."
            await app.paper.print_test()
            assert printer.wait_for_receipt().height > 400
            assert paper_view(app).result.startswith("The test is printed.")
            printer.remove_paper()
            await app.paper.refresh()
            shown = paper_view(app)
            assert (shown.text, shown.result) == ("The printer has no paper.", "")
            printer.open_cover()
            await app.paper.print_test()
            assert paper_view(app).text == "The printer’s cover is open."
            printer.clear_fault()
            await app.paper.refresh()
            assert paper_view(app).tone == "good"
            silent = fitted.model_copy(update={"answers": False})
            settings = app.settings.model_copy(update={"printer": silent})
            app.paper = PaperActions(settings, app.notify_observers)
            await app.paper.print_test()
            assert "tells nothing" in paper_view(app).text
            assert "does not say" in paper_view(app).result
        await app.paper.print_test()
        assert paper_view(app).tone == "caution", "the printer is gone"

    run(folder, steps)


@pytest.mark.usefixtures("sync")
def test_the_people_are_those_of_the_list(folder: Path, recorder: FakeRecorder) -> None:
    async def steps(app: AppState) -> None:
        app.secretary.show(StaffListPlace())
        await app.upkeep.refresh_people()
        assert [(row.name, row.roles) for row in people_view(app).rows] == [("A.", "secretary")]
        alarm = {"code": "staff_list_ended", "source": "staff_list", "since": ""}
        app.handle_recorder_event("state", service_states.recorder(alarms=[alarm]))
        assert people_view(app).is_wrong
        recorder.stop()
        await app.upkeep.refresh_people()
        assert people_view(app).rows, "what was known last stays"

    run(folder, steps)
