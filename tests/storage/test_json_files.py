"""JSON files that hold something else, too much or too deep a nesting break no reader."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.api.published import read_schedule
from kiosk.auth.staff_directory import StaffDirectory
from kiosk.hearing.room.link_check import recent_link_check
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import MAX_JSON_BYTES, read_json, read_json_or_none
from kiosk.sync.outbox.receipts import ReceiptStore
from tests.support.identity import Court
from tests.support.odd_lists import FIRST, ZONE

DAMAGED = {
    "nested arrays": b'{"hearings": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "empty": b"",
    "zeros": b"\0" * 4096,
    "cut off": json.dumps({"hearings": [FIRST]}).encode()[:-9],
    "a list": b"[]",
    "not UTF-8": b'{"salt": "\xe9"}',
    "a number without end": b'{"a": ' + b"9" * 5000 + b"}",
}


def _read_staff(path: Path) -> None:
    court = Court.make(path.parent / "court")
    directory = StaffDirectory(
        path, path.with_name("kept.json"), "kiosk-0001", court.ca, Ages(path.with_name("ages.json"))
    )
    assert directory.rows() == ()
    assert ("staff_list_refused", "unreadable") in directory.alarms()


READERS: dict[str, Callable[[Path], object]] = {
    "list of hearings": lambda path: read_schedule(read_json_or_none(path), ZONE).hearings,
    "link check": lambda path: recent_link_check(path.parent, path.stem),
    "receipt": lambda path: ReceiptStore(path.parent).get(path.stem),
    "staff": _read_staff,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_breaks_no_reader(tmp_path: Path, name: str, reader: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(DAMAGED[name])
    assert not READERS[reader](path)


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.touch()
    os.truncate(path, MAX_JSON_BYTES + 1)  # sparse
    with pytest.raises(ValueError, match="larger"):
        read_json(path)


def test_a_byte_order_mark_keeps_nobody_out(tmp_path: Path) -> None:
    path, court = tmp_path / "staff.json", Court.make(tmp_path / "court")
    row = {"person": "p", "name": "", "roles": ["judge"], "pin": None, "badge": None}
    value = json.dumps(court.sign_staff("kiosk-0001", [row]))
    path.write_bytes(b"\xef\xbb\xbf" + value.encode())
    directory = StaffDirectory(
        path, tmp_path / "kept.json", "kiosk-0001", court.ca, Ages(tmp_path / "ages.json")
    )
    assert [one.person for one in directory.rows()] == ["p"]


def test_the_log_holds_nothing_of_a_damaged_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "staff.json"
    path.write_bytes(b'{"salt": "00", "staff": [{"name": "Somebody"}, "\xe9"]}')
    _read_staff(path)
    assert "the staff list is refused" in caplog.text
    assert "Somebody" not in caplog.text
