"""What must be true of a simulated courtroom at any moment, and of its hearings at the end.

Nothing here asks the recorder what it thinks: it compares what the screen showed with the bytes
that reached the disks, the lamp's pin, and, at the end, every sample with what was captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyrage

from kiosk.api.states import LampState, Phase
from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.hearing import verify
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import AGE_SUFFIX, JOURNAL_FILE, SIGNATURE
from kiosk.storage.replaced_files import read_replaced
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import VolumeRole
from tests.support.recorded_media import (
    CAMERA,
    PartMedia,
    PartReader,
    Spans,
    joined,
    seconds,
    without,
)
from tests.support.simulated_courtroom import MICROPHONES, Shown, SimulatedCourtroom
from tests.support.simulated_devices import WrittenMedia, media_begins
from tests.support.virtual_time import NS_PER_S

HEALTHY_AFTER_S = 8.0
"""So long after the last fault everything is as it was."""
DURABLE_S = 2.5
SHOWN_OWED_S = 2.5
"""A step that is on no disk for so long is shown as owed."""
SLACK_NS = {CAMERA: NS_PER_S // 2}
"""Shorter gaps between pictures are only counted; between samples, corrections of a clock."""
SOUND_SLACK_NS = 25_000_000
TOLERANCE_NS = 100_000_000
STEP_S = 2.0
_HEARING = re.compile(r"/hearings/([^/]+)/part-")
ROUNDING_NS = 5_000_000


Told = tuple[str, str, str]
"""Hearing, kind of entry, and its name among those."""


def entries_told(folder: Path) -> set[tuple[str, str]]:
    """Return kind and name of each entry that somebody told, from all journals of a hearing."""
    found = set()
    for path in (folder / JOURNAL_FILE, *folder.glob(f"part-*/{JOURNAL_FILE}")):
        entries = read_chain(path).entries if path.exists() else []
        found |= {(e["kind"], _told_name(e)) for e in entries}
    return found


def _told_name(entry: dict[str, Any]) -> str:
    """Return what names an entry among those of its kind."""
    names = ("subject", "id", "scan", "mark")
    return str(next((entry[name] for name in names if name in entry), None))


def at(room: SimulatedCourtroom, moment_ns: int) -> str:
    """Return a moment as seconds ago."""
    return f"{room.seconds_since(moment_ns):.2f} s ago"


class RoomOracle:
    """Compares what is shown with what is so."""

    def __init__(self, room: SimulatedCourtroom) -> None:
        self._room = room
        self._seen: dict[str, int] = {}
        self._trouble_ns = room.world.now_ns
        self._told: list[Told] = []

    def note_told(self, hearing: str, kind: str, name: str) -> None:
        """Remember that the recorder has taken something: an entry of ``kind`` named ``name``."""
        self._told.append((hearing, kind, name))

    def forget_what_no_disk_was_given(self) -> None:
        """After a kill: what not every disk has may be lost with the memory."""
        room = self._room
        has_mirror = room.settings.paths.mirror is not None
        roots = [root for role, root in room.roots.items() if has_mirror or role == "data"]
        for root in roots:
            known = {name: entries_told(root / "hearings" / name) for name, *_ in self._told}
            self._told = [told for told in self._told if told[1:] in known[told[0]]]

    def check_told(self) -> None:
        """Check that everything that the recorder has taken is in the journals."""
        for hearing, *told in self._told:
            folder = self._room.paths.hearings / hearing
            assert tuple(told) in entries_told(folder), f"{told} was taken, and is in no journal"

    def check_receipts(self) -> None:
        """Check that each scan in a journal is there as journalled, and plain only if open."""
        for folder in self._room.hearing_folders:
            files: dict[int, tuple[str, str]] = {}
            for entry in read_chain(folder / JOURNAL_FILE).entries:
                if entry["kind"] in ("receipt_scanned", "receipt_encrypted"):
                    files[int(entry["scan"])] = entry["file"], entry["sha256"]
            for name, digest in files.values():
                assert sha256_of(folder / name) == digest, f"{name} is not as journalled"
            plain = [path.name for path in (folder / "receipts").glob("*.pdf")]
            known = {name.rpartition("/")[2] for name, _digest in files.values()}
            assert set(plain) <= known, f"{plain} are plain, and journalled are {known}"

    def note_trouble(self) -> None:
        """Remember that something is broken, or just was."""
        self._trouble_ns = self._room.world.now_ns

    # -- at any moment -------------------------------------------------------------------------
    def check(self) -> None:
        """Check everything that must be true now."""
        room = self._room
        assert not room.world.errors, room.world.errors[0]
        self._check_media()
        if room.is_running:
            self._check_lamp()
            self._check_recorded()
        for tap in room.taps[-1:]:
            assert tap.done_ns is not None, f"“{tap.name}” was never answered"
            took = (tap.done_ns - tap.at_ns) / NS_PER_S
            assert took < STEP_S, f"“{tap.name}” took {took:.1f} s"

    def _check_media(self) -> None:
        """Nothing plain while it is shown as closed; nothing at all while nothing is recorded."""
        hearings = {shown.hearing_id for shown in self._room.shown} - {""}
        closed = [span for hearing in hearings for span in self._closed_spans(hearing)]
        stopped = list(
            self._spans(
                lambda shown: shown.state.phase is not Phase.RECORDING, ("start", "resume", "boot")
            )
        )
        for media in self._new_media():
            if media.is_plain:
                self._refuse(media, closed, "plain media of a time when it was shown as closed")
            self._refuse(media, stopped, "media of a time when nothing was recorded")

    def _new_media(self) -> Iterator[WrittenMedia]:
        for name, disk in self._room.disks.items():
            yield from disk.written[self._seen.get(name, 0) :]
            self._seen[name] = len(disk.written)

    def _refuse(self, media: WrittenMedia, spans: Spans, what: str) -> None:
        for begin, end in spans:
            assert not begin <= media.begin_ns < end - ROUNDING_NS, (
                f"{what}: captured {at(self._room, media.begin_ns)}, "
                f"written {at(self._room, media.at_ns)}, "
                f"so from {at(self._room, begin)} to {at(self._room, end)}"
            )

    def _closed_spans(self, hearing: str) -> Spans:
        """Return when ``hearing`` was shown as closed, or was being started as one that is closed.

        It is shown until the next one is; what is captured from the tap on that starts the next
        one is not of it.
        """
        room = self._room
        spans = list(
            self._spans(
                lambda shown: shown.hearing_id == hearing and shown.is_closed, ("open", "start")
            )
        )
        first = next(shown for shown in room.shown if shown.hearing_id == hearing)
        for tap in room.taps:
            is_its_start = tap.name == "start" and getattr(tap.answer, "hearing_id", "") == hearing
            if is_its_start and first.is_closed:
                spans.append((tap.at_ns, first.at_ns))
        return spans

    def _spans(self, holds: object, ends: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Yield when ``holds`` was shown; a tap that ends it counts from the tap on."""
        assert callable(holds)
        room = self._room
        shown = [*room.shown, Shown(room.world.now_ns + 1, room.state)]
        begin: int | None = None
        for one, following in pairwise(shown):
            if not holds(one):
                begin = None
                continue
            begin = one.at_ns if begin is None else begin
            if not holds(following) or following is shown[-1]:
                end = following.at_ns
                taps = [
                    tap.at_ns
                    for tap in room.taps
                    if tap.name.startswith(ends) and tap.error is None and begin <= tap.at_ns < end
                ]
                yield begin, min([end, *taps])

    def _check_lamp(self) -> None:
        room = self._room
        recording = room.state.phase is Phase.RECORDING
        assert room.is_lamp_lit == recording, f"{room.state.phase}: lamp {room.panel.lamp}"
        assert (room.state.lamp is not LampState.OFF) == recording

    def _check_recorded(self) -> None:
        room = self._room
        if room.seconds_since(self._trouble_ns) < HEALTHY_AFTER_S:
            return
        owed = [alarm for alarm in room.state.alarms if alarm.code == "steps_owed"]
        assert not owed, f"every disk is well, and has not the last steps: {owed}"
        since = room.world.now_ns - round((DURABLE_S + 1) * NS_PER_S)
        recent = [shown for shown in room.shown if shown.at_ns >= since]
        if not recent or any(shown.state.phase is not Phase.RECORDING for shown in recent):
            return
        if room.shown[0].at_ns > since:
            return
        for track in ("main", "channels"):
            newest = max(
                (m.begin_ns for m in room.disks["data"].written if m.track == track), default=0
            )
            assert room.seconds_since(newest) < DURABLE_S, (
                f"shown as recording, but the newest {track} on the disk is {at(room, newest)}"
            )

    def is_on_a_disk(self, phase: Phase) -> bool:
        """Return whether the disks that can be read say which hearing was recorded, if any.

        Where no disk was given the step, the screen says so within a moment. One that has it may
        have failed since, and one that cannot be read may say otherwise once it is back.
        """
        room = self._room
        shown = (one.hearing_id for one in reversed(room.shown) if one.hearing_id)
        hearings = list(dict.fromkeys(shown))
        if not hearings:
            return True
        last = hearings[0]
        readable = [r for r, d in room.disks.items() if d.state in ("ok", "full", "read_only")]
        is_owed = not self._have_step(last, phase, list(room.disks))
        is_shown = bool(room.shown[-1].hearing_id)
        if is_owed and is_shown and room.seconds_since(room.taps[-1].at_ns) > SHOWN_OWED_S:
            codes = {alarm.code for alarm in room.state.alarms}
            assert "steps_owed" in codes, f"{phase}: on no disk, and nothing says so: {codes}"
        return not is_owed and all(
            self._have_step(hearing, phase if hearing == last else Phase.IDLE, readable)
            for hearing in hearings
        )

    def _have_step(self, hearing: str, phase: Phase, roles: Sequence[VolumeRole]) -> bool:
        """Return whether the newest journal of a hearing on these disks says ``phase``."""
        room = self._room
        journals = [room.roots[role] / "hearings" / hearing / JOURNAL_FILE for role in roles]
        chains = [read_chain(journal).entries for journal in journals if journal.exists()]
        kinds = [
            entry["kind"]
            for entry in max(chains, key=len, default=[])
            if entry["kind"] in ("part_opened", "part_closed")
        ]
        return (kinds[-1:] == ["part_opened"]) == (phase is Phase.RECORDING)

    # -- at the end ----------------------------------------------------------------------------
    def check_hearings(self) -> None:
        """Check that each hearing is sealed and whole and that its ledger tells what is missing."""
        room = self._room
        for folder in room.hearing_folders:
            assert (folder / SIGNATURE).exists(), f"{folder.name} is not sealed"
            report = verify(folder, room.court.ca, decode=False)
            assert not report.problems, report.problems
            if room.settings.paths.mirror is not None:
                self._check_copy(folder, room.settings.paths.mirror)
            self._check_ledger(folder)
        self._check_kept()

    def _check_kept(self) -> None:
        """Check that media that once reached a disk are still on one, if only set aside."""
        room = self._room
        kept: dict[str, set[int]] = {}
        for root in room.roots.values():
            for path in root.rglob("*"):
                if path.is_file() and (hearing := _HEARING.search(path.as_posix())):
                    data = path.read_bytes()
                    if path.suffix == AGE_SUFFIX:
                        data = pyrage.decrypt(data, [room.secrets.court])
                    kept.setdefault(hearing[1], set()).update(media_begins(data))
        for disk in room.disks.values():
            for media in disk.written:
                is_kept = any(
                    abs(begin_ns - media.begin_ns) < ROUNDING_NS
                    for begin_ns in kept.get(media.hearing, ())
                )
                assert is_kept, (
                    f"{media.track} captured {at(room, media.begin_ns)}, "
                    f"written {at(room, media.at_ns)}, is on no disk any more"
                )

    def _check_copy(self, folder: Path, mirror: Path) -> None:
        """Check that both are equal.

        What was closed on the second storage alone, which was then lost, does not come back there
        in plain; the screen says that it has something of its own.
        """

        def files(root: Path) -> dict[str, bytes]:
            return {
                path.relative_to(root).as_posix(): path.read_bytes()
                for path in root.rglob("*")
                if path.is_file()
            }

        ours, theirs = files(folder), files(mirror / "hearings" / folder.name)
        different = sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))
        gone = read_replaced(StorageVolume(mirror, "", "mirror"), folder.name)
        kept_out = [n for n in different if f"hearings/{folder.name}/{n}" in gone and n in ours]
        different = [n for n in different if n not in kept_out or n in theirs]
        assert not different, f"the copy differs: {different}"
        if kept_out:
            codes = {alarm.code for alarm in self._room.state.alarms}
            assert "copy_set_aside" in codes, f"{kept_out}: closed there, and nothing says so"

    def _check_ledger(self, folder: Path) -> None:
        room = self._room
        identities = [room.secrets.court]
        parts = [
            PartReader(path, identities, room.microphones).read()
            for path in sorted(folder.glob("part-*"))
        ]
        for part in parts:
            for source in (*MICROPHONES, CAMERA):
                self._compare(part, source)
        self._compare_gaps(folder, parts)

    def _compare(self, part: PartMedia, source: str) -> None:
        slack = SLACK_NS.get(source, SOUND_SLACK_NS)
        missing = part.missing(source, slack)
        told = joined([*part.ledger.get(source, []), *part.ledger.get("storage", [])])
        near = [(begin - TOLERANCE_NS, end + TOLERANCE_NS) for begin, end in told]
        for span in missing:
            untold = seconds(without(span, joined(near)))
            assert untold < (slack + TOLERANCE_NS) / NS_PER_S, (
                f"part {part.number}: {untold:.3f} s of {source} are missing and not told, "
                f"{self._place(part, span)}; told: {[self._place(part, s) for s in told]}"
            )
        for span in part.ledger.get(source, []):
            there = seconds([span]) - sum(
                seconds([(max(span[0], begin), min(span[1], end))])
                for begin, end in missing
                if end > span[0] and begin < span[1]
            )
            assert there < (2 * TOLERANCE_NS + slack) / NS_PER_S, (
                f"part {part.number}: {there:.3f} s of {source} are in the ledger and not missing, "
                f"{self._place(part, span)}"
            )

    @staticmethod
    def _place(part: PartMedia, span: tuple[int, int]) -> str:
        begin, end = ((moment - part.tap_ns) / NS_PER_S for moment in span)
        return f"{begin:.2f} to {end:.2f} s of {(part.stop_ns - part.tap_ns) / NS_PER_S:.2f}"

    def _compare_gaps(self, folder: Path, parts: list[PartMedia]) -> None:
        """Check that each crash is in the ledger with the time until the next part."""
        entries = read_chain(folder / JOURNAL_FILE).entries
        told = {
            int(entry["part"]): entry["seconds"]
            for entry in entries
            if entry["kind"] == "interruption" and entry["source"] == "recorder"
        }
        for part, following in pairwise(parts):
            closed = next(entry for entry in reversed(part.entries) if entry["kind"] == "closed")
            if closed.get("reason") == "crash" and part.number in told:
                gap = (following.tap_ns - part.stop_ns) / NS_PER_S
                if following.entries[0].get("reason") == "recovered":
                    assert abs(gap - told[part.number]) < 0.1, (gap, told)
