"""Verifies one part: the journal, the media against the journal, and that they decode."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from kiosk.errors import StorageError
from kiosk.evidence.chain import Chain, ChainHead, Entry, read_chain
from kiosk.evidence.signer import is_head_signed_by
from kiosk.recording.encryption.decrypt import DecryptError, Identities, decrypt_fragment
from kiosk.recording.encryption.decrypted_run import count_decrypted_run
from kiosk.recording.formats.age_tar import END_OF_ARCHIVE, iter_members
from kiosk.recording.formats.run_reader import closed_files, count_run, list_runs, media_files
from kiosk.recording.journal.part_index import PartIndex
from kiosk.recording.verify.report import PartFacts, VerifyReport
from kiosk.recording.verify.seal import FileDigests
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import CLOSED_INIT, CLOSED_SUFFIX, JOURNAL_FILE, PART_FILE, TRACKS

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""Errors from reading an entry that lacks fields of its kind or has others."""
KINDS_AFTER_CLOSED = ("rewrapped", "declared_closed")
"""Kinds of entries after ``closed`` in a part that was declared closed later."""


def read_journal(path: Path, where: str, report: VerifyReport) -> Chain | None:
    """Return the journal at ``path`` and report errors in its chain; None if it is unreadable."""
    if not path.is_file():
        report.add("journal_missing", where)
        return None
    try:
        chain = read_chain(path)
    except StorageError as error:
        report.add("unreadable", where, str(error))
        return None
    if chain.problem:
        report.add("journal_broken", where, f"line {len(chain.entries) + 1} {chain.problem}")
    if chain.torn_bytes:
        report.add("journal_torn", where)
    return chain


def check_heads(
    chain: Chain,
    hearing_id: str,
    part: int,
    certificates: list[x509.Certificate],
    where: str,
    report: VerifyReport,
) -> int:
    """Check every signed head in ``chain``; return how many there are."""
    heads = 0
    for number, entry in enumerate(chain.entries, 1):
        if entry["kind"] != "head":
            continue
        heads += 1
        count, digest = entry.get("count"), entry.get("hash")
        position = f"{where}:{number}"
        if count != number - 1 or digest != entry["prev"]:
            report.add("head_wrong", position, f"it counts {count} lines")
            continue
        signature, head = str(entry.get("signature", "")), ChainHead(number - 1, str(digest))
        if certificates and not any(
            is_head_signed_by(certificate, hearing_id, part, head, signature)
            for certificate in certificates
        ):
            report.add("head_unsigned", position, f"over {count} lines")
    return heads


def _has_end_of_archive(path: Path, position: int) -> bool:
    """Return whether the end of an archive is at ``position``."""
    with path.open("rb") as file:
        file.seek(position)
        return file.read(len(END_OF_ARCHIVE)) == END_OF_ARCHIVE


@dataclass
class PartVerifier:
    """Verifies one part.

    Args:
        folder: the part's folder.
        prefix: ``part-01/`` or empty; names the part in the report.
        certificates: signers of its seal, for the signed heads.
        identities: the court's private keys; with them encrypted media are decrypted, too, and
            compared with what was recorded.
    """

    folder: Path
    prefix: str
    report: VerifyReport
    digests: FileDigests
    certificates: list[x509.Certificate] = field(default_factory=list)
    identities: Identities = field(default_factory=list)

    def run(self, *, decode: bool) -> tuple[PartFacts, Chain | None]:
        """Check the part; return its counts and its journal (None: it has none)."""
        where = f"{self.prefix}{JOURNAL_FILE}"
        chain = read_journal(self.folder / JOURNAL_FILE, where, self.report)
        first = chain.entries[0] if chain and chain.entries else {}
        facts = PartFacts(int(first.get("part", 0)))
        if chain is None or not self._check_first(first):
            return facts, chain
        hearing_id = str(first["hearing"])
        try:
            facts.heads = check_heads(
                chain, hearing_id, facts.part, self.certificates, where, self.report
            )
            self._check_end(chain)
            self._check_media(chain, facts)
        except MALFORMED as error:
            self.report.add("journal_broken", where, f"a line is malformed ({error!r})")
        if decode:
            self._decode(chain, facts)
        return facts, chain

    def _check_first(self, first: Entry) -> bool:
        is_valid = (
            first.get("kind") == "part"
            and isinstance(first.get("hearing"), str)
            and isinstance(first.get("part"), int)
        )
        if not is_valid:
            self.report.add("journal_first", f"{self.prefix}{JOURNAL_FILE}", "no line “part”")
        return is_valid

    def _check_end(self, chain: Chain) -> None:
        """Check that the journal ends with ``closed`` and a head over it."""
        if chain.problem:
            return
        kinds = [entry["kind"] for entry in chain.entries]
        last = next((n for n in range(len(kinds) - 1, -1, -1) if kinds[n] == "closed"), len(kinds))
        after = set(kinds[last + 1 :]) - {"head", *KINDS_AFTER_CLOSED}
        if kinds[-1:] != ["head"] or last == len(kinds) or after:
            self.report.add("journal_open", f"{self.prefix}{JOURNAL_FILE}")

    # -- media ---------------------------------------------------------------------------------
    def _check_media(self, chain: Chain, facts: PartFacts) -> None:
        index = PartIndex.from_entries(chain.entries)
        facts.fragments = index.fragment_count
        # one that ended before its first fragment has an init segment at most
        facts.closed = index.has_closed_media or any(self.folder.glob(f"*/run-*/{CLOSED_INIT}"))
        facts.interruptions = sum(entry["kind"] == "interruption" for entry in chain.entries)
        for entry in index.files.values():
            self._check_file(entry)
        spans = [
            (int(fragment["start_ns"]), int(fragment["end_ns"]))
            for fragments in index.fragments.values()
            for fragment in fragments
        ]
        if spans:
            start, end = min(span[0] for span in spans), max(span[1] for span in spans)
            facts.seconds = round((end - start) / 1e9, 3)
        for name, fragments in index.fragments.items():
            self._check_fragments(name, fragments)
        for track in TRACKS:
            for run in list_runs(self.folder / track):
                for path in [*media_files(run), *closed_files(run)]:
                    name = path.relative_to(self.folder).as_posix()
                    if name not in index.fragments:
                        self.report.add("media_unlisted", f"{self.prefix}{name}", "whole file")

    def _check_file(self, entry: Entry) -> None:
        """Check a file that the journal lists as a whole."""
        path, where = self.folder / str(entry["file"]), f"{self.prefix}{entry['file']}"
        if not path.is_file():
            self.report.add("file_missing", where)
        elif self.digests.of(path) != entry["sha256"]:
            self.report.add("media_changed", where, "whole file")

    def _check_fragments(self, name: str, fragments: list[dict[str, Any]]) -> None:
        """Check each fragment of one file, and that they fill it without a gap."""
        path, where = self.folder / name, f"{self.prefix}{name}"
        if not path.is_file():
            self.report.add("file_missing", where)
            return
        size, position = path.stat().st_size, 0
        with path.open("rb") as file:
            for fragment in fragments:
                offset, length = int(fragment["offset"]), int(fragment["length"])
                span = f"bytes {offset}–{offset + length - 1}"
                if offset != position:
                    self.report.add("media_gap", where, f"bytes {position}–{offset - 1}")
                position = offset + length
                if position > size:
                    self.report.add("media_cut", where, f"{span} of {size}")
                    return
                file.seek(offset)
                if hashlib.sha256(file.read(length)).hexdigest() != fragment["sha256"]:
                    self.report.add("media_changed", where, span)
        if name.endswith(CLOSED_SUFFIX):
            self._check_members(path, where, fragments)
            self._check_plain(path, where, fragments)
            position += len(END_OF_ARCHIVE) if _has_end_of_archive(path, position) else 0
        if position < size:
            self.report.add("media_unlisted", where, f"bytes {position}–{size - 1}")

    def _check_members(self, path: Path, where: str, fragments: list[dict[str, Any]]) -> None:
        """Check that the metadata of a tar's members agrees with the journal."""
        found = {member.offset: member for member in iter_members(path)}
        for fragment in fragments:
            offset = int(fragment["offset"])
            member = found.get(offset)
            stated = None if member is None else (member.length, member.metadata.plain_sha256)
            if stated != (int(fragment["length"]), str(fragment.get("plain_sha256"))):
                span = f"bytes {offset}–{offset + int(fragment['length']) - 1}"
                self.report.add("media_changed", where, span)

    def _check_plain(self, path: Path, where: str, fragments: list[dict[str, Any]]) -> None:
        """Decrypt the members with the court's key, if it was given."""
        if not self.identities:
            return
        with path.open("rb") as file:
            for fragment in fragments:
                offset, length = int(fragment["offset"]), int(fragment["length"])
                file.seek(offset)
                try:
                    decrypt_fragment(where, fragment, file.read(length), self.identities)
                except DecryptError as error:
                    span = f"bytes {offset}–{offset + length - 1}"
                    self.report.add("media_not_opened", where, f"{span}: {error}")

    # -- decoding ------------------------------------------------------------------------------
    def _decode(self, chain: Chain, facts: PartFacts) -> None:
        """Decode both tracks; compare the counts with those in the ``closed`` entry."""
        names = self._channel_names()
        if facts.closed and not self.identities:
            return  # only the court can decrypt it
        try:
            index = PartIndex.from_entries(chain.entries)
        except MALFORMED:  # already reported
            index = PartIndex()
        facts.decoded = True
        for track in TRACKS:
            for run in list_runs(self.folder / track):
                where = f"{self.prefix}{run.relative_to(self.folder).as_posix()}"
                closed = (run / CLOSED_INIT).exists() or closed_files(run)
                counts = (
                    count_decrypted_run(run, index, self.identities) if closed else count_run(run)
                )
                for error in sorted(set(counts.errors)):
                    self.report.add("not_decodable", where, error)
                if counts.frames != counts.packets:
                    detail = f"{counts.packets} pictures, {counts.frames} decoded"
                    self.report.add("not_decodable", where, detail)
                if track == "main":
                    facts.video_frames += counts.frames
                else:
                    for place, number in enumerate(counts.samples):
                        name = names[place] if place < len(names) else f"track {place + 1}"
                        facts.samples[name] = facts.samples.get(name, 0) + number
        self._compare_counts(chain, facts)

    def _channel_names(self) -> list[str]:
        """Return the microphones' names in the order of the tracks, from ``part.json``."""
        try:
            microphones = read_json(self.folder / PART_FILE)["microphones"]
            return [str(microphone["name"]) for microphone in microphones]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _compare_counts(self, chain: Chain, facts: PartFacts) -> None:
        """Compare what was decoded with what the recorder counted."""
        closed = next((e for e in reversed(chain.entries) if e["kind"] == "closed"), {})
        expected = closed.get("video_frames")
        if expected is not None and expected != facts.video_frames:
            detail = f"{expected} pictures recorded, {facts.video_frames} found"
            self.report.add("count_differs", f"{self.prefix}main", detail)
        for name, number in (closed.get("samples") or {}).items():
            found = facts.samples.get(name, 0)
            if found != number:
                detail = f"{name}: {number} samples recorded, {found} found"
                self.report.add("count_differs", f"{self.prefix}channels", detail)
