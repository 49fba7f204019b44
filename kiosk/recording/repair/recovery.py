"""Recovers unsealed hearings after a crash or a power cut.

:func:`recover_hearings` closes the journals of every unsealed hearing: it cuts away torn
fragments, journals complete ones that had not been journalled yet, and records both. It reads
only journals and the ends of files, so that a hearing can be resumed within seconds. Sealing,
which reads every byte, is left to :meth:`InterruptedHearing.seal`.
"""

from __future__ import annotations

import heapq
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from kiosk.clocks import NS_PER_S, boot_id, format_wall, recording_ns, wall_time
from kiosk.errors import KioskError, RecordingError
from kiosk.evidence.chain import BULK_KINDS, Chain, Entry, is_first_entry
from kiosk.evidence.seal import is_sealed
from kiosk.recording.formats.records import CAMERA
from kiosk.recording.journal.hearing_journal import (
    START_FAILED,
    HearingJournal,
    load_hearing,
    submit_hearing_file,
)
from kiosk.recording.journal.journalled_media import WITHOUT_MEDIA, JournalledMedia
from kiosk.recording.journal.part_journal import JournalOptions, PartJournal
from kiosk.recording.repair.reconcile import reconcile, seal_part
from kiosk.recording.repair.start_evidence import was_captured, was_ready
from kiosk.storage.atomic_io import read_json_or_none, sync_folder
from kiosk.storage.hearing_folder import (
    HEARING_FILE,
    JOURNAL_FILE,
    PART_FILE,
    part_folder_name,
    part_folders,
)

log = logging.getLogger(__name__)
MAX_RESUME_GAP_S = 600.0
UNKNOWN_REASON = "unknown"
"""Reason of a part of which only the folder is left."""
_BULK_LINE = re.compile(b'"kind":"(%s)"' % "|".join(sorted(BULK_KINDS)).encode())
"""Recovery skips these, which are nearly all entries of a long journal; its chain was checked."""
GOING_ON_REASONS = ("crash", "shutdown", "closed", "opened")
"""Reasons in a ``closed`` entry after which the hearing is still meant to be recorded."""


@dataclass(frozen=True)
class LastCapture:
    """The last moment that is known to be recorded.

    Attributes:
        boot_id: id of the boot in which it was recorded.
        recorded_ns: recording clock of that boot.
        wall: wall time of the moment, if known.
    """

    boot_id: str
    recorded_ns: int
    wall: datetime | None

    def gap_seconds(self, now_ns: int, *, clock_trusted: bool) -> float | None:
        """Return the seconds from then to ``now_ns`` (this boot), or None if unknown."""
        if self.boot_id == boot_id():
            return round(max(0, now_ns - self.recorded_ns) / NS_PER_S, 3)
        if not clock_trusted or self.wall is None:
            return None
        now = wall_time() + timedelta(seconds=(now_ns - recording_ns()) / NS_PER_S)
        gap = (now - self.wall).total_seconds()
        return round(gap, 3) if gap >= 0 else None


@dataclass
class InterruptedHearing:
    """An unsealed hearing as found at the start.

    Attributes:
        journal: its journal, open.
        entries: ``(part, entry)`` of all its journals, without ``media``, sorted by time; for equal
            times the hearing's own come first, then those of the parts in order.
        newest_part: number of its newest part that did start, 0 if none did.
        was_capturing: whether that part was being captured at the crash.
        last_capture: the last recorded moment, if anything was recorded.
        was_ended: whether it had been ended, so that only last entries and seals are missing.
        unsealed_parts: journals of parts that are closed now and await their seal.
    """

    journal: HearingJournal
    entries: list[tuple[int, Entry]] = field(default_factory=list)
    newest_part: int = 0
    was_capturing: bool = False
    last_capture: LastCapture | None = None
    was_ended: bool = False
    unsealed_parts: list[PartJournal] = field(default_factory=list)

    @property
    def was_started(self) -> bool:
        """Whether any of its parts was being recorded once: not only starts that failed."""
        return self.newest_part > 0

    @property
    def started_at(self) -> str:
        """Wall time of the hearing's first entry, by which hearings are sorted."""
        own = (entry for part, entry in self.entries if part == 0)
        return str(next(own, {}).get("at", ""))

    def can_resume(self, *, clock_trusted: bool) -> bool:
        """Return whether it was capturing a short time ago, or before a clock stopped.

        Where the journals tell neither that nor when, it is not resumed.
        """
        if not self.was_capturing or self.last_capture is None:
            return False
        gap = self.last_capture.gap_seconds(recording_ns(), clock_trusted=clock_trusted)
        return gap is None or gap < MAX_RESUME_GAP_S

    def seal_parts(self) -> None:
        """Seal the parts that were left open.

        Raises:
            StorageError: something cannot be read or written.
        """
        while self.unsealed_parts:
            seal_part(self.journal, self.unsealed_parts[0])
            self.unsealed_parts.pop(0)

    def seal(self) -> None:
        """Seal the parts that were left open, and the hearing if it had been ended.

        Raises:
            StorageError: something cannot be read or written.
        """
        self.seal_parts()
        if any(entry["kind"] == "ended" for _, entry in self.entries):
            self.journal.seal()
        elif self.was_ended:
            self.journal.end({"person": "", "recovered": True})


def recover_hearings(
    hearings: Path,
    options: JournalOptions,
    on_failure: Callable[[Path], None] = lambda _: None,
    located_elsewhere: Iterable[str] = (),
    left_out: Collection[str] = (),
) -> list[InterruptedHearing]:
    """Close the journals of every unsealed hearing under ``hearings``; oldest first.

    Args:
        on_failure: called with the folder of a hearing that cannot be opened. It is logged and left
            as it is, and never stops the others.
        located_elsewhere: names of hearings whose folders need not be there: the store knows where.
        left_out: names of hearings that are not looked at.
    """
    recovered = []
    names = {path.name for path in hearings.iterdir()} if hearings.is_dir() else set()
    names = names.union(located_elsewhere).difference(left_out)
    for folder in map(hearings.joinpath, sorted(names)):
        try:
            located = options.store.locate(folder)
            if located.is_dir() and not is_sealed(located) and any(located.iterdir()):
                recovered.append(recover_hearing(folder, options))
        except Exception:  # damage or a bug: the others, and the recorder, must start
            log.exception("hearing %s cannot be recovered", folder.name)
            on_failure(folder)
    return sorted(recovered, key=lambda hearing: hearing.started_at)


def recover_hearing(folder: Path, options: JournalOptions) -> InterruptedHearing:
    """Close the journals of one unsealed hearing.

    Raises:
        RecordingError, StorageError: it cannot be opened, or its disk refuses.
    """
    try:
        return _recover_hearing(folder, options)
    except KioskError:
        raise
    except Exception as error:  # whatever damaged bytes raise; it is tried again
        problem = type(error).__name__
        raise RecordingError(f"{folder.name}: cannot be recovered: {problem}") from error


def _recover_hearing(folder: Path, options: JournalOptions) -> InterruptedHearing:
    located = options.store.locate(folder)
    for temporary in located.rglob(".*.tmp"):  # a write that never became a file
        temporary.unlink()
    journal, chain = _open_or_create_journal(folder, options)
    if chain.problem or chain.torn_bytes:
        journal.append("recovered", {"problem": chain.problem, "cut_bytes": chain.torn_bytes})
    hearing = InterruptedHearing(journal)
    hearing.was_ended = any(entry["kind"] in ("ending", "ended") for entry in chain.entries)
    lines = _entries_by_part(chain)
    for part in lines:  # the folder is made after its entry
        if not (located / part_folder_name(part)).is_dir():
            options.store.make_folder(journal.part_folder(part))
    for part, _ in part_folders(located):
        _recover_part(hearing, part, lines.get(part, {}))
    hearing.entries = list(iter_merged_entries(options.store.locate(folder)))
    _set_last_capture(hearing)
    return hearing


def _set_last_capture(hearing: InterruptedHearing) -> None:
    """Set which part that did start is the newest, and whether and when it was interrupted.

    This depends on the journals alone, so that a second crash during a recovery changes nothing.
    """
    parts: dict[int, list[Entry]] = {}
    for part, entry in hearing.entries:
        parts.setdefault(part, []).append(entry)
    ends = {
        part: next((entry for entry in reversed(lines) if entry["kind"] == "closed"), {})
        for part, lines in parts.items()
    }
    started = [part for part in parts if part and ends[part].get("reason") != START_FAILED]
    hearing.newest_part = newest = max(started, default=0)
    lines, closed = parts.get(newest, []), ends.get(newest, {})
    if newest == 0 or closed.get("reason") not in GOING_ON_REASONS:
        return
    stopped = (e.get("part") for _, e in hearing.entries if e["kind"] == "stopped")
    hearing.was_capturing = newest not in stopped
    if lines[0].get("reason") == UNKNOWN_REASON:  # nobody can tell when it was recorded
        return
    wall = str(closed.get("stop_wall") or "")
    hearing.last_capture = LastCapture(
        str(lines[0].get("boot_id", "")),
        int(closed["stop_ns"]),
        datetime.fromisoformat(wall) if wall else None,
    )


def _open_or_create_journal(folder: Path, options: JournalOptions) -> tuple[HearingJournal, Chain]:
    """Reopen the hearing's journal; create it if it has no first entry (any more)."""
    located = options.store.locate(folder)
    try:
        schedule_entry = load_hearing(located)
    except RecordingError:  # lost or damaged
        _set_aside(located / HEARING_FILE)
        schedule_entry = {"id": folder.name, "adhoc": True}
        submit_hearing_file(folder, schedule_entry, options)
    if not _has_first_entry(located / JOURNAL_FILE):
        journal = HearingJournal.create(folder, schedule_entry, {"recovered": True}, options)
        journal.flush()
        journal.close()
    return HearingJournal.reopen(folder, options)


def _has_first_entry(journal: Path) -> bool:
    """Return whether a journal begins with an entry; what it holds otherwise is set aside."""
    try:
        with journal.open("rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return False
    if line.endswith(b"\n") and is_first_entry(line[:-1]):
        return True
    if line.endswith(b"\n"):
        _set_aside(journal)
    else:  # an entry that was never durable
        journal.unlink()
    return False


def _set_aside(path: Path) -> None:
    """Rename a damaged file, if it is there, durably; what was set aside before it stays."""
    if path.exists():
        names = (f"{path.name}{number or ''}.damaged" for number in count())
        path.rename(next(p for p in map(path.with_name, names) if not p.exists()))
        sync_folder(path.parent)


def _entries_by_part(chain: Chain) -> dict[int, dict[str, Entry]]:
    """Return the hearing's entries about each part, by kind."""
    lines: dict[int, dict[str, Entry]] = {}
    for entry, digest in zip(chain.entries, chain.hashes, strict=True):
        if entry["kind"].startswith("part_"):
            part = lines.setdefault(int(entry["part"]), {})
            part[entry["kind"]] = entry | {"own_hash": digest}
    return lines


def _recover_part(hearing: InterruptedHearing, part: int, lines: dict[str, Entry]) -> None:
    """Close part number ``part`` of ``hearing``, if it is open, and queue it for its seal."""
    folder = hearing.journal.store.locate(hearing.journal.part_folder(part))
    if is_sealed(folder):
        if "part_sealed" not in lines:  # the crash came just before that entry
            hearing.journal.record_part_sealed(part)
        return
    _ensure_part_journal(hearing, part, lines)
    media = JournalledMedia()
    part_journal, chain = hearing.journal.reopen_part(part, media.add)
    if media.closed is None:
        # A first entry that was written just above has the times of this boot.
        opened = lines.get("part_opened", {})
        time_reference = opened if media.last is media.first else media.last
        unsigned = media.unsigned_entries
        if media.last_head and not hearing.journal.has_signed(part, media.last_head):
            unsigned = media.media_entries
        damage = {"problem": chain.problem, "cut_bytes": chain.torn_bytes, "unsigned": unsigned}
        was_started = was_captured(folder) or (part == 1 and was_ready(folder.parent))
        decided = lines.get("part_closed")  # the part's own entry could not be written any more
        reason = decided["reason"] if decided else "crash" if was_started else START_FAILED
        _close_part(part_journal, media, damage, time_reference, reason)
        if decided is None:
            fields = {"part": part, "reason": reason, "person": ""}
            hearing.journal.append("part_closed", fields)
    else:
        part_journal.sign()
    hearing.unsealed_parts.append(part_journal)


def iter_merged_entries(folder: Path) -> Iterator[tuple[int, Entry]]:
    """Yield the entries of all journals of a hearing by time, each journal in its own order."""
    parts = (_iter_entries(path, part) for part, path in part_folders(folder))
    journals = [_iter_entries(folder, 0), *parts]
    return heapq.merge(*journals, key=lambda line: str(line[1].get("at", "")))


def _iter_entries(folder: Path, part: int) -> Iterator[tuple[int, Entry]]:
    """Yield ``(part, entry)`` for each event in the journal in ``folder``."""
    with (folder / JOURNAL_FILE).open("rb") as file:
        for line in file:
            if _BULK_LINE.search(line) is None:  # quotes in a text are escaped: no note can match
                yield part, orjson.loads(line)


def _ensure_part_journal(hearing: InterruptedHearing, part: int, entries: dict[str, Entry]) -> None:
    """Create the part's journal if it has no first entry (any more)."""
    path = hearing.journal.store.locate(hearing.journal.part_folder(part) / JOURNAL_FILE)
    if _has_first_entry(path):
        return
    opened = entries.get("part_opened")
    if opened is None:
        fields = {"reason": UNKNOWN_REASON, "person": "", "tap_ns": 0}
        hearing.journal.open_part(part, fields, {}).close()
    else:
        hearing.journal.create_part_journal(part, str(opened["own_hash"]), opened).close()


def _close_part(
    journal: PartJournal,
    media: JournalledMedia,
    damage: dict[str, Any],
    time_reference: Entry,
    reason: str,
) -> None:
    """Make journal and media agree; append ``recovered``, ``interruption`` and ``closed``.

    Args:
        media: what the journal says.
        damage: what was wrong with the journal itself.
        time_reference: an entry written during the capture, with recording clock and wall time.
        reason: why it ended; a start that failed was not interrupted.
    """
    last_ns = reconcile(journal, media, is_final=False).last_ns
    journal.queue("recovered", {**damage, "last_ns": last_ns})
    known = media.first.get("reason") != UNKNOWN_REASON
    if reason != START_FAILED:
        what = "crash" if known and media.first.get("boot_id") == boot_id() else "power"
        fields = {"number": 0, "source": "recorder", "what": what, "start_ns": last_ns}
        journal.queue("interruption", fields)
        for number, row in list(media.lasting.items()):
            if row.get("what") in WITHOUT_MEDIA:  # it did not come back before the crash
                journal.queue("interruption_ended", media.end_lasting(number, last_ns))
        for source, end_ns in media.untold_ends(_sources_of(journal), last_ns):
            media.last_number += 1
            lost = {"number": media.last_number, "source": source, "what": what}
            seconds = (last_ns - end_ns) / NS_PER_S
            times = {"start_ns": end_ns, "end_ns": last_ns, "seconds": seconds}
            journal.queue("interruption", {**lost, **times})
    wall = _wall_at(time_reference, last_ns)
    stopped = {"stop_ns": last_ns, "stop_wall": format_wall(wall) if wall else None}
    journal.end({"reason": reason, "person": "", **stopped})


def _sources_of(journal: PartJournal) -> list[str]:
    """Return the sources of a part by its ``part.json``, as far as that can be read."""
    metadata = read_json_or_none(journal.store.locate(journal.folder / PART_FILE)) or {}
    microphones = [str(row.get("name")) for row in metadata.get("microphones", ())]
    has_camera = metadata.get("camera", {}).get("back_end", "none") != "none"
    return [*microphones, *([CAMERA] if has_camera else [])]


def _wall_at(entry: Entry, ns: int) -> datetime | None:
    """Return the wall time at recording clock ``ns``, given an entry that has both."""
    try:
        moment = datetime.fromisoformat(str(entry["at"]))
        return moment + timedelta(seconds=(ns - int(entry["t"])) / NS_PER_S)
    except (ValueError, KeyError, OverflowError):
        return None
