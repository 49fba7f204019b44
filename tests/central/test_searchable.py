"""Searchable versions of filed documents, with the real OCRmyPDF and tesseract (kaz+rus)."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path

import pikepdf.pdfa
import pytest
import requests
from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select

from kiosk import fonts
from kiosk.central.data import schema
from kiosk.central.deliveries.searchable import OcrError, make_searchable, missing_tools
from kiosk.central.server import open_database
from kiosk.filing.imaging.encoding import prepare_page
from kiosk.filing.imaging.pdf import make_pdf
from kiosk.hardware.virtual.claim_pages import simulate_scan
from tests.support.central_rig import Central, filing_body, new_id
from tests.support.waiting import wait_for

LINES = (
    "Жауапкер жұмысты бастаған жоқ және өтініштеріме",
    "жауап бермеді, сондықтан сотқа жүгінемін.",
    "Прошу взыскать с ответчика уплаченную сумму",
    "и обязать его исполнить условия договора.",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools())),
    pytest.mark.timeout(400),  # at the lowest priority beside other tests
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a small scanned document in Kazakh and Russian as it is filed."""
    folder = tmp_path_factory.mktemp("document")
    image = Image.new("RGB", (1300, 520), (249, 248, 244))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(fonts.REGULAR), 36)
    for row, line in enumerate(LINES):
        draw.text((90, 90 + 80 * row), line, (25, 25, 28), font)
    simulate_scan(image, 0.8, seed=4).save(folder / "0001.jpg", quality=94, dpi=(200, 200))
    page = prepare_page(folder / "0001.jpg", 0, folder).file
    return make_pdf([page], title="талап арыз", language="kk")


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    """Return a server that makes searchable versions."""
    folder = tmp_path_factory.mktemp("searchable") / "data"
    with Central(folder, searchable=True) as server:
        yield server


def test_delivered_document_is_made_searchable_and_stays_itself(
    central: Central, document: bytes, tmp_path: Path
) -> None:
    kiosk, filing, broken = central.enrol(), new_id(), b"%PDF-1.7 not really"
    body = filing_body(broken, document)
    registered = kiosk.put(f"/v1/filings/{filing}", body)
    assert registered["searchable"] == []
    kiosk.send(registered["missing"], {"document-1.pdf": broken, "document-2.pdf": document})

    def made() -> bool:
        return bool(kiosk.get(f"/v1/filings/{filing}")["searchable"])

    wait_for(made, "the searchable version", 350)
    filed = kiosk.get(f"/v1/filings/{filing}")
    (found,) = filed["searchable"]
    assert found["path"] == "document-2.pdf"
    hashes = {file["path"]: file["sha256"] for file in filed["receipt"]["files"]}
    assert hashes["document-2.pdf"] == sha256(document).hexdigest()
    page = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    address = f"filings/{filing}/searchable/document-2.pdf"
    assert address in requests.get(page, timeout=30).text
    answer = requests.get(f"{page}/{address}", timeout=30)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert sha256(answer.content).hexdigest() == found["sha256"]
    (tmp_path / "got.pdf").write_bytes(answer.content)
    assert pikepdf.pdfa.validate_written(tmp_path / "got.pdf", "2b").passed
    assert likeness(text_of(tmp_path / "got.pdf"), " ".join(LINES)) > 0.98
    assert requests.get(f"{page}/{address}x", timeout=30).status_code == 404
    table = schema.searchable
    database = open_database(central.data)
    with database.read() as connection:
        failed = connection.execute(select(table).where(table.c.state == "failed")).one()
    database.close()
    assert (failed.path, failed.attempts) == ("document-1.pdf", 1)
    assert failed.problem
    assert failed.next_at


def test_what_takes_too_long_is_ended(document: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(document)
    with pytest.raises(OcrError, match="longer than"):
        asyncio.run(make_searchable(tmp_path / "in.pdf", tmp_path / "out.pdf", 0.05))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in running.stdout


def text_of(path: Path) -> str:
    """Return the text in a PDF, on one line."""
    done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def likeness(first: str, second: str) -> float:
    """Return the share of characters that are the same."""
    return SequenceMatcher(None, first, second, autojunk=False).ratio()
