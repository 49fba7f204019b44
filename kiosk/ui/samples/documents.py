"""Realistic pages, pictures and filings for the screenshots."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.api.exports import ChainReceipt
from kiosk.export.chain_receipt import render_chain_receipt
from kiosk.filing.folder import FilingFolder
from kiosk.filing.form.required_documents import slots_of_type
from kiosk.filing.model import Document, Filing, Page
from kiosk.filing.registration import Registration
from kiosk.filing.service import OpenFiling, PageChecked, Submission
from kiosk.hardware.camera.preview import PreviewWriter
from kiosk.locale import Translator
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states as sample_data

TEXT = """Бостандық аудандық сотына
Талап қоюшы: ____________
Жауапкер: ____________

ТАЛАП ҚОЮ АРЫЗЫ

Осы арызбен жауапкерден берешекті
өндіріп алуды сұраймын.

1. Талап қоюдың мәні
2. Дәлелдемелер
3. Қоса берілген құжаттар тізімі

Күні: 22.11.2026      Қолы: ________"""


def draw_page(path: Path, number: int) -> Path:
    """Draw an A4 page at ``path``."""
    page = Image.new("L", (760, 1075), 250)
    draw = ImageDraw.Draw(page)
    draw.multiline_text(
        (80, 80), TEXT, fill=30, font=ImageFont.truetype(str(fonts.REGULAR), 25), spacing=22
    )
    draw.text((370, 1010), str(number), fill=60, font=ImageFont.truetype(str(fonts.REGULAR), 22))
    page.save(path, "JPEG", quality=80)
    return path


def draw_courtroom(path: Path) -> Path:
    """Write a live picture of a courtroom into shared memory at ``path``."""
    picture = Image.new("RGB", (640, 360), (196, 203, 208))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 250, 640, 360), fill=(150, 134, 118))
    draw.rectangle((180, 150, 460, 250), fill=(112, 82, 60))
    draw.rectangle((40, 230, 200, 330), fill=(128, 98, 74))
    draw.rectangle((440, 230, 600, 330), fill=(128, 98, 74))
    for x, y, size in ((320, 110, 26), (120, 195, 22), (520, 195, 22)):
        draw.ellipse((x - size, y - size, x + size, y + size), fill=(214, 178, 150))
        draw.rectangle((x - size * 1.5, y + size, x + size * 1.5, y + size * 2), fill=(40, 50, 66))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = PreviewWriter(path)
    writer.write(picture.tobytes(), 1, 1)
    writer.close()
    return path


class SampleFiling(OpenFiling):
    """A filing whose pages have been checked already."""

    def add_check(self, checked: PageChecked) -> None:
        """Keep what was seen on a page."""
        self._checks[checked.number] = checked


def filing(
    app: AppState, count: int, advice: dict[int, tuple[str, ...]] | None = None
) -> SampleFiling:
    """Return a filing of ``count`` pages that have been looked at."""
    slots = slots_of_type(app.labels.rules, "claim")
    folder = FilingFolder.create(
        app.paths.filings, Filing(document_type="claim", slots=slots), app.paths.filing_work
    )
    drawn = SampleFiling(app.filing_service, folder)
    for number in range(1, count + 1):
        folder.save(folder.filing.with_page(Page(number=number)))
        picture = draw_page(folder.work_folder / f"{number:04d}-preview.jpg", number)
        drawn.add_check(PageChecked(number, picture, picture, (advice or {}).get(number, ())))
    return drawn


def submission(filing: OpenFiling, *, provisional: bool = False) -> Submission:
    """Return what came of handing ``filing`` in."""
    count = len(filing.record.kept_pages)
    document = Document(path="document.pdf", type="claim", pages=count, sha256="0" * 64, size=10**5)
    done = filing.record.as_submitted((document,))
    number = "kiosk-4-07-261123-003" if provisional else "7514-26-00-4/1187"
    registration = Registration(
        filing=done.id,
        state="provisional" if provisional else "registered",
        number=number,
        provisional=number if provisional else None,
        at="2026-11-23T04:52:14.000Z",
        given_by="sync" if provisional else "central",
        documents=(),
    )
    return Submission(done, registration, filing.folder.receipt_file)


def chain_receipt() -> bytes:
    """Return a slip for the parties as PNG."""
    digest = "9f3a" * 16
    receipt = ChainReceipt(
        hearing_id="00000000-0000-4000-8000-000000000001",
        case_number="7514-26-00-2/4511",
        count=412,
        hash=digest,
        groups=("9f3a",) * 16,
        signed_at=sample_data.at(9, 50),
        code=f"kiosk-head:00000000-0000-4000-8000-000000000001:412:{digest}",
        sealed=False,
    )
    file = BytesIO()
    image = render_chain_receipt(
        receipt, Translator("kk"), court="Алматы қ. сот", zone=sample_data.ZONE
    )
    image.convert("L").save(file, "PNG")
    return file.getvalue()
