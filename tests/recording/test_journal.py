"""The journal: chained, canonical, durable; what a crash leaves is cut, damage is set aside."""

from __future__ import annotations

import errno
import itertools
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import StorageError
from kiosk.evidence.chain import GENESIS, Head, Journal, canonical, line_hash, read_chain
from kiosk.evidence.signer import device_signer, head_is_signed_by, sign_head
from kiosk.recording.journal.part_journal import PartBook
from kiosk.storage.paths import Layout
from tests.identity import Court
from tests.recording.builder import add_part, new_hearing
from tests.waiting import wait_for


def test_each_line_carries_the_hash_of_the_line_before(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j", "ab" * 32)
    journal.append("mark", {"note": "әғқңөұүһі", "type": "oath"})
    journal.append_all([("mark", {}), ("mark", {})])
    lines = (tmp_path / "j").read_bytes().splitlines()
    assert json.loads(lines[0])["prev"] == "ab" * 32
    for before, after in itertools.pairwise(lines):
        assert json.loads(after)["prev"] == line_hash(before)
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3]
    assert journal.head == Head(3, line_hash(lines[-1]))
    assert "әғқңөұүһі".encode() in lines[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=4), JSON))
def test_canonical_is_stable(value: dict[str, Any]) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)
    assert b"\n" not in canonical(value)


def test_unfinished_line_is_cut_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal.create(path)
    journal.append("mark")
    journal.close()
    good = path.read_bytes()
    for torn in (b'{"at":"20', b"\x00" * 900):
        path.write_bytes(good + torn)
        journal, chain = Journal.reopen(path)
        assert chain.torn == len(torn)
        assert not chain.problem
        assert path.read_bytes() == good
        journal.append("mark")
        journal.close()
        assert len(read_chain(path, GENESIS).entries) == 2
        path.write_bytes(good)


def test_damage_is_set_aside_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal.create(path)
    for _ in range(3):
        journal.append("mark")
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"rubbish\n" + lines[2])
    _, chain = Journal.reopen(path)
    assert chain.problem == "is not JSON"
    assert path.read_bytes() == lines[0]
    assert path.with_name("j.damaged").read_bytes() == b"rubbish\n" + lines[2]


def test_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    journal = Journal.create(path)
    journal.append("mark")
    good = path.read_bytes()
    real = os.pwrite

    def full(descriptor: int, data: Any, offset: int) -> int:
        if len(data) <= 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:10], offset)  # only the beginning fits, then nothing

    def nothing_more(descriptor: int, data: Any, offset: int) -> int:
        real(descriptor, data[:10], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    for fault in (full, nothing_more):
        monkeypatch.setattr(os, "pwrite", fault)
        with pytest.raises(StorageError):
            journal.append("mark")
        monkeypatch.undo()
        assert path.read_bytes() == good
    journal.append("mark")
    assert len(read_chain(path, GENESIS).entries) == 2


def test_threads_may_append_together(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j")
    threads = [
        threading.Thread(target=lambda: [journal.append("mark") for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain = read_chain(tmp_path / "j", GENESIS)
    assert (len(chain.entries), chain.problem) == (80, "")


def test_heads_are_signed_over_what_is_there(tmp_path: Path) -> None:
    signer = Court.make(tmp_path / "court").device()
    journal = Journal.create(tmp_path / "j")
    journal.append("mark")
    before = journal.head
    entry = journal.append_head(lambda head: sign_head(signer, "h", 2, head))
    assert (entry["count"], entry["hash"]) == (before.count, before.hash)
    certificate, signature = signer.certificate, entry["signature"]
    assert head_is_signed_by(certificate, "h", 2, before, signature)
    assert not head_is_signed_by(certificate, "h", 1, before, signature)
    assert not head_is_signed_by(certificate, "g", 2, before, signature)
    assert not head_is_signed_by(certificate, "h", 2, Head(1, GENESIS), signature)
    assert not head_is_signed_by(certificate, "h", 2, before, "rubbish")


def test_recording_never_waits_for_enrolment(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data", tmp_path / "run")
    own, enrolled = device_signer(layout, "kiosk-7")
    assert not enrolled
    assert device_signer(layout, "kiosk-7")[0].certificate == own.certificate
    assert layout.unenrolled_key.stat().st_mode & 0o077 == 0
    court = Court.make(tmp_path / "court")
    real = court.issue("kiosk-7", layout.device_key, layout.device_certificate)
    signer, enrolled = device_signer(layout, "kiosk-7")
    assert enrolled
    assert signer.certificate == real.certificate
    layout.device_key.write_text("damaged")
    signer, enrolled = device_signer(layout, "kiosk-7")
    assert not enrolled
    assert signer.certificate == own.certificate


def test_media_are_journalled_in_batches_and_heads_signed(tmp_path: Path) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    add_part(built, pieces=1).abandon()
    journal, _ = Journal.reopen(built.folder / "part-01" / "journal.jsonl")
    signer = Court.make(tmp_path / "court2").device()
    book = PartBook(built.folder / "part-01", built.folder.name, 1, journal, signer, 0.1)
    book.start()
    for _ in range(3):
        book.add_fragment(built.writers[0].write("main"))
    wait_for(lambda: read_chain(journal.path).entries[-1]["kind"] == "head", "a signed head")
    kinds = [entry["kind"] for entry in read_chain(journal.path).entries]
    assert kinds[-2:] == ["media", "head"]
    assert len(read_chain(journal.path).entries[-2]["fragments"]) == 3
    book.abandon()


def test_nothing_is_dropped_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    book = add_part(built, pieces=1)
    book.add_fragment(built.writers[0].write("main"))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError):
        book.flush()
    book.add_fragment(built.writers[0].write("main"))
    monkeypatch.undo()
    book.flush()
    last = read_chain(book.folder / "journal.jsonl").entries[-1]
    assert [one["offset"] > 0 for one in last["fragments"]] == [True, True]
    book.abandon()


@pytest.mark.parametrize(
    "value", [1e16, 1e-7, 12345678901234567890, 2**70, "\x7fҚ\u2028", 0.1, -0.0]
)
def test_every_value_reads_back_as_canonical(tmp_path: Path, value: Any) -> None:
    journal = Journal.create(tmp_path / "journal.jsonl")
    journal.append("note", {"value": value})
    journal.close()
    chain = read_chain(tmp_path / "journal.jsonl")
    assert chain.problem == ""
    assert chain.entries[0]["value"] == value
