"""Tampering without the device's key: ``kiosk verify`` finds each, and names it.

A hearing of three parts, the second closed (encrypted), is recorded once by the real recorder;
each try changes a copy of it. A copy made while the third part runs, as a power cut leaves it, is
changed before its seal (:mod:`faults.unsealed`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from faults.trial import Cost, NotSurvivedError, Outcome
from faults.unsealed import Interrupted, sent_heads, try_unsealed, unsealed_tamperings
from faults.verification import verify_sealed
from kiosk.evidence.chain import GENESIS, canonical_json, entry_hash
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.seal import seal_folder
from kiosk.recording.verify.hearing import verify
from kiosk.storage.hearing_folder import (
    HEARING_FILE,
    JOURNAL_FILE,
    SIGNATURE,
    SUMS,
    part_folder_name,
)
from tests.support.court_keys import CourtSecrets
from tests.support.identity import Court
from tests.support.virtual_courtroom import VirtualCourtroom
from tests.support.waiting import wait_for

TRIES, QUICK = 20, 2
"""Tries for each damage to each kind of file; other tamperings are tried in every way."""
KIOSK = "kiosk-trial"
PARTS = (1, 2, 3)
SECONDS = 2.5
UNSEALED_SECONDS = 9.0
"""Enough signed batches to be cut and rewritten."""


@dataclass(frozen=True)
class HearingCopy:
    """A copy of the hearing, to be changed.

    Attributes:
        other: signs as another kiosk of the court; ``stranger`` under another authority.
    """

    folder: Path
    random: Random
    other_kiosk: FileSigner
    stranger: FileSigner

    def part(self, number: int) -> Path:
        """Return a part's folder."""
        return self.folder / part_folder_name(number)


Tamper = Callable[[HearingCopy], list[str]]
"""Changes the copy; returns names of which ``kiosk verify`` must name one."""


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Record a hearing; change copies of it in every way, ``tries`` times."""
    del strict
    with tempfile.TemporaryDirectory(prefix="kf-") as name:
        court = Court.make(Path(name) / "court")
        hearing, device = record_hearing(Path(name) / "r", court)
        stranger = Court.make(Path(name) / "stranger", "Test court").device(KIOSK)
        signers = court.device("kiosk-other"), stranger
        outcomes: dict[str, Outcome] = {}
        for kind, tamper in tamperings(hearing, tries, random):
            outcome = outcomes.setdefault(kind, Outcome(f"tampering: {kind}"))
            place = Path(name) / "copy" / hearing.name
            shutil.copytree(hearing, place)
            outcome.attempt(partial(trial, tamper, HearingCopy(place, random, *signers), court.ca))
            shutil.rmtree(place)
        cut = Path(name) / "cut" / hearing.name
        heads = sent_heads(cut, max(PARTS))
        for kind, change in unsealed_tamperings():
            outcome = outcomes.setdefault(kind, Outcome(f"tampering: {kind}"))
            for _ in range(tries):
                place = Path(name) / "copy" / hearing.name
                shutil.copytree(cut, place)
                interrupted = Interrupted(place, max(PARTS), device, stranger, random)
                outcome.attempt(partial(try_unsealed, change, interrupted, court.ca, heads))
                shutil.rmtree(place)
        alone = Outcome("untouched: each part verifies alone")
        for number in PARTS:
            alone.attempt(partial(verify_part_alone, hearing / part_folder_name(number), court.ca))
    return [alone, *outcomes.values()]


def record_hearing(folder: Path, court: Court) -> tuple[Path, FileSigner]:
    """Record a hearing of three parts, the second closed; return its sealed folder and the signer.

    ``cut/<id>`` beside it is a copy made while the third part runs.
    """
    with VirtualCourtroom(folder) as room:
        device = court.issue(KIOSK, room.paths.device_key, room.paths.device_certificate)
        shutil.copy(court.ca, room.paths.court_ca)
        room.publish_staff(court)
        CourtSecrets().pin(room.paths)
        room.start_recorder()
        room.wait_ready(60)
        room.sign_in()
        room.start_hearing()
        for number, step in enumerate(("close", "open"), 1):
            wait_part(room, number)
            room.call("POST", f"/v1/hearing/{step}", {})
        wait_part(room, 3, UNSEALED_SECONDS)
        (running,) = room.paths.hearings.iterdir()
        shutil.copytree(running, folder.parent / "cut" / running.name)
        sealed = room.end_hearing()
        verify_sealed(sealed, court.ca)
        target = folder.parent / sealed.name
        shutil.copytree(sealed, target)
    return target, device


def wait_part(room: VirtualCourtroom, number: int, seconds: float = SECONDS) -> None:
    """Wait until part ``number`` has so many seconds."""

    def there() -> bool:
        hearing = room.state().get("hearing") or {}
        return hearing.get("part") == number and hearing["part_seconds"] >= seconds

    wait_for(there, f"{seconds} s of part {number}", 60)


def trial(tamper: Tamper, copy: HearingCopy, ca: Path) -> Cost:
    """Change the copy; it must not verify, and the change must be named."""
    wanted = tamper(copy)
    problems = verify(copy.folder, ca, decode=False).problems
    named = [f"{problem.where} {problem.detail}" for problem in problems]
    if not problems:
        raise NotSurvivedError(f"not found: {wanted}")
    if not any(name in text for name in wanted for text in named):
        raise NotSurvivedError(f"{wanted} is not named: {named[:5]}")
    return Cost()


def verify_part_alone(part: Path, ca: Path) -> Cost:
    """A part verifies without the rest of the hearing."""
    if problems := verify(part, ca).problems:
        raise NotSurvivedError(f"{part.name}: {problems}")
    return Cost()


# -- tamperings ------------------------------------------------------------------------------------
def files_by_kind(hearing: Path) -> dict[str, list[str]]:
    """Return the files of the hearing by their kind: the same name without its numbers."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(path for path in hearing.rglob("*") if path.is_file()):
        name = path.relative_to(hearing).as_posix()
        kinds.setdefault("".join(letter for letter in name if not letter.isdigit()), []).append(
            name
        )
    return kinds


def tamperings(hearing: Path, tries: int, random: Random) -> Iterator[tuple[str, Tamper]]:
    """Yield the kind and the function of each tampering."""
    kinds = files_by_kind(hearing)
    for names in kinds.values():
        for _ in range(tries):
            yield "any flipped byte", partial(flip_bit, random.choice(names))
        for _ in range(max(1, tries // 4)):
            yield "cut tail", partial(cut_tail, random.choice(names))
        yield "missing file", partial(remove_file, random.choice(names))
    for first, second in media_pairs(hearing):
        yield "swapped files", partial(swap, first, second)
    yield "swapped parts", partial(swap, part_folder_name(1), part_folder_name(3))
    for name in ("evil.txt", "part-01/main/run-01/000099.m4s", "part-02/.hidden", "part-04/x"):
        yield "added file", partial(add_file, name)
    for number in PARTS:
        yield "whole part removed", partial(remove_part, number)
        yield "part removed, sums and journal rewritten", partial(hide_part, number)
    yield "journal's tail cut, sealed by a stranger", partial(cut_and_reseal, by="stranger")
    yield "journal's tail cut, sealed by another kiosk", partial(cut_and_reseal, by="other_kiosk")
    for number in PARTS:
        yield "a part sealed by another kiosk", partial(reseal, number, by="other_kiosk")
        yield "a part sealed by a stranger", partial(reseal, number, by="stranger")
    yield "all sealed by another kiosk", partial(reseal_all, by="other_kiosk")
    yield "all sealed by a stranger", partial(reseal_all, by="stranger")


def media_pairs(hearing: Path) -> list[tuple[str, str]]:
    """Return pairs of media files to be swapped: of two parts, of two tracks."""
    first = "part-01/main/run-01/000001.m4s"
    others = ("part-03/main/run-01/000001.m4s", "part-01/channels/run-01/000001.m4s")
    return [(first, other) for other in others if (hearing / other).exists()]


def expected_names(name: str) -> list[str]:
    """Return ``name``; for a list of sums its signature, which is then invalid."""
    return [name, f"{name}.p7s"] if name.endswith(SUMS) else [name]


def flip_bit(name: str, copy: HearingCopy) -> list[str]:
    """Flip one bit of one byte anywhere."""
    path = copy.folder / name
    data = bytearray(path.read_bytes())
    data[copy.random.randrange(len(data))] ^= 1 << copy.random.randrange(8)
    path.write_bytes(data)
    return expected_names(name)


def cut_tail(name: str, copy: HearingCopy) -> list[str]:
    """Cut from one byte to all of them off the end."""
    path = copy.folder / name
    data = path.read_bytes()
    path.write_bytes(data[: copy.random.randrange(len(data))])
    return expected_names(name)


def remove_file(name: str, copy: HearingCopy) -> list[str]:
    """Remove a file."""
    (copy.folder / name).unlink()
    return [name, Path(name).name]


def swap(first: str, second: str, copy: HearingCopy) -> list[str]:
    """Swap two files or folders."""
    aside = copy.folder.parent / "aside"
    (copy.folder / first).rename(aside)
    (copy.folder / second).rename(copy.folder / first)
    aside.rename(copy.folder / second)
    return [first]


def add_file(name: str, copy: HearingCopy) -> list[str]:
    """Add a file."""
    path = copy.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    return [name]


def remove_part(number: int, copy: HearingCopy) -> list[str]:
    """Remove a whole part."""
    shutil.rmtree(copy.part(number))
    return [part_folder_name(number)]


def hide_part(number: int, copy: HearingCopy) -> list[str]:
    """Remove a part and all its mentions, and rebuild the journal chain (heads stay)."""
    shutil.rmtree(copy.part(number))
    sums = copy.folder / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines(keepends=True)
    sums.write_text("".join(x for x in lines if f"  {part_folder_name(number)}/" not in x), "utf-8")
    journal = copy.folder / JOURNAL_FILE
    previous = GENESIS
    kept: list[bytes] = []
    for line in journal.read_bytes().splitlines():
        entry = json.loads(line)
        if entry.get("part") == number:
            continue
        changed = canonical_json({**entry, "n": len(kept) + 1, "prev": previous})
        kept.append(changed)
        previous = entry_hash(changed)
    journal.write_bytes(b"".join(line + b"\n" for line in kept))
    return [JOURNAL_FILE, SIGNATURE]


def cut_and_reseal(copy: HearingCopy, by: str) -> list[str]:
    """Cut the hearing's journal at a line, and seal the hearing again."""
    journal = copy.folder / JOURNAL_FILE
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: copy.random.randrange(2, len(lines))]))
    seal_folder(copy.folder, getattr(copy, by))
    return [SIGNATURE] if by == "stranger" else ["kiosk-other"]


def reseal(number: int, copy: HearingCopy, by: str) -> list[str]:
    """Change a byte of a part, and seal it again."""
    part = copy.part(number)
    path = max((part / "main").rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    data[copy.random.randrange(len(data))] ^= 1
    path.write_bytes(data)
    (part / SIGNATURE).unlink()
    seal_folder(part, getattr(copy, by))
    return [f"{part.name}/{SIGNATURE}"] if by == "stranger" else ["kiosk-other"]


def reseal_all(copy: HearingCopy, by: str) -> list[str]:
    """Change recorded sound, and seal everything again."""
    about = copy.folder / HEARING_FILE
    about.write_text(about.read_text("utf-8").replace("civil", "criminal"), "utf-8")
    for number in PARTS:
        (copy.part(number) / SIGNATURE).unlink()
        seal_folder(copy.part(number), getattr(copy, by))
    seal_folder(copy.folder, getattr(copy, by))
    return [SIGNATURE] if by == "stranger" else ["kiosk-other"]
