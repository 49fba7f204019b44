"""Two copies of a hearing after a crash, either or both of them damaged: what is right is taken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kiosk.evidence.chain import read_chain
from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.signer import sign_head
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.copy_merge import merge_copies
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.recording.verify.hearing import verify
from kiosk.storage.hearing_folder import (
    COURIER_ONLY_MARKER,
    HEARING_FILE,
    JOURNAL_FILE,
    PART_FILE,
    SIGNATURE,
    SUMS,
)
from kiosk.storage.replaced_files import list_path
from kiosk.storage.store import DIRECT
from kiosk.storage.volume import ONLY_HERE, StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.support.hearing_builder import BuiltHearing, add_part, new_hearing
from tests.support.identity import Court

KIOSK = "kiosk-0001"
MEDIA = "part-01/main/run-01/000002.m4s"
JOURNAL = f"part-01/{JOURNAL_FILE}"
GARBAGE = b"\xa5garbage\x5a" * 20


class Copies:
    """A hearing that a crash has left on two storages, the same on both."""

    def __init__(self, folder: Path, court: Court) -> None:
        self.device = court.device()
        self.court = court
        self.roots = folder / "own", folder / "mirror"
        self.built: BuiltHearing = new_hearing(self.roots[0] / "hearings", self.device)
        part = add_part(self.built)
        part.close()
        self.built.journal.close()
        shutil.copytree(*self.roots)
        write_marker(self.roots[0], KIOSK, "data")
        write_marker(self.roots[1], KIOSK, "mirror")
        self.volumes = (
            StorageVolume(self.roots[0], KIOSK, "data"),
            StorageVolume(self.roots[1], KIOSK, "mirror"),
        )
        self.hearing = self.built.folder.name
        self.folders = tuple(root / "hearings" / self.hearing for root in self.roots)
        self.good = self.files(0)

    def files(self, copy: int) -> dict[str, bytes]:
        """Return the files of one copy."""
        folder = self.folders[copy]
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def change(self, copy: int, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change a file of one copy."""
        path = self.folders[copy] / name
        path.write_bytes(change(path.read_bytes()))

    def tear(self, copy: int, fragment: int, data: bytes = GARBAGE, name: str = MEDIA) -> None:
        """Overwrite the middle of a fragment (-1: the last one) of a media file."""
        begin, end = self.fragments()[fragment]
        at = (begin + end) // 2

        def overwrite(old: bytes) -> bytes:
            return old[:at] + data[: end - at] + old[at + len(data[: end - at]) :]

        self.change(copy, name, overwrite)

    def fragments(self) -> list[tuple[int, int]]:
        """Return where the journalled fragments of the newest media file lie."""
        return [
            (row["offset"], row["offset"] + row["length"])
            for entry in read_chain(self.folders[0] / JOURNAL).entries
            for row in entry.get("fragments", ())
            if f"part-01/{row['file']}" == MEDIA
        ]

    def merge(self) -> None:
        """Merge as the start of the recorder does."""
        self.before = self.files(0), self.files(1)
        failed: dict[str, Exception] = {}
        merge_copies(*self.volumes, self.device.certificate, failed.__setitem__)
        assert failed == {}
        assert self.files(1) == self.before[1], "the mirror is only read"

    def kept(self, name: str = MEDIA) -> list[tuple[int, bytes]]:
        """Return offset and bytes of what is set aside of a file."""
        place = self.roots[0] / ONLY_HERE / "hearings" / self.hearing / name
        return [
            (int(path.name.removeprefix(f"{place.name}.").split("-")[0]), path.read_bytes())
            for path in sorted(place.parent.glob(f"{place.name}.*"))
        ]

    def check_nothing_lost(self, name: str = MEDIA) -> None:
        """Check that both copies can be made from what is there and what is set aside."""
        now = (self.folders[0] / name).read_bytes()
        for before in (files[name] for files in self.before):
            data = bytearray(now[: len(before)].ljust(len(before), b"\0"))
            for begin, kept in self.kept(name):
                if before[begin : begin + len(kept)] == kept:
                    data[begin : begin + len(kept)] = kept
            different = [i for i, byte in enumerate(before) if byte != data[i]]
            assert not any(before[i] for i in different), "bytes of a copy are gone"

    def check_verifies(self) -> None:
        """Recover and seal the hearing on the own disk; it is proven."""
        options = JournalOptions(KIOSK, self.device)
        (found,) = recover_hearings(self.folders[0].parent, options)
        found.was_ended = True
        found.seal()
        report = verify(self.folders[0], self.court.ca)
        assert report.ok, report.problems


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path, Court.make(tmp_path / "court"))


def torn_end(copies: Copies, copy: int) -> None:
    copies.tear(copy, -1)


def zeros_at_the_end(copies: Copies, copy: int) -> None:
    copies.tear(copy, -1, bytes(1 << 20))


def torn_in_the_middle(copies: Copies, copy: int) -> None:
    copies.tear(copy, 1)


def torn_and_longer(copies: Copies, copy: int) -> None:
    copies.tear(copy, -1)
    copies.change(copy, MEDIA, lambda data: data + GARBAGE)


def cut(copies: Copies, copy: int) -> None:
    copies.change(copy, MEDIA, lambda data: data[: copies.fragments()[-1][0] + 5])


DAMAGE = [torn_end, zeros_at_the_end, torn_in_the_middle, torn_and_longer, cut]


@pytest.mark.parametrize("copy", [0, 1], ids=["own", "mirror"])
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_the_copy_that_agrees_with_the_journal_is_taken(
    copies: Copies, damage: Callable[[Copies, int], None], copy: int
) -> None:
    damage(copies, copy)
    copies.merge()
    assert copies.files(0)[MEDIA][: len(copies.good[MEDIA])] == copies.good[MEDIA]
    copies.check_nothing_lost()
    copies.check_verifies()


def test_two_copies_torn_in_different_places_make_one_that_is_whole(copies: Copies) -> None:
    copies.tear(0, 1)
    copies.tear(1, -1)
    copies.merge()
    assert copies.files(0) == copies.good
    assert len(copies.kept()) == 2
    copies.check_nothing_lost()
    copies.check_verifies()


def test_of_two_copies_torn_in_the_same_place_both_are_kept(copies: Copies) -> None:
    copies.tear(0, -1)
    copies.tear(1, -1, b"other garbage" * 20)
    copies.merge()
    copies.merge()  # the same again after another crash
    assert len(copies.kept()) == 1, "the alarm says so"
    copies.check_nothing_lost()


@pytest.mark.parametrize("copy", [0, 1], ids=["own", "mirror"])
def test_what_no_journal_knows_is_taken_from_the_copy_that_has_it(
    copies: Copies, copy: int
) -> None:
    length = len(copies.good[MEDIA])
    copies.built.writers[0].write("main")
    late = "part-01/main/run-01/000003.m4s"
    whole = copies.files(0)[late]
    (copies.folders[1] / late).write_bytes(whole)
    copies.change(copy, late, lambda data: data[: len(data) // 3] + bytes(length))
    copies.merge()
    assert copies.files(0)[late][: len(whole)] == whole
    copies.check_verifies()


def test_a_media_file_that_only_the_mirror_has_is_taken_whole(copies: Copies) -> None:
    (copies.folders[0] / MEDIA).unlink()
    copies.merge()
    assert copies.files(0) == copies.good
    copies.check_verifies()


# -- journals --------------------------------------------------------------------------------------
def with_a_line_changed(number: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        place = range(len(lines))[number]
        lines[place] = lines[place].replace(b'"at":"2', b'"at":"3')
        return b"".join(lines)

    return change


def with_a_signature_changed(data: bytes) -> bytes:
    before, mark, signature = data.rpartition(b'"signature":"')
    return (
        before
        + mark
        + signature[:12]
        + (b"AAAA" if b"AAAA" not in signature else b"BBBB")
        + (signature[16:])
    )


CHANGES = [with_a_line_changed(2), with_a_line_changed(-2), with_a_signature_changed]


@pytest.mark.parametrize("name", [JOURNAL, JOURNAL_FILE], ids=["part", "hearing"])
@pytest.mark.parametrize("copy", [0, 1], ids=["own", "mirror"])
@pytest.mark.parametrize("change", CHANGES, ids=["a line", "the last line", "its signature"])
def test_a_journal_that_differs_in_one_line_is_that_which_is_signed(
    copies: Copies, name: str, copy: int, change: Callable[[bytes], bytes]
) -> None:
    copies.change(copy, name, change)
    copies.merge()
    assert copies.files(0)[name] == copies.good[name]
    assert copies.kept(name), "the line is set aside"
    copies.check_nothing_lost(name)
    copies.check_verifies()


def test_two_journals_with_different_damaged_lines_make_one_that_is_whole(copies: Copies) -> None:
    copies.change(0, JOURNAL, with_a_line_changed(3))
    copies.change(1, JOURNAL, with_a_line_changed(7))
    copies.merge()
    assert copies.files(0)[JOURNAL] == copies.good[JOURNAL]
    copies.check_nothing_lost(JOURNAL)
    copies.check_verifies()


def test_a_damaged_line_hides_no_newer_line_of_the_same_copy(copies: Copies) -> None:
    copies.change(0, JOURNAL, with_a_line_changed(3))
    copies.change(1, JOURNAL, lambda data: b"".join(data.splitlines(keepends=True)[:-4]))
    copies.merge()
    assert copies.files(0)[JOURNAL] == copies.good[JOURNAL]
    copies.check_verifies()


def test_lines_of_zeros_are_filled_from_the_other_copy(copies: Copies) -> None:
    copies.change(0, JOURNAL, lambda data: bytes(900) + data[900:])
    copies.merge()
    assert copies.files(0) == copies.good
    copies.check_verifies()


# -- small files -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [HEARING_FILE, f"part-01/{PART_FILE}"])
@pytest.mark.parametrize("damaged", [b"", b"\0" * 90, b'{"id": "torn'])
def test_a_small_file_that_is_torn_is_taken_from_the_mirror(
    copies: Copies, name: str, damaged: bytes
) -> None:
    copies.change(0, name, lambda _data: damaged)
    copies.merge()
    assert copies.files(0)[name] == copies.good[name]
    assert [data for _, data in copies.kept(name)] == ([damaged] if any(damaged) else [])
    copies.check_verifies()


def test_a_marker_without_bytes_is_taken_from_the_mirror(copies: Copies) -> None:
    (copies.folders[1] / COURIER_ONLY_MARKER).write_bytes(b"")
    copies.merge()
    assert (copies.folders[0] / COURIER_ONLY_MARKER).exists()


def test_a_damaged_list_of_replaced_files_still_keeps_them_away(copies: Copies) -> None:
    (copies.folders[0] / MEDIA).unlink()
    place = copies.roots[1] / list_path(copies.hearing)
    place.parent.mkdir()
    place.write_text(json.dumps({"removed": [f"hearings/{copies.hearing}/{MEDIA}"]})[:-2])
    copies.merge()
    assert not (copies.folders[0] / MEDIA).exists()


def test_a_copy_that_cannot_be_merged_is_told(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies.tear(0, -1)
    monkeypatch.setattr(copies.volumes[0], "patch", _refuse)
    failed: dict[str, Exception] = {}
    before = copies.files(0)
    assert merge_copies(*copies.volumes, copies.device.certificate, failed.__setitem__) == []
    assert list(failed) == [copies.hearing]
    assert copies.files(0) == before


# -- sealed parts ----------------------------------------------------------------------------------
def seal_part_here(copies: Copies) -> None:
    """Recover the hearing on the own disk alone and seal its part; the hearing goes on."""
    options = JournalOptions(KIOSK, copies.device)
    (found,) = recover_hearings(copies.folders[0].parent, options)
    found.seal_parts()
    found.journal.close()


def test_a_part_that_is_sealed_is_not_changed_and_what_only_the_mirror_has_is_kept(
    copies: Copies,
) -> None:
    """The mirror alone had the last second before a power cut, and was absent at the start."""
    sign = partial(sign_head, copies.device, copies.hearing, 1)
    longer, _ = JournalFile.reopen(copies.folders[1] / JOURNAL, DIRECT, sign)
    for number in range(9):
        longer.append("mark", {"id": number, "type": "oath" * 50})
    longer.close()
    late = "part-01/main/run-01/000003.m4s"
    (copies.folders[1] / late).write_bytes(GARBAGE)
    seal_part_here(copies)
    before = copies.files(0)
    copies.merge()
    assert copies.files(0) == before
    copies.check_nothing_lost(JOURNAL)
    assert copies.kept(late) == [(0, GARBAGE)]
    copies.check_verifies()


def test_a_sealed_part_gets_back_what_its_seal_covers(copies: Copies) -> None:
    seal_part_here(copies)
    shutil.rmtree(copies.folders[1])
    shutil.copytree(copies.folders[0], copies.folders[1])
    before = copies.files(0)
    copies.change(0, JOURNAL, with_a_line_changed(3))
    shutil.rmtree((copies.folders[0] / MEDIA).parent)
    copies.merge()
    assert copies.files(0) == before
    assert copies.kept(JOURNAL), "the damaged one is set aside"
    copies.check_verifies()


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_part_that_is_sealed_on_the_mirror_alone_is_taken_whole(
    copies: Copies, monkeypatch: pytest.MonkeyPatch, *, is_interrupted: bool
) -> None:
    """The own disk took nothing from the middle of the part on, until a crash."""
    beginning = copies.files(0)[MEDIA][:100]
    seal_part_here(copies)
    shutil.rmtree(copies.folders[1])
    shutil.copytree(copies.folders[0], copies.folders[1])
    for name in (SUMS, SIGNATURE):
        (copies.folders[0] / "part-01" / name).unlink()
    copies.change(0, MEDIA, lambda _: beginning)
    if is_interrupted:
        with monkeypatch.context() as patch:
            patch.setattr(copies.volumes[0], "append", _refuse)
            merge_copies(*copies.volumes, copies.device.certificate)
    copies.merge()
    assert copies.files(0) == copies.files(1)
    copies.check_verifies()


def _refuse(*_arguments: object) -> None:
    raise OSError(30, "read-only")


def test_a_closed_run_that_has_only_its_init_file_is_taken(copies: Copies) -> None:
    """A crash comes between the encrypted init file and the first fragment."""
    name = "part-01/main/run-02/init.tar"
    path = copies.folders[1] / name
    path.parent.mkdir()
    path.write_bytes(b"a tar of the init file")
    copies.merge()
    assert copies.files(0)[name] == b"a tar of the init file"


def test_what_one_hearing_raises_leaves_the_others(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_merge: object) -> bool:
        raise KeyError("a bug")

    monkeypatch.setattr("kiosk.recording.repair.copy_merge._HearingMerge.run", break_down)
    failed: dict[str, Exception] = {}
    merge_copies(*copies.volumes, copies.device.certificate, failed.__setitem__)
    assert list(failed) == [copies.hearing]
