"""Verifies that a hearing or a part is exactly what the kiosk recorded and sealed.

It finds every change that was made without the device's key: flipped bytes, cut tails, files that
are missing, swapped or added, a removed part, and a new seal under another certificate authority.
The caller names the trusted root; it is never taken from the folder.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from kiosk.errors import RecordingError
from kiosk.evidence.certificates import common_name
from kiosk.evidence.chain import Chain, Entry
from kiosk.recording.encryption.decrypt import Identities
from kiosk.recording.verify.part import MALFORMED, HeadVerifier, PartVerifier, read_journal
from kiosk.recording.verify.report import VerifyReport
from kiosk.recording.verify.seal import FileDigests, SealVerifier, check_signer
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import (
    HEARING_FILE,
    JOURNAL_FILE,
    SUMS,
    part_folder_name,
    part_folders,
)


def verify(
    folder: Path, ca: Path, *, decode: bool = True, identities: Identities | None = None
) -> VerifyReport:
    """Verify a hearing's folder or a part's folder.

    Args:
        folder: ``hearings/<uuid>`` or ``.../part-01``, wherever it was copied to.
        ca: trusted roots (PEM).
        decode: also decode and count every picture and sample (of closed parts: with
            ``identities``).
        identities: the court's private keys, with which closed media are opened and compared.

    Raises:
        RecordingError: ``openssl`` or ``ca`` is missing, so that nothing can be verified.
    """
    report = VerifyReport(str(folder))
    if not ca.is_file():
        raise RecordingError(f"{ca}: cannot be read", code="ca_missing")
    if _is_hearing(folder):
        report.kind = "hearing"
        _HearingVerifier(folder, ca, report, decode, identities or []).run()
    elif folder.is_dir() and ((folder / JOURNAL_FILE).exists() or (folder / SUMS).exists()):
        report.kind = "part"
        _verify_part_alone(folder, ca, report, decode, identities or [])
    else:
        report.add("folder_missing", ".")
    return report


def _is_hearing(folder: Path) -> bool:
    """Return whether ``folder`` is a hearing's, even if its ``hearing.json`` is missing."""
    return (folder / HEARING_FILE).exists() or bool(part_folders(folder))


def _verify_part_alone(
    folder: Path, ca: Path, report: VerifyReport, decode: bool, identities: Identities
) -> None:
    """Verify one part by itself."""
    digests = FileDigests()
    certificate = SealVerifier(folder, "", ca, report, digests).run()
    certificates = [certificate] if certificate else []
    facts, chain = PartVerifier(folder, "", report, digests, certificates, identities).run(
        decode=decode
    )
    report.parts.append(facts)
    first = chain.entries[0] if chain and chain.entries else {}
    report.hearing_id = str(first.get("hearing", ""))
    if certificate and chain:
        _record_signer(report, certificate, str(first.get("kiosk", "")), chain, "")


def _record_signer(
    report: VerifyReport, certificate: x509.Certificate, kiosk: str, chain: Chain, prefix: str
) -> None:
    """Check the signer of one seal; record signer and time in the report."""
    sealed_at = str(chain.entries[-1].get("at", "")) if chain.entries else ""
    check_signer(certificate, kiosk, sealed_at, prefix or ".", report)
    report.device, report.sealed_at = common_name(certificate), sealed_at


class _HearingVerifier:
    """Verifies a whole hearing."""

    def __init__(
        self, folder: Path, ca: Path, report: VerifyReport, decode: bool, identities: Identities
    ) -> None:
        self._identities = identities
        self._folder = folder
        self._ca = ca
        self._report = report
        self._decode = decode
        self._digests = FileDigests()

    def run(self) -> None:
        """Check the seals, every part, the hearing's journal, and that they agree."""
        parts = dict(part_folders(self._folder))
        signers = {
            number: self._verify_seal(path, f"{path.name}/") for number, path in parts.items()
        }
        own = self._verify_seal(self._folder, "")
        chain = read_journal(self._folder / JOURNAL_FILE, JOURNAL_FILE, self._report)
        try:
            self._check_consistency(chain, parts, signers, own)
        except MALFORMED as error:
            self._report.add("journal_broken", JOURNAL_FILE, f"a line is malformed ({error!r})")

    def _check_consistency(
        self,
        chain: Chain | None,
        parts: dict[int, Path],
        signers: dict[int, x509.Certificate | None],
        own: x509.Certificate | None,
    ) -> None:
        """Check the parts, and that they agree with the hearing's journal."""
        first = self._check_first(chain)
        known = self._journalled_parts(chain)
        for number in sorted(set(known) - set(parts)):
            self._report.add("part_missing", part_folder_name(number))
        for number, path in parts.items():
            self._check_part(number, path, signers[number], known, first)
        if chain is not None:
            certificates = [signer for signer in [own, *signers.values()] if signer is not None]
            heads = HeadVerifier(
                self._report.hearing_id, 0, certificates, JOURNAL_FILE, self._report
            )
            for entry in chain.entries:
                if entry["kind"] == "head":
                    heads.check(entry)
            self._check_end(chain)
            if own is not None:
                _record_signer(self._report, own, str(first.get("kiosk", "")), chain, "")

    def _verify_seal(self, folder: Path, prefix: str) -> x509.Certificate | None:
        return SealVerifier(folder, prefix, self._ca, self._report, self._digests).run()

    def _check_first(self, chain: Chain | None) -> Entry:
        """Return the journal's first entry, after comparing it with ``hearing.json``."""
        first = chain.entries[0] if chain and chain.entries else {}
        if chain is not None and first.get("kind") != "opened":
            self._report.add("journal_first", JOURNAL_FILE, "no line “opened”")
        self._report.hearing_id = str(first.get("hearing", ""))
        try:
            value = read_json(self._folder / HEARING_FILE)
            same = (value["hearing"]["id"], value["kiosk"]) == (
                first.get("hearing"),
                first.get("kiosk"),
            )
        except OSError:
            return first  # reported as missing by the check of the seal
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            self._report.add("journal_first", HEARING_FILE, "it names another hearing or kiosk")
        return first

    def _journalled_parts(self, chain: Chain | None) -> dict[int, dict[str, Entry]]:
        """Return the hearing's entries about each part, by number and kind."""
        known: dict[int, dict[str, Entry]] = {}
        for place, entry in enumerate(chain.entries if chain else []):
            if entry["kind"] in ("part_opened", "part_sealed") and chain is not None:
                line = entry | {"own_hash": chain.hashes[place]}
                known.setdefault(int(entry["part"]), {})[entry["kind"]] = line
        return known

    def _check_part(
        self,
        number: int,
        path: Path,
        signer: x509.Certificate | None,
        known: dict[int, dict[str, Entry]],
        first: Entry,
    ) -> None:
        """Check one part, and that it is the one in the hearing's journal."""
        prefix = f"{path.name}/"
        lines = known.get(number)
        if lines is None:
            self._report.add("part_unknown", path.name)
        check = PartVerifier(
            path,
            prefix,
            self._report,
            self._digests,
            [signer] if signer else [],
            self._identities,
        )
        facts, chain = check.run(decode=self._decode)
        self._report.parts.append(facts)
        if chain is None or not chain.entries:
            return
        inner = chain.entries[0]
        if (inner.get("hearing"), inner.get("part")) != (first.get("hearing"), number):
            detail = f"hearing {inner.get('hearing')}, part {inner.get('part')}"
            self._report.add("part_other", path.name, detail)
        opened = (lines or {}).get("part_opened")
        if opened is not None and inner.get("prev") != opened["own_hash"]:
            self._report.add("part_other", path.name, "it does not follow from this hearing")
        if signer is not None:
            _record_signer(self._report, signer, str(inner.get("kiosk", "")), chain, prefix)
        sealed = (lines or {}).get("part_sealed")
        if sealed is not None:
            self._compare_seal(path, sealed, chain)

    def _compare_seal(self, path: Path, sealed: Entry, chain: Chain) -> None:
        """Compare a part with the hearing's entry about its seal."""
        if (sealed.get("count"), sealed.get("hash")) != (chain.head.count, chain.head.hash):
            detail = f"{sealed.get('count')} lines then, {chain.head.count} now"
            self._report.add("part_head_other", path.name, detail)
        sums = path / SUMS
        if sums.is_file() and self._digests.of(sums) != sealed.get("sums_sha256"):
            self._report.add("part_head_other", f"{path.name}/{SUMS}", "another seal")

    def _check_end(self, chain: Chain) -> None:
        """Check that the hearing was ended."""
        if not chain.problem and [e["kind"] for e in chain.entries[-2:]] != ["ended", "head"]:
            self._report.add("journal_open", JOURNAL_FILE)
