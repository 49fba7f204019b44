"""Writes the submitted document as PDF/A-2b (ISO 19005-2).

The encoded pages (:mod:`.page_pdf`) go into it unchanged. pikepdf makes it PDF/A (sRGB output
intent, metadata) and checks the result; a document that does not conform is not written.
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

#: Additional bytes of a page beside its encoded picture, and of a file beside its pages.
_PER_PAGE, _PER_FILE = 1_500, 16_000


@dataclass(frozen=True)
class WrittenFile:
    """A PDF file on the disk."""

    path: Path
    pages: int
    size: int


def write_documents(
    pages: Sequence[Path], folder: Path, *, title: str, language: str, max_bytes: int
) -> list[WrittenFile]:
    """Write ``pages`` into ``folder`` as ``document.pdf``, split between pages if too large.

    Args:
        pages: encoded pages in order, each as a PDF.
        folder: the filing's folder; older ``document*.pdf`` there are replaced.
        title: title of the document, for its metadata.
        language: language of the document, kk, ru or en.
        max_bytes: maximum size of one file.

    Raises:
        DocumentTooLargeError: a single page is larger than that.
        PageFailedError: a page cannot be added, or the result is not PDF/A.
    """
    groups = split_pages([page.stat().st_size for page in pages], max_bytes)
    written = []
    for number, group in enumerate(groups, start=1):
        is_single = len(groups) == 1
        name = "document.pdf" if is_single else f"document-{number:02d}.pdf"
        part_title = title if is_single else f"{title} ({number}/{len(groups)})"
        data = make_pdf([pages[index] for index in group], title=part_title, language=language)
        if len(data) > max_bytes:
            raise DocumentTooLargeError(f"{name}: {len(data)} bytes, allowed are {max_bytes}")
        write_bytes(folder / name, data)
        written.append(WrittenFile(folder / name, len(group), len(data)))
    for stale_file in folder.glob("document*.pdf"):
        if stale_file not in {file.path for file in written}:
            stale_file.unlink()
    return written


def split_pages(sizes: Sequence[int], max_bytes: int) -> list[list[int]]:
    """Return the page indices of each file: as many as fit, in order.

    Raises:
        DocumentTooLargeError: a single page does not fit.
    """
    groups: list[list[int]] = []
    free = -1
    for index, size in enumerate(sizes):
        cost = size + _PER_PAGE
        if cost + _PER_FILE > max_bytes:
            raise DocumentTooLargeError(f"page {index + 1} alone has {size} bytes")
        if cost > free:
            groups.append([])
            free = max_bytes - _PER_FILE
        groups[-1].append(index)
        free -= cost
    return groups


def make_pdf(pages: Sequence[Path], *, title: str, language: str) -> bytes:
    """Return ``pages`` (a PDF of one page each) as one PDF/A-2b file.

    Raises:
        PageFailedError: a page cannot be added, or the result is not PDF/A.
    """
    try:
        with ExitStack() as stack:
            pdf = stack.enter_context(pikepdf.new())
            for page in pages:
                source = stack.enter_context(pikepdf.open(BytesIO(page.read_bytes())))
                pdf.pages.extend(source.pages)
            pdf.Root.Lang = pikepdf.String(language)
            with pdf.open_metadata() as metadata:
                metadata["dc:title"] = title
                metadata["dc:language"] = {language}
            out = BytesIO()
            pikepdf.pdfa.save(pdf, out, "2b")
    except pikepdf.pdfa.PdfaError as error:
        raise PageFailedError(f"not PDF/A: {error}") from error
    except (pikepdf.PdfError, OSError) as error:
        raise PageFailedError(f"a page cannot be added: {error}") from error
    return out.getvalue()


def check_conformance(path: Path) -> pikepdf.pdfa.Report:
    """Return pikepdf's verdict on a written file as PDF/A-2b."""
    return pikepdf.pdfa.validate_written(path, "2b")
