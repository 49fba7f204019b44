"""Processor time and size per page from image to PDF/A, beside img2pdf and OCRmyPDF (no OCR).

All get the same six scans (JPEG, 300 dpi, colour). Ours decodes and checks each page, encodes it
again (black and white, stamps in colour), makes pictures for the screen and writes verified
PDF/A-2b; img2pdf with pikepdf embeds the JPEGs unchanged and writes verified PDF/A-2b;
OCRmyPDF makes PDF/A of the same PDF without recognising text.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Measure, median_of
from bench.processes import cpu_seconds
from bench.sample_pages import KAZAKH, RUSSIAN, draw_text, scan_image
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.hardware.virtual.claim_pages import draw_claim_page

PAGES = 6
IMG2PDF = """
import sys, io, img2pdf, pikepdf, pikepdf.pdfa
pdf = pikepdf.open(io.BytesIO(img2pdf.convert(sys.argv[2:])))
pikepdf.pdfa.save(pdf, sys.argv[1], "2b")
"""


def prepare_scans(folder: Path) -> list[Path]:
    """Write the scans: text in Kazakh and Russian, every third page with stamp and signature."""
    text, stamped = [draw_text(KAZAKH), draw_text(RUSSIAN)], draw_claim_page(3)
    return [
        scan_image(
            stamped if number % 3 == 2 else text[number % 2],
            folder,
            skew=(-0.6, 0.0, 0.8)[number % 3],
            noise=2.0,
            seed=number + 1,
        )
        for number in range(PAGES)
    ]


async def _ours(scans: Sequence[Path], folder: Path) -> tuple[float, int]:
    """Return CPU seconds a page of the imaging process, and the bytes of the first text page."""
    async with ImagingWorker() as worker:
        first = await worker.prepare(scans[0], 0, folder)  # loads its libraries
        assert worker.pid is not None
        before = cpu_seconds(worker.pid)
        pages = [(await worker.prepare(scan, 0, folder)).file for scan in scans]
        await worker.assemble(pages, folder, title="t", language="kk", max_bytes=20_000_000)
        return (cpu_seconds(worker.pid) - before) / len(scans), first.size


def _child_cpu(command: list[str]) -> float:
    """Return the CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _img2pdf(scans: Sequence[Path], out: Path) -> float:
    listed = [str(scan) for scan in scans]
    return _child_cpu([sys.executable, "-c", IMG2PDF, str(out), *listed]) / len(scans)


def _ocrmypdf(source: Path, out: Path) -> float:
    command = [sys.executable, "-m", "ocrmypdf", "--quiet", "--ocr-engine", "none", "--jobs", "1"]
    command += ["--output-type", "auto", "--optimize", "1"]
    return _child_cpu([*command, str(source), str(out)]) / PAGES


def run(repeats: int) -> list[Measure]:
    """Measure ours and the peers in turn."""
    ours: list[float] = []
    sizes: list[float] = []
    img2pdf: list[float] = []
    ocrmypdf: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bp") as name:
        folder = Path(name)
        scans = prepare_scans(folder)
        (work := folder / "work").mkdir()
        for _ in range(repeats):
            spent, size = asyncio.run(_ours(scans, work))
            ours.append(spent)
            sizes.append(size / 1000)
            img2pdf.append(_img2pdf(scans, folder / "img2pdf.pdf"))
            ocrmypdf.append(_ocrmypdf(folder / "img2pdf.pdf", folder / "ocrmypdf.pdf"))
    what, unit = "image to PDF/A, a page", "CPU s"
    return [
        median_of(what, unit, ours, "img2pdf + pikepdf, new process", img2pdf),
        median_of(what, unit, ours, "OCRmyPDF without OCR", ocrmypdf),
        median_of(what, unit, ours, "goal", [0.18]),
        median_of("text page at 300 dpi", "kB", sizes, "goal", [60.0]),
    ]
