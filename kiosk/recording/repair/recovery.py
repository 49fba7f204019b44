"""After a crash or a power cut: close what was left open, say what was lost, go on.

:func:`survey` closes the journals of every unsealed hearing: torn fragments are cut away, whole
ones that had not been journalled yet are, and both is written down. It looks only at journals
and at the ends of files, so that a hearing can be resumed within seconds. Sealing, which reads
every byte, is left to :meth:`Survivor.seal`.
"""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from kiosk.clocks import NS_PER_S, boot_id, recording_ns, wall_text, wall_time
from kiosk.errors import KioskError
from kiosk.evidence.chain import Chain, Entry, Journal
from kiosk.evidence.seal import is_sealed
from kiosk.recording.formats.age_tar import END, members
from kiosk.recording.formats.fmp4_scan import cut_tail, end_tar, whole_fragments
from kiosk.recording.formats.joined_run import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    closed_files,
    media_files,
    runs_of,
)
from kiosk.recording.journal.hearing_journal import HearingBook, Maker
from kiosk.recording.journal.part_journal import PartBook, media_line
from kiosk.storage.hearing_folder import HEARING, JOURNAL, PART_NAME, TRACKS

log = logging.getLogger(__name__)
RESUME_WITHIN_S = 600.0
UNKNOWN = "unknown"
"""Reason of a part that left nothing but its folder."""
_MEDIA = b'"kind":"media"'
"""Nearly every line of a long journal; its chain was checked, and nobody asks for them again."""
INVOLUNTARY = ("crash", "shutdown")
"""Reasons of a ``closed`` line that no person gave."""


@dataclass(frozen=True)
class Alive:
    """The last moment that is known to be recorded.

    Attributes:
        boot: boot id; ``ns`` is the recording clock of that boot, ``wall`` the wall time then.
    """

    boot: str
    ns: int
    wall: datetime | None

    def gap_seconds(self, now_ns: int, *, clock_trusted: bool) -> float | None:
        """Return the seconds from then to ``now_ns`` (this boot), or None: unknown."""
        if self.boot == boot_id():
            return round(max(0, now_ns - self.ns) / NS_PER_S, 3)
        if not clock_trusted or self.wall is None:
            return None
        now = wall_time() + timedelta(seconds=(now_ns - recording_ns()) / NS_PER_S)
        gap = (now - self.wall).total_seconds()
        return round(gap, 3) if gap >= 0 else None


@dataclass
class Survivor:
    """An unsealed hearing as found at the start.

    Attributes:
        book: its books, open.
        entries: ``(part, line)`` of all its journals but media, by time: the hearing's own first,
            then by part, where times are equal.
        capturing: it was capturing when everything ended.
        alive: the last moment recorded, if anything was.
        ended: it had been ended; only its last lines and seals are missing.
        unsealed: books of parts that are closed now and await their seal.
    """

    book: HearingBook
    entries: list[tuple[int, Entry]] = field(default_factory=list)
    capturing: bool = False
    alive: Alive | None = None
    ended: bool = False
    unsealed: list[PartBook] = field(default_factory=list)

    @property
    def started(self) -> str:
        """Wall time of the hearing's first line: orders hearings."""
        own = (entry for part, entry in self.entries if part == 0)
        return str(next(own, {}).get("at", ""))

    def may_resume(self, *, clock_trusted: bool) -> bool:
        """Say whether it was capturing and not too long ago (or nobody can know how long)."""
        if not self.capturing or self.alive is None:
            return self.capturing
        gap = self.alive.gap_seconds(recording_ns(), clock_trusted=clock_trusted)
        return gap is None or gap < RESUME_WITHIN_S

    def seal_parts(self) -> None:
        """Seal the parts that were left open.

        Raises:
            StorageError: something cannot be read or written.
        """
        while self.unsealed:
            self.book.seal_part(self.unsealed[0])
            self.unsealed.pop(0)

    def seal(self) -> None:
        """Seal the parts that were left open; and the hearing, if it had been ended.

        Raises:
            StorageError: something cannot be read or written.
        """
        self.seal_parts()
        if any(entry["kind"] == "ended" for _, entry in self.entries):
            self.book.seal_ended()
        elif self.ended:
            self.book.end({"person": "", "recovered": True})


def survey(hearings: Path, maker: Maker) -> list[Survivor]:
    """Close the journals of every unsealed hearing under ``hearings``; oldest first.

    A hearing that cannot be opened is logged and left as it is; it never stops the others.
    """
    found = []
    for folder in sorted(hearings.iterdir()) if hearings.is_dir() else []:
        if not folder.is_dir() or is_sealed(folder):
            continue
        try:
            found.append(_recover(folder, maker))
        except (KioskError, OSError, ValueError, KeyError, TypeError):
            log.exception("hearing %s cannot be recovered", folder.name)
    return sorted(found, key=lambda survivor: survivor.started)


def _recover(folder: Path, maker: Maker) -> Survivor:
    for left in folder.rglob(".*.tmp"):  # a write that never became a file
        left.unlink()
    book, chain = _open_hearing(folder, maker)
    if chain.problem or chain.torn:
        book.write("recovered", {"problem": chain.problem, "cut_bytes": chain.torn})
    survivor = Survivor(book)
    survivor.ended = any(entry["kind"] in ("ending", "ended") for entry in chain.entries)
    lines = _lines_by_part(chain)
    for path in sorted(folder.glob("part-*")):
        match = PART_NAME.fullmatch(path.name)
        if match is None or not path.is_dir():
            continue
        _recover_part(survivor, int(match[1]), lines.get(int(match[1]), {}))
    survivor.entries = list(_merged(folder))
    _note_last_capture(survivor)
    return survivor


def _note_last_capture(survivor: Survivor) -> None:
    """Note whether the newest part ended against everybody's will, and when.

    Told from the journals alone: a second crash in the middle of a recovery changes nothing.
    """
    newest = max((part for part, _ in survivor.entries), default=0)
    lines = [entry for part, entry in survivor.entries if part == newest]
    closed = next((entry for entry in reversed(lines) if entry["kind"] == "closed"), None)
    if newest == 0 or closed is None or closed.get("reason") not in INVOLUNTARY:
        return
    stopped = (e.get("part") for _, e in survivor.entries if e["kind"] == "stopped")
    survivor.capturing = newest not in stopped
    if lines[0].get("reason") == UNKNOWN:  # not even its boot is known: nor how long ago it was
        return
    wall = str(closed.get("stop_wall") or "")
    survivor.alive = Alive(
        str(lines[0].get("boot_id", "")),
        int(closed["stop_ns"]),
        datetime.fromisoformat(wall) if wall else None,
    )


def _open_hearing(folder: Path, maker: Maker) -> tuple[HearingBook, Chain]:
    """Reopen the hearing's books; make them where the crash came before they were."""
    if (folder / JOURNAL).exists() and (folder / JOURNAL).stat().st_size > 0:
        return HearingBook.reopen(folder, maker)
    (folder / JOURNAL).unlink(missing_ok=True)
    hearing: dict[str, Any] = {"id": folder.name, "adhoc": True}
    if (folder / HEARING).exists():
        hearing = json.loads((folder / HEARING).read_text(encoding="utf-8"))["hearing"]
    HearingBook.create(folder, hearing, {"recovered": True}, maker).close()
    return HearingBook.reopen(folder, maker)


def _lines_by_part(chain: Chain) -> dict[int, dict[str, Entry]]:
    """Return the hearing's lines about each part, by kind."""
    lines: dict[int, dict[str, Entry]] = {}
    for entry, digest in zip(chain.entries, chain.hashes, strict=True):
        if entry["kind"].startswith("part_"):
            part = lines.setdefault(int(entry["part"]), {})
            part[entry["kind"]] = entry | {"own_hash": digest}
    return lines


def _recover_part(survivor: Survivor, part: int, lines: dict[str, Entry]) -> None:
    """Close part number ``part`` of ``survivor``, if it is open, and note what it tells."""
    folder = survivor.book.part_folder(part)
    if is_sealed(folder):
        if "part_sealed" not in lines:  # the crash came just before that line
            survivor.book.note_seal(part)
        return
    _ensure_part_books(survivor, part, lines)
    book, chain = survivor.book.reopen_part(part)
    closed = any(entry["kind"] == "closed" for entry in chain.entries)
    if not closed:
        # A first line that was written just now, above, tells another boot's time.
        witness = lines.get("part_opened", {}) if len(chain.entries) == 1 else chain.entries[-1]
        _close_part(book, chain, folder, witness)
        fields = {"part": part, "reason": "crash", "person": ""}
        survivor.book.write("part_closed", fields)
    elif chain.entries[-1]["kind"] != "head":
        book.sign_head()
    survivor.unsealed.append(book)


def _merged(folder: Path) -> Iterator[tuple[int, Entry]]:
    """Yield the lines of all journals of a hearing, each journal in its own order, by time."""
    parts = [(int(match[1]), p) for p in folder.iterdir() if (match := PART_NAME.fullmatch(p.name))]
    journals = [_entries(folder, 0), *(_entries(path, part) for part, path in sorted(parts))]
    return heapq.merge(*journals, key=lambda line: str(line[1].get("at", "")))


def _entries(folder: Path, part: int) -> Iterator[tuple[int, Entry]]:
    """Yield ``(part, line)`` for each line of the journal in ``folder`` but those of media."""
    for line in (folder / JOURNAL).read_bytes().splitlines():
        if _MEDIA not in line:  # quotes within a text are escaped: no note can look so
            yield part, orjson.loads(line)


def _ensure_part_books(survivor: Survivor, part: int, lines: dict[str, Entry]) -> None:
    """Begin the part's journal where the crash came before its first line."""
    path = survivor.book.part_folder(part) / JOURNAL
    if path.exists():
        with path.open("rb") as file:
            if file.readline().endswith(b"\n"):
                return
    path.unlink(missing_ok=True)
    opened = lines.get("part_opened")
    if opened is None:
        survivor.book.open_part(part, {"reason": UNKNOWN, "person": "", "tap_ns": 0}, {}).abandon()
        return
    journal = Journal.create(path, str(opened["own_hash"]))
    survivor.book.first_line(journal, part, opened)
    journal.close()


def _close_part(book: PartBook, chain: Chain, folder: Path, witness: Entry) -> None:
    """Journal whole fragments, cut torn ones, write ``interruption`` and ``closed``.

    Args:
        witness: a line written while the part was captured: recording clock and wall time then.
    """
    first = chain.entries[0]
    ends = _journalled_ends(chain)
    zero_ns = int(first.get("tap_ns") or first["t"])  # the media time of a part begins at its tap
    last_ns = max([zero_ns, *(end[1] for end in ends.values())])
    for track in TRACKS:
        for run in runs_of(folder / track):
            _close_init(run / CLOSED_INIT)
            for path in [*media_files(run), *closed_files(run)]:
                name = path.relative_to(folder).as_posix()
                last_ns = max(last_ns, _close_file(book, folder, name, ends, zero_ns))
    book.write("recovered", {"problem": chain.problem, "cut_bytes": chain.torn, "last_ns": last_ns})
    known = first.get("reason") != UNKNOWN
    what = "crash" if known and first.get("boot_id") == boot_id() else "power"
    fields = {"number": 0, "source": "recorder", "what": what, "start_ns": last_ns}
    book.write("interruption", fields)
    wall = _wall_of(witness, last_ns)
    stopped = {"stop_ns": last_ns, "stop_wall": wall_text(wall) if wall else None}
    book.close({"reason": "crash", "person": "", **stopped})


def _journalled_ends(chain: Chain) -> dict[str, tuple[int, int]]:
    """Return, per file, the end in bytes and on the recording clock of its journalled media."""
    ends: dict[str, tuple[int, int]] = {}
    for entry in chain.entries:
        for one in entry.get("fragments", []) if entry["kind"] == "media" else []:
            ends[str(one["file"])] = (int(one["offset"]) + int(one["length"]), int(one["end_ns"]))
    return ends


def _close_file(
    book: PartBook, folder: Path, name: str, ends: dict[str, tuple[int, int]], zero_ns: int
) -> int:
    """Bring the journal and one file together; return the recording clock of its end (or 0)."""
    path = folder / name
    end = ends.get(name, (0, 0))[0]
    size = path.stat().st_size
    if size < end:  # synced bytes are gone: the disk lied, and verification will say so
        book.write("cut", {"file": name, "offset": size, "length": end - size, "lost": True})
        return 0
    records = whole_fragments(folder, name, end, zero_ns)
    if records:
        book.write("media", {**media_line(records), "recovered": True})
        end = records[-1].offset + records[-1].length
    closed = name.endswith(CLOSED_SUFFIX)
    if closed and end and _ends_well(path, end):
        return max((record.end_ns for record in records), default=0)
    gone = cut_tail(path, end)
    if gone:
        book.write("cut", {"file": name, "offset": end, "length": gone})
    if end == 0:
        path.unlink()
    elif closed:
        end_tar(path)
    return max((record.end_ns for record in records), default=0)


def _ends_well(tar: Path, end: int) -> bool:
    """Say whether exactly the end of the archive follows the last member."""
    if tar.stat().st_size != end + len(END):
        return False
    with tar.open("rb") as file:
        file.seek(end)
        return file.read() == END


def _close_init(path: Path) -> None:
    """Bring a torn initialisation segment of a closed run to a whole tar, or remove it."""
    if not path.exists():
        return
    whole = list(members(path, check=True))
    end = whole[0].length if whole else 0
    if end and not _ends_well(path, end):
        cut_tail(path, end)
        end_tar(path)
    elif not end:
        path.unlink()


def _wall_of(entry: Entry, ns: int) -> datetime | None:
    """Return the wall time at recording clock ``ns``, from a line that has both."""
    try:
        moment = datetime.fromisoformat(str(entry["at"]))
        return moment + timedelta(seconds=(ns - int(entry["t"])) / NS_PER_S)
    except (ValueError, KeyError, OverflowError):
        return None
