"""The slip: drawn, read back by a camera's eye, and held against a recording."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import zxingcpp

from kiosk.errors import RecordingError
from kiosk.export.chain_receipt import read_chain_receipt, render_chain_receipt
from kiosk.locale import Translator
from kiosk.recording.verify.report import VerifyReport
from kiosk.recording.verify.slip import check_slip
from tests.support.hearing_builder import add_part, close_part, new_hearing, sealed_hearing
from tests.support.identity import Court


def codes(folder: Path, code: str) -> list[str]:
    report = VerifyReport(str(folder))
    check_slip(folder, code, report)
    return [problem.code for problem in report.problems]


def test_a_slip_of_a_recess_fits_the_recording_to_its_end(tmp_path: Path) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    add_part(built, fragments=2)
    with pytest.raises(RecordingError):
        read_chain_receipt(built.folder)  # signed, but over nothing that was recorded
    close_part(built, 1)
    recess = read_chain_receipt(built.folder)
    assert not recess.sealed
    add_part(built, fragments=2)
    built.journal.append("statement", {"subject": "title", "value": "x"})
    assert read_chain_receipt(built.folder) == recess, "the running part is not covered yet"
    close_part(built, 2)
    built.journal.end({"person": "p1"})
    end = read_chain_receipt(built.folder)
    assert end.sealed
    assert end.count > recess.count
    for slip in (recess, end):
        assert codes(built.folder, slip.code) == []
        assert codes(built.folder, slip.code.upper().replace(":", ": ")) == []


def test_another_recording_does_not_fit(tmp_path: Path) -> None:
    signer = Court.make(tmp_path / "court").device()
    folder, other = (sealed_hearing(tmp_path / name, signer, parts=1) for name in "ab")
    slip = read_chain_receipt(folder)
    assert codes(other, slip.code) == ["slip_other"]
    assert codes(folder, slip.code[:-1] + ("0" if slip.code[-1] != "0" else "1")) == ["slip_other"]
    assert codes(folder, slip.code.replace(f":{slip.count}:", ":9999:")) == ["slip_other"]
    with pytest.raises(RecordingError):
        codes(folder, "a word")


@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize("width", [384, 576])
def test_the_code_can_be_read_from_the_paper(tmp_path: Path, language: str, width: int) -> None:
    slip = read_chain_receipt(
        sealed_hearing(tmp_path, Court.make(tmp_path / "court").device(), parts=1)
    )
    zone = ZoneInfo("Asia/Almaty")
    image = render_chain_receipt(slip, Translator(language), court="Сот", zone=zone, width=width)
    assert (image.mode, image.width) == ("1", width)
    found = zxingcpp.read_barcodes(image.convert("L"))
    assert [code.text for code in found] == [slip.code]
