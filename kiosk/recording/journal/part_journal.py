"""The journal of one part: media, files, marks, interruptions and signed heads as they happen.

Fragments come several times a second; they are journalled in batches about once a second, by a
thread, so that a slow disk never holds up the writer of the media. Marks are written at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.errors import StorageError
from kiosk.evidence.chain import ChainHead, Entry, JournalFile
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import Signer, sign_head
from kiosk.recording.formats.fragment_codec import drop_empty_plain_fields
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.storage.store import DIRECT, Store

log = logging.getLogger(__name__)
FLUSH_EVERY_S = 1.0
QueuedEntry = tuple[str, Mapping[str, Any]]
EntryListener = Callable[[int, Entry], None]
"""Called with the part's number (0: the hearing's own journal) and each durable entry."""


@dataclass(frozen=True)
class JournalOptions:
    """Options of a hearing's journals.

    Attributes:
        kiosk: id of the kiosk that writes them.
        signer: signs heads and seals.
        head_seconds: interval of signed heads while a part runs.
        on_entry: called with each durable entry, from any thread.
        on_storage: called with the error when entries cannot be written, and with None when they
            can be again; no entry is dropped in between.
        store: writes the bytes.
    """

    kiosk: str
    signer: Signer
    head_seconds: float = 60.0
    on_entry: EntryListener = lambda _part, _entry: None
    on_storage: Callable[[StorageError | None], None] = lambda _: None
    store: Store = DIRECT


def media_entry(records: list[FragmentRecord]) -> Mapping[str, Any]:
    """Return the fields of a ``media`` entry for ``records``."""
    return {"fragments": [drop_empty_plain_fields(asdict(record)) for record in records]}


class PartJournal:
    """Writes the journal of one part and seals the part at the end.

    Args:
        folder: the part's folder.
        hearing_id: id of the hearing.
        part: number of the part, from 1.
        file: the part's open journal.
        options: those of the hearing.
    """

    def __init__(
        self,
        folder: Path,
        hearing_id: str,
        part: int,
        file: JournalFile,
        options: JournalOptions,
    ) -> None:
        self.folder = folder
        self.part = part
        self._hearing_id = hearing_id
        self._file = file
        self._options = options
        self._lock = threading.Lock()  # held for moments only, because the media writer waits
        self._flush_lock = threading.Lock()
        self._queued_fragments: list[FragmentRecord] = []
        self._queued_entries: list[QueuedEntry] = []
        self._has_failed = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._latest_fragments: dict[str, FragmentRecord] = {}

    @property
    def head(self) -> ChainHead:
        """Where the part's chain ends now."""
        return self._file.head

    def latest_fragment(self, track: str) -> FragmentRecord | None:
        """Return the latest durable fragment of ``track``."""
        with self._lock:
            return self._latest_fragments.get(track)

    # -- from the writer of the media ----------------------------------------------------------
    def add_fragment(self, record: FragmentRecord) -> None:
        """Queue a durable fragment for the next batch."""
        with self._lock:
            self._queued_fragments.append(record)
            self._latest_fragments[record.track] = record

    def add_file(self, record: FileRecord) -> None:
        """Queue a file that will not change any more for the next batch."""
        self._queue("file", {**drop_empty_plain_fields(asdict(record)), "what": record.kind})

    def add_interruption(self, interruption: Interruption) -> None:
        """Queue the beginning or the end of an interruption for the next batch."""
        fields = {
            "number": interruption.number,
            "source": interruption.source,
            "what": interruption.kind,
        }
        if interruption.end_ns is None:
            self._queue("interruption", {**fields, "start_ns": interruption.start_ns})
        else:
            times = {
                "start_ns": interruption.start_ns,
                "end_ns": interruption.end_ns,
                "seconds": interruption.seconds,
            }
            if interruption.pictures is not None:
                times["pictures"] = interruption.pictures
            self._queue("interruption_ended", {**fields, **times})

    def _queue(self, kind: str, fields: Mapping[str, Any]) -> None:
        clean = {key: value for key, value in fields.items() if key != "kind"}
        with self._lock:
            self._queued_entries.append((kind, {"t": recording_ns(), **clean}))

    # -- from the hearing ----------------------------------------------------------------------
    def append(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry now, after everything queued so far; return it.

        Raises:
            StorageError: it could not be written.
        """
        self.flush()
        entry = self._file.append(kind, fields)
        self._options.on_entry(self.part, entry)
        return entry

    def flush(self) -> None:
        """Write everything queued so far.

        Raises:
            StorageError: it could not be written; it stays queued for the next time.
        """
        with self._flush_lock:
            with self._lock:
                fragments, self._queued_fragments = self._queued_fragments, []
                pending, self._queued_entries = self._queued_entries, []
            media: list[QueuedEntry] = [("media", media_entry(fragments))] if fragments else []
            if not media and not pending:
                return
            try:
                entries = self._file.append_many([*media, *pending])
            except StorageError:
                with self._lock:
                    self._queued_fragments = fragments + self._queued_fragments
                    self._queued_entries = pending + self._queued_entries
                raise
        for entry in entries:
            self._options.on_entry(self.part, entry)

    def sign_head(self) -> Entry:
        """Append a signed head over everything queued so far; return its entry."""
        self.flush()
        entry = self._file.append_head(self._sign)
        self._options.on_entry(self.part, entry)
        return entry

    def _sign(self, head: ChainHead) -> str:
        return sign_head(self._options.signer, self._hearing_id, self.part, head)

    # -- life ------------------------------------------------------------------------------------
    def start_flushing(self) -> None:
        """Start the thread that writes batches and heads."""
        self._thread = threading.Thread(
            target=self._flush_periodically, name=f"part-{self.part}-journal"
        )
        self._thread.daemon = True
        self._thread.start()

    def _flush_periodically(self) -> None:
        due = time.monotonic() + self._options.head_seconds
        while not self._stop.wait(FLUSH_EVERY_S):
            try:
                if time.monotonic() >= due:
                    self.sign_head()
                    due = time.monotonic() + self._options.head_seconds
                else:
                    self.flush()
            except StorageError as error:
                self._report_storage(error)
            else:
                self._report_storage(None)

    def _report_storage(self, error: StorageError | None) -> None:
        if error is not None or self._has_failed:
            self._options.on_storage(error)
        self._has_failed = error is not None

    def stop_flushing(self) -> None:
        """Stop the thread; what is queued afterwards is written by :meth:`flush`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            self._thread = None

    def end(self, fields: Mapping[str, Any]) -> ChainHead:
        """Append the ``closed`` entry and the last head; return where the chain ends.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        self.stop_flushing()
        self.append("closed", fields)
        self.sign_head()
        return self._file.head

    def seal(self) -> None:
        """Seal the folder; the part never changes after that.

        Raises:
            StorageError: a file cannot be read or the seal cannot be written.
        """
        self._file.close()
        seal_folder(self.folder, self._options.signer, self._options.store)

    def close(self) -> None:
        """Stop the thread and close the file without another entry; the part can be reopened."""
        self.stop_flushing()
        self._file.close()
