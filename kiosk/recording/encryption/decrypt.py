"""Decrypts closed parts with the court's key, at the court's workstation; never on a kiosk.

Each fragment is compared with its plain hash in the part's journal, which proves that it is what
was recorded. Stock ``tar`` and ``age`` open the same files (docs/closed-hearings.md).
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
from kiosk.evidence.chain import ChainReader
from kiosk.recording.formats.age_tar import MemberMetadata, extract_age
from kiosk.recording.formats.run_reader import list_runs
from kiosk.recording.journal.part_index import PartIndex
from kiosk.storage.atomic_io import make_folder, write_text
from kiosk.storage.hearing_folder import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    JOURNAL_FILE,
    MEDIA_SUFFIX,
    PART_FOLDER_PATTERN,
    PLAYLIST,
    TRACKS,
    part_folders,
)

Identities = list[pyrage.x25519.Identity]
Progress = Callable[[int, int], None]
"""Called with the bytes done and all bytes."""


class DecryptError(RecordingError):
    """It cannot be decrypted; the message says why."""

    code = "not_decrypted"


class WrongKeyError(DecryptError):
    """The file was not encrypted to this key."""

    code = "wrong_key"


@dataclass
class DecryptedPart:
    """A decrypted part.

    Attributes:
        part: name of its folder.
        files: files that can be played.
        damaged: fragments that are missing in them: file, bytes and reason.
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
    except OSError as error:
        raise DecryptError(f"{path}: {error.strerror}", code="key_unreadable") from error
    except (UnicodeDecodeError, pyrage.IdentityError) as error:
        raise DecryptError(f"{path}: no private age key: {error}", code="key_unreadable") from error
    if not identities:
        raise DecryptError(f"{path}: no private age key in it", code="key_unreadable")
    return identities


def decrypt_age_file(age_file: bytes, identities: Identities) -> bytes:
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


def decrypt_member(data: bytes, identities: Identities) -> bytes:
    """Return the plain bytes in one tar member.

    Raises:
        DecryptError: see :func:`decrypt_age_file`.
    """
    try:
        return decrypt_age_file(extract_age(data), identities)
    except ValueError as error:
        raise DecryptError(str(error)) from error


def list_closed_parts(folder: Path) -> list[Path]:
    """Return the parts in ``folder`` (a hearing's or a part's) that have encrypted media.

    Raises:
        DecryptError: there is none (``not_closed``).
        StorageError: a journal cannot be read.
    """
    own = (
        [folder]
        if (folder / JOURNAL_FILE).exists() and PART_FOLDER_PATTERN.fullmatch(folder.name)
        else []
    )
    inner = [path for _, path in part_folders(folder)]
    found = [
        path
        for path in own or inner
        if (path / JOURNAL_FILE).exists()
        and PartIndex.from_entries(ChainReader(path / JOURNAL_FILE)).has_closed_media
    ]
    if not found:
        raise DecryptError(f"{folder}: nothing in it is closed", code="not_closed")
    return found


def decrypt_parts(
    folder: Path, identities: Identities, out: Path, progress: Progress = lambda _done, _all: None
) -> list[DecryptedPart]:
    """Decrypt every closed part of ``folder`` into ``out``.

    ``out/part-02/main-run-01.mp4`` and ``channels-run-01.mp4`` play anywhere; the single files
    and a playlist of ``main`` are beside them.

    Raises:
        WrongKeyError: at the first fragment; DecryptError: nothing is closed.
        StorageError, OSError: something cannot be read or written.
    """
    parts = list_closed_parts(folder)
    indexes = [PartIndex.from_entries(ChainReader(part / JOURNAL_FILE)) for part in parts]
    total_bytes = sum(
        int(fragment["length"])
        for index in indexes
        for fragments in index.fragments.values()
        for fragment in fragments
    )
    done_bytes = 0

    def count(length: int) -> None:
        nonlocal done_bytes
        done_bytes += length
        progress(done_bytes, total_bytes)

    return [
        _PartDecryption(part, index, identities, out / part.name, count).run()
        for part, index in zip(parts, indexes, strict=True)
    ]


class _PartDecryption:
    """Decrypts one part."""

    def __init__(
        self,
        folder: Path,
        index: PartIndex,
        identities: Identities,
        out: Path,
        on_bytes_done: Callable[[int], None],
    ) -> None:
        self._folder = folder
        self._index = index
        self._identities = identities
        self._out = out
        self._on_bytes_done = on_bytes_done
        self._result = DecryptedPart(folder.name)

    def run(self) -> DecryptedPart:
        """Decrypt it."""
        for track in TRACKS:
            segments: list[tuple[str, list[tuple[str, float]]]] = []
            for run in list_runs(self._folder / track):
                files = self._decrypt_run(track, run)
                if files:
                    segments.append((run.name, files))
            if track == "main" and segments:
                self._write_playlist(segments)
        return self._result

    def _decrypt_run(self, track: str, run: Path) -> list[tuple[str, float]]:
        """Decrypt one run; return its files with their seconds."""
        target = make_folder(self._out / track / run.name)
        init = decrypt_init(run, self._identities)
        (target / INIT).write_bytes(init)
        joined = self._out / f"{track}-{run.name}.mp4"
        files = []
        with joined.open("wb") as whole:
            whole.write(init)
            for name in self._index.files_of(f"{track}/{run.name}"):
                fragments = self._index.fragments[name]
                plain = b"".join(self._decrypt_fragments(name))
                here = f"{Path(name).stem}{MEDIA_SUFFIX}"
                (target / here).write_bytes(plain)
                whole.write(plain)
                length = int(fragments[-1]["end_ns"]) - int(fragments[0]["start_ns"])
                files.append((here, length / 1e9))
        self._result.files.append(joined)
        return files

    def _decrypt_fragments(self, name: str) -> Iterator[bytes]:
        """Yield the plain fragments of one file; leave out damaged ones and record them."""
        path = self._folder / name
        if not path.exists():
            self._result.damaged.append(f"{name}: the file is missing")
            return
        with path.open("rb") as file:
            for fragment in self._index.fragments[name]:
                offset, length = int(fragment["offset"]), int(fragment["length"])
                file.seek(offset)
                data = file.read(length)
                try:
                    yield decrypt_fragment(name, fragment, data, self._identities)
                except WrongKeyError:
                    raise
                except DecryptError as error:
                    where = f"{name}, bytes {offset}–{offset + length - 1}"
                    self._result.damaged.append(f"{where}: {error}")
                self._on_bytes_done(length)

    def _write_playlist(self, segments: list[tuple[str, list[tuple[str, float]]]]) -> None:
        """Write a playlist over the files of ``main``; each begins with a key picture."""
        longest = max(seconds for _, files in segments for _, seconds in files)
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{math.ceil(longest)}"]
        lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
        for number, (run, files) in enumerate(segments):
            lines += ["#EXT-X-DISCONTINUITY"] if number else []
            lines.append(f'#EXT-X-MAP:URI="{run}/{INIT}"')
            for name, seconds in files:
                lines += [f"#EXTINF:{seconds:.6f},", f"{run}/{name}"]
        write_text(self._out / "main" / PLAYLIST, "\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def decrypt_init(run: Path, identities: Identities) -> bytes:
    """Return a run's initialisation segment, plain.

    Raises:
        DecryptError: it cannot be opened; OSError: it cannot be read.
    """
    closed = run / CLOSED_INIT
    if not closed.exists():
        return (run / INIT).read_bytes()
    data = closed.read_bytes()
    plain = decrypt_member(data, identities)
    if hashlib.sha256(plain).hexdigest() != MemberMetadata.from_member(data).plain_sha256:
        raise DecryptError(f"{closed.name}: other media than were recorded")
    return plain


def decrypt_fragment(
    name: str, fragment: dict[str, Any], data: bytes, identities: Identities
) -> bytes:
    """Return the plain bytes of one fragment, checked against the journal.

    Args:
        fragment: its record; ``data`` its bytes on the disk.

    Raises:
        DecryptError: it is damaged, or not what was recorded.
    """
    closed = name.endswith(CLOSED_SUFFIX)
    plain = decrypt_member(data, identities) if closed else data
    wanted = fragment["plain_sha256"] if closed else fragment["sha256"]
    if hashlib.sha256(plain).hexdigest() != wanted:
        raise DecryptError("it is not what was recorded")
    return plain
