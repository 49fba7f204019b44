"""How far a part's journal knows the part's media, gathered entry by entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import Entry
from kiosk.recording.formats.records import CAMERA

WITHOUT_MEDIA = ("absent", "refused", "dead", "frozen", "gap")
"""Interruptions in which a source gives nothing, so that they end with its next media."""
WITH_GAPS = ("dropped", "encoder")
"""Interruptions that several gaps between pictures share."""
STORAGE = "storage"
"""Source of the interruptions in which a disk lost media of all other sources."""

_NOTHING_NS = NS_PER_S // 10
"""Tracks of which none lost anything end within this of each other."""


@dataclass
class JournalledMedia:
    """What a part's journal says of its media, in few values however long the part is.

    Attributes:
        first: the journal's first entry.
        last: its newest entry that is no head.
        last_head: its newest signed head.
        closed: its newest ``closed`` entry; None: the part has not ended.
        ends: per media file, the end in bytes and on the recording clock of what is journalled.
        source_ends: per source, the recording clock after its last media.
        last_fragments: per source, the last fragment with its media, as in a ``media`` entry.
        lost_until: per source, the recording clock at which its last loss ended.
        lasting: beginnings of the interruptions whose end is not known, by their numbers.
        unreadable: files that are said to be.
        last_number: of the interruptions.
        media_entries: number of ``media`` entries written while the part was captured;
            ``unsigned_entries``: those of them after the last head.
    """

    first: Entry = field(default_factory=dict)
    last: Entry = field(default_factory=dict)
    last_head: Entry | None = None
    closed: Entry | None = None
    ends: dict[str, tuple[int, int]] = field(default_factory=dict)
    source_ends: dict[str, int] = field(default_factory=dict)
    last_fragments: dict[str, Entry] = field(default_factory=dict)
    lost_until: dict[str, int] = field(default_factory=dict)
    lasting: dict[int, Entry] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    last_number: int = 0
    media_entries: int = 0
    unsigned_entries: int = 0

    def add(self, entry: Entry) -> bool:
        """Take in the next entry; return False: it need not stay in memory."""
        kind = entry["kind"]
        self.first = self.first or entry
        if kind == "head":
            self.last_head, self.unsigned_entries = entry, 0
            return False
        self.last = entry
        if kind == "media":
            if not entry.get("recovered"):
                self.media_entries += 1
                self.unsigned_entries += 1
            self.add_fragments(entry["fragments"])
        elif kind == "rewrapped":
            for name in (entry["file"], *(file["file"] for file in entry["by"])):
                self.ends.pop(str(name), None)
            self.add_fragments(entry["fragments"])
        elif kind in ("interruption", "interruption_ended"):
            self._add_interruption(entry)
        elif kind == "cut" and entry.get("lost"):
            name = str(entry["file"])
            self.ends[name] = (int(entry["offset"]), self.ends[name][1])
        elif kind == "unreadable":
            self.unreadable.add(str(entry["file"]))
        elif kind == "closed":
            self.closed = entry
        return False

    def add_fragments(self, fragments: list[dict[str, Any]]) -> None:
        """Take in fragments, as in a ``media`` entry."""
        for fragment in fragments:
            end_ns = int(fragment["end_ns"])
            name, end = str(fragment["file"]), int(fragment["offset"]) + int(fragment["length"])
            self.ends[name] = (end, max(end_ns, self.ends.get(name, (0, 0))[1]))
            for source in fragment.get("sources", ()):
                is_its_track = fragment.get("track") == "channels" or source == CAMERA
                if is_its_track and end_ns >= self.source_ends.get(source, 0):
                    self.source_ends[source], self.last_fragments[source] = end_ns, fragment

    def _add_interruption(self, entry: Mapping[str, Any]) -> None:
        source = str(entry.get("source"))
        number = int(entry.get("number") or 0)
        self.last_number = max(self.last_number, number)
        self.lasting.pop(number, None)
        if not entry.get("end_ns"):
            self.lasting[number] = dict(entry)
        if entry.get("end_ns") and (source != STORAGE or entry.get("seconds")):
            self.lost_until[source] = max(int(entry["end_ns"]), self.lost_until.get(source, 0))

    def end_lasting(self, number: int, end_ns: int, lost_ns: int | None = None) -> dict[str, Any]:
        """End a lasting interruption; return the fields of its ``interruption_ended`` entry.

        Args:
            lost_ns: what is missing in it; default: all of it.
        """
        begun = self.lasting.pop(number)
        start_ns = int(begun.get("start_ns") or 0)
        fields = {key: begun.get(key) for key in ("number", "source", "what", "start_ns")}
        end_ns = max(start_ns, end_ns)
        seconds = (end_ns - start_ns if lost_ns is None else lost_ns) / NS_PER_S
        ended = {**fields, "end_ns": end_ns, "seconds": seconds}
        self._add_interruption(ended)
        return ended

    @property
    def zero_ns(self) -> int:
        """Recording clock at which the part's media time is zero: its tap."""
        return int(self.first.get("tap_ns") or self.first["t"])

    @property
    def last_ns(self) -> int:
        """Recording clock after the last journalled media; the tap if there are none."""
        return max([self.zero_ns, *(end_ns for _, end_ns in self.ends.values())])

    def untold_ends(self, sources: Iterable[str], until_ns: int) -> Iterator[tuple[str, int]]:
        """Yield each source of which media are missing before ``until_ns``, and from when on.

        Args:
            sources: those of the part; one that has no media is missing from the beginning.
        """
        for source in sorted({*sources, *self.source_ends}):
            end_ns = max(self.source_ends.get(source, self.zero_ns), self.lost_until.get(source, 0))
            if until_ns - end_ns > _NOTHING_NS:
                yield source, end_ns
