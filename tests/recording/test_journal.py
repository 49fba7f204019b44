"""The journal: chain, canonical form, durability; torn lines are cut, damage is set aside.

Requirements: R101.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import StorageError
from kiosk.evidence import chain as chain_module
from kiosk.evidence.chain import (
    GENESIS,
    ChainHead,
    canonical_json,
    entry_hash,
    read_chain,
)
from kiosk.evidence.device_key import load_device_signer
from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.signer import is_head_signed_by, sign_head
from kiosk.recording.formats.records import Interruption
from kiosk.recording.verify.hearing import verify
from kiosk.storage.paths import Paths
from tests.support.hearing_builder import add_part, new_hearing
from tests.support.identity import Court
from tests.support.waiting import wait_for


def test_each_line_carries_the_hash_of_the_line_before(tmp_path: Path) -> None:
    journal = JournalFile.create(tmp_path / "j", "ab" * 32)
    journal.append("mark", {"note": "әғқңөұүһі", "type": "oath"})
    journal.submit_many([("mark", {}), ("mark", {})])
    journal.flush()
    lines = (tmp_path / "j").read_bytes().splitlines()
    assert json.loads(lines[0])["prev"] == "ab" * 32
    for before, after in itertools.pairwise(lines):
        assert json.loads(after)["prev"] == entry_hash(before)
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3]
    assert journal.head == ChainHead(3, entry_hash(lines[-1]))
    assert "әғқңөұүһі".encode() in lines[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=4), JSON))
def test_canonical_is_stable(value: dict[str, Any]) -> None:
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)
    assert b"\n" not in canonical_json(value)


def test_unfinished_line_is_cut_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = JournalFile.create(path)
    journal.append("mark")
    journal.close()
    good = path.read_bytes()
    for torn in (b'{"at":"20', b"\x00" * 900):
        path.write_bytes(good + torn)
        journal, chain = JournalFile.reopen(path)
        assert chain.torn_bytes == len(torn)
        assert not chain.problem
        assert path.read_bytes() == good
        journal.append("mark")
        journal.close()
        assert len(read_chain(path, GENESIS).entries) == 2
        path.write_bytes(good)


def test_damage_is_set_aside_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = JournalFile.create(path)
    for _ in range(3):
        journal.append("mark")
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"rubbish\n" + lines[2])
    _, chain = JournalFile.reopen(path)
    assert chain.problem == "is not JSON"
    assert path.read_bytes() == lines[0]
    assert path.with_name("j.damaged").read_bytes() == b"rubbish\n" + lines[2]


def test_failed_write_leaves_nothing_behind_and_is_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    journal = JournalFile.create(path)
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
    assert len(read_chain(path, GENESIS).entries) == 4


def test_threads_may_append_together(tmp_path: Path) -> None:
    journal = JournalFile.create(tmp_path / "j")
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
    journal = JournalFile.create(tmp_path / "j", sign=partial(sign_head, signer, "h", 2))
    journal.submit_many([("mark", {}), ("mark", {})])
    journal.flush()
    chain = read_chain(tmp_path / "j", GENESIS)
    entry = chain.entries[-1]
    before = ChainHead(2, chain.hashes[1])
    assert (entry["count"], entry["hash"]) == (before.count, before.hash)
    certificate, signature = signer.certificate, entry["signature"]
    assert is_head_signed_by(certificate, "h", 2, before, signature)
    assert not is_head_signed_by(certificate, "h", 1, before, signature)
    assert not is_head_signed_by(certificate, "g", 2, before, signature)
    assert not is_head_signed_by(certificate, "h", 2, ChainHead(1, GENESIS), signature)
    assert not is_head_signed_by(certificate, "h", 2, before, "rubbish")


def test_recording_never_waits_for_enrolment(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "data", tmp_path / "run")
    own, enrolled = load_device_signer(paths, "kiosk-7")
    assert not enrolled
    assert load_device_signer(paths, "kiosk-7")[0].certificate == own.certificate
    assert paths.self_signed_key.stat().st_mode & 0o077 == 0
    court = Court.make(tmp_path / "court")
    real = court.issue("kiosk-7", paths.device_key, paths.device_certificate)
    signer, enrolled = load_device_signer(paths, "kiosk-7")
    assert enrolled
    assert signer.certificate == real.certificate
    paths.device_key.write_text("damaged")
    signer, enrolled = load_device_signer(paths, "kiosk-7")
    assert not enrolled
    assert signer.certificate == own.certificate


def test_every_batch_is_signed_with_no_sync_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write and one sync for media, interruptions, a mark, and the head that covers them."""
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    part_journal = add_part(built, fragments=1)
    for _ in range(3):
        part_journal.add_fragment(built.writers[0].write("main"))
    part_journal.add_interruption(Interruption(1, "judge", "dead", 5))
    synced: list[int] = []
    real = os.fdatasync

    def count(file: int) -> None:
        synced.append(file)
        real(file)

    monkeypatch.setattr(os, "fdatasync", count)
    part_journal.append("mark", {"id": 2, "type": "oath"})
    part_journal.close()
    assert len(synced) == 1
    entries = read_chain(part_journal.folder / "journal.jsonl").entries
    assert [entry["kind"] for entry in entries[-4:]] == ["interruption", "media", "mark", "head"]
    assert len(entries[-3]["fragments"]) == 3
    assert built.journal.has_signed(1, entries[-1])


@pytest.mark.slow
def test_a_running_part_leaves_nothing_unsigned(tmp_path: Path) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    part_journal = add_part(built, fragments=1)
    path = part_journal.folder / "journal.jsonl"
    before = read_chain(path).head.count
    part_journal.start_flushing()
    part_journal.add_fragment(built.writers[0].write("main"))
    wait_for(lambda: read_chain(path).head.count > before, "the batch")
    entries = read_chain(path).entries[before:]
    assert [entry["kind"] for entry in entries] == ["media", "head"]
    part_journal.close()


def test_a_failed_signature_costs_no_entry_and_no_later_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the failure is, its batch waits for the next one, and is owed until then."""
    signer = Court.make(tmp_path / "court").device()
    part_journal = add_part(new_hearing(tmp_path, signer), fragments=1)
    path, refused = part_journal.folder / "journal.jsonl", threading.Event()

    def fail(_data: bytes) -> bytes:
        refused.set()
        raise RuntimeError("the signature failed")

    with monkeypatch.context() as patch:
        patch.setattr(signer, "sign", fail)
        part_journal.add_interruption(Interruption(1, "judge", "gap", 5, 6))
        part_journal.queue("note", {"number": 1})
        part_journal.start_flushing()
        assert refused.wait(10)
        wait_for(lambda: part_journal.owed_seconds > 0, "what is owed")
        with pytest.raises(RuntimeError, match="the signature"):
            part_journal.append("mark", {"id": 2, "type": "oath"})
    part_journal.add_interruption(Interruption(2, "judge", "gap", 7, 8))
    wait_for(lambda: "interruption_ended" in path.read_text(), "the next batch")
    wait_for(lambda: part_journal.owed_seconds == 0, "the disk")
    with monkeypatch.context() as patch:
        patch.setattr(signer, "sign", fail)
        with pytest.raises(RuntimeError, match="the signature"):
            part_journal.end({"reason": "recess"})
    part_journal.end({"reason": "recess"})
    kinds = ("interruption_ended", "note", "closed")
    entries = [entry for entry in read_chain(path).entries if entry["kind"] in kinds]
    found = [(entry["kind"], entry.get("number")) for entry in entries]
    assert found[:3] == [("interruption_ended", 1), ("interruption_ended", 2), ("note", 1)]
    assert found[3:] == [("closed", None)]
    part_journal.close()


def test_a_journal_is_read_entry_by_entry(tmp_path: Path) -> None:
    """The file may be larger than the memory: what is kept is what the reader asks for."""
    journal = JournalFile.create(tmp_path / "j")
    journal.submit_many(("media", {"number": number}) for number in range(50))
    journal.append("closed")
    alive: set[int] = set()
    most = 0

    def keep(entry: dict[str, Any]) -> bool:
        nonlocal most
        tracked = _Tracked(entry["n"], alive)
        entry["tracked"] = tracked
        most = max(most, len(alive))
        return bool(entry["kind"] == "closed")

    chain = read_chain(tmp_path / "j", keep=keep)
    assert [entry["n"] for entry in chain.entries] == [51]
    assert (chain.head, chain.unsigned) == (journal.head, 51)
    assert most <= 3, "entries that were read before stayed in memory"


class _Tracked:
    """Shows while it is alive that the entry that holds it is in memory."""

    def __init__(self, number: int, alive: set[int]) -> None:
        self._number, self._alive = number, alive
        alive.add(number)

    def __del__(self) -> None:
        self._alive.discard(self._number)


def test_a_line_without_end_never_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_module, "MAX_LINE_BYTES", 1000)
    journal = JournalFile.create(tmp_path / "j")
    journal.append("mark")
    with journal.path.open("ab") as file:
        file.write(bytes(5000))
    journal, chain = JournalFile.reopen(tmp_path / "j")
    assert (chain.head.count, chain.problem) == (1, "is too long")
    assert (tmp_path / "j.damaged").read_bytes() == bytes(5000)


def test_nothing_is_dropped_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    part_journal = add_part(built, fragments=1)
    part_journal.add_fragment(built.writers[0].write("main"))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError):
        part_journal.flush()
    part_journal.add_fragment(built.writers[0].write("main"))
    monkeypatch.undo()
    part_journal.flush()
    entries = read_chain(part_journal.folder / "journal.jsonl", None).entries
    media = [row for entry in entries for row in entry.get("fragments", [])]
    offsets = [row["offset"] for row in media if row["track"] == "main"]
    assert len(offsets) == 3
    assert offsets == sorted(set(offsets))
    part_journal.close()


@pytest.mark.parametrize(
    "value", [1e16, 1e-7, 12345678901234567890, 2**70, "\x7fҚ\u2028", 0.1, -0.0]
)
def test_every_value_reads_back_as_canonical(tmp_path: Path, value: Any) -> None:
    journal = JournalFile.create(tmp_path / "journal.jsonl")
    journal.append("note", {"value": value})
    journal.close()
    chain = read_chain(tmp_path / "journal.jsonl")
    assert chain.problem == ""
    assert chain.entries[0]["value"] == value


def test_nothing_follows_the_last_entry_while_the_disk_takes_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another thread submits meanwhile is refused, or follows nothing if the disk refuses."""
    court = Court.make(tmp_path / "court")
    built = new_hearing(tmp_path, court.device())
    sync, answers = os.fdatasync, iter([errno.EIO, None])

    def slow_sync(descriptor: int) -> None:
        monkeypatch.undo()
        with pytest.raises(StorageError, match="is closed"):
            built.journal.submit("breach_ended", {})
        if (refused := next(answers)) is not None:
            raise OSError(refused, "refused")
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow_sync)
    with pytest.raises(StorageError):
        built.journal.end({"person": "p1"})
    built.journal.submit("breach_ended", {})
    built.journal.flush()
    monkeypatch.setattr(os, "fdatasync", slow_sync)
    built.journal.end({"person": "p1"})
    kinds = [entry["kind"] for entry in read_chain(built.folder / "journal.jsonl").entries]
    assert kinds == ["opened", "head", "breach_ended", "head", "ended", "head"]
    assert [(found.code, found.where) for found in verify(built.folder, court.ca).problems] == []


def test_entries_are_told_in_the_order_of_the_chain(tmp_path: Path) -> None:
    """Whatever thread appends them: readers see what a reader of the file sees."""
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    part_journal = add_part(built, fragments=1)
    told: list[int] = []
    built.journal.set_listener(lambda _part, entry: told.append(entry["n"]))

    def submit() -> None:
        for _ in range(100):
            entry = built.journal.submit("mark", {})
            assert entry["n"] in told, "it is told when it is appended"

    threads = [threading.Thread(target=submit) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert told == sorted(told)
    assert len(told) == 400
    part_journal.close()


def test_an_entry_that_was_taken_back_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = new_hearing(tmp_path, Court.make(tmp_path / "court").device())
    told: list[str] = []
    built.journal.set_listener(lambda _part, entry: told.append(entry["kind"]))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError):
        built.journal.offer("part_opened", {"part": 2})
    assert told == []
    monkeypatch.undo()
    built.journal.submit("mark", {})
    assert told == ["mark"]
    built.journal.flush()
    kinds = [entry["kind"] for entry in read_chain(built.folder / "journal.jsonl").entries]
    assert kinds == ["opened", "head", "mark", "head"]
