"""Makes a part's journal and its media agree: after a crash, and before every seal.

A disk that stalled or was full takes bytes later, when their records are gone; a crash leaves a
torn end. Whole fragments that no journal knows are journalled as found. What is torn is journalled,
then cut off, on every storage; bytes that are neither (a damaged disk) are copied to ``set-aside``
before, outside the hearing. What is missing is put into the ledger of interruptions.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from pathlib import Path

from kiosk.clocks import NS_PER_S
from kiosk.errors import StorageError
from kiosk.evidence.chain import ChainReader
from kiosk.recording.formats.age_tar import END_OF_ARCHIVE, iter_members
from kiosk.recording.formats.fmp4_scan import (
    TrackTable,
    complete_fragments,
    fragment_ends,
    sample_times,
)
from kiosk.recording.formats.records import CAMERA, FragmentRecord
from kiosk.recording.formats.run_reader import closed_files, list_runs, media_files
from kiosk.recording.formats.torn_end import is_torn_end
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.journal.journalled_media import (
    STORAGE,
    WITH_GAPS,
    WITHOUT_MEDIA,
    JournalledMedia,
)
from kiosk.recording.journal.part_journal import PartJournal, media_entry
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_chunks
from kiosk.storage.hearing_folder import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    JOURNAL_FILE,
    PART_FILE,
    TRACKS,
)
from kiosk.storage.store import write_durably
from kiosk.storage.volume import SET_ASIDE

log = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 20
_DAMAGED = (LookupError, ArithmeticError, ValueError, struct.error)
"""What reading damaged media raises."""
_UNREADABLE = (OSError, *_DAMAGED)
EDGE_NS = NS_PER_S // 5
"""Less picture than this is missing at a beginning, or from one found fragment to the next."""
_SOUND_EDGE_NS = NS_PER_S // 40
"""Sound has no such time: it is trimmed to the tap, and one sample follows another."""


def seal_part(hearing_journal: HearingJournal, part_journal: PartJournal) -> None:
    """Seal an ended part after making journal and disk agree; record its seal in the hearing.

    Raises:
        StorageError: its newest bytes are on no disk yet, or the disk refuses; try again later.
    """
    hearing_journal.store.flush(part_journal.folder)
    reconcile(part_journal)
    hearing_journal.seal_part(part_journal)


def reconcile(
    journal: PartJournal, media: JournalledMedia | None = None, *, is_final: bool = True
) -> JournalledMedia:
    """Make the journal of a part and its media on the disk agree.

    It may be repeated. The recorder of the part must have stopped.

    Args:
        media: what the journal says, if it has just been read.
        is_final: whether a file that cannot be read is an error; otherwise that is journalled, and
            the file is left as it is, as one is whose bytes are damaged.

    Returns:
        what the journal says now.

    Raises:
        StorageError: a file cannot be read or written.
    """
    journal.end_media()
    if media is None:
        media = JournalledMedia()
        for entry in ChainReader(journal.store.locate(journal.folder / JOURNAL_FILE)):
            media.add(entry)
    _Reconciliation(journal, media, is_final).run()
    return media


class _Reconciliation:
    """One pass over the media of a part."""

    def __init__(self, journal: PartJournal, media: JournalledMedia, is_final: bool) -> None:
        self._journal = journal
        self._media = media
        self._is_final = is_final
        self._folder = journal.store.locate(journal.folder)
        self._cuts: list[Callable[[], None]] = []
        self._lost: dict[str, int] = {}

    def run(self) -> None:
        """Look at every file, journal what was found with one sync, then cut."""
        for name, (end, _) in self._media.ends.items():
            if end and not (self._folder / name).exists():
                self._lost[name] = 0
        self._end_shared()
        for track in TRACKS:
            for run in list_runs(self._folder / track):
                inits = (run / INIT, run / CLOSED_INIT)
                for path in (*inits, *media_files(run), *closed_files(run)):
                    self._check(path)
        if self._lost:
            self._note_lost()
        for source in self._media.source_ends:
            self._media.source_ends[source] = self._end_ns(source)
        self._journal.flush()
        for cut in self._cuts:
            cut()

    def _check(self, path: Path) -> None:
        name = path.relative_to(self._folder).as_posix()
        try:
            if path.name == INIT:
                self._check_plain_init(path)
            elif path.name == CLOSED_INIT:
                self._check_init(path)
            else:
                self._check_file(name)
        except OSError as error:
            if self._is_final:
                raise StorageError(f"{name}: cannot be read: {error.strerror}") from error
            log.error("%s: cannot be read: %s", name, error.strerror)
            self._journal.queue("unreadable", {"file": name, "problem": error.strerror})
        except _DAMAGED as error:  # no other try reads it
            log.error("%s: is damaged: %s", name, error)
            if name not in self._media.unreadable:
                self._journal.queue("unreadable", {"file": name, "problem": "damaged"})

    def _check_file(self, name: str) -> None:
        """Journal whole fragments that follow the known ones, and what is torn after them."""
        path, (end, _) = self._folder / name, self._media.ends.get(name, (0, 0))
        size, is_closed = path.stat().st_size, name.endswith(CLOSED_SUFFIX)
        if size < end:
            self._lost[name] = size
        elif not _is_finished(path, size, end, is_closed=is_closed):
            records = complete_fragments(self._folder, name, end, self._media.zero_ns)
            if records:
                self._journal.queue("media", {**media_entry(records), "recovered": True})
                if not is_closed:
                    with suppress(*_DAMAGED):  # its media count all the same
                        self._note_missing_samples(path, end, records[-1])
                for record in records:
                    if is_closed:
                        self._note_missing_before(record)
                    self._media.add_fragments([asdict(record)])
                end = records[-1].offset + records[-1].length
            if not _is_finished(path, size, end, is_closed=is_closed):
                self._note_torn(name, size, end, is_closed=is_closed)

    def _note_torn(self, name: str, size: int, end: int, *, is_closed: bool) -> None:
        if size > end:
            kept = not is_torn_end(self._folder / name, end)
            cut = {"file": name, "offset": end, "length": size - end, "kept": kept}
            self._journal.queue("cut", cut)
        self._cuts.append(partial(self._cut, name, end, is_closed=is_closed))

    def _check_plain_init(self, path: Path) -> None:
        """Tell an init file that is torn; remove it if no media follow it, which need it."""
        if not path.exists() or TrackTable.read(path).timescales:
            return
        name, run = path.relative_to(self._folder).as_posix(), path.parent
        if closed_files(run) or any(map(_may_hold_media, media_files(run))):
            log.error("%s: is torn, and media follow it", name)
            if not self._is_final:
                self._journal.queue("unreadable", {"file": name, "problem": "torn"})
        else:
            self._note_torn(name, path.stat().st_size, 0, is_closed=False)

    def _check_init(self, path: Path) -> None:
        """Cut an encrypted init file to a complete tar; one that is torn is removed."""
        if not path.exists():
            return
        whole = next(iter_members(path, verify=True), None)
        end = whole.length if whole else 0
        if not _is_finished(path, path.stat().st_size, end, is_closed=True):
            name = path.relative_to(self._folder).as_posix()
            self._cuts.append(partial(self._cut, name, end, is_closed=True))

    def _cut(self, name: str, end: int, *, is_closed: bool) -> None:
        """Make ``end`` the end of a file on every storage; remove one without a whole fragment."""
        path, store = self._journal.folder / name, self._journal.store
        self._keep_unless_torn(name, end)
        if end:
            write_durably(store, path, end, END_OF_ARCHIVE if is_closed else b"")
        else:
            store.replace_files([path], [])

    def _keep_unless_torn(self, name: str, end: int) -> None:
        """Copy what follows ``end`` to ``set-aside`` if it may be media."""
        path = self._folder / name
        if is_torn_end(path, end):
            return
        data = self._folder.parents[2]
        kept = data / SET_ASIDE / f"{path.relative_to(data)}.{end}"
        make_folder(kept.parent)
        with path.open("rb") as file:
            file.seek(end)
            write_chunks(kept, iter(partial(file.read, _BLOCK_BYTES), b""))
        log.error("%s: bytes that are no fragment are set aside", name)

    # -- the ledger --------------------------------------------------------------------------------
    def _note_lost(self) -> None:
        """Journal bytes that were durable once and are gone; verification names them, too."""
        starts: dict[str, int] = {}
        for entry in ChainReader(self._folder / JOURNAL_FILE):
            for fragment in entry["fragments"] if entry["kind"] in ("media", "rewrapped") else ():
                name, end = fragment["file"], fragment["offset"] + fragment["length"]
                if name in self._lost and end > self._lost[name]:
                    starts.setdefault(name, int(fragment["start_ns"]))
        for name, size in self._lost.items():
            end, end_ns = self._media.ends[name]
            lost = {"file": name, "offset": size, "length": end - size, "lost": True}
            self._journal.queue("cut", lost)
            self._note_interruption(starts.get(name, end_ns), end_ns)

    def _end_shared(self) -> None:
        """End the interruptions that gaps between pictures share, with the gaps that there are."""
        for number, row in list(self._media.lasting.items()):
            if row.get("source") == CAMERA and row.get("what") in WITH_GAPS:
                try:
                    gaps = self._picture_gaps(int(row["start_ns"]))
                except _UNREADABLE as error:
                    log.error("%s: cannot be read: %s", self._folder.name, error)
                    continue
                end_ns = max((end_ns for _, end_ns in gaps), default=0)
                lost_ns = sum(end_ns - start_ns for start_ns, end_ns in gaps)
                ended = self._media.end_lasting(number, end_ns, lost_ns)
                self._journal.queue("interruption_ended", ended)

    def _picture_gaps(self, from_ns: int) -> list[tuple[int, int]]:
        """Return the gaps between the pictures of a plain part from ``from_ns`` on.

        Raises:
            OSError, LookupError, ArithmeticError, ValueError, struct.error: they cannot be read.
        """
        times: list[int] = []
        length_ns = 0
        for run in list_runs(self._folder / "main"):
            if closed_files(run):
                raise LookupError("only the court can read it")
            for path in media_files(run):
                name = path.relative_to(self._folder).as_posix()
                _, end_ns = self._media.ends.get(name, (0, math.inf))
                if end_ns > from_ns - NS_PER_S:  # with the picture before the first gap
                    times += sample_times(path, 0, self._media.zero_ns).get(CAMERA, [])
                    length_ns = self._sample_lengths(path)[CAMERA]
        gaps = ((before_ns + length_ns, after_ns) for before_ns, after_ns in pairwise(times))
        least_ns = length_ns // 2
        return [gap for gap in gaps if gap[1] - max(gap[0], from_ns) > least_ns]

    def _note_missing_samples(self, path: Path, end: int, last: FragmentRecord) -> None:
        """Journal the gaps before and between samples that were found: nobody could tell them.

        Args:
            end: where what the journal knows of the file ends.
            last: the last fragment that was found.
        """
        lengths, stop = self._sample_lengths(path), last.offset + last.length
        for source, times in sample_times(path, end, self._media.zero_ns, stop).items():
            if (length_ns := lengths.get(source)) is None:
                continue  # the mix: it is made of the microphones
            known_ns = self._end_ns(source)
            if times and times[0] >= known_ns:
                self._note_gap(source, known_ns, times[0], _edge_ns(source))
            for before_ns, after_ns in pairwise(times):
                self._note_gap(source, before_ns + length_ns, after_ns, length_ns // 2)

    def _sample_lengths(self, path: Path) -> dict[str, int]:
        """Return the nanoseconds that a picture or a sound frame lasts in a plain media file."""
        tracks = TrackTable.read(path.parent / INIT)
        lengths = {tracks.names.get(n, ""): length for n, length in tracks.frame_ns.items()}
        settings = read_json_or_none(self._folder / PART_FILE) or {}
        if fps := (settings.get("camera") or {}).get("fps"):
            lengths[CAMERA] = NS_PER_S // int(fps)
        return lengths

    def _end_ns(self, source: str) -> int:
        """Return the recording clock after the last known media of a source; without any, the tap.

        A fragment may last longer than the media of one of its sources: their own times are read,
        unless they are encrypted or damaged.
        """
        if (fragment := self._media.last_fragments.get(source)) is None:
            return self._media.zero_ns
        start_ns, end_ns = int(fragment["start_ns"]), int(fragment["end_ns"])
        path = self._folder / fragment["file"]
        stop = int(fragment["offset"]) + int(fragment["length"])
        if path.name.endswith(CLOSED_SUFFIX):
            return end_ns
        try:
            length_ns = self._sample_lengths(path)[source]
            found_ns = sample_times(path, stop, self._media.zero_ns, stop)[source][-1] + length_ns
        except _UNREADABLE:
            return end_ns
        return found_ns if start_ns < found_ns <= end_ns + length_ns else end_ns

    def _note_missing_before(self, record: FragmentRecord) -> None:
        """Journal what is missing before an encrypted fragment: which sources had none before."""
        for source in record.sources:
            if record.track == "channels" or source == CAMERA:
                known_ns = self._media.source_ends.get(source, self._media.zero_ns)
                self._note_gap(source, known_ns, record.start_ns, _edge_ns(source))

    def _note_gap(self, source: str, start_ns: int, end_ns: int, least_ns: int) -> None:
        """Journal a gap in what was found, unless the ledger has it; end one that lasts there.

        Args:
            least_ns: a shorter one is none.
        """
        told = (self._media.lost_until.get(name, 0) for name in (source, STORAGE))
        start_ns = max(start_ns, *told)
        if end_ns - start_ns <= least_ns:
            return
        self._media.lost_until[source] = end_ns
        for number, row in list(self._media.lasting.items()):
            begun_ns = int(row.get("start_ns") or 0)
            is_this = row.get("what") in WITHOUT_MEDIA or abs(begun_ns - start_ns) < EDGE_NS
            if row.get("source") == source and is_this:
                ended = self._media.end_lasting(number, end_ns)
                self._journal.queue("interruption_ended", ended)
                return
        what = "dropped" if source == CAMERA else "gap"
        self._note_interruption(start_ns, end_ns, source, what)

    def _note_interruption(
        self, start_ns: int, end_ns: int, source: str = STORAGE, what: str = "write_failed"
    ) -> None:
        self._media.last_number += 1
        fields = {"number": self._media.last_number, "source": source, "what": what}
        seconds = max(0, end_ns - start_ns) / NS_PER_S
        times = {"start_ns": start_ns, "end_ns": end_ns, "seconds": seconds}
        self._journal.queue("interruption", {**fields, **times})


def _edge_ns(source: str) -> int:
    """Return how much of a source may be missing before found media without an entry."""
    return EDGE_NS if source == CAMERA else _SOUND_EDGE_NS


def _may_hold_media(path: Path) -> bool:
    """Return whether a media file holds more than the torn beginning of its first fragment."""
    return bool(fragment_ends(path, 0)) or not is_torn_end(path, 0)


def _is_finished(path: Path, size: int, end: int, *, is_closed: bool) -> bool:
    """Return whether a file holds nothing but its fragments up to ``end`` and its trailer."""
    if not is_closed or not end:
        return 0 < end == size
    if size != end + len(END_OF_ARCHIVE):
        return False
    with path.open("rb") as tar:
        tar.seek(end)
        return tar.read() == END_OF_ARCHIVE
