"""The receipt as a picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.filing.printing.receipt import (
    Receipt,
    ReceiptDocument,
    draw_receipt,
    parse_reference,
    short_hash,
    status_reference,
)
from kiosk.locale import Translator

RECEIPT = Receipt(
    filing_id="0b8f7c1e-1c1f-4a53-9f7a-0d1d1d3c1b11",
    court="Көктөбе қаласының №2 аудандық соты",
    room="4",
    kiosk_id="kiosk-0001",
    number="7514-26-00-4/1187",
    is_provisional=False,
    submitted_at=datetime(2026, 11, 23, 9, 45, tzinfo=UTC),
    type_label="талап қою арызы",
    documents=[ReceiptDocument(3, "3f2a91bc0d447e10" + "0" * 48)],
    reached_stages=("received", "registered"),
)


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("width", [384, 512, 576])
@pytest.mark.parametrize("large", [False, True])
def test_fits_the_paper_and_its_code_can_be_read(language: str, width: int, large: bool) -> None:
    image = draw_receipt(RECEIPT, Translator(language), width=width, large=large)
    assert image.mode == "1"
    assert image.width == width
    edges = [image.crop((x, 0, x + 2, image.height)).getextrema() for x in (0, width - 2)]
    assert edges == [(255, 255), (255, 255)]
    found = [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]
    assert found == [status_reference(RECEIPT.filing_id)]


def test_large_print_is_larger() -> None:
    translate = Translator("ru")
    normal = draw_receipt(RECEIPT, translate)
    assert draw_receipt(RECEIPT, translate, large=True).height > normal.height * 1.3


def test_languages_and_states_differ() -> None:
    pictures = {
        draw_receipt(RECEIPT, Translator(language)).tobytes() for language in ("kk", "ru", "en")
    }
    provisional = replace(RECEIPT, is_provisional=True, reached_stages=("received",))
    pictures.add(draw_receipt(provisional, Translator("kk")).tobytes())
    assert len(pictures) == 4


def test_long_words_numbers_and_many_files_stay_on_the_paper() -> None:
    receipt = replace(
        RECEIPT,
        number="kiosk-with-a-very-long-name-0001-261123-501",
        type_label="ұ" * 90,
        documents=[ReceiptDocument(40, "ab" * 32)] * 3,
        not_scanned=["сызба, А1 форматы", "бейнежазбасы бар диск"],
    )
    image = draw_receipt(receipt, Translator("kk"))
    margin = image.crop((image.width - 8, 0, image.width, image.height))
    assert margin.getextrema() == (255, 255)


def test_reference_is_read_back_and_others_are_not() -> None:
    assert parse_reference(status_reference(RECEIPT.filing_id)) == RECEIPT.filing_id
    assert parse_reference("urn:uuid:nonsense") is None
    assert parse_reference("KZ-SEC-0001") is None


def test_short_hash() -> None:
    assert short_hash("3f2a91bc0d447e10ffff") == "3F2A 91BC 0D44 7E10"


def test_every_letter_of_the_languages_is_in_the_font() -> None:
    face = ImageFont.truetype(str(fonts.REGULAR), 40)
    missing = _drawn(face, "\U0010ffff")
    for letter in "әғқңөұүһіӘҒҚҢӨҰҮҺІ₸№«»—":
        assert _drawn(face, letter) != missing, letter


def _drawn(face: ImageFont.FreeTypeFont, letter: str) -> bytes:
    image = Image.new("L", (60, 60), 0)
    ImageDraw.Draw(image).text((5, 5), letter, 255, face)
    return image.tobytes()
