"""The document that is handed in: PDF/A-2b (ISO 19005-2), checked as it was written.

The coded pages (:mod:`.page_pdf`) are put in as they are; pikepdf makes it PDF/A (sRGB output
intent, metadata) and checks the written file: what does not conform is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pikepdf
import pikepdf.pdfa

from kiosk.filing.errors import DocumentTooLargeError, PageFailedError
from kiosk.storage.atomic_io import write_bytes

#: Bytes that a page costs beside its coded picture, and a file beside its pages.
_PER_PAGE, _PER_FILE = 1_500, 16_000


@dataclass(frozen=True)
class Written:
    """One PDF file on the disk."""

    path: Path
    pages: int
    size: int


def write_documents(
    pages: Sequence[Path], folder: Path, *, title: str, language: str, largest: int
) -> list[Written]:
    """Write ``pages`` into ``folder`` as ``document.pdf``, split by page where it is too large.

    Args:
        pages: coded pages in order, each a PDF of one page.
        folder: the filing's folder; older ``document*.pdf`` there are replaced.
        title: title of the document, as in its metadata.
        language: language of the document, kk, ru or en.
        largest: bytes that one file may have.

    Raises:
        DocumentTooLargeError: one page alone is larger than that.
        PageFailedError: a page cannot be put in, or the result is not PDF/A.
    """
    groups = split_pages([page.stat().st_size for page in pages], largest)
    written = []
    for number, group in enumerate(groups, start=1):
        alone = len(groups) == 1
        name = "document.pdf" if alone else f"document-{number:02d}.pdf"
        part = title if alone else f"{title} ({number}/{len(groups)})"
        data = make_pdf([pages[index] for index in group], title=part, language=language)
        if len(data) > largest:
            raise DocumentTooLargeError(f"{name}: {len(data)} bytes, allowed are {largest}")
        write_bytes(folder / name, data)
        written.append(Written(folder / name, len(group), len(data)))
    for old in folder.glob("document*.pdf"):
        if old not in {file.path for file in written}:
            old.unlink()
    return written


def split_pages(sizes: Sequence[int], largest: int) -> list[list[int]]:
    """Return the indices of the pages of each file: as many as fit, in order.

    Raises:
        DocumentTooLargeError: one page alone does not fit.
    """
    groups: list[list[int]] = []
    room = -1
    for index, size in enumerate(sizes):
        cost = size + _PER_PAGE
        if cost + _PER_FILE > largest:
            raise DocumentTooLargeError(f"page {index + 1} alone has {size} bytes")
        if cost > room:
            groups.append([])
            room = largest - _PER_FILE
        groups[-1].append(index)
        room -= cost
    return groups


def make_pdf(pages: Sequence[Path], *, title: str, language: str) -> bytes:
    """Return ``pages`` (a PDF of one page each) as one PDF/A-2b file.

    Raises:
        PageFailedError: a page cannot be put in, or the result is not PDF/A.
    """
    try:
        with ExitStack() as stack:
            pdf = stack.enter_context(pikepdf.new())
            for page in pages:
                one = stack.enter_context(pikepdf.open(BytesIO(page.read_bytes())))
                pdf.pages.extend(one.pages)
            pdf.Root.Lang = pikepdf.String(language)
            with pdf.open_metadata() as metadata:
                metadata["dc:title"] = title
                metadata["dc:language"] = {language}
            out = BytesIO()
            pikepdf.pdfa.save(pdf, out, "2b")
    except pikepdf.pdfa.PdfaError as error:
        raise PageFailedError(f"not PDF/A: {error}") from error
    except (pikepdf.PdfError, OSError) as error:
        raise PageFailedError(f"a page cannot be put in: {error}") from error
    return out.getvalue()


def conformance(path: Path) -> pikepdf.pdfa.Report:
    """Return pikepdf's verdict on a written file as PDF/A-2b."""
    return pikepdf.pdfa.validate_written(path, "2b")
