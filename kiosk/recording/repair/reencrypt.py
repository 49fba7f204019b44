"""A hearing declared closed since an earlier moment: its plain media are replaced (S14, R56).

What was captured from that moment on is encrypted anew, for the court alone, and its plain form is
overwritten and removed. Every step can be broken off at any point and is finished by doing it
again: first the new file, whole and synced, then the line in the part's journal that says what it
replaces, then the old bytes. The part is sealed anew in the end.

Overwriting reaches the old bytes on a plain disk and file system. Flash (SD cards, USB sticks,
SSDs) writes elsewhere, and a journalling or copying file system may keep older blocks: there the
old bytes can still be read with the means of a laboratory until use has erased them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S
from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry, read_chain
from kiosk.evidence.seal import SUMS, is_sealed, sha256_of
from kiosk.recording.encryption.age_envelope import ClosedEnvelope
from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.recording.formats.hls_playlist import NAME as PLAYLIST
from kiosk.recording.formats.hls_playlist import cut_playlist
from kiosk.recording.formats.joined_run import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    MEDIA_SUFFIX,
    runs_of,
)
from kiosk.recording.journal.hearing_journal import HearingBook
from kiosk.recording.journal.part_index import PartView
from kiosk.recording.journal.part_journal import PartBook
from kiosk.storage.atomic_io import json_bytes
from kiosk.storage.court_keys import CourtKeys
from kiosk.storage.hearing_folder import JOURNAL, PART, TRACKS
from kiosk.storage.store import Store

log = logging.getLogger(__name__)
DISK_S = 30.0
"""So long a disk is waited for before all is tried anew."""
OPEN = "-open"
"""At the end of the name of a file that holds the beginning of one which was replaced."""


@dataclass(frozen=True)
class Replaced:
    """One plain file that is gone, and one that stands for it.

    Attributes:
        part: its part's number; ``file`` relative to the part's folder; ``sha256`` of the file as
            it was.
        by, by_sha256: the encrypted file, or the plain one with what was captured before; a file
            that has both stands twice; both empty where nothing stands for it.
    """

    part: int
    file: str
    sha256: str
    by: str
    by_sha256: str


@dataclass(frozen=True)
class Declaration:
    """A ``closing_since`` line: everything captured from ``since`` on in parts up to ``upto``."""

    number: int
    since: datetime
    upto: int
    fields: Mapping[str, Any]


def pending(entries: Sequence[Entry]) -> list[Declaration]:
    """Return the declarations in a hearing's own journal that have not been carried out."""
    done = {entry.get("declaration") for entry in entries if entry["kind"] == "closed_since"}
    return [
        Declaration(
            number=int(entry["n"]),
            since=datetime.fromisoformat(str(entry["since"])),
            upto=int(entry["upto"]),
            fields={key: entry.get(key) for key in ("since", "person", "ground", "note")},
        )
        for entry in entries
        if entry["kind"] == "closing_since" and int(entry["n"]) not in done
    ]


def carry_out(
    book: HearingBook,
    keys: CourtKeys,
    declaration: Declaration,
    on_replaced: Callable[[Path, list[Replaced]], None] = lambda _folder, _replaced: None,
) -> list[Replaced]:
    """Carry out ``declaration``; all its parts are closed. It may be repeated after a crash.

    Args:
        on_replaced: told what was replaced, before it is written down that all is done: a second
            copy follows. It may be told twice.

    Raises:
        StorageError, OSError: a file cannot be read or written; it may be called again.
    """
    replaced: list[Replaced] = []
    envelope = ClosedEnvelope(keys, provable=False)
    for part in range(1, declaration.upto + 1):
        if book.store.locate(book.part_folder(part) / JOURNAL).exists():
            replaced += _Part(book, part, envelope, declaration).run()
    on_replaced(book.folder, replaced)
    rows = [asdict(one) for one in replaced]
    fields = {**declaration.fields, "declaration": declaration.number, "replaced": rows}
    book.write("closed_since", fields)
    book.sign_head()
    return replaced


class _Part:
    """One part of a hearing that was declared closed."""

    def __init__(
        self, book: HearingBook, number: int, envelope: Envelope, declaration: Declaration
    ) -> None:
        self._book = book
        self._store = book.store
        self._number = number
        self._folder = book.part_folder(number)
        self._envelope = envelope
        self._declaration = declaration

    def _read(self, name: str) -> Path:
        return self._store.locate(self._folder / name)

    def _entries(self) -> list[Entry]:
        return read_chain(self._read(JOURNAL)).entries

    def run(self) -> list[Replaced]:
        """Replace what is to be replaced; return all that was, now or before a crash."""
        entries = self._entries()
        since_ns = _on_recording_clock(entries[0], self._declaration.since)
        view = PartView.of(entries)
        touched = any(self._is_mine(entry) for entry in entries)
        if touched or any(_kept(*one, since_ns) is not None for one in view.fragments.items()):
            book, _ = self._book.reopen_part(self._number)
            try:
                self._replace(book, view, since_ns)
                self._close(book)
                entries = self._entries()
            finally:
                book.abandon()
        self._ensure_seal_is_noted()
        return [one for entry in entries if self._is_mine(entry) for one in self._rows(entry)]

    def _is_mine(self, entry: Entry) -> bool:
        return entry["kind"] == "rewrapped" and self._number_of(entry) == self._declaration.number

    @staticmethod
    def _number_of(entry: Entry) -> int:
        return int(entry["declaration"])

    def _rows(self, entry: Entry) -> list[Replaced]:
        was = self._number, str(entry["file"]), str(entry["sha256"])
        rows = [Replaced(*was, str(one["file"]), str(one["sha256"])) for one in entry["by"]]
        return rows or [Replaced(*was, "", "")]

    # -- replacing -----------------------------------------------------------------------------
    def _replace(self, book: PartBook, view: PartView, since_ns: int) -> None:
        plain_runs: set[str] = set()
        for name, pieces in list(view.fragments.items()):
            kept = _kept(name, pieces, since_ns)
            if kept is not None:
                self._rewrap(book, name, pieces, kept)
            if kept != 0 and not name.endswith(CLOSED_SUFFIX):
                plain_runs.add(name.rpartition("/")[0])
        self._rewrap_inits(book, plain_runs)
        self._shorten_playlist(book)
        for entry in self._entries():  # those of before a crash, too
            if self._is_mine(entry) and entry["file"] not in [one["file"] for one in entry["by"]]:
                self._remove(str(entry["file"]), [str(one["file"]) for one in entry["by"]])

    def _remove(self, name: str, by: list[str]) -> None:
        """Overwrite and remove a plain file, for which ``by`` stand, on every storage."""
        self._store.replace([self._folder / name], [self._folder / one for one in by])

    def _rewrap(self, book: PartBook, name: str, pieces: list[dict[str, Any]], kept: int) -> None:
        """Put the fragments of a file from byte ``kept`` on into a tar, those before into a file
        of their own, and say so."""
        stem = name.removesuffix(MEDIA_SUFFIX)
        head = _Writer(self._store, self._folder, f"{stem}{OPEN}{MEDIA_SUFFIX}", PLAIN)
        tail = _Writer(self._store, self._folder, stem + CLOSED_SUFFIX, self._envelope)
        with self._read(name).open("rb") as source:
            for number, piece in enumerate(pieces, 1):
                source.seek(int(piece["offset"]))
                plain = source.read(int(piece["length"]))
                member = f"{Path(name).stem}-{number:04d}{MEDIA_SUFFIX}"
                writer = head if int(piece["offset"]) < kept else tail
                writer.add(member, piece, plain)
        writers = [writer for writer in (head, tail) if writer.fragments]
        for writer in writers:
            writer.finish()
        self._write_line(book, name, writers)

    def _write_line(self, book: PartBook, name: str, writers: Sequence[_Writer]) -> None:
        fragments = [one for writer in writers for one in writer.fragments]
        by = [writer.listed for writer in writers]
        self._write(book, name, by, fragments)

    def _write(
        self,
        book: PartBook,
        name: str,
        by: list[dict[str, Any]],
        fragments: list[dict[str, Any]],
    ) -> None:
        fields = {
            "declaration": self._declaration.number,
            "file": name,
            "sha256": sha256_of(self._read(name)),
            "by": by,
            "fragments": fragments,
        }
        book.write("rewrapped", fields)

    def _rewrap_inits(self, book: PartBook, plain_runs: set[str]) -> None:
        """Wrap the initialisation segments of runs of which nothing plain is left."""
        place = self._store.locate(self._folder)
        runs = [run for track in TRACKS for run in runs_of(place / track)]
        for run in [path.relative_to(place).as_posix() for path in runs]:
            name, by = f"{run}/{INIT}", f"{run}/{CLOSED_INIT}"
            if run not in plain_runs and self._read(name).exists():
                writer = _Writer(self._store, self._folder, by, self._envelope)
                writer.add(INIT, None, self._read(name).read_bytes())
                writer.finish()
                self._write_line(book, name, [writer])

    def _shorten_playlist(self, book: PartBook) -> None:
        """Leave in the playlist what is plain still; nothing is: it goes."""
        name = f"main/{PLAYLIST}"
        view = PartView.of(self._entries())
        if not self._read(name).exists():
            return
        old = self._read(name).read_bytes().decode("ascii")
        text = cut_playlist(old, _playable(view))
        listed = view.files.get(name, {}).get("sha256")
        if text == old and listed in (None, sha256_of(self._read(name))):
            return
        data = text.encode("ascii")
        by = [{"file": name, "sha256": hashlib.sha256(data).hexdigest()}] if text else []
        self._write(book, name, by, [])
        if text:
            self._store.write_whole(self._folder / name, data)

    # -- afterwards ----------------------------------------------------------------------------
    def _close(self, book: PartBook) -> None:
        """Say that the part is closed, and seal it again."""
        try:
            about = json.loads(self._read(PART).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            about = {}
        since = self._declaration.fields["since"]
        about |= {"closed": True, "encrypted": True, "closed_since": since}
        self._store.write_whole(self._folder / PART, json_bytes(about))
        book.write("declared_closed", {**self._declaration.fields})
        book.sign_head()
        book.seal()

    def _ensure_seal_is_noted(self) -> None:
        """Write ``part_sealed`` unless the hearing's newest such line is about this seal."""
        if not is_sealed(self._store.locate(self._folder)):
            return
        sums = sha256_of(self._read(SUMS))
        lines = [
            entry
            for entry in read_chain(self._store.locate(self._book.folder / JOURNAL)).entries
            if entry["kind"] == "part_sealed" and entry["part"] == self._number
        ]
        if not lines or lines[-1]["sums_sha256"] != sums:
            self._book.note_seal(self._number)


def _kept(name: str, pieces: list[dict[str, Any]], since_ns: int) -> int | None:
    """Return how many bytes of a plain file stay plain, None where nothing of it is closed."""
    if name.endswith(CLOSED_SUFFIX):
        return None
    later = (int(piece["offset"]) for piece in pieces if int(piece["end_ns"]) > since_ns)
    return min(later, default=None)


def _playable(view: PartView) -> dict[str, tuple[str, int]]:
    """Return, per file name in a playlist, the plain file that has its beginning now, and how
    long that is."""
    found: dict[str, tuple[str, int]] = {}
    for name, pieces in view.fragments.items():
        if name.startswith("main/") and not name.endswith(CLOSED_SUFFIX):
            here = name.removeprefix("main/")
            size = int(pieces[-1]["offset"]) + int(pieces[-1]["length"])
            found[here] = (here, size)
            found[here.replace(f"{OPEN}{MEDIA_SUFFIX}", MEDIA_SUFFIX)] = (here, size)
    return found


class _Writer:
    """Writes one new file through the store, durably, piece by piece.

    Attributes:
        fragments: records of what is in it; :attr:`listed` of the file as a whole.
    """

    def __init__(self, store: Store, part: Path, name: str, envelope: Envelope) -> None:
        self._store = store
        self._path = part / name
        self._name = name
        self._envelope = envelope
        self._length = 0
        self._digest, self._plain = hashlib.sha256(), hashlib.sha256()
        self.fragments: list[dict[str, Any]] = []

    @property
    def listed(self) -> dict[str, Any]:
        """What the journal says about the whole file."""
        value = {"file": self._name, "sha256": self._digest.hexdigest()}
        if self._envelope.encrypted:
            value["plain_sha256"] = self._plain.hexdigest()
        return value

    def add(self, member: str, piece: Mapping[str, Any] | None, plain: bytes) -> None:
        """Append one piece; ``piece`` is the plain fragment's record (None: no fragment)."""
        times = (int(piece["start_ns"]), int(piece["end_ns"])) if piece else (0, 0)
        data = self._envelope.wrap(member, plain, *times, tuple(piece["sources"]) if piece else ())
        if piece is not None:
            record = {**piece, "file": self._name, "offset": self._length, "length": len(data)}
            record["was"] = {"file": piece["file"], "offset": piece["offset"]}
            if self._envelope.encrypted:
                record["sha256"] = hashlib.sha256(data).hexdigest()
                # of what was recorded, whatever was read now
                record |= {"plain_length": piece["length"], "plain_sha256": piece["sha256"]}
            self.fragments.append(record)
        self._plain.update(plain)
        self._put(data)

    def _put(self, data: bytes) -> None:
        ticket = self._store.append(self._path, self._length, data)
        limit = time.monotonic() + DISK_S
        while not ticket.done(min(1.0, DISK_S)):
            if time.monotonic() > limit:
                raise StorageError(f"{self._path}: the disk does not take it")
        self._length += len(data)
        self._digest.update(data)

    def finish(self) -> None:
        """End the file, durably."""
        if self._envelope.end:
            self._put(self._envelope.end)


def _on_recording_clock(first: Entry, since: datetime) -> int:
    """Return ``since`` on the recording clock of the part whose journal begins with ``first``.

    Raises:
        StorageError: the line has no times.
    """
    try:
        at = datetime.fromisoformat(str(first["at"]))
        return int(first["t"]) + round((since - at).total_seconds() * NS_PER_S)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError("a part's journal has no first line with times") from error
