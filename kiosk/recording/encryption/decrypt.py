"""Closed parts opened with the court's key, at the court's workstation; never on a kiosk.

What comes out is compared, piece by piece, with the plain hashes in the part's journal, so that it
is known to be what was recorded. Stock ``tar`` and ``age`` open the same files, see docs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage

from kiosk.errors import RecordingError
from kiosk.evidence.chain import read_chain
from kiosk.recording.formats.age_tar import About, age_file_in
from kiosk.recording.formats.joined_run import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    MEDIA_SUFFIX,
    runs_of,
)
from kiosk.recording.journal.part_index import PartView
from kiosk.storage.atomic_io import make_folder, write_text
from kiosk.storage.hearing_folder import JOURNAL, PART_NAME, TRACKS

Identities = list[pyrage.x25519.Identity]
Progress = Callable[[int, int], None]
"""Called with the bytes done and all bytes."""


class DecryptError(RecordingError):
    """It cannot be decrypted; the message says why."""

    code = "not_decrypted"


class WrongKeyError(DecryptError):
    """The key is none of those that it was encrypted to."""

    code = "wrong_key"


@dataclass
class Opened:
    """A part that was opened.

    Attributes:
        part: folder name; ``files`` that can be played, ``damaged`` pieces that are missing in
            them: file, bytes and why.
    """

    part: str
    files: list[Path] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def read_identities(path: Path) -> Identities:
    """Return the private keys in a file as ``age-keygen`` writes it.

    Raises:
        DecryptError: it cannot be read or holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        identities = [pyrage.x25519.Identity.from_str(key) for key in keys]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise DecryptError(f"{path}: no private age key: {error}", code="key_unreadable") from error
    if not identities:
        raise DecryptError(f"{path}: no private age key in it", code="key_unreadable")
    return identities


def open_age_file(age_file: bytes, identities: Identities) -> bytes:
    """Return the plain bytes of one age file.

    Raises:
        WrongKeyError: none of the keys fits; DecryptError: the file is damaged.
    """
    try:
        return bytes(pyrage.decrypt(age_file, identities))
    except pyrage.DecryptError as error:
        if "matching keys" in str(error).lower():
            raise WrongKeyError("it was not encrypted to this key") from error
        raise DecryptError(f"damaged: {error}") from error


def open_member(data: bytes, identities: Identities) -> bytes:
    """Return the plain bytes in one tar member.

    Raises:
        DecryptError: see :func:`open_age_file`.
    """
    try:
        return open_age_file(age_file_in(data), identities)
    except ValueError as error:
        raise DecryptError(str(error)) from error


def closed_parts(folder: Path) -> list[Path]:
    """Return the parts in ``folder`` (a hearing's or a part's) of which anything is closed.

    Raises:
        DecryptError: nothing is (``not_closed``); StorageError: a journal cannot be read.
    """
    own = [folder] if (folder / JOURNAL).exists() and PART_NAME.fullmatch(folder.name) else []
    inner = sorted(p for p in folder.glob("part-*") if PART_NAME.fullmatch(p.name))
    found = [
        path
        for path in own or inner
        if (path / JOURNAL).exists() and PartView.of(read_chain(path / JOURNAL).entries).closed
    ]
    if not found:
        raise DecryptError(f"{folder}: nothing in it is closed", code="not_closed")
    return found


def decrypt(
    folder: Path, identities: Identities, out: Path, progress: Progress = lambda _done, _all: None
) -> list[Opened]:
    """Open every closed part of ``folder`` into ``out``.

    ``out/part-02/main-run-01.mp4`` and ``channels-run-01.mp4`` play anywhere; the single files
    and a playlist of ``main`` lie beside them.

    Raises:
        WrongKeyError: at the first piece; DecryptError: nothing is closed.
        StorageError, OSError: something cannot be read or written.
    """
    parts = closed_parts(folder)
    views = [PartView.of(read_chain(part / JOURNAL).entries) for part in parts]
    every = sum(int(p["length"]) for view in views for one in view.fragments.values() for p in one)
    done = 0

    def count(length: int) -> None:
        nonlocal done
        done += length
        progress(done, every)

    return [
        _Part(part, view, identities, out / part.name, count).run()
        for part, view in zip(parts, views, strict=True)
    ]


class _Part:
    """One part being opened."""

    def __init__(
        self,
        folder: Path,
        view: PartView,
        identities: Identities,
        out: Path,
        count: Callable[[int], None],
    ) -> None:
        self._folder = folder
        self._view = view
        self._identities = identities
        self._out = out
        self._count = count
        self._opened = Opened(folder.name)

    def run(self) -> Opened:
        """Open it."""
        for track in TRACKS:
            segments: list[tuple[str, list[tuple[str, float]]]] = []
            for run in runs_of(self._folder / track):
                files = self._run(track, run)
                if files:
                    segments.append((run.name, files))
            if track == "main" and segments:
                self._playlist(segments)
        return self._opened

    def _run(self, track: str, run: Path) -> list[tuple[str, float]]:
        """Open one run; return its files with their seconds."""
        target = make_folder(self._out / track / run.name)
        init = plain_init(run, self._identities)
        (target / INIT).write_bytes(init)
        joined = self._out / f"{track}-{run.name}.mp4"
        files = []
        with joined.open("wb") as whole:
            whole.write(init)
            for name in sorted(
                (n for n in self._view.fragments if n.startswith(f"{track}/{run.name}/")),
                key=lambda n: int(self._view.fragments[n][0]["start_ns"]),
            ):
                pieces = self._view.fragments[name]
                plain = b"".join(self._pieces(name))
                here = f"{Path(name).stem}{MEDIA_SUFFIX}"
                (target / here).write_bytes(plain)
                whole.write(plain)
                length = int(pieces[-1]["end_ns"]) - int(pieces[0]["start_ns"])
                files.append((here, length / 1e9))
        self._opened.files.append(joined)
        return files

    def _pieces(self, name: str) -> Iterator[bytes]:
        """Yield the plain pieces of one file; those that are damaged are noted and left out."""
        path = self._folder / name
        if not path.exists():
            self._opened.damaged.append(f"{name}: the file is missing")
            return
        with path.open("rb") as file:
            for piece in self._view.fragments[name]:
                offset, length = int(piece["offset"]), int(piece["length"])
                file.seek(offset)
                data = file.read(length)
                try:
                    yield plain_of(name, piece, data, self._identities)
                except WrongKeyError:
                    raise
                except DecryptError as error:
                    where = f"{name}, bytes {offset}–{offset + length - 1}"
                    self._opened.damaged.append(f"{where}: {error}")
                self._count(length)

    def _playlist(self, segments: list[tuple[str, list[tuple[str, float]]]]) -> None:
        """Write a playlist over the files of ``main``; each begins with a key picture."""
        longest = max(seconds for _, files in segments for _, seconds in files)
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{math.ceil(longest)}"]
        lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
        for number, (run, files) in enumerate(segments):
            lines += ["#EXT-X-DISCONTINUITY"] if number else []
            lines.append(f'#EXT-X-MAP:URI="{run}/{INIT}"')
            for name, seconds in files:
                lines += [f"#EXTINF:{seconds:.6f},", f"{run}/{name}"]
        write_text(self._out / "main" / "index.m3u8", "\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def plain_init(run: Path, identities: Identities) -> bytes:
    """Return a run's initialisation segment, plain.

    Raises:
        DecryptError: it cannot be opened; OSError: it cannot be read.
    """
    closed = run / CLOSED_INIT
    if not closed.exists():
        return (run / INIT).read_bytes()
    data = closed.read_bytes()
    plain = open_member(data, identities)
    if hashlib.sha256(plain).hexdigest() != About.in_member(data).plain_sha256:
        raise DecryptError(f"{closed.name}: other media than were recorded")
    return plain


def plain_of(name: str, piece: dict[str, Any], data: bytes, identities: Identities) -> bytes:
    """Return the plain bytes of one piece, checked against the journal.

    Args:
        piece: its record; ``data`` its bytes on the disk.

    Raises:
        DecryptError: it is damaged, or not what was recorded.
    """
    closed = name.endswith(CLOSED_SUFFIX)
    plain = open_member(data, identities) if closed else data
    wanted = piece["plain_sha256"] if closed else piece["sha256"]
    if hashlib.sha256(plain).hexdigest() != wanted:
        raise DecryptError("it is not what was recorded")
    return plain
