"""What scanners of other makers answer: windows of metres, pictures of other kinds, other dpi."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import pytest
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.hardware.scanner.events import ScanEvent, ScanFault, SheetExpected
from kiosk.hardware.scanner.sane_options import pick_mode, window
from kiosk.hardware.scanner.session import ScanSession
from kiosk.hardware.virtual import escl
from kiosk.hardware.virtual import scanner as virtual_scanner
from kiosk.hardware.virtual.escl import ScanSettings, render_page
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.hardware.conftest import DPI, draw_sheet
from tests.hardware.scan_helpers import faults_of, pages_of, scan, settings_for, sheets_in

A4: Final = (1240, 1754)
BROTHER = [
    "Black & White",
    "Gray[Error Diffusion]",
    "True Gray",
    "24bit Color",
    "24bit Color[Fast]",
]
LEXMARK = ["1-bit Black & White", "8-bit Grayscale", "24-bit Color"]


@pytest.mark.parametrize(
    ("names", "mode", "wanted"),
    [
        (["Lineart", "Gray", "Color"], "gray", "Gray"),
        (["Lineart", "Gray", "Color"], "colour", "Color"),
        (BROTHER, "gray", "True Gray"),
        (BROTHER, "colour", "24bit Color"),
        (LEXMARK, "gray", "8-bit Grayscale"),
        (LEXMARK, "colour", "24-bit Color"),
        (["Halftone", "Grayscale 16", "Grayscale", "Color 48", "Color"], "gray", "Grayscale"),
        (["Gray 16", "RGB 48", "RGB"], "colour", "RGB"),
        (["Gray[Error Diffusion]"], "gray", "Gray[Error Diffusion]"),
        (["Lineart"], "gray", None),
        ((0, 1, 1), "gray", None),
    ],
)
def test_the_mode_has_eight_bits_whatever_its_name(
    names: object, mode: str, wanted: str | None
) -> None:
    assert pick_mode(names, mode) == wanted


def test_a_window_in_pixels_ends_where_a_long_sheet_ends() -> None:
    limits = {"tl_y": (0.0, 36600.0), "br_x": (0.0, 2550.0), "br_y": (0.0, 36600.0)}
    asked = dict(window(limits, in_pixels=True, resolution=300))
    assert asked == {"tl_y": 0.0, "br_x": 2550.0, "br_y": 4200.0}


@pytest.mark.slow
def test_a_feeder_for_rolls_gives_the_sheet_and_no_metres(
    sheets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def fill_window(page: Path, settings: ScanSettings) -> bytes:
        asked.append(settings.height)
        size = tuple(round(v * DPI / 300) for v in (settings.width, settings.height))
        whole = Image.new("RGB", (size[0], size[1]), (178, 178, 178))
        with Image.open(io.BytesIO(render_page(page, settings))) as sheet:
            whole.paste(sheet, (0, 0))
        return jpeg(whole)

    monkeypatch.setattr(escl, "MAX_HEIGHT", 36600)
    monkeypatch.setattr(virtual_scanner, "render_page", fill_window)
    with VirtualScanner(sheets[:2]) as device:
        scan(ScanSession(settings_for(device), tmp_path))
    assert sheets_in(tmp_path) == [1, 2]
    assert max(asked) <= 4200  # 356 mm in three-hundredths of an inch
    for path in tmp_path.glob("*.jpg"):
        with Image.open(path) as page:
            assert abs(page.width - A4[0]) <= 3
            assert abs(page.height - A4[1]) <= 3


def jpeg(image: Image.Image) -> bytes:
    """Return an image as JPEG without dpi."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def scan_until_fault(session: ScanSession) -> list[ScanEvent]:
    """Scan; end the session at its first fault."""

    def react(event: ScanEvent) -> None:
        if isinstance(event, ScanFault):
            session.finish()

    return scan(session, react)


@pytest.mark.slow
def test_a_picture_that_cannot_be_read_is_told_as_that_and_not_as_a_lost_scanner(
    sheets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_cmyk(page: Path, settings: ScanSettings) -> bytes:
        with Image.open(io.BytesIO(render_page(page, settings))) as sheet:
            return jpeg(sheet.convert("CMYK"))

    with VirtualScanner(sheets[:3]) as device:
        monkeypatch.setattr(virtual_scanner, "render_page", in_cmyk)
        session = ScanSession(settings_for(device), tmp_path)

        def react(event: ScanEvent) -> None:
            if isinstance(event, SheetExpected):  # the next sheets stay in the feeder meanwhile
                monkeypatch.setattr(virtual_scanner, "render_page", render_page)
                session.confirm_sheet()

        events = scan(session, react)
    assert faults_of(events) == [("scanner_picture", 1)]
    assert sheets_in(tmp_path) == [2, 3]


@pytest.mark.slow
def test_a_first_page_of_half_the_size_is_not_kept_as_a6(tmp_path: Path) -> None:
    """A scanner that sends half the dpi looks like that; after a large sheet A6 is A6."""
    small = draw_sheet(tmp_path / "a6.png", 2, (620, 877))
    a4 = draw_sheet(tmp_path / "a4.png", 1)
    (folder := tmp_path / "pages").mkdir()
    with VirtualScanner([small]) as device:
        events = scan_until_fault(ScanSession(settings_for(device), folder))
        assert faults_of(events) == [("scanner_resolution", 1)]
        assert sheets_in(folder) == []
        device.load([a4, small])
        events = scan(ScanSession(settings_for(device), folder))
    assert faults_of(events) == []
    assert sheets_in(folder) == [1, 2]


TEXT = "Талап қою арызы шарт бойынша төленген соманы өндіру туралы, Ғалия Әбдіқызы 2026 "


def draw_print(path: Path, points: float, mm: tuple[float, float] = (210, 297)) -> Path:
    """Draw a sheet of print at the tests' resolution."""
    size = (round(mm[0] * DPI / 25.4), round(mm[1] * DPI / 25.4))
    image = Image.new("RGB", size, (250, 249, 245))
    draw, margin = ImageDraw.Draw(image), 60
    font = ImageFont.truetype(str(fonts.REGULAR), round(points * DPI / 72))
    for line, top in enumerate(range(margin, size[1] - margin, round(1.2 * points * DPI / 72))):
        text = (TEXT * 4)[line:]
        while draw.textlength(text, font=font) > size[0] - 2 * margin:
            text = text[:-1]
        draw.text((margin, top), text, fill=(25, 25, 28), font=font)
    image.save(path, dpi=(DPI, DPI))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("points", [0, 10, 12, 14])
@pytest.mark.parametrize("factor", [1, 0.5, 2])
def test_a_page_of_another_resolution_is_told_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: int, factor: float
) -> None:
    """Twice the resolution fills the window, which cuts the sheet to what a long one looks like."""

    def at_factor(page: Path, settings: ScanSettings) -> bytes:
        with Image.open(io.BytesIO(render_page(page, settings))) as sheet:
            return jpeg(sheet.resize((int(sheet.width * factor), int(sheet.height * factor))))

    path = tmp_path / "a4.png"
    sheet = draw_print(path, points) if points else draw_sheet(path, 3)
    monkeypatch.setattr(virtual_scanner, "render_page", at_factor)
    (folder := tmp_path / "pages").mkdir()
    with VirtualScanner([sheet, sheet]) as device:
        session = ScanSession(settings_for(device), folder)
        events = scan_until_fault(session)
    assert faults_of(events) == ([] if factor == 1 else [("scanner_resolution", 1)])
    assert len(list(folder.glob("*.jpg"))) == (2 if factor == 1 else 0)


@pytest.mark.slow
@pytest.mark.parametrize("mm", [(216, 355.6), (105, 148)])
@pytest.mark.parametrize("points", [10, 12, 14])
def test_print_proves_a_long_or_small_first_sheet(
    tmp_path: Path, mm: tuple[float, float], points: int
) -> None:
    sheet = draw_print(tmp_path / "sheet.png", points, mm)
    (folder := tmp_path / "pages").mkdir()
    with VirtualScanner([sheet]) as device:
        events = scan_until_fault(ScanSession(settings_for(device), folder))
    assert faults_of(events) == []
    (page,) = pages_of(events)
    assert abs(page.height / DPI * 25.4 - mm[1]) < 2


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3, 1000])
def test_nobody_is_told_done_while_the_feeder_has_sheets(
    sheets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """A feeder that answers "no more pages" too early, and whose status says that there are."""
    left = [times]
    give = VirtualScanner.next_document

    def hesitate(self: VirtualScanner, name: str) -> bytes | None:
        if self.sheets_left == 2 and left[0]:
            left[0] -= 1
            return None
        return give(self, name)

    monkeypatch.setattr(VirtualScanner, "next_document", hesitate)
    with VirtualScanner(sheets[:4]) as device:
        events = scan_until_fault(ScanSession(settings_for(device), tmp_path))
    is_stuck = times == 1000
    told = [code for code, _ in faults_of(events)]
    assert told in ([["scanner_jam"], ["scanner_busy"]] if is_stuck else [[]])
    assert sheets_in(tmp_path) == ([1, 2] if is_stuck else [1, 2, 3, 4])
