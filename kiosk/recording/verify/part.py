"""Verifies one part: the journal, the media against the journal, and that they decode."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from kiosk.errors import StorageError
from kiosk.evidence.chain import Chain, ChainHead, ChainReader, Entry, is_event, read_chain
from kiosk.evidence.signer import is_head_signed_by
from kiosk.recording.encryption.decrypt import Identities
from kiosk.recording.encryption.decrypted_run import count_decrypted_run
from kiosk.recording.formats.run_reader import closed_files, count_run, list_runs
from kiosk.recording.journal.part_index import PartIndex
from kiosk.recording.verify.media import MediaVerifier
from kiosk.recording.verify.report import PartFacts, VerifyReport
from kiosk.recording.verify.seal import FileDigests
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import CLOSED_INIT, JOURNAL_FILE, PART_FILE, TRACKS

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""Errors from reading an entry that lacks fields of its kind or has others."""
KINDS_AFTER_CLOSED = ("rewrapped", "declared_closed", "cut", "interruption", "interruption_ended")
"""Kinds of events after ``closed``: what was declared closed later, or written late by a disk."""
MAX_UNSIGNED = 1
"""A crash tears one write at most, which holds one ``media`` entry: the rest bears signatures."""


def read_journal(
    path: Path,
    where: str,
    report: VerifyReport,
    keep: Callable[[Entry], bool] = lambda _entry: True,
) -> Chain | None:
    """Return the journal at ``path`` and report errors in its chain; None if it is unreadable."""
    if not path.is_file():
        report.add("journal_missing", where)
        return None
    try:
        chain = read_chain(path, keep=keep)
    except StorageError as error:
        report.add("unreadable", where, str(error))
        return None
    if chain.problem:
        report.add("journal_broken", where, f"line {chain.head.count + 1} {chain.problem}")
    if chain.torn_bytes:
        report.add("journal_torn", where)
    return chain


@dataclass(frozen=True)
class HeadVerifier:
    """Verifies the signed heads of one chain.

    Args:
        hearing_id, part: whose chain; part 0 is the hearing's own.
        certificates: of the devices that may have signed; empty: only the counts are checked.
    """

    hearing_id: str
    part: int
    certificates: list[x509.Certificate]
    where: str
    report: VerifyReport

    def check(self, entry: Entry) -> None:
        """Check one ``head`` entry."""
        number, count, digest = entry["n"], entry.get("count"), entry.get("hash")
        position = f"{self.where}:{number}"
        if count != number - 1 or digest != entry["prev"]:
            self.report.add("head_wrong", position, f"it counts {count} lines")
            return
        signature, head = str(entry.get("signature", "")), ChainHead(number - 1, str(digest))
        if self.certificates and not any(
            is_head_signed_by(certificate, self.hearing_id, self.part, head, signature)
            for certificate in self.certificates
        ):
            self.report.add("head_unsigned", position, f"over {count} lines")


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

    def __post_init__(self) -> None:
        """Prepare the pass over the journal."""
        self._where = f"{self.prefix}{JOURNAL_FILE}"
        self._facts = PartFacts(0)
        self._heads: HeadVerifier | None = None
        self._media = MediaVerifier(
            self.folder, self.prefix, self.report, self.digests, self.identities
        )

    def run(self, *, decode: bool) -> tuple[PartFacts, Chain | None]:
        """Check the part; return its counts and the events of its journal (None: it has none)."""
        facts = self._facts
        chain = read_journal(self.folder / JOURNAL_FILE, self._where, self.report, self._take)
        if chain is None or self._heads is None:
            if chain is not None:
                self.report.add("journal_first", self._where, "no line “part”")
            return facts, chain
        self._check_end(chain)
        self._media.finish(facts)
        if decode:
            self._decode(chain, facts)
        return facts, chain

    def _take(self, entry: Entry) -> bool:
        """Check one entry of the journal; return whether it is an event, which is kept."""
        try:
            if entry["n"] == 1:
                self._check_first(entry)
            elif self._heads is not None:
                self._check_entry(self._heads, entry)
        except MALFORMED as error:
            self.report.add("journal_broken", self._where, f"a line is malformed ({error!r})")
        return is_event(entry)

    def _check_first(self, first: Entry) -> None:
        hearing, part = first.get("hearing"), first.get("part")
        if first["kind"] == "part" and isinstance(hearing, str) and isinstance(part, int):
            self._facts.part = part
            self._heads = HeadVerifier(hearing, part, self.certificates, self._where, self.report)

    def _check_entry(self, heads: HeadVerifier, entry: Entry) -> None:
        kind = entry["kind"]
        if kind == "head":
            self._facts.heads += 1
            heads.check(entry)
        elif kind == "recovered" and int(entry.get("unsigned") or 0) > MAX_UNSIGNED:
            detail = f"{entry['unsigned']} batches before line {entry['n']}"
            self.report.add("head_missing", self._where, detail)
        self._facts.interruptions += kind == "interruption"
        self._media.add(entry)

    def _check_end(self, chain: Chain) -> None:
        """Check that the journal ends with ``closed`` and a head over it."""
        if chain.problem:
            return
        kinds = [entry["kind"] for entry in chain.entries]
        last = next((n for n in range(len(kinds) - 1, -1, -1) if kinds[n] == "closed"), len(kinds))
        after = set(kinds[last + 1 :]) - set(KINDS_AFTER_CLOSED)
        if chain.unsigned or last == len(kinds) or after:
            self.report.add("journal_open", self._where)

    # -- decoding ------------------------------------------------------------------------------
    def _decode(self, chain: Chain, facts: PartFacts) -> None:
        """Decode both tracks; compare the counts with those in the ``closed`` entry."""
        names = self._channel_names()
        if facts.closed and not self.identities:
            return  # only the court can decrypt it
        index = PartIndex()
        if facts.closed:
            with suppress(*MALFORMED):  # already reported
                index = PartIndex.from_entries(ChainReader(self.folder / JOURNAL_FILE))
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
