"""Index of a part's fragments and files according to its journal, with replacements applied.

A part that was declared closed since an earlier moment has ``rewrapped`` entries. The content of
such an entry's ``file`` is now in the files of ``by``: encrypted, or plain if it was captured
before that moment. The plain hashes stay in the journal, so that a decrypted copy can be checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiosk.evidence.chain import Entry
from kiosk.storage.hearing_folder import CLOSED_SUFFIX


@dataclass
class PartIndex:
    """Fragments and files of a part; see :meth:`from_entries`.

    Attributes:
        fragments: per file, its fragments in order, as in ``media`` entries.
        files: per file, the entry that lists it as a whole (``sha256``).
        plain_sha256: per encrypted file, the SHA-256 of its plain fragments, joined.
    """

    fragments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    plain_sha256: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_entries(cls, entries: Iterable[Entry]) -> PartIndex:
        """Build the index from the entries of a part's journal.

        Raises:
            KeyError, TypeError, ValueError: an entry is malformed.
        """
        index = cls()
        for entry in entries:
            if entry["kind"] == "media":
                index._add_fragments(entry["fragments"])
            elif entry["kind"] == "file":
                index._add_file(str(entry["file"]), entry)
            elif entry["kind"] == "rewrapped":
                index._apply_replacement(entry)
        return index

    def _add_fragments(self, fragments: list[dict[str, Any]]) -> None:
        for fragment in fragments:
            self.fragments.setdefault(str(fragment["file"]), []).append(fragment)

    def _add_file(self, name: str, entry: dict[str, Any]) -> None:
        self.files[name] = entry
        if entry.get("plain_sha256"):
            self.plain_sha256[name] = str(entry["plain_sha256"])

    def _apply_replacement(self, entry: Entry) -> None:
        name = str(entry["file"])
        for table in (self.fragments, self.files, self.plain_sha256):
            table.pop(name, None)
        for file in entry["by"]:
            self.fragments.pop(str(file["file"]), None)
            self._add_file(str(file["file"]), file)
        self._add_fragments(entry["fragments"])

    def files_of(self, run: str) -> list[str]:
        """Return the media files of ``main/run-01`` in order; each has its fragments in order.

        Fragments are not in the order of their times: what a microphone gives late begins before
        the fragment that was written before it.
        """
        names = (name for name in self.fragments if name.startswith(f"{run}/"))
        return sorted(names, key=lambda name: int(self.fragments[name][0]["start_ns"]))

    @property
    def fragment_count(self) -> int:
        """Number of fragments in all files."""
        return sum(len(pieces) for pieces in self.fragments.values())

    @property
    def has_closed_media(self) -> bool:
        """Whether anything in the part is encrypted for the court."""
        return any(name.endswith(CLOSED_SUFFIX) for name in (*self.fragments, *self.files))
