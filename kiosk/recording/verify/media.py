"""Verifies the media of a part against its journal, entry by entry as the journal is read.

Few values of each file stay in memory: the journal of a long hearing does not fit into it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import Entry
from kiosk.recording.encryption.decrypt import DecryptError, Identities, decrypt_fragment
from kiosk.recording.formats.age_tar import END_OF_ARCHIVE, iter_members
from kiosk.recording.formats.run_reader import closed_files, list_runs, media_files
from kiosk.recording.verify.report import PartFacts, VerifyReport
from kiosk.recording.verify.seal import FileDigests
from kiosk.storage.hearing_folder import CLOSED_INIT, CLOSED_SUFFIX, TRACKS


@dataclass
class _FileCheck:
    """What was found so far about one media file.

    Attributes:
        position: end in bytes of its journalled fragments.
        is_cut: the file is shorter than that.
        problems: codes and details.
        start_ns, end_ns: recording clock of its media.
    """

    position: int = 0
    fragments: int = 0
    start_ns: int = 0
    end_ns: int = 0
    is_missing: bool = False
    is_cut: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)


class MediaVerifier:
    """Compares the media files of a part with the entries of its journal.

    Args:
        folder, prefix, report, digests, identities: as in
            :class:`kiosk.recording.verify.part.PartVerifier`.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str,
        report: VerifyReport,
        digests: FileDigests,
        identities: Identities,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._report = report
        self._digests = digests
        self._identities = identities
        self._checks: dict[str, _FileCheck] = {}
        self._files: dict[str, str] = {}
        self._found_ns = dict.fromkeys(TRACKS, 0)

    def add(self, entry: Entry) -> None:
        """Check the media that one entry names.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: the entry is malformed.
        """
        kind = entry["kind"]
        if kind == "media":
            self._check_fragments(entry["fragments"])
            for fragment in entry["fragments"] if entry.get("recovered") else ():
                length = int(fragment["end_ns"]) - int(fragment["start_ns"])
                self._found_ns[fragment["track"]] += length
        elif kind == "file":
            self._files[str(entry["file"])] = str(entry["sha256"])
        elif kind == "rewrapped":  # what was found about the replaced file does not count any more
            self._checks.pop(str(entry["file"]), None)
            self._files.pop(str(entry["file"]), None)
            for file in entry["by"]:
                self._checks.pop(str(file["file"]), None)
                self._files[str(file["file"])] = str(file["sha256"])
            self._check_fragments(entry["fragments"])

    def finish(self, facts: PartFacts) -> None:
        """Report what is wrong, and files that the journal does not know; fill in ``facts``."""
        names = (*self._checks, *self._files)
        facts.fragments = sum(check.fragments for check in self._checks.values())
        facts.found_seconds = round(max(self._found_ns.values()) / NS_PER_S, 3)
        # one that ended before its first fragment has an init segment at most
        facts.closed = any(name.endswith(CLOSED_SUFFIX) for name in names) or any(
            self._folder.glob(f"*/run-*/{CLOSED_INIT}")
        )
        if self._checks:
            start = min(check.start_ns for check in self._checks.values())
            end = max(check.end_ns for check in self._checks.values())
            facts.seconds = round((end - start) / NS_PER_S, 3)
        for name, sha256 in self._files.items():
            self._report_file(name, sha256)
        for name, check in self._checks.items():
            self._report_fragments(name, check)
        for track in TRACKS:
            for run in list_runs(self._folder / track):
                for path in [*media_files(run), *closed_files(run)]:
                    name = path.relative_to(self._folder).as_posix()
                    if name not in self._checks:
                        self._report.add("media_unlisted", f"{self._prefix}{name}", "whole file")

    def _report_file(self, name: str, sha256: str) -> None:
        """Check a file that the journal lists as a whole."""
        path, where = self._folder / name, f"{self._prefix}{name}"
        if not path.is_file():
            self._report.add("file_missing", where)
        elif self._digests.of(path) != sha256:
            self._report.add("media_changed", where, "whole file")

    def _report_fragments(self, name: str, check: _FileCheck) -> None:
        """Report the problems of one media file, and bytes after its last fragment."""
        path, where = self._folder / name, f"{self._prefix}{name}"
        if check.is_missing:
            self._report.add("file_missing", where)
            return
        for code, detail in check.problems:
            self._report.add(code, where, detail)
        position, size = check.position, path.stat().st_size
        if name.endswith(CLOSED_SUFFIX) and _has_end_of_archive(path, position):
            position += len(END_OF_ARCHIVE)
        if not check.is_cut and position < size:
            self._report.add("media_unlisted", where, f"bytes {position}–{size - 1}")

    # -- fragments -----------------------------------------------------------------------------
    def _check_fragments(self, fragments: Sequence[dict[str, Any]]) -> None:
        """Check fragments, and that they continue their files without a gap."""
        for name, group in groupby(fragments, key=lambda fragment: str(fragment["file"])):
            path, check = self._folder / name, self._checks.setdefault(name, _FileCheck())
            if not path.is_file():
                check.is_missing = True
            else:
                with path.open("rb") as file:
                    for fragment in group:
                        self._check_fragment(check, file, fragment)

    def _check_fragment(self, check: _FileCheck, file: BinaryIO, fragment: dict[str, Any]) -> None:
        offset, length = int(fragment["offset"]), int(fragment["length"])
        start_ns, end_ns = int(fragment["start_ns"]), int(fragment["end_ns"])
        check.start_ns = min(start_ns, check.start_ns) if check.fragments else start_ns
        check.end_ns = max(end_ns, check.end_ns)
        check.fragments += 1
        if check.is_cut:
            return
        span = f"bytes {offset}–{offset + length - 1}"
        if offset != check.position:
            check.problems.append(("media_gap", f"bytes {check.position}–{offset - 1}"))
        check.position = offset + length
        size = os.fstat(file.fileno()).st_size
        if check.position > size:
            check.problems.append(("media_cut", f"{span} of {size}"))
            check.is_cut = True
            return
        file.seek(offset)
        data = file.read(length)
        if hashlib.sha256(data).hexdigest() != fragment["sha256"]:
            check.problems.append(("media_changed", span))
        if str(fragment["file"]).endswith(CLOSED_SUFFIX):
            self._check_member(check, fragment, data, span)

    def _check_member(
        self, check: _FileCheck, fragment: dict[str, Any], data: bytes, span: str
    ) -> None:
        """Check that the metadata of a tar's member agrees with the journal; decrypt it."""
        name = str(fragment["file"])
        member = next(iter_members(self._folder / name, int(fragment["offset"])), None)
        stated = None if member is None else (member.length, member.metadata.plain_sha256)
        if stated != (len(data), str(fragment.get("plain_sha256"))):
            check.problems.append(("media_changed", span))
        if not self._identities:
            return
        try:
            decrypt_fragment(name, fragment, data, self._identities)
        except DecryptError as error:
            check.problems.append(("media_not_opened", f"{span}: {error}"))


def _has_end_of_archive(path: Path, position: int) -> bool:
    """Return whether the end of an archive is at ``position``."""
    with path.open("rb") as file:
        file.seek(position)
        return file.read(len(END_OF_ARCHIVE)) == END_OF_ARCHIVE
