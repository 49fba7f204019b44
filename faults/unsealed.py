"""Tampering with a part before its seal: somebody takes the disk out after a power cut.

Whoever has the disk but not the device's key changes what the cut left; then the kiosk recovers,
seals, and its journals are compared with the heads that had left it before, as the central system
compares them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from faults.trial import Cost, NotSurvivedError
from kiosk.central.deliveries.head_check import find_contradictions
from kiosk.evidence.certificates import common_name
from kiosk.evidence.chain import ChainHead, Entry, canonical_json, entry_hash, read_chain
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.signer import sign_head
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.recording.verify.hearing import verify
from kiosk.storage.hearing_folder import JOURNAL_FILE, part_folder_name


@dataclass(frozen=True)
class Interrupted:
    """A copy of what a power cut left, to be changed.

    Attributes:
        folder: the hearing; ``part`` is the number of its newest part, which has no seal.
        device: the kiosk's own signer, which nobody else has; ``stranger`` is another's.
    """

    folder: Path
    part: int
    device: FileSigner
    stranger: FileSigner
    random: Random

    @property
    def part_folder(self) -> Path:
        """The newest part."""
        return self.folder / part_folder_name(self.part)

    @property
    def journal(self) -> Path:
        """The journal of the newest part."""
        return self.part_folder / JOURNAL_FILE


Tamper = Callable[[Interrupted], str]
"""Changes the copy; returns a text that the problem found must hold."""


def sent_heads(folder: Path, part: int) -> list[tuple[int, int, str]]:
    """Return the heads of a part's journal, as the central system has them."""
    entries = read_chain(folder / part_folder_name(part) / JOURNAL_FILE).entries
    heads = [entry for entry in entries if entry["kind"] == "head"]
    return [(part, int(head["count"]), str(head["hash"])) for head in heads]


def recover_and_find(copy: Interrupted, ca: Path, heads: list[tuple[int, int, str]]) -> list[str]:
    """Recover and seal the copy; return what verification and the sent heads find."""
    options = JournalOptions(common_name(copy.device.certificate), copy.device)
    (hearing,) = recover_hearings(copy.folder.parent, options)
    hearing.seal()
    hearing.journal.end({"person": ""})
    report = verify(copy.folder, ca, decode=False)
    found = [f"{problem.code} {problem.where} {problem.detail}" for problem in report.problems]
    return found + find_contradictions(heads, {copy.part: [copy.journal.read_bytes()]})


def try_unsealed(
    tamper: Tamper | None, copy: Interrupted, ca: Path, heads: list[tuple[int, int, str]]
) -> Cost:
    """Change the copy; the change must be found and named (None: nothing may be found)."""
    wanted = tamper(copy) if tamper is not None else ""
    found = recover_and_find(copy, ca, heads)
    if bool(found) != bool(wanted) or not any(wanted in text for text in found or [""]):
        raise NotSurvivedError(f"{wanted or 'nothing'} was to be found: {found[:5]}")
    return Cost()


def unsealed_tamperings() -> Iterator[tuple[str, Tamper | None]]:
    """Yield the kind and the function of each tampering."""
    yield "unsealed part untouched", None
    yield "unsealed part: media cut, journal left", cut_media
    yield "unsealed part: lines rewritten without signatures", rewrite_unsigned
    yield "unsealed part: lines rewritten, signed by a stranger", rewrite_signed_by_stranger
    yield "unsealed part: journal and media cut to an earlier signature", cut_both


def _entries(copy: Interrupted) -> list[Entry]:
    return read_chain(copy.journal).entries


def _media_heads(copy: Interrupted) -> list[int]:
    """Return the places of heads with at least two written batches of media after them."""
    entries = _entries(copy)
    heads = [place for place, entry in enumerate(entries) if entry["kind"] == "head"]
    return heads[:-3]


def cut_media(copy: Interrupted) -> str:
    """Cut the end of the picture at a fragment."""
    fragments = [
        fragment
        for entry in _entries(copy)
        if entry["kind"] == "media"
        for fragment in entry["fragments"]
        if fragment["track"] == "main"
    ]
    fragment = copy.random.choice(fragments[-4:])
    os.truncate(copy.part_folder / fragment["file"], fragment["offset"])
    return str(fragment["file"])


def _rewrite(copy: Interrupted, sign: Callable[[ChainHead], str] | None) -> None:
    """Move what was journalled after a random head by a second, and make the chain fit again."""
    entries = _entries(copy)
    place = copy.random.choice(_media_heads(copy)) + 1
    head = ChainHead(place, str(entries[place]["prev"]))
    lines = copy.journal.read_bytes().splitlines(keepends=True)[:place]
    for entry in entries[place:]:
        changed = entry | {"n": head.count + 1, "prev": head.hash, "t": entry["t"] - 10**9}
        if entry["kind"] == "head":
            if sign is None:
                continue
            changed |= {"count": head.count, "hash": head.hash, "signature": sign(head)}
        line = canonical_json(changed)
        head = ChainHead(head.count + 1, entry_hash(line))
        lines.append(line + b"\n")
    copy.journal.write_bytes(b"".join(lines))


def rewrite_unsigned(copy: Interrupted) -> str:
    """Rewrite lines and leave the signatures out."""
    _rewrite(copy, None)
    return "head_missing"


def rewrite_signed_by_stranger(copy: Interrupted) -> str:
    """Rewrite lines and sign them with another key."""
    _rewrite(copy, lambda head: sign_head(copy.stranger, copy.folder.name, copy.part, head))
    return "head_unsigned"


def cut_both(copy: Interrupted) -> str:
    """Cut the journal after an earlier head, and the media to what is journalled before it.

    Nothing in the folder shows it: the recording looks as if the power had failed then. A head
    that left the kiosk later does.
    """
    entries = _entries(copy)
    place = copy.random.choice(_media_heads(copy)) + 1
    lines = copy.journal.read_bytes().splitlines(keepends=True)
    copy.journal.write_bytes(b"".join(lines[:place]))
    ends: dict[str, int] = {}
    for entry in entries[:place]:
        for fragment in entry["fragments"] if entry["kind"] == "media" else ():
            ends[fragment["file"]] = fragment["offset"] + fragment["length"]
    for path in copy.part_folder.glob("*/run-*/*.m4s"):
        name = path.relative_to(copy.part_folder).as_posix()
        if name in ends:
            os.truncate(path, ends[name])
        else:
            path.unlink()
    return f"part {copy.part} count"
