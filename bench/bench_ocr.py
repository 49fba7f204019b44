"""Share of wrong characters in searchable versions of pages with known text.

Each page is drawn at 300 dpi, skewed, blurred and made noisy, passes through page imaging and
PDF/A like every filing, then through OCRmyPDF as the central system calls it; pdftotext reads the
result. Spaces and line ends count as one space. The goal is 0.5 %.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Measure, median_of
from bench.sample_pages import KAZAKH, RUSSIAN, draw_text, scan_image
from kiosk.central.deliveries.searchable import make_searchable
from kiosk.filing.imaging.encoding import prepare_page
from kiosk.filing.imaging.pdf import make_pdf

GOAL = 0.5
SKEWS = (0.6, -1.2, 2.5)
NOISE = 9.0


def edit_distance(first: str, second: str) -> int:
    """Return the number of inserted, deleted or changed characters (Levenshtein)."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        before, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def error_percent(paragraphs: Sequence[str], skew: float, seed: int, folder: Path) -> float:
    """Return the percentage of wrong characters on one page."""
    page = scan_image(draw_text(paragraphs), folder, skew=skew, noise=NOISE, seed=seed)
    encoded = prepare_page(page, 0, folder).file
    source, result = folder / "in.pdf", folder / "out.pdf"
    source.write_bytes(make_pdf([encoded], title="bench", language="kk"))
    asyncio.run(make_searchable(source, result, 900))
    command = ["pdftotext", str(result), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = " ".join(" ".join(paragraphs).split())
    return 100 * edit_distance(" ".join(text.split()), wanted) / len(wanted)


def run(repeats: int) -> list[Measure]:
    """Measure one page for each repeat and language, with different skew and noise."""
    measures = []
    for name, paragraphs in (("Kazakh", KAZAKH), ("Russian", RUSSIAN)):
        found = []
        for number in range(repeats):
            with tempfile.TemporaryDirectory(prefix="bo") as folder:
                skew = SKEWS[number % len(SKEWS)]
                found.append(error_percent(paragraphs, skew, number + 1, Path(folder)))
        measures.append(median_of(f"searchable version, {name}", "% wrong", found, "goal", [GOAL]))
    return measures
