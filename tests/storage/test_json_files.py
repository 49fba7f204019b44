"""JSON files that hold something else, too much or too deep a nesting break no reader."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.api.published import read_schedule
from kiosk.auth.sign_in import StaffDirectory, UnknownBadgeError
from kiosk.hearing.room.link_check import recent_link_check
from kiosk.storage.atomic_io import MAX_JSON_BYTES, read_json, read_json_or_none
from kiosk.sync.outbox.receipts import ReceiptStore
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
    with pytest.raises(UnknownBadgeError):
        StaffDirectory(path).find_by_badge("CK-1")


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
    path = tmp_path / "staff.json"
    badge = hashlib.sha256(b"\0CK-1").hexdigest()
    row = {"person": "p", "roles": ["judge"], "badge_sha256": badge}
    text = json.dumps({"salt": "00", "staff": [row]})
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert StaffDirectory(path).find_by_badge("CK-1").id == "p"


def test_the_log_holds_nothing_of_a_damaged_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "staff.json"
    path.write_bytes(b'{"salt": "00", "staff": [{"name": "Somebody"}, "\xe9"]}')
    _read_staff(path)
    assert "the staff list cannot be read" in caplog.text
    assert "Somebody" not in caplog.text
