"""The document: PDF/A, split by page, encoded without loss."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import cast

import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kiosk.filing.errors import DocumentTooLargeError, PageFailedError
from kiosk.filing.imaging.bilevel import to_bilevel
from kiosk.filing.imaging.encoding import prepare_page, read_page
from kiosk.filing.imaging.page_checks import check_page
from kiosk.filing.imaging.pdf import check_conformance, make_pdf, split_pages, write_documents
from kiosk.hardware.virtual.claim_pages import draw_claim_page, simulate_scan


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return four encoded pages of noise (they do not compress)."""
    folder = tmp_path_factory.mktemp("encoded")
    pages = []
    for number in range(1, 5):
        noise = np.random.default_rng(number).integers(0, 255, (600, 420, 3), dtype=np.uint8)
        path = folder / f"{number:04d}.jpg"
        Image.fromarray(noise).save(path, quality=95, dpi=(150, 150))
        pages.append(prepare_page(path, 0, folder).file)
    return pages


def test_written_file_conforms_and_names_itself(encoded: list[Path], tmp_path: Path) -> None:
    title = "апелляциялық шағым"
    written = write_documents(encoded, tmp_path, title=title, language="ru", max_bytes=20_000_000)
    assert [(file.path.name, file.pages) for file in written] == [("document.pdf", 4)]
    report = check_conformance(written[0].path)
    assert report.passed, report.summary()
    assert report.output_intent == "RGB"
    with pikepdf.open(written[0].path) as pdf:
        assert str(pdf.docinfo["/Title"]) == title
        metadata = pdf.open_metadata()
        assert metadata["dc:title"] == title
        assert "ru" in metadata["dc:language"]


def test_conformance_check_rejects_what_is_not_pdfa(encoded: list[Path], tmp_path: Path) -> None:
    with pikepdf.open(
        write_documents(encoded[:1], tmp_path, title="t", language="kk", max_bytes=20_000_000)[
            0
        ].path
    ) as pdf:
        del pdf.Root.OutputIntents
        pdf.save(tmp_path / "broken.pdf")
    assert not check_conformance(tmp_path / "broken.pdf").passed


def test_too_large_is_split_by_page(encoded: list[Path], tmp_path: Path) -> None:
    (tmp_path / "document.pdf").write_bytes(b"from an earlier try")
    largest = encoded[0].stat().st_size * 2 + 25_000
    written = write_documents(encoded, tmp_path, title="t", language="kk", max_bytes=largest)
    assert [(file.path.name, file.pages) for file in written] == [
        ("document-01.pdf", 2),
        ("document-02.pdf", 2),
    ]
    assert all(file.size <= largest for file in written)
    assert all(check_conformance(file.path).passed for file in written)
    assert not (tmp_path / "document.pdf").exists()


def test_split_pages() -> None:
    assert split_pages([100, 100, 100], 1_000_000) == [[0, 1, 2]]
    assert split_pages([600_000, 600_000, 10], 1_000_000) == [[0], [1, 2]]
    assert split_pages([], 1_000_000) == []
    with pytest.raises(DocumentTooLargeError):
        split_pages([10, 1_000_000], 1_000_000)


def test_page_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001.pdf").write_bytes(b"no picture")
    with pytest.raises(PageFailedError):
        make_pdf([tmp_path / "0001.pdf"], title="t", language="kk")


@pytest.mark.slow
def test_text_page_is_small_and_lossless(claim: list[Path], tmp_path: Path) -> None:
    prepared = prepare_page(claim[0], 0, tmp_path)
    assert prepared.kind == "text"
    assert prepared.size < 30_000
    with pikepdf.open(prepared.file) as pdf:
        (picture,) = pdf.pages[0].get_images().values()
        assert "/CCITTFaxDecode" in str(picture.Filter)
        inside = pikepdf.PdfImage(cast(pikepdf.Stream, picture)).as_pil_image().convert("L")
    image, resolution = read_page(claim[0])
    quality = check_page(image, resolution)
    assert quality.skew == prepared.quality.skew
    outside = to_bilevel(image.convert("L"), quality.paper, resolution, quality.skew)
    assert np.array_equal(np.asarray(inside), np.asarray(outside.convert("L")))


def test_stamp_stays_in_colour_where_it_was(claim: list[Path], tmp_path: Path) -> None:
    prepared = prepare_page(claim[2], 0, tmp_path)
    assert prepared.kind == "mixed"
    assert prepared.size < 60_000
    (tmp_path / "one.pdf").write_bytes(make_pdf([prepared.file], title="t", language="kk"))
    assert check_conformance(tmp_path / "one.pdf").passed
    shown = rendered(tmp_path / "one.pdf", 75)
    with Image.open(claim[2]) as scan:
        scanned = np.asarray(scan.convert("RGB").resize(shown.size)).astype(int)
    pixels = np.asarray(shown).astype(int)
    blue, was_blue = (image[:, :, 2] - image[:, :, 0] for image in (pixels, scanned))
    assert (around(blue > 20) & (was_blue > 50)).sum() > 0.9 * (was_blue > 50).sum() > 100
    assert ((blue > 50) & ~around(was_blue > 20)).sum() < 0.02 * (was_blue > 50).sum()


def around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ``mask`` one dot larger on each side."""
    picture = Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(3))
    return np.asarray(picture) > 0


@pytest.mark.slow
@pytest.mark.parametrize("skew", [-3.0, 0.0, 2.0])
def test_patches_are_straightened_with_the_text(tmp_path: Path, skew: float) -> None:
    page = simulate_scan(draw_claim_page(3).reduce(2), skew, seed=5)
    page.save(tmp_path / "0003.jpg", quality=94, dpi=(150, 150))
    straight = simulate_scan(draw_claim_page(3).reduce(2), 0, seed=5)
    shown = rendered(prepare_page(tmp_path / "0003.jpg", 0, tmp_path).file, 75)
    pixels = np.asarray(shown).astype(int)
    wanted = np.asarray(straight.resize(shown.size)).astype(int)
    for channel in (0, 2):  # dark text shows in blue, stamp and signature in red
        ink, should = pixels[:, :, channel] < 128, wanted[:, :, channel] < 190
        near = np.asarray(Image.fromarray(should).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
        assert (ink & near).sum() > 0.97 * ink.sum() > 1000


def rendered(path: Path, dpi: int) -> Image.Image:
    """Return the first page as poppler draws it."""
    out = path.with_suffix("")
    command = ["pdftoppm", "-r", str(dpi), "-png", "-singlefile", str(path), str(out)]
    subprocess.run(command, check=True, timeout=60)
    return Image.open(out.with_suffix(".png")).convert("RGB")
