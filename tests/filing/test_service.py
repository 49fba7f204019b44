"""From paper to a registered filing, through the real scanner, PDF and printer libraries.

Requirements: R2, R3, R103.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import cast

import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageChops

from kiosk.config import Settings
from kiosk.filing.errors import FilingLockedError, NoPagesError, StepRefusedError
from kiosk.filing.folder import FilingFolder
from kiosk.filing.imaging.pdf import check_conformance
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.filing.model import Page
from kiosk.filing.printing.receipt import parse_reference
from kiosk.filing.service import FilingEvent, FilingService, OpenFiling, PageChecked, Submission
from kiosk.hardware.receipt_printer import PrinterNoPaperError, PrinterSilentError
from kiosk.hardware.scanner.events import PageReady, PaperExpected, ScanFault, ScanFinished
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.rules import Rules
from tests.filing.conftest import FakeSync

pytestmark = pytest.mark.slow

Visit = Callable[[FilingService], Awaitable[None]]


class SharedWorker(ImagingWorker):
    """Page imaging whose child outlives a service: it starts once for all tests of this file."""

    async def close(self) -> None:
        """Keep the child when a service closes."""


@pytest.fixture(scope="module")
def loop_and_worker() -> Iterator[tuple[asyncio.Runner, ImagingWorker]]:
    """Return an event loop and page imaging that runs in it."""
    worker = SharedWorker()
    with asyncio.Runner() as runner:
        yield runner, worker
        runner.run(ImagingWorker.close(worker))


@pytest.fixture
def visit(
    settings: Settings,
    rules: Rules,
    sync: FakeSync,
    loop_and_worker: tuple[asyncio.Runner, ImagingWorker],
) -> Callable[[Visit], None]:
    """Return a function that runs a visit with its own filing service."""
    runner, worker = loop_and_worker

    def run(steps: Visit) -> None:
        async def run_steps() -> None:
            async with FilingService(settings, rules, sync, worker) as service:
                await steps(service)

        runner.run(asyncio.wait_for(run_steps(), 90))

    return run


async def scan_all(filing: OpenFiling) -> list[FilingEvent]:
    """Scan all sheets in the feeder; return the events."""
    return [event async for event in filing.scan(filing.scan_session())]


def codings(pdf: pikepdf.Pdf) -> list[str]:
    """Return how the pictures of each page are coded, each way once."""
    return [
        " ".join(
            sorted(
                {
                    str(pikepdf.PdfImage(cast(pikepdf.Stream, image)).filters[0]).strip("/")
                    for image in page.get_images().values()
                }
            )
        )
        for page in pdf.pages
    ]


def scanned_draft(service: FilingService, pages: list[Path]) -> OpenFiling:
    """Return a draft with ``pages``, put there without a scanner."""
    filing = service.create("claim", "kk")
    for number, page in enumerate(pages, start=1):
        assert filing.folder.key is not None
        filing.folder.key.encrypt_file(page, filing.folder.page_file(number))
        filing.folder.save(filing.record.with_page(Page(number=number)))
    return filing


def test_whole_way_from_paper_to_receipt(
    visit: Callable[[Visit], None],
    scanner: VirtualScanner,
    printer: VirtualPrinter,
    claim: list[Path],
    sync: FakeSync,
) -> None:
    scanner.load(claim)
    handed_in: list[Submission] = []

    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        events = await scan_all(filing)
        assert [e.number for e in events if isinstance(e, PageReady)] == [1, 2, 3]
        checked = [event for event in events if isinstance(event, PageChecked)]
        assert [page.number for page in checked] == [1, 2, 3]
        assert all(page.preview and page.preview.exists() for page in checked)
        assert checked[0].advice == ("page_skewed",)
        assert checked[2].advice == ()
        assert any(isinstance(event, ScanFinished) for event in events)
        handed_in.append(await service.submit(filing))
        await service.print_receipt(filing)

    visit(steps)
    filing, registration = handed_in[0].filing, handed_in[0].registration
    folder = handed_in[0].receipt.parent
    assert sync.asked == [f"/v1/filings/{filing.id}/register"]
    assert (registration.state, registration.number) == ("registered", "7514-26-00-4/1187")
    assert (folder / "submitted").exists()

    document = filing.documents[0]
    pdf = folder / document.path
    assert document.path == "document.pdf"
    assert hashlib.sha256(pdf.read_bytes()).hexdigest() == document.sha256
    assert check_conformance(pdf).passed, check_conformance(pdf).summary()
    with pikepdf.open(pdf) as opened:
        assert len(opened.pages) == document.pages == 3
        assert str(opened.Root.Lang) == "kk"
        assert "талап қою" in str(opened.open_metadata()["dc:title"])
        assert codings(opened)[:2] == ["CCITTFaxDecode", "CCITTFaxDecode"]
        assert "DCTDecode" in codings(opened)[2], "the stamp stays in colour"

    kept = Image.open(handed_in[0].receipt).convert("L")
    printed = printer.wait_for_receipt().convert("L")
    assert ImageChops.difference(kept, printed).getbbox() is None
    codes = [parse_reference(code.text) for code in zxingcpp.read_barcodes(printed)]
    assert codes == [filing.id]

    written = json.loads((folder / "registration.json").read_text(encoding="utf-8"))
    assert written["number"] == "7514-26-00-4/1187"
    assert written["documents"][0]["sha256"] == document.sha256


def test_without_sync_the_number_is_provisional_and_none_comes_twice(
    visit: Callable[[Visit], None], claim: list[Path], sync: FakeSync
) -> None:
    sync.answer = None
    numbers = []

    async def steps(service: FilingService) -> None:
        for _ in range(2):
            done = await service.submit(scanned_draft(service, claim[:1]))
            assert done.registration.given_by == "kiosk"
            assert done.filing.state == "provisional"
            assert (done.receipt.parent / "submitted").exists()
            numbers.append(done.registration.number)

    visit(steps)
    assert [number.rpartition("-")[2] for number in numbers] == ["501", "502"]
    assert all(number.startswith("kiosk-0001-") for number in numbers)


def test_sync_without_network_gives_the_provisional_number(
    visit: Callable[[Visit], None], claim: list[Path], sync: FakeSync
) -> None:
    sync.answer = {"state": "provisional", "number": "kiosk-0001-261123-001"}

    async def steps(service: FilingService) -> None:
        done = await service.submit(scanned_draft(service, claim[:1]))
        assert done.registration.given_by == "sync"
        assert done.registration.number == "kiosk-0001-261123-001"
        assert done.filing.state == "provisional"

    visit(steps)


def test_handing_in_twice_gives_the_same_number(
    visit: Callable[[Visit], None], claim: list[Path], sync: FakeSync
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim[:1])
        first = await service.submit(filing)
        sync.answer = {"state": "registered", "number": "another"}
        again = await service.submit(service.open(filing.record.id))
        assert again.registration == first.registration
        assert len(sync.asked) == 1

    visit(steps)


@pytest.mark.parametrize("lost", ["registration.json", "receipt.png", "submitted"])
def test_power_cut_while_handing_in_is_finished_later(
    visit: Callable[[Visit], None], claim: list[Path], lost: str
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim[:1])
        done = await service.submit(filing)
        folder = done.receipt.parent
        order = ["registration.json", "receipt.png", "submitted"]
        for name in order[order.index(lost) :]:
            (folder / name).unlink()
        if lost == "registration.json":  # then the state was not written either
            filing.folder.save(done.filing.model_copy(update={"state": "submitted"}))
        finished = await service.resume_submissions()
        assert [submission.filing.id for submission in finished] == [done.filing.id]
        assert finished[0].registration.number == done.registration.number
        assert all((folder / name).exists() for name in order)
        assert await service.resume_submissions() == []

    visit(steps)


def test_nothing_is_not_handed_in(visit: Callable[[Visit], None], claim: list[Path]) -> None:
    async def steps(service: FilingService) -> None:
        with pytest.raises(NoPagesError):
            await service.submit(service.create("claim", "ru"))
        filing = scanned_draft(service, claim[:1])
        filing.delete_page(1)
        with pytest.raises(NoPagesError):
            await service.submit(filing)
        filing.restore_page(1)
        assert (await service.submit(filing)).filing.documents[0].pages == 1

    visit(steps)


def test_page_fed_upside_down_is_turned_and_a_person_has_the_last_word(
    visit: Callable[[Visit], None], claim: list[Path], scanner: VirtualScanner, tmp_path: Path
) -> None:
    fed = tmp_path / "fed.png"
    with Image.open(claim[0]) as image:
        image.transpose(Image.Transpose.ROTATE_180).save(fed, dpi=(150, 150))
    scanner.load([fed])

    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        await scan_all(filing)
        page = filing.record.page(1)
        assert page.turn == 180
        assert "page_upside_down" in page.advice
        checked = filing.check_of(1)
        assert checked is not None
        assert "page_upside_down" in checked.advice
        for wanted in (270, 0):  # against our advice: it stays as the person wants it
            await filing.rotate_page(1)
            assert filing.record.page(1).turn == wanted
        assert "page_upside_down" not in filing.record.page(1).advice

    visit(steps)


def test_turned_moved_and_deleted_pages_are_so_in_the_document(
    visit: Callable[[Visit], None], claim: list[Path]
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim)
        checked = await filing.rotate_page(2)
        assert "page_sideways" in checked.advice
        filing.move_page(3, 1)
        filing.delete_page(1)
        done = await service.submit(filing)
        with pikepdf.open(done.receipt.parent / "document.pdf") as pdf:
            boxes = [[float(value) for value in page.mediabox] for page in pdf.pages]
            assert codings(pdf) == ["CCITTFaxDecode DCTDecode", "CCITTFaxDecode"]
        assert boxes[0][3] > boxes[0][2]
        assert boxes[1][2] > boxes[1][3]

    visit(steps)


def filing_folder_names(service: FilingService) -> list[str]:
    """Return the names of the filing folders, on the disk and in memory."""
    found = [*service.paths.filings.iterdir()]
    if service.paths.filing_work.exists():
        found += service.paths.filing_work.iterdir()
    return [path.name for path in found]


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def test_wipe_leaves_nothing_and_spares_what_was_handed_in(
    visit: Callable[[Visit], None], claim: list[Path]
) -> None:
    async def steps(service: FilingService) -> None:
        handed_in = scanned_draft(service, claim[:1])
        await service.submit(handed_in)
        draft = scanned_draft(service, claim[:2])
        with pytest.raises(StepRefusedError):
            service.wipe(handed_in)
        key = draft.folder.key
        service.wipe(draft)
        assert key is not None
        with pytest.raises(FilingLockedError):
            _ = key.secret
        assert service.list_unfinished() == []
        await wait_for(lambda: filing_folder_names(service) == [handed_in.record.id])

    visit(steps)


def test_wipe_in_the_middle_of_a_scan(
    visit: Callable[[Visit], None], scanner: VirtualScanner, claim: list[Path]
) -> None:
    scanner.load(claim)

    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        session = filing.scan_session()
        pid = None
        async for event in filing.scan(session):
            if isinstance(event, PageReady):
                pid = session.child_pid
                service.wipe(filing)
                assert not filing.folder.work_folder.exists()
                break
        await wait_for(lambda: filing_folder_names(service) == [])
        assert pid is not None
        await wait_for(lambda: not Path(f"/proc/{pid}/cwd").exists())
        other = scanned_draft(service, claim[:1])
        assert (await other.rotate_page(1)).preview is not None
        assert set(filing_folder_names(service)) == {other.record.id}

    visit(steps)


def test_wipe_that_was_cut_off_is_finished(
    visit: Callable[[Visit], None], claim: list[Path]
) -> None:
    async def steps(service: FilingService) -> None:
        draft = scanned_draft(service, claim[:1])
        (draft.folder.path / "filing.json").unlink()
        draft.folder.path.rename(draft.folder.path.with_name("wiped-" + draft.record.id))
        young = service.create("claim", "kk")
        assert service.wipe_unfinished(older_than_seconds=1800) == 1
        assert [p.name for p in young.folder.path.parent.iterdir()] == [young.record.id]
        assert service.wipe_unfinished() == 0, "somebody has it open"

    visit(steps)


def test_documents_leave_only_after_confirmed_delivery(
    visit: Callable[[Visit], None], claim: list[Path], sync: FakeSync
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim[:1])
        filing.update_details(applicant={"name": "Ғалия Әбдіқызы", "iin": "850101300123"})
        done = await service.submit(filing)
        draft = scanned_draft(service, claim[:1])
        folder = done.receipt.parent
        assert not (folder / "pages").exists(), "the scans are destroyed when it is handed in"
        assert await service.remove_delivered() == 0
        sync.answer = None
        assert await service.remove_delivered() == 0
        sync.answer, sync.delivered = {}, True
        assert await service.remove_delivered() == 0
        assert (folder / "document.pdf").exists()
        assert await service.remove_delivered(keep_documents_seconds=0) == 1
        left = {path.name for path in folder.iterdir()}
        assert left == {"filing.json", "registration.json", "receipt.png", "submitted"}
        assert "Ғалия" not in (folder / "filing.json").read_text(encoding="utf-8")
        assert await service.remove_delivered(keep_documents_seconds=0) == 0
        assert draft.folder.page_file(1).exists()
        assert (
            await service.submit(service.open(done.filing.id))
        ).registration == done.registration

    visit(steps)


def test_printer_faults_leave_the_receipt_as_a_picture(
    visit: Callable[[Visit], None], claim: list[Path], printer: VirtualPrinter
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim[:1])
        done = await service.submit(filing)
        printer.remove_paper()
        with pytest.raises(PrinterNoPaperError):
            await service.print_receipt(filing)
        printer.stop_answering()
        with pytest.raises(PrinterSilentError):
            await service.print_receipt(filing)
        printer.clear_fault()
        await service.print_receipt(filing)
        await service.print_receipt(filing, large=True)
        normal, large = printer.wait_for_receipt(1), printer.wait_for_receipt(2)
        assert normal.size == Image.open(done.receipt).size
        assert large.height > normal.height * 1.2

    visit(steps)


def test_jam_in_the_middle_keeps_what_is_there(
    visit: Callable[[Visit], None], scanner: VirtualScanner, claim: list[Path]
) -> None:
    scanner.load(claim)
    scanner.jam(1)

    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        session = filing.scan_session()
        async for event in filing.scan(session):
            if isinstance(event, ScanFault):
                on_disk = FilingFolder.open(
                    filing.folder.path, service.paths.filing_work, filing.folder.key
                ).filing
                assert [page.number for page in on_disk.kept_pages] == [1]
                scanner.clear_fault()
                session.confirm_sheet()
        assert [page.number for page in filing.record.kept_pages] == [1, 2, 3]

    visit(steps)


def test_sheet_left_for_the_end_goes_where_it_belongs(
    visit: Callable[[Visit], None], scanner: VirtualScanner, claim: list[Path]
) -> None:
    scanner.load(claim)
    scanner.jam(1, sheets=1)

    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        session = filing.scan_session()
        async for event in filing.scan(session):
            if isinstance(event, ScanFault):
                scanner.clear_fault()
                session.confirm_sheet(False)
            if isinstance(event, PaperExpected):
                assert event.pages == (2,)
                scanner.put_sheets_back()
        assert [page.number for page in filing.record.kept_pages] == [1, 2, 3]

    visit(steps)


def test_page_that_crashes_the_imaging_process_is_told_and_the_next_one_works(
    visit: Callable[[Visit], None], claim: list[Path]
) -> None:
    async def steps(service: FilingService) -> None:
        filing = scanned_draft(service, claim[:2])
        assert filing.folder.key is not None
        broken = filing.folder.work_folder / "broken.png"
        broken.write_bytes(b"\x89PNG\r\n\x1a\n broken")
        filing.folder.key.encrypt_file(broken, filing.folder.page_file(1))
        checked = await filing.rotate_page(1)
        assert checked.advice == ("page_failed",)
        assert service.worker.pid is not None
        os.kill(service.worker.pid, signal.SIGKILL)
        assert (await filing.rotate_page(2)).advice in (("page_failed",), ("page_sideways",))
        assert (await filing.rotate_page(2)).preview is not None

    visit(steps)


def test_a_sheet_is_scanned_into_the_middle_of_a_slot(
    visit: Callable[[Visit], None], scanner: VirtualScanner, claim: list[Path]
) -> None:
    async def steps(service: FilingService) -> None:
        filing = service.create("claim", "kk")
        scanner.load(claim[:2])
        await scan_all(filing)
        scanner.load(claim[2:])
        async for _event in filing.scan(filing.scan_session(slot="claim", position=2)):
            pass
        assert [page.number for page in filing.record.pages_of("claim")] == [1, 3, 2]
        scanner.load(claim[:1])
        async for _event in filing.scan(filing.scan_session(slot="evidence")):
            pass
        assert [page.number for page in filing.record.pages_of("evidence")] == [4]
        assert filing.sheet_count().scanned == 4
        left = {path.suffix for path in filing.folder.work_folder.iterdir()}
        assert left == {".jpg", ".pdf"}, "pictures and coded pages, in memory"
        assert not list(filing.folder.work_folder.glob("arrived-*")), "no scan stays readable"
        assert all(path.name.endswith(".sealed") for path in filing.folder.pages_folder.iterdir())

    visit(steps)
