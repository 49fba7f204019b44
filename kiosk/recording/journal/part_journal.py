"""The journal of one part: media, files, marks, interruptions and signed heads as they happen.

Fragments come several times a second; they are journalled in batches about once a second, by a
thread, so that a slow disk never holds up the writer of the media. Marks are written at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry, Head, Journal
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import Signer, sign_head
from kiosk.recording.formats.fragment_codec import without_empty
from kiosk.recording.formats.records import FileRecord, FragmentRecord, SourceFault
from kiosk.storage.store import DIRECT, Store

log = logging.getLogger(__name__)
BATCH_SECONDS = 1.0
Pending = tuple[str, Mapping[str, Any]]


def media_line(records: list[FragmentRecord]) -> Mapping[str, Any]:
    """Return the fields of a ``media`` line for ``records``."""
    return {"fragments": [without_empty(asdict(record)) for record in records]}


class PartBook:
    """Keeps the journal of one part and seals it in the end.

    Args:
        folder: the part's folder.
        hearing_id: id of the hearing; ``part`` its number, from 1.
        journal: the part's open journal.
        signer: signs heads and the seal.
        head_seconds: a signed head is written this often while :meth:`start`-ed.
        on_entry: called with each line that is durable (from any thread).
        on_storage: called with the error when lines cannot be written, with None when they can
            be again; nothing is dropped in between.
        store: where the folder lies.
    """

    def __init__(
        self,
        folder: Path,
        hearing_id: str,
        part: int,
        journal: Journal,
        signer: Signer,
        head_seconds: float = 60.0,
        on_entry: Callable[[Entry], None] = lambda _: None,
        on_storage: Callable[[StorageError | None], None] = lambda _: None,
        store: Store = DIRECT,
    ) -> None:
        self.folder = folder
        self.part = part
        self._hearing_id = hearing_id
        self._journal = journal
        self._signer = signer
        self._head_seconds = head_seconds
        self._on_entry = on_entry
        self._on_storage = on_storage
        self._store = store
        self._lock = threading.Lock()  # held for moments only: the media writer waits for it
        self._flushing = threading.Lock()
        self._fragments: list[FragmentRecord] = []
        self._pending: list[Pending] = []
        self._failed = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._newest: dict[str, FragmentRecord] = {}

    @property
    def head(self) -> Head:
        """Where the part's chain ends now."""
        return self._journal.head

    def newest(self, track: str) -> FragmentRecord | None:
        """Return the newest durable fragment of ``track``."""
        with self._lock:
            return self._newest.get(track)

    # -- from the writer of the media ----------------------------------------------------------
    def add_fragment(self, record: FragmentRecord) -> None:
        """Note a durable fragment; it is journalled with the next batch."""
        with self._lock:
            self._fragments.append(record)
            self._newest[record.track] = record

    def add_file(self, record: FileRecord) -> None:
        """Note a file that will not change any more; journalled with the next batch."""
        self._put("file", {**without_empty(asdict(record)), "what": record.kind})

    def add_fault(self, fault: SourceFault) -> None:
        """Note the beginning or the end of an interruption; journalled with the next batch."""
        fields = {"number": fault.number, "source": fault.source, "what": fault.kind}
        if fault.end_ns is None:
            self._put("interruption", {**fields, "start_ns": fault.start_ns})
        else:
            times = {"start_ns": fault.start_ns, "end_ns": fault.end_ns, "seconds": fault.seconds}
            if fault.pictures is not None:
                times["pictures"] = fault.pictures
            self._put("interruption_ended", {**fields, **times})

    def _put(self, kind: str, fields: Mapping[str, Any]) -> None:
        clean = {key: value for key, value in fields.items() if key != "kind"}
        with self._lock:
            self._pending.append((kind, {"t": recording_ns(), **clean}))

    # -- from the hearing ----------------------------------------------------------------------
    def write(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Write one line now, after everything noted so far; return it.

        Raises:
            StorageError: it could not be written.
        """
        self.flush()
        entry = self._journal.append(kind, fields)
        self._on_entry(entry)
        return entry

    def flush(self) -> None:
        """Write everything noted so far.

        Raises:
            StorageError: it could not be written; it stays noted for the next time.
        """
        with self._flushing:
            with self._lock:
                fragments, self._fragments = self._fragments, []
                pending, self._pending = self._pending, []
            media: list[Pending] = [("media", media_line(fragments))] if fragments else []
            if not media and not pending:
                return
            try:
                entries = self._journal.append_all([*media, *pending])
            except StorageError:
                with self._lock:
                    self._fragments = fragments + self._fragments
                    self._pending = pending + self._pending
                raise
        for entry in entries:
            self._on_entry(entry)

    def sign_head(self) -> Entry:
        """Write a signed head over everything noted so far; return its line."""
        self.flush()
        entry = self._journal.append_head(self._signature)
        self._on_entry(entry)
        return entry

    def _signature(self, head: Head) -> str:
        return sign_head(self._signer, self._hearing_id, self.part, head)

    # -- life ------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to write batches and heads."""
        self._thread = threading.Thread(target=self._run, name=f"part-{self.part}-journal")
        self._thread.daemon = True
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + self._head_seconds
        while not self._stop.wait(BATCH_SECONDS):
            try:
                if time.monotonic() >= due:
                    self.sign_head()
                    due = time.monotonic() + self._head_seconds
                else:
                    self.flush()
            except StorageError as error:
                self._report(error)
            else:
                self._report(None)

    def _report(self, error: StorageError | None) -> None:
        if error is not None or self._failed:
            self._on_storage(error)
        self._failed = error is not None

    def stop_batches(self) -> None:
        """End the thread; what is noted after it is written by :meth:`flush`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            self._thread = None

    def close(self, fields: Mapping[str, Any]) -> Head:
        """Write the ``closed`` line and the last head; return where the chain ends.

        Raises:
            StorageError: it could not be written; :meth:`close` may be tried again.
        """
        self.stop_batches()
        self.write("closed", fields)
        self.sign_head()
        return self._journal.head

    def seal(self) -> None:
        """Seal the folder; the part never changes after that.

        Raises:
            StorageError: a file cannot be read or the seal cannot be written.
        """
        self._journal.close()
        seal_folder(self.folder, self._signer, self._store)

    def abandon(self) -> None:
        """Close the file and the thread without another line (a test's or a dying process's)."""
        self.stop_batches()
        self._journal.close()
