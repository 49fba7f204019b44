"""A civil hearing in part from afar, by real taps: an interpreter signs, a witness is warned.

Written down from АПК 133-3, 191, 192, 201-203, 282 and the court's letter (R20-R23, R54; S13).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.support.waiting import wait_for
from tests.ui.walked_hearing import WAIT_S, WalkedHearing, walked_hearing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUMBER, TITLE = "7514-26-00-2/208", "О разделе имущества"
PEOPLE = [
    {"role": "plaintiff", "name": "Ахметов А."},
    {"role": "defendant_civil", "name": "Ким О."},
    {"role": "witness", "name": "Ержан Т."},
    {"role": "interpreter", "name": "Цой В."},
]
ROW: dict[str, Any] = {"case_number": NUMBER, "title": TITLE, "kind": "civil"}
NOT_CIVIL = {"oath", "last_word", "charge_presented", "safety_right", "torture_statement"}
"""Events of the criminal code only (УПК 345(8), 364, 370(2), 347(3)14, 347-1(2)9)."""
A4 = (1240, 1754)
"""Pixels at 150 dpi."""


def test_a_civil_hearing_in_part_from_afar(folder: Path, display: Display) -> None:
    with VirtualPrinter() as printer, VirtualScanner() as scanner:
        tables = {
            "printer": {"port": printer.port, "baud": 115200},
            "scanner": {
                "device": scanner.device,
                "sane_config_dir": str(scanner.config_dir),
                "resolution": 150,
            },
        }
        with walked_hearing(folder, display, tables, **ROW, participants=PEOPLE) as walk:
            walk.start()
            assert "format" in walk.hearing["open_questions"], "R20: nobody has said it"
            walk.answer("format", "mixed")
            walk.answer("format_decided_by", "presiding")
            walk.answer("legal_basis", "GPK-133-3")
            walk.answer("format_ground", "initiative")
            walk.answer("format_opinions", "agreed")
            assert not [name for name in walk.hearing["open_questions"] if "format" in name]
            assert not walk.events() & NOT_CIVIL
            walk.mark("interpreter_rights:p4")
            assert walk.due[:2] == ["receipt_taken:p4", "witnesses_leave"], "S13, 191(2), 192(1)"
            walk.mark("receipt_taken:p4")
            sign_and_scan(walk, printer, scanner, folder / "sheet.png")
            walk.mark("witnesses_leave", "identity_checked:p3", "rights_explained:p3")
            # a witness in a mixed hearing is warned, and neither swears nor signs (203(1))
            assert walk.due[:2] == ["warning_false_testimony:p3", "questioning:p3"]
            walk.mark("warning_false_testimony:p3", "questioning:p3")
            assert walk.hearing["marks"][-1]["left_out"] == []
            walk.write_line(1, "Ж")
            assert walk.state["phase"] == "recording", "S18: minutes are begun while it is recorded"
            walk.pause("recess")
            walk.answer("recess_reason", "documents")
            walk.resume()
            walk.mark("debates")
            assert walk.due[0] == "announcement", "no last word"
            walk.pause("retire")
            walk.resume()
            walk.mark("announcement")
            walk.end()
    assert walk.hall == [
        ("in_session", "open", True),
        ("recess", "open", True),
        ("in_session", "open", True),
        ("retired", "open", True),
        ("in_session", "open", True),
        ("ended", "open", True),
    ]
    assert walk.record.marks() == [
        "format_decided",
        "interpreter_rights:p4",
        "receipt_taken:p4",
        "witnesses_leave",
        "identity_checked:p3",
        "rights_explained:p3",
        "warning_false_testimony:p3",
        "questioning:p3",
        "recess",
        "resumed",
        "debates",
        "retirement",
        "resumed",
        "announcement",
    ]
    assert walk.record.check_media() == [False, False, False]
    assert walk.record.minutes_lines("attendance") == [
        "[  ] истец: Ахметов А.",
        "[  ] ответчик: Ким О.",
        "[  ] свидетель: Ержан Т.",
        "[  ] переводчик: Цой В.",
    ], "who came was not marked: the secretary ticks it"
    # the court came back twice, and once from a recess (282(2)13-1)
    assert walk.record.minutes_lines("recess") == ["перерыв", "продолжение заседания"]
    begun = walk.record.begun_minutes()
    assert (begun.form, begun.is_running) == ("full", True)
    assert [edit.lines[-1] for edit in begun.edits] == ["Ж"]
    assert walk.record.minutes_lines("announcement") == ["оглашение судебного акта"]
    ((person, begin, end),) = walk.record.questioned()
    assert person == "p3"
    assert 0 < begin < end


def sign_and_scan(
    walk: WalkedHearing, printer: VirtualPrinter, scanner: VirtualScanner, sheet: Path
) -> None:
    """Print the receipt by a tap, sign it, and scan it by another one."""
    walk.tap("panel.print:")
    page = Image.new("RGB", A4, "white")
    page.paste(printer.wait_for_receipt(timeout=WAIT_S).convert("RGB"), (200, 120))
    page.save(sheet, dpi=(150, 150))
    scanner.load([sheet])
    walk.tap("panel.scan:")
    wait_for(lambda: any(row["scan"] for row in walk.hearing["receipts"]), "the scan", WAIT_S)
