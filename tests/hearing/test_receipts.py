"""Signed receipts: printed, scanned, kept with the hearing, sealed (R47, R48; S13; УПК 350(2)).

Nothing that is refused changes anything; a wrong scan is withdrawn by an entry, and stays.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from kiosk.api.receipts import KeepReceipt, parse_receipt_code, receipt_code
from kiosk.api.recorder_calls import CloseSince
from kiosk.clocks import format_wall, recording_ns, wall_time
from kiosk.errors import KioskError
from kiosk.storage.court_keys import CourtKeys, pin_court_keys
from kiosk.sync.outbox.manifest import read_manifest
from tests.hearing.courtroom_rig import CourtroomRig

PDF = b"%PDF-1.7 the signed sheet of somebody"
OTHER = b"%PDF-1.7 another sheet"
PEOPLE = [{"role": "witness", "name": "Ержан Т."}, {"role": "expert", "name": "Ким О."}]


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    rig = CourtroomRig(tmp_path)
    yield rig
    rig.courtroom.shutdown(1)


def taken(rig: CourtroomRig, of: str = "p1", event: str = "receipt_taken") -> int:
    """Mark that a receipt is taken; return the number of the mark."""
    return rig.courtroom.add_mark(event, "s1", of=of).mark.id


def scan(rig: CourtroomRig, mark: int = 0, pdf: bytes = PDF, codes: tuple[str, ...] = ()) -> Any:
    request = KeepReceipt(mark=mark, codes=codes, pdf=base64.b64encode(pdf))
    return rig.courtroom.keep_receipt(request, "s1").receipt


def refused(rig: CourtroomRig, **fields: Any) -> str:
    before = rig.hearing()["receipts"]
    with pytest.raises(KioskError) as error:
        scan(rig, **fields)
    assert rig.hearing()["receipts"] == before, "nothing changes"
    return error.value.code


def files(rig: CourtroomRig, hearing_id: str) -> dict[str, bytes]:
    folder = rig.folder(hearing_id) / "receipts"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def begin(rig: CourtroomRig, **fields: Any) -> str:
    return rig.begin(kind="criminal", format="offline", participants=PEOPLE, **fields)


def keys(rig: CourtroomRig) -> pyrage.x25519.Identity:
    """Pin keys of a court; return its private one."""
    court, escrow = (pyrage.x25519.Identity.generate() for _ in range(2))
    pin_court_keys(rig.paths, CourtKeys(str(court.to_public()), str(escrow.to_public())))
    return court


def test_a_scan_is_kept_journalled_sealed_and_delivered(rig: CourtroomRig) -> None:
    hearing_id = begin(rig)
    mark = taken(rig)
    assert rig.courtroom.note_receipt_printed(mark, "s1").receipt.printed
    code = receipt_code(hearing_id, mark)
    receipt = scan(rig, codes=("https://kiosk.example/", code))
    assert (receipt.mark, receipt.scan, receipt.by_code) == (mark, 1, True)
    before = rig.hearing()["receipts"]
    rig.crash()
    rig.start()
    assert rig.hearing()["receipts"] == before, "the same after a crash"
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    assert files(rig, hearing_id) == {"001.pdf": PDF}
    (line,) = rig.lines(hearing_id, "receipt_scanned")
    digest = hashlib.sha256(PDF).hexdigest()
    assert (line["mark"], line["file"], line["sha256"]) == (mark, "receipts/001.pdf", digest)
    assert [row["mark"] for row in rig.lines(hearing_id, "receipt_printed")] == [mark]
    delivered = {file.path: file.sha256 for file in
                 read_manifest(rig.paths, "hearing", hearing_id).files}  # fmt: skip
    assert delivered["receipts/001.pdf"] == digest


def test_without_a_code_a_person_says_whose_it_is_and_a_code_goes_before_that(
    rig: CourtroomRig,
) -> None:
    hearing_id = begin(rig)
    first, second = taken(rig), taken(rig, "p2")
    assert refused(rig) == "receipt_unknown", "nobody says whose it is"
    by_hand = scan(rig, mark=first)
    assert (by_hand.mark, by_hand.by_code) == (first, False)
    by_code = scan(rig, mark=first, pdf=OTHER, codes=(receipt_code(hearing_id, second),))
    assert (by_code.mark, by_code.by_code) == (second, True)


def test_wrong_sheets_are_refused_and_lose_nothing(rig: CourtroomRig) -> None:
    hearing_id = begin(rig)
    mark, other = taken(rig), rig.courtroom.add_mark("questioning", "s1", of="p1").mark.id
    assert refused(rig, mark=other) == "receipt_unknown", "an event without a receipt"
    assert refused(rig, mark=mark, pdf=b"GIF89a") == "receipt_no_pdf"
    elsewhere = receipt_code("another-hearing", mark)
    assert refused(rig, mark=mark, codes=(elsewhere,)) == "receipt_other_hearing"
    two = (receipt_code(hearing_id, mark), receipt_code(hearing_id, 99))
    assert refused(rig, codes=two) == "receipt_unknown"
    assert refused(rig, codes=(receipt_code(hearing_id, 99),)) == "receipt_unknown"
    withdrawn = taken(rig, "p2")
    rig.courtroom.undo_mark("s1")
    assert refused(rig, mark=withdrawn) == "receipt_unknown"
    with pytest.raises(KioskError):
        rig.courtroom.note_receipt_printed(withdrawn, "s1")
    assert scan(rig, mark=mark).scan == 1


@pytest.mark.parametrize("text", ["", "KIOSK-RECEIPT:h", "KIOSK-RECEIPT:h:0", "KIOSK-RECEIPT:h:x"])
def test_another_code_is_no_receipts(text: str) -> None:
    assert parse_receipt_code(text) is None


def test_twice_is_refused_until_the_first_is_withdrawn_and_both_stay(rig: CourtroomRig) -> None:
    hearing_id = begin(rig)
    mark = taken(rig)
    scan(rig, mark=mark)
    assert refused(rig, mark=mark, pdf=OTHER) == "receipt_scanned_already"
    assert rig.courtroom.withdraw_receipt(1, "s1").receipt.scan == 0
    with pytest.raises(KioskError):
        rig.courtroom.withdraw_receipt(1, "s1")
    assert scan(rig, mark=mark, pdf=OTHER).scan == 2
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    assert files(rig, hearing_id) == {"001.pdf": PDF, "002.pdf": OTHER}
    assert [row["scan"] for row in rig.lines(hearing_id, "receipt_withdrawn")] == [1]


def test_it_can_be_scanned_in_a_recess_and_after_its_person_was_removed(rig: CourtroomRig) -> None:
    begin(rig)
    mark = taken(rig)
    rig.courtroom.recess("s1")
    rig.courtroom.remove_person("p1", "s1")
    assert scan(rig, mark=mark).scan == 1


def test_of_a_closed_part_only_the_court_can_read_it_also_when_it_is_open_again(
    rig: CourtroomRig,
) -> None:
    court = keys(rig)
    hearing_id = begin(rig)
    opened = taken(rig)
    rig.courtroom.change_publicity(True, "s1", recording_ns())
    closed = taken(rig, "p2", "non_disclosure_receipt")
    rig.courtroom.change_publicity(False, "s1", recording_ns())
    scan(rig, mark=opened)
    scan(rig, mark=closed, pdf=OTHER)
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    found = files(rig, hearing_id)
    assert found["001.pdf"] == PDF
    assert list(found) == ["001.pdf", "002.pdf.age"]
    assert pyrage.decrypt(found["002.pdf.age"], [court]) == OTHER


def test_closed_back_to_a_moment_before_the_scan_it_is_encrypted_too(rig: CourtroomRig) -> None:
    court = keys(rig)
    hearing_id = begin(rig)
    scan(rig, mark=taken(rig))
    since = format_wall(wall_time() - timedelta(minutes=2))
    rig.courtroom.close_retroactively("s1", CloseSince(since=since), recording_ns())
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    found = files(rig, hearing_id)
    assert list(found) == ["001.pdf.age"], "nothing plain is left"
    assert pyrage.decrypt(found["001.pdf.age"], [court]) == PDF
    (line,) = rig.lines(hearing_id, "receipt_encrypted")
    assert line["sha256"] == hashlib.sha256(found["001.pdf.age"]).hexdigest()
