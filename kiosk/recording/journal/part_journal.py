"""The journal of one part: media, files, marks and interruptions as they happen.

Fragments come several times a second; they are journalled in batches about once a second, by a
thread. Nothing waits for the disk: entries are in the chain at once and are written in their turn.
Each write ends in a signed head, in the same block: what is cut off the end of a journal later is
at most what the disk was writing, or contradicts a head that has left the kiosk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.errors import StorageError
from kiosk.evidence.chain import ChainHead, Entry, SignHead
from kiosk.evidence.journal_file import JournalFile, QueuedEntry
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import Signer, sign_head
from kiosk.recording.formats.fragment_codec import drop_empty_plain_fields
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.storage.store import DIRECT, Store

log = logging.getLogger(__name__)
FLUSH_EVERY_S = 1.0
EntryListener = Callable[[int, Entry], None]
"""Called with the part's number (0: the hearing's own journal) and each entry."""


@dataclass(frozen=True)
class JournalOptions:
    """Options of a hearing's journals.

    Attributes:
        kiosk: id of the kiosk that writes them.
        signer: signs heads and seals.
        on_entry: called with each entry, from any thread; it may not be durable yet.
        on_storage: called with the error when entries cannot be written, and with None when they
            can be again; no entry is dropped in between.
        store: writes the bytes.
    """

    kiosk: str
    signer: Signer
    on_entry: EntryListener = lambda _part, _entry: None
    on_storage: Callable[[StorageError | None], None] = lambda _: None
    store: Store = DIRECT

    def sign(self, hearing_id: str, part: int) -> SignHead:
        """Return what signs the heads of one chain; ``part`` 0: of the hearing's own."""
        return partial(sign_head, self.signer, hearing_id, part)


def media_entry(records: list[FragmentRecord]) -> Mapping[str, Any]:
    """Return the fields of a ``media`` entry for ``records``."""
    return {"fragments": [drop_empty_plain_fields(asdict(record)) for record in records]}


class PartJournal:
    """Writes the journal of one part and seals the part at the end.

    Args:
        folder: the part's folder.
        part: number of the part, from 1.
        file: the part's open journal, which signs what is written.
        options: those of the hearing.
    """

    def __init__(
        self,
        folder: Path,
        part: int,
        file: JournalFile,
        options: JournalOptions,
    ) -> None:
        self.folder = folder
        self.part = part
        self._file = file
        file.on_entry = partial(options.on_entry, part)
        self._options = options
        self._lock = threading.Lock()  # held for moments only, because the media writer waits
        self._flush_lock = threading.Lock()
        self._end_lock = threading.Lock()
        self._queued_fragments: list[FragmentRecord] = []
        self._queued_interruptions: list[QueuedEntry] = []
        self._queued_entries: list[QueuedEntry] = []
        self._accepts_media = True
        self._has_failed = self._has_ended = False
        self._stop = threading.Event()
        self._refused_s = 0.0  # monotonic, since a batch was refused; 0.0: none waits
        self._latest_fragments: dict[str, FragmentRecord] = {}

    @property
    def head(self) -> ChainHead:
        """Where the part's chain ends now."""
        return self._file.head

    @property
    def store(self) -> Store:
        """The store that its bytes are written to."""
        return self._options.store

    def latest_fragment(self, track: str) -> FragmentRecord | None:
        """Return the latest durable fragment of ``track``."""
        with self._lock:
            return self._latest_fragments.get(track)

    # -- from the writer of the media ----------------------------------------------------------
    def add_fragment(self, record: FragmentRecord) -> None:
        """Queue a durable fragment for the next batch."""
        with self._lock:
            if self._accepts_media:
                self._queued_fragments.append(record)
                self._latest_fragments[record.track] = record

    def add_file(self, record: FileRecord) -> None:
        """Queue a file that will not change any more for the next batch."""
        self.queue("file", {**drop_empty_plain_fields(asdict(record)), "what": record.kind})

    def add_interruption(self, interruption: Interruption) -> None:
        """Queue the beginning or the end of an interruption for the next batch."""
        fields = {
            "number": interruption.number,
            "source": interruption.source,
            "what": interruption.kind,
        }
        if interruption.end_ns is None:
            self._queue_interruption("interruption", {**fields, "start_ns": interruption.start_ns})
        else:
            times = {
                "start_ns": interruption.start_ns,
                "end_ns": interruption.end_ns,
                "seconds": interruption.seconds,
            }
            if interruption.pictures is not None:
                times["pictures"] = interruption.pictures
            self._queue_interruption("interruption_ended", {**fields, **times})

    def _queue_interruption(self, kind: str, fields: Mapping[str, Any]) -> None:
        with self._lock:
            self._queued_interruptions.append((kind, {"t": recording_ns(), **fields}))

    def queue(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Queue an entry for the next batch."""
        clean = {key: value for key, value in fields.items() if key != "kind"}
        with self._lock:
            self._queued_entries.append((kind, {"t": recording_ns(), **clean}))

    # -- from the hearing ----------------------------------------------------------------------
    def append(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry now, after everything queued so far and with one sync; return it.

        Raises:
            StorageError: it is not durable yet; the store keeps trying.
        """
        entry = self.submit(kind, fields)
        self._file.flush()
        return entry

    def submit(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry after everything queued so far, without waiting for the disk."""
        return self._submit_queued((kind, fields))[-1]

    def flush(self, seconds: float | None = None) -> None:
        """Append everything queued so far, and wait until every entry is durable.

        Raises:
            StorageError: one is not yet; the store keeps trying.
        """
        self._submit_queued()
        self._file.flush(seconds)

    def _submit_queued(self, *last: QueuedEntry) -> list[Entry]:
        with self._flush_lock:
            with self._lock:
                fragments, self._queued_fragments = self._queued_fragments, []
                gaps, self._queued_interruptions = self._queued_interruptions, []
                pending, self._queued_entries = self._queued_entries, []
            media: list[QueuedEntry] = [("media", media_entry(fragments))] if fragments else []
            # A power cut may keep the beginning of a block: what is missing comes before the media
            # that follow it. Media that are not journalled are found on the disk.
            batch = [*gaps, *media, *pending, *last]
            before = self._file.head
            try:
                entries = self._file.submit_many(batch) if batch else []
            except Exception:
                if self._file.head == before:  # nothing is in the chain: it comes with the next
                    with self._lock:
                        self._queued_fragments[:0] = fragments
                        self._queued_interruptions[:0] = gaps
                        self._queued_entries[:0] = pending
                    self._refused_s = self._refused_s or time.monotonic()
                raise
            self._refused_s = 0.0
            return entries

    @property
    def owed_seconds(self) -> float:
        """How long the oldest entry that is not durable has waited; 0.0 without one."""
        refused_s = self._refused_s
        waited = time.monotonic() - refused_s if refused_s else 0.0
        return max(waited, self._file.owed_seconds)

    @property
    def has_ended(self) -> bool:
        """Whether its ``closed`` entry has been handed over; see :attr:`owed_seconds`."""
        return self._has_ended

    def sign(self) -> None:
        """Sign what a crash left unsigned; see :meth:`JournalFile.sign`."""
        self._file.sign()

    # -- life ------------------------------------------------------------------------------------
    def start_flushing(self) -> None:
        """Start the thread that writes the batches."""
        name = f"part-{self.part}-journal"
        threading.Thread(target=self._flush_periodically, name=name, daemon=True).start()

    def _flush_periodically(self) -> None:
        while not self._stop.wait(FLUSH_EVERY_S):
            try:
                self.flush()
            except StorageError as error:
                self._report_storage(error)
            except Exception:  # no other thread would write the batches to come
                log.exception("part %d: a batch cannot be journalled", self.part)
            else:
                self._report_storage(None)

    def _report_storage(self, error: StorageError | None) -> None:
        if error is not None or self._has_failed:
            self._options.on_storage(error)
        self._has_failed = error is not None

    def end(self, fields: Mapping[str, Any], seconds: float | None = None) -> None:
        """Append the ``closed`` entry, once.

        Raises:
            StorageError: it is not durable after ``seconds``; call it again to wait on.
        """
        self._stop.set()
        with self._end_lock:
            if not self._has_ended:
                self._has_ended = True
                self.queue("closed", fields)
        self.flush(seconds)
        self._report_storage(None)

    def end_media(self) -> None:
        """Write what is queued and accept no more fragments.

        :func:`kiosk.recording.repair.reconcile.reconcile` finds those that follow on the disk.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        with self._lock:
            self._accepts_media = False
        self.flush()

    def seal(self) -> None:
        """Seal the folder; the part never changes after that.

        Raises:
            StorageError: a file cannot be read or the seal cannot be written.
        """
        seal_folder(self.folder, self._options.signer, self._options.store)
        self._file.close()

    def close(self) -> None:
        """Stop the thread and close the file without another entry; the part can be reopened."""
        self._stop.set()
        self._file.close()
