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
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S
from kiosk.errors import StorageError
from kiosk.recording.closed_envelope import ClosedEnvelope
from kiosk.recording.envelope import Envelope
from kiosk.recording.hearing_book import HearingBook
from kiosk.recording.joined import CLOSED_INIT, CLOSED_SUFFIX, INIT, MEDIA_SUFFIX
from kiosk.recording.journal import Entry, read_chain
from kiosk.recording.names import JOURNAL, PART
from kiosk.recording.part_book import PartBook
from kiosk.recording.part_view import PartView
from kiosk.recording.playlist import NAME as PLAYLIST
from kiosk.recording.playlist import cut_playlist
from kiosk.recording.seal import SIGNATURE, SUMS, is_sealed, sha256_of
from kiosk.storage.court_keys import CourtKeys
from kiosk.storage.durable import sync_folder, write_bytes, write_json

log = logging.getLogger(__name__)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Replaced:
    """One plain file that is gone, or gone from a place on.

    Attributes:
        part: its part's number; ``file`` relative to the part's folder; ``sha256`` of the file as
            it was.
        by, by_sha256: what takes its place: the encrypted file, or the shortened one; both empty
            where nothing does.
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
        if (book.part_folder(part) / JOURNAL).exists():
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
        self._number = number
        self._folder = book.part_folder(number)
        self._envelope = envelope
        self._declaration = declaration

    def run(self) -> list[Replaced]:
        """Replace what is to be replaced; return all that was, now or before a crash."""
        entries = read_chain(self._folder / JOURNAL).entries
        since_ns = _on_recording_clock(entries[0], self._declaration.since)
        view = PartView.of(entries)
        touched = any(self._is_mine(entry) for entry in entries)
        if touched or any(self._kept(one, since_ns) is not None for one in view.fragments.items()):
            self._unseal()
            book, chain = self._book.reopen_part(self._number)
            try:
                self._replace(book, PartView.of(chain.entries), since_ns)
                entries = self._close(book)
            finally:
                book.abandon()
        self._ensure_seal_is_noted()
        return [one for entry in entries if self._is_mine(entry) for one in self._rows(entry)]

    def _is_mine(self, entry: Entry) -> bool:
        kind, number = entry["kind"], entry.get("declaration")
        return kind == "rewrapped" and number == self._declaration.number

    def _rows(self, entry: Entry) -> list[Replaced]:
        was = self._number, str(entry["file"]), str(entry["sha256"])
        rows = []
        if entry["kept"]:
            rows.append(Replaced(*was, str(entry["file"]), str(entry["kept_sha256"])))
        if entry["by"]:
            rows.append(Replaced(*was, str(entry["by"]), str(entry["by_sha256"])))
        return rows or [Replaced(*was, "", "")]

    def _unseal(self) -> None:
        """Take the seal away first: a part that is being changed must not look sealed."""
        for name in (SIGNATURE, SUMS):
            (self._folder / name).unlink(missing_ok=True)
        sync_folder(self._folder)

    # -- replacing -----------------------------------------------------------------------------
    def _kept(self, one: tuple[str, list[dict[str, Any]]], since_ns: int) -> int | None:
        """Return how many bytes of a plain file stay, None where all do."""
        name, pieces = one
        if name.endswith(CLOSED_SUFFIX):
            return None
        later = (int(piece["offset"]) for piece in pieces if int(piece["end_ns"]) > since_ns)
        return min(later, default=None)

    def _replace(self, book: PartBook, view: PartView, since_ns: int) -> None:
        runs: dict[str, int] = {}
        for name, pieces in list(view.fragments.items()):
            kept = self._kept((name, pieces), since_ns)
            if kept is not None:
                self._rewrap(book, name, pieces, kept)
            if kept != 0 and not name.endswith(CLOSED_SUFFIX):
                run = name.rpartition("/")[0]
                runs[run] = runs.get(run, 0) + 1
        self._rewrap_inits(book, view, set(runs))
        self._shorten_playlist(book)
        for entry in read_chain(self._folder / JOURNAL).entries:  # old bytes of before a crash, too
            if entry["kind"] == "rewrapped" and str(entry["file"]).endswith((MEDIA_SUFFIX, INIT)):
                _overwrite(self._folder / str(entry["file"]), int(entry["kept"]))

    def _rewrap(self, book: PartBook, name: str, pieces: list[dict[str, Any]], kept: int) -> None:
        """Put the fragments of a file from byte ``kept`` on into a tar, and say so."""
        path = self._folder / name
        by = name.removesuffix(MEDIA_SUFFIX) + CLOSED_SUFFIX
        writer = _TarWriter(self._folder / by, self._envelope)
        with path.open("rb") as source:
            kept_sha256 = hashlib.sha256(source.read(kept)).hexdigest() if kept else ""
            for number, piece in enumerate(pieces, 1):
                if int(piece["offset"]) >= kept:
                    source.seek(int(piece["offset"]))
                    plain = source.read(int(piece["length"]))
                    writer.add(by, f"{path.stem}-{number:04d}{MEDIA_SUFFIX}", piece, plain)
        writer.finish()
        self._write_line(book, name, kept, kept_sha256, by, writer)

    def _write_line(
        self,
        book: PartBook,
        name: str,
        kept: int,
        kept_sha256: str,
        by: str = "",
        writer: _TarWriter | None = None,
    ) -> None:
        fields = {
            "declaration": self._declaration.number,
            "file": name,
            "sha256": sha256_of(self._folder / name),
            "kept": kept,
            "kept_sha256": kept_sha256,
            "by": by,
            "by_sha256": writer.digest.hexdigest() if writer else "",
            "by_plain_sha256": writer.plain.hexdigest() if writer else "",
            "fragments": writer.fragments if writer else [],
        }
        book.write("rewrapped", fields)

    def _rewrap_inits(self, book: PartBook, view: PartView, plain_runs: set[str]) -> None:
        """Wrap the initialisation segments of runs of which nothing plain is left."""
        for name in list(view.files):
            run, _, file = name.rpartition("/")
            path = self._folder / name
            if file != INIT or run in plain_runs or not path.exists():
                continue
            by = f"{run}/{CLOSED_INIT}"
            writer = _TarWriter(self._folder / by, self._envelope)
            writer.add(by, INIT, None, path.read_bytes())
            writer.finish()
            self._write_line(book, name, 0, "", by, writer)

    def _shorten_playlist(self, book: PartBook) -> None:
        """Leave in the playlist what is plain still; remove it where nothing is."""
        name = f"main/{PLAYLIST}"
        path = self._folder / name
        if not path.exists():
            return
        sizes = {
            file.relative_to(self._folder / "main").as_posix(): self._plain_length(file)
            for file in (self._folder / "main").glob(f"run-*/*{MEDIA_SUFFIX}")
        }
        old = path.read_bytes()
        text = cut_playlist(old.decode("ascii"), sizes)
        data = text.encode("ascii") if text else b""
        if data == old:
            return
        digest = hashlib.sha256(data).hexdigest() if data else ""
        self._write_line(book, name, len(data), digest)
        if data:
            write_bytes(path, data)
        else:
            path.unlink()
            sync_folder(path.parent)

    def _plain_length(self, path: Path) -> int:
        """Return how many bytes of a plain media file stay by the journal."""
        name, size = path.relative_to(self._folder).as_posix(), path.stat().st_size
        for entry in read_chain(self._folder / JOURNAL).entries:
            if entry["kind"] == "rewrapped" and entry["file"] == name:
                size = min(size, int(entry["kept"]))
        return size

    # -- afterwards ----------------------------------------------------------------------------
    def _close(self, book: PartBook) -> list[Entry]:
        """Say that the part is closed, and seal it again; return its lines."""
        path = self._folder / PART
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            about = {}
        since = self._declaration.fields["since"]
        write_json(path, {**about, "closed": True, "encrypted": True, "closed_since": since})
        book.write("declared_closed", {**self._declaration.fields})
        book.sign_head()
        entries = read_chain(self._folder / JOURNAL).entries
        book.seal()
        return entries

    def _ensure_seal_is_noted(self) -> None:
        """Write ``part_sealed`` unless the hearing's newest such line is about this seal."""
        if not is_sealed(self._folder):
            return
        sums = sha256_of(self._folder / SUMS)
        lines = [
            entry
            for entry in read_chain(self._book.folder / JOURNAL).entries
            if entry["kind"] == "part_sealed" and entry["part"] == self._number
        ]
        if not lines or lines[-1]["sums_sha256"] != sums:
            self._book.note_seal(self._number)


class _TarWriter:
    """Writes one tar beside its place and moves it there when it is whole and synced."""

    def __init__(self, path: Path, envelope: Envelope) -> None:
        self._path = path
        self._envelope = envelope
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._file = self._beside.open("wb")
        self.digest, self.plain = hashlib.sha256(), hashlib.sha256()
        self.fragments: list[dict[str, Any]] = []

    def add(self, name: str, member: str, piece: Mapping[str, Any] | None, plain: bytes) -> None:
        """Append one piece; ``piece`` is the plain fragment's record (None: no fragment)."""
        times = (int(piece["start_ns"]), int(piece["end_ns"])) if piece else (0, 0)
        data = self._envelope.wrap(member, plain, *times, tuple(piece["sources"]) if piece else ())
        if piece is not None:
            self.fragments.append(
                {
                    **piece,
                    "file": name,
                    "offset": self._file.tell(),
                    "length": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "plain_length": piece["length"],
                    "plain_sha256": piece["sha256"],  # of what was recorded, whatever is read now
                    "was": {"file": piece["file"], "offset": piece["offset"]},
                }
            )
        self.plain.update(plain)
        self._put(data)

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)

    def finish(self) -> None:
        """End the archive and put it in place, durably."""
        self._put(self._envelope.end)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.chmod(0o640)
        self._beside.replace(self._path)
        sync_folder(self._path.parent)


def _overwrite(path: Path, kept: int) -> None:
    """Overwrite ``path`` from byte ``kept`` on, as far as the file system allows, and cut it there;
    nothing kept: remove it."""
    if not path.exists():
        return
    size = path.stat().st_size
    if size > kept:
        with path.open("r+b", buffering=0) as file:
            file.seek(kept)
            for start in range(kept, size, _BLOCK):
                file.write(bytes(min(_BLOCK, size - start)))
            os.fsync(file.fileno())
            file.truncate(kept)
            os.fsync(file.fileno())
    if kept == 0:
        path.unlink()
        sync_folder(path.parent)


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
