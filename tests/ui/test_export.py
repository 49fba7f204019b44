"""Copies and slips for the parties; readiness of line, storages and keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from kiosk.alarms import is_known
from kiosk.api.exports import ExportEvent, ExportStage
from kiosk.api.recorder import RecorderState
from kiosk.api.sync import SyncState
from kiosk.hardware.receipt_printer import PrinterNoPaperError
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui import screenshots
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptPrinter
from kiosk.ui.actions.export_actions import ExportActions, ExportState
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.schedule.readiness import readiness
from kiosk.ui.secretary.schedule.today import BUSY
from kiosk.ui.secretary.sealed_hearing.export import SEALED, STICK, export_view
from kiosk.ui.view_context import ViewContext
from tests.ui.fake_services import FakeRecorder

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), sample_data.NOW
)


def with_copies(
    recorder: FakeRecorder, steps: Callable[[ExportActions], Coroutine[Any, Any, None]]
) -> list[str]:
    """Run ``steps``; return the codes that were shown."""
    codes: list[str] = []

    async def run() -> None:
        client = LocalClient(recorder.socket)
        await steps(ExportActions(client, lambda: None, codes.append))
        await client.close()

    asyncio.run(run())
    return codes


def test_a_copy_from_the_list_to_the_end(recorder: FakeRecorder) -> None:
    """List, hearing, the only stick chosen by itself, language, progress, done."""
    recorder.answers["/v1/hearings"] = {"hearings": [hearing.model_dump() for hearing in SEALED]}
    recorder.answers["/v1/exports/media"] = {"media": [STICK.model_dump()]}
    recorder.answers["/v1/exports"] = {"id": "c1"}

    async def steps(export: ExportActions) -> None:
        await export.open("ru")
        assert len(export_view(CONTEXT, export.state).rows) == len(SEALED)
        export.choose_hearing(SEALED[1])
        assert export_view(CONTEXT, export.state).people == SEALED[1].people
        export.type_name()
        for key in "ЛИ В":
            export.type(key)
        assert export_view(CONTEXT, export.state).step == "typing"
        export.keep_name()
        view = export_view(CONTEXT, export.state)
        assert view.step == "warning"
        assert view.text.startswith("Warn: Ли В")
        export.confirm_warning()
        assert not export_view(CONTEXT, export.state).can_start
        await export.refresh_drives()
        view = export_view(CONTEXT, export.state)
        assert view.can_start
        assert view.notes[0] == "Taken by: Ли В"
        assert "closed parts" in view.notes[1]
        export.choose_language("kk")
        await export.start()
        sent: dict[str, object] = {"hearing_id": "2", "medium": "/m/1", "language": "kk"}
        sent |= {"given_to": "Ли В", "warned": True}
        assert recorder.calls[-1] == ("/v1/exports", sent)
        running = {"id": "c1", "hearing_id": "2", "state": "running", "stage": "video"}
        export.apply_event({**running, "done": 1, "total": 4})
        assert export_view(CONTEXT, export.state).fraction == 0.25
        await export.cancel()
        assert "/v1/exports/c1" in recorder.paths()
        export.apply_event({**running, "state": "done", "files": 9, "left_out": [2]})
        view = export_view(CONTEXT, export.state)
        assert (view.step, view.tone) == ("ended", "good")
        export.show_list()
        assert export_view(CONTEXT, export.state).step == "list"

    assert with_copies(recorder, steps) == []


def test_a_closed_hearing_is_refused_with_the_reason(recorder: FakeRecorder) -> None:
    """S19: said on the tap, nothing is asked of the recorder."""

    async def steps(export: ExportActions) -> None:
        export.state = ExportState(hearings=SEALED)
        export.choose_hearing(SEALED[2])
        assert export.state.chosen is None

    assert with_copies(recorder, steps) == ["export_closed"]
    view = export_view(CONTEXT, ExportState(hearings=SEALED))
    assert [row.closed for row in view.rows] == [False, False, True, False, False]


def test_a_stick_that_is_pulled_out_is_chosen_no_more(recorder: FakeRecorder) -> None:
    """The list of sticks is live."""
    recorder.answers["/v1/exports/media"] = {"media": [STICK.model_dump()]}

    async def steps(export: ExportActions) -> None:
        await export.refresh_drives()
        assert export.state.drive == STICK.path
        recorder.answers["/v1/exports/media"] = {"media": []}
        await export.refresh_drives()
        assert export.state.drive is None

    with_copies(recorder, steps)


@pytest.mark.parametrize(
    "code",
    ["export_no_space", "export_medium_failed", "export_differs", "export_source_changed"],
)
def test_every_error_of_a_copy_is_said_in_words(code: str) -> None:
    """Consequence and remedy; never the code."""
    assert is_known(code)
    event = ExportEvent(hearing_id="1", state="failed", code=code)
    view = export_view(CONTEXT, ExportState(hearings=SEALED, event=event))
    assert view.tone == "fault"
    assert view.notes[0]
    assert "_" not in view.text


def test_stages_have_different_words() -> None:
    """What is being done now."""
    stages: tuple[ExportStage, ...] = get_args(ExportStage)
    events = [ExportEvent(hearing_id="1", stage=stage) for stage in stages]
    assert len({export_view(CONTEXT, ExportState(event=event)).text for event in events}) == 5


def test_an_old_end_is_no_news(recorder: FakeRecorder) -> None:
    """The recorder tells its newest event to every new listener."""

    async def steps(export: ExportActions) -> None:
        export.apply_event({"id": "old", "state": "done"})
        assert export.state.event is None

    with_copies(recorder, steps)


def test_an_odd_sealed_hearing_hides_no_other(recorder: FakeRecorder) -> None:
    """A damaged hearing has neither number nor title; a row without an id is left out."""
    damaged = {"id": "h1", "case_number": None, "title": None, "damaged": True, "closed": "all"}
    recorder.answers["/v1/hearings"] = {"hearings": [damaged, {"id": None}, {"id": "h2"}]}

    async def steps(export: ExportActions) -> None:
        await export.open("ru")
        assert [hearing.id for hearing in export.state.hearings or ()] == ["h1", "h2"]

    with_copies(recorder, steps)


SLIP = {
    "hearing_id": "h1",
    "case_number": "7514",
    "count": 3,
    "hash": "ab" * 32,
    "groups": [],
    "signed_at": sample_data.at(9, 50),
    "code": "kiosk-head:h1:3:" + "ab" * 32,
    "sealed": False,
}


def slips_of(
    recorder: FakeRecorder, folder: Path, error: Exception | None
) -> tuple[ChainReceiptPrinter, list[Image.Image], list[str], LocalClient]:
    """Return slips whose printer fails with ``error``, what it printed, codes shown."""
    printed: list[Image.Image] = []
    codes: list[str] = []

    async def print_image(image: Image.Image) -> None:
        if error:
            raise error
        printed.append(image)

    client = LocalClient(recorder.socket)
    settings = screenshots.make_settings(folder, *screenshots.LARGE)
    return (
        ChainReceiptPrinter(settings, client, TRANSLATE, print_image, lambda: None, codes.append),
        printed,
        codes,
        client,
    )


def test_a_slip_is_printed_or_shown_with_its_code(recorder: FakeRecorder, folder: Path) -> None:
    """Out of paper: the same slip on the screen; its code can be read."""
    import io

    import zxingcpp

    recorder.answers["/v1/hearing/slip"] = SLIP

    async def run() -> None:
        slips, printed, _codes, client = slips_of(recorder, folder, None)
        await slips.print()
        assert slips.state.state == "printed"
        assert printed[0].width == 576
        await client.close()
        slips, printed, _codes, client = slips_of(recorder, folder, PrinterNoPaperError("none"))
        await slips.print("h1")
        assert (slips.state.state, slips.state.code) == ("failed", "printer_no_paper")
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(slips.state.picture)))
        assert found.text == SLIP["code"]
        await client.close()

    asyncio.run(run())


def test_no_slip_before_anything_is_signed(recorder: FakeRecorder, folder: Path) -> None:
    """A sentence, no half slip."""
    recorder.refusals["/v1/hearing/slip"] = "slip_none"

    async def run() -> None:
        slips, printed, codes, client = slips_of(recorder, folder, None)
        await slips.print()
        assert (slips.state.state, printed, codes) == ("", [], ["slip_none"])
        await client.close()

    asyncio.run(run())


def test_readiness_says_line_backlog_second_copy_and_keys() -> None:
    """Each in a sentence of its own, with its time."""
    state = sample_data.recorder(
        mirror={"state": "absent"},
        court_keys={"state": "missing", "needed": True},
        storage={"state": "ok", "hours_left": 1.0, "planned": {"hours_needed": 2, "fits": False}},
    )
    lines = readiness(CONTEXT, RecorderState.model_validate(state), SyncState.model_validate(BUSY))
    said = {line.item: line for line in lines}
    assert said["link"].text.endswith("About 1 Mbit/s: just at the limit.")
    assert "Done at 18:30" in said["queue"].text
    assert "slowly" in said["queue"].text
    assert said["full"].text == "The disk will be full: 23:00"
    assert said["mirror"].remedy
    assert said["keys"].tone == "fault"
    assert "no room for the whole" in said["disk"].text
    assert said["courier"].text == "For the courier: 1"
