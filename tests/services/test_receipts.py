"""A receipt from the printer over the scanner into the sealed hearing, through the real services.

Requirements: R47, R48, S13; УПК 350(2), 370(2). Printer and scanner are stand-ins behind the real
libraries.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pikepdf
import pytest
from PIL import Image

from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.config import PathSettings, PrinterSettings, ScannerSettings, Settings
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import build_minutes
from kiosk.export.signed_receipt import render_signed_receipt
from kiosk.filing.imaging.pdf import check_conformance
from kiosk.filing.service import FilingService
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.receipt_actions import (
    OF_HEARING,
    ReceiptActions,
    ReceiptState,
    late_receipts_path,
)
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.secretary.running_hearing.receipt import receipt_paper
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.slow

RULES = load_rules()
A4 = (1240, 1754)
"""At 150 dpi."""
PEOPLE = [{"role": "witness", "name": "Ержан Т."}, {"role": "expert", "name": "Ким О."}]
TRANSLATE = Translator("kk")
LABELS = RuleLabels(TRANSLATE, RULES)


class Desk:
    """A hearing at a running recorder, and the secretary's printer and scanner.

    Attributes:
        notices: codes of the notices that were shown.
    """

    def __init__(
        self,
        folder: Path,
        recorder: RecorderProcess,
        printer: VirtualPrinter,
        scanner: VirtualScanner,
    ) -> None:
        self.folder, self.recorder, self.printer, self.scanner = folder, recorder, printer, scanner
        self.settings = Settings(
            paths=PathSettings(data=folder / "data", run=folder / "run"),
            scanner=ScannerSettings(
                device=scanner.device, sane_config_dir=scanner.config_dir, resolution=150
            ),
            printer=PrinterSettings(port=printer.port, baud=115200),
        )
        body = hearing(kind="criminal", format="offline", participants=PEOPLE)
        self.id = str(recorder.post("/v1/hearings", body)["hearing_id"])
        self.token = recorder.sign_in()
        self.notices: list[str] = []

    def mark(self, of: str) -> int:
        answer = self.recorder.post("/v1/hearing/marks", {"type": "receipt_taken", "of": of})
        return int(answer["mark"]["id"])

    def draw(self, mark: int) -> Callable[[], Image.Image]:
        def render() -> Image.Image:
            state = RecorderState.model_validate(self.recorder.state())
            assert state.hearing is not None
            paper = receipt_paper(LABELS, TRANSLATE, state.hearing, mark, ZoneInfo("Asia/Almaty"))
            return render_signed_receipt(paper, TRANSLATE, court="Тестовый суд")

        return render

    def sheet(self, receipt: Image.Image, name: str = "sheet") -> Path:
        """Return the printed receipt, signed, as a sheet for the scanner."""
        page = Image.new("RGB", A4, "white")
        page.paste(receipt.convert("RGB"), (200, 120))
        path = self.folder / f"{name}.png"
        page.save(path, dpi=(150, 150))
        return path

    def run(self, act: Callable[[ReceiptActions], Awaitable[None]]) -> ReceiptActions:
        """Run ``act`` at the screen; return the screen's actions as they are then."""

        async def run() -> ReceiptActions:
            client = LocalClient(self.recorder.paths.recorder_socket)
            client.token = self.token
            async with (
                asyncio.timeout(PATIENCE),
                FilingService(
                    self.settings, RULES, LocalClient(self.folder / "no-sync.sock")
                ) as filing,
            ):
                actions = ReceiptActions(
                    filing, client, TRANSLATE, lambda: None, self.notices.append
                )
                await act(actions)
            await client.close()
            return actions

        return asyncio.run(run())

    def journal(self, kind: str) -> list[dict[str, object]]:
        folder = self.recorder.hearing_folder(self.id)
        return [e for e in read_chain(folder / "journal.jsonl").entries if e["kind"] == kind]

    def end(self) -> None:
        self.recorder.post("/v1/hearing/end")
        self.recorder.wait_for_state(lambda state: state["phase"] == "idle", "the seal")


@pytest.fixture
def desk(tmp_path: Path, bare_recorder: RecorderProcess) -> Iterator[Desk]:
    bare_recorder.wait_until_ready()
    with VirtualPrinter() as printer, VirtualScanner() as scanner:
        made = Desk(tmp_path, bare_recorder, printer, scanner)
        yield made
        if bare_recorder.state()["phase"] != "idle":
            made.end()


def test_printed_signed_and_scanned_it_is_in_the_sealed_hearing_and_the_minutes(
    desk: Desk,
) -> None:
    mark, other = desk.mark("p1"), desk.mark("p2")

    async def print_both(actions: ReceiptActions) -> None:
        for number in (mark, other):
            await actions.choose("print:", number, desk.draw(number))
            assert actions.state.problem == ""

    desk.run(print_both)
    printed = desk.printer.wait_for_receipt(2)
    desk.scanner.load([desk.sheet(printed)])

    async def scan(actions: ReceiptActions) -> None:
        await actions.choose("scan:", mark, desk.draw(mark))

    actions = desk.run(scan)
    assert (actions.state.kept, actions.state.problem) == (other, ""), "its code says whose it is"
    assert not desk.settings.paths.run.joinpath("ui", "receipt").exists(), "no page is left behind"
    assert desk.recorder.state()["hearing"]["open_questions"].count(f"receipt:{mark}") == 1
    signed_later = desk.sheet(desk.draw(mark)(), "later")
    desk.end()
    (line,) = desk.journal("receipt_scanned")
    path = desk.recorder.hearing_folder(desk.id) / str(line["file"])
    assert (line["mark"], line["by_code"]) == (other, True)
    assert line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert check_conformance(path).passed
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == 1
    minutes = build_minutes(desk.recorder.hearing_folder(desk.id), RULES, desk.settings, "ru")
    text = minutes.as_text()
    assert "подписка: receipts/001.pdf" in text
    assert text.count("подписка не отсканирована") == 1
    desk.scanner.load([signed_later])

    async def scan_late(actions: ReceiptActions) -> None:
        await actions.scan(0, f"/v1/minutes/{desk.id}/receipts")

    actions = desk.run(scan_late)
    assert (actions.state.kept, actions.state.problem) == (mark, ""), "its code says whose it is"
    draft = desk.recorder.paths.minutes_drafts / desk.id
    assert check_conformance(draft / "receipts/001.pdf").passed
    assert len(desk.journal("receipt_scanned")) == 1, "the sealed hearing stays as it is"


def test_after_the_hearing_somebody_says_whose_a_sheet_without_a_code_is(desk: Desk) -> None:
    """The scan could not be kept: the sentence led to an event that is not there any more."""
    mark, other = desk.mark("p1"), desk.mark("p2")
    desk.end()
    path = f"/v1/minutes/{desk.id}/receipts"
    desk.scanner.load([desk.sheet(Image.new("1", (576, 400), 1), "blank")])

    async def scan(actions: ReceiptActions) -> None:
        actions.open_late(desk.id)
        reading = asyncio.create_task(actions.scan(0, path))
        while actions.state.step != "reading":
            await asyncio.sleep(0.01)
        actions.open_late("another")
        elsewhere = late_receipts_path("another")
        await actions.scan(0, elsewhere)
        assert actions.state_of(elsewhere).problem == "scanner_busy", "and the page is not lost"
        await reading
        assert actions.state_of(elsewhere) == ReceiptState(), "no choice of other minutes is there"
        actions.open_late(desk.id)
        assert actions.state_of(path).choices
        assert [row.mark for row in actions.state.choices] == [mark, other]
        assert (actions.state.problem, actions.state.can_retry) == ("", True)
        await asyncio.gather(actions.keep_as(other), actions.keep_as(other))
        assert (actions.state.problem, actions.state.kept) == ("", other)
        await actions.keep_as(mark)  # nothing waits any more
        actions.open_late("another")
        assert actions.state_of(elsewhere).kept == 0, "nothing was kept with these"
        actions.open(mark)
        assert actions.state_of(OF_HEARING).mark == mark

    actions = desk.run(scan)
    assert (actions.state.choices, actions.state.can_retry) == ((), False)
    kept = desk.recorder.post(f"/v1/minutes/{desk.id}", {})["late_receipts"]
    assert [(row["mark"], row["by_code"]) for row in kept] == [(other, False)]


def test_without_paper_nothing_is_said_to_be_printed(desk: Desk) -> None:
    mark = desk.mark("p1")
    desk.printer.remove_paper()

    async def act(actions: ReceiptActions) -> None:
        await actions.choose("print:", mark, desk.draw(mark))

    actions = desk.run(act)
    assert (actions.state.problem, actions.state.step) == ("printer_no_paper", "")
    assert desk.recorder.state()["hearing"]["receipts"] == []


def test_a_jam_goes_away_by_itself_and_a_sheet_without_a_code_is_whose_the_card_is(
    desk: Desk,
) -> None:
    mark = desk.mark("p1")
    blank = Image.new("1", (576, 400), 1)
    blank.paste(0, (40, 40, 500, 60))
    desk.scanner.load([desk.sheet(blank)])
    desk.scanner.jam()
    seen: list[str] = []

    async def act(actions: ReceiptActions) -> None:
        scan = asyncio.create_task(actions.choose("scan:", mark, desk.draw(mark)))
        while actions.state.problem != "scanner_jam":
            await asyncio.sleep(0.05)
        seen.append(actions.state.problem)
        desk.scanner.clear_fault()
        await scan

    actions = desk.run(act)
    assert seen == ["scanner_jam"]
    assert (actions.state.kept, actions.state.problem) == (mark, "")
    (row,) = desk.recorder.state()["hearing"]["receipts"]
    assert (row["mark"], row["by_code"]) == (mark, False)


def test_a_recorder_that_is_gone_loses_no_scan_and_the_next_hearing_gets_none(desk: Desk) -> None:
    mark = desk.mark("p1")
    desk.scanner.load([desk.sheet(desk.draw(mark)())])
    real = desk.recorder.paths.recorder_socket
    state = RecorderState.model_validate(desk.recorder.state())

    async def act(actions: ReceiptActions) -> None:
        actions.follow(state)
        away = real.with_suffix(".away")
        real.rename(away)
        try:
            await actions.choose("scan:", mark, desk.draw(mark))
            assert (actions.state.problem, actions.state.can_retry) == ("recorder_down", True)
        finally:
            away.rename(real)
        actions.follow(RecorderState(phase=Phase.IDLE))  # it has just been started again
        actions.follow(state)
        twice = (actions.choose("retry:", mark, desk.draw(mark)) for _ in range(2))
        await asyncio.gather(*twice)
        assert actions.state.problem == "", "the second tap is refused, and the scan is kept"

    actions = desk.run(act)
    assert (actions.state.kept, actions.state.can_retry) == (mark, False)
    second = desk.mark("p2")
    desk.scanner.load([desk.sheet(Image.new("1", (576, 400), 1), "blank")])
    state = RecorderState.model_validate(desk.recorder.state())
    assert state.hearing is not None
    following = state.hearing.model_copy(update={"id": "the-next-hearing"})

    async def end_meanwhile(actions: ReceiptActions) -> None:
        actions.follow(state)
        scan = asyncio.create_task(actions.choose("scan:", second, desk.draw(second)))
        while actions.state.step != "reading":
            await asyncio.sleep(0.01)
        actions.follow(state.model_copy(update={"hearing": following}))
        await scan
        actions.open(second)
        actions.follow(state.model_copy(update={"hearing": following, "phase": Phase.SEALING}))
        assert actions.state == ReceiptState(), "it has ended"

    actions = desk.run(end_meanwhile)
    assert (actions.state.kept, actions.state.can_retry) == (0, False)
    rows = desk.recorder.state()["hearing"]["receipts"]
    assert [row["mark"] for row in rows] == [mark], "none of another hearing, whatever its number"


def test_waiting_for_a_sheet_can_be_stopped_and_a_visitors_scan_goes_first(desk: Desk) -> None:
    mark = desk.mark("p1")

    async def act(actions: ReceiptActions) -> None:
        actions.is_scanner_used = lambda: True
        await actions.choose("scan:", mark, desk.draw(mark))
        assert actions.state.problem == "scanner_busy"
        actions.is_scanner_used = lambda: False
        scan = asyncio.create_task(actions.choose("scan:", mark, desk.draw(mark)))
        while actions.state.step != "paper":
            await asyncio.sleep(0.05)
        await asyncio.sleep(0)
        actions.close(mark)
        await scan

    actions = desk.run(act)
    assert (actions.state.step, actions.state.hidden, actions.state.kept) == ("", mark, 0)
    assert desk.recorder.state()["hearing"]["receipts"] == []
