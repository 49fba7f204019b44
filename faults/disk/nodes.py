"""Files and folders of the trial disk: current content, and content after a power cut."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import Literal

PAGE = 4096
SECTOR = 512
Fate = Literal["none", "all", "torn"]
"""Fate of a file's unsynced bytes."""


@dataclass(eq=False)
class File:
    """A file: its current bytes, and the data to restore the last synced ones.

    Attributes:
        synced_pages: content at the last sync of each page that was changed since.
        synced_length: length at the last sync.
    """

    mode: int
    data: bytearray = field(default_factory=bytearray)
    synced_pages: dict[int, bytes] = field(default_factory=dict)
    synced_length: int = 0
    changed_ns: int = field(default_factory=time.time_ns)

    @property
    def is_unsynced(self) -> bool:
        """Whether a power cut would lose anything."""
        return bool(self.synced_pages) or self.synced_length != len(self.data)

    def write(self, data: bytes, offset: int) -> None:
        """Write ``data`` at ``offset``; a hole before it reads as zeros."""
        end = offset + len(data)
        self._save_pages(min(offset, len(self.data)), end)
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset:end] = data
        self.changed_ns = time.time_ns()

    def truncate(self, length: int) -> None:
        """Cut or lengthen to ``length``."""
        self._save_pages(min(length, len(self.data)), max(length, len(self.data)))
        if length < len(self.data):
            del self.data[length:]
        else:
            self.data.extend(bytes(length - len(self.data)))
        self.changed_ns = time.time_ns()

    def _save_pages(self, start: int, end: int) -> None:
        for page in range(start // PAGE, -(-end // PAGE)):
            if page not in self.synced_pages:
                self.synced_pages[page] = bytes(self.data[page * PAGE : (page + 1) * PAGE])

    def sync(self) -> None:
        """Make all bytes safe."""
        self.synced_pages.clear()
        self.synced_length = len(self.data)

    def lose_unsynced(self, random: Random, fate: Fate) -> None:
        """Lose unsynced data: keep none of it, all of it, or a torn part of its pages."""
        if fate != "all":
            is_torn = fate == "torn"
            length = self.synced_length
            if is_torn:
                lengths = sorted((self.synced_length, len(self.data)))
                length = random.choice([*lengths, random.randint(*lengths)])
            for page, old in self.synced_pages.items():
                self._restore_page(page, old, random.randint(0, PAGE // SECTOR) if is_torn else 0)
            del self.data[length:]
            self.data.extend(bytes(length - len(self.data)))
        self.sync()

    def _restore_page(self, page: int, old: bytes, sectors: int) -> None:
        """Keep the first ``sectors`` of a page as they are now, the rest as it was before."""
        start, kept = page * PAGE, sectors * SECTOR
        now = bytes(self.data[start : start + PAGE]).ljust(PAGE, b"\0")
        mixed = now[:kept] + old.ljust(PAGE, b"\0")[kept:]
        if len(self.data) < start + PAGE:
            self.data.extend(bytes(start + PAGE - len(self.data)))
        self.data[start : start + PAGE] = mixed


@dataclass(eq=False)
class Folder:
    """A folder: its names now, and those it had when it was last synced."""

    mode: int
    names: dict[str, Node] = field(default_factory=dict)
    synced_names: dict[str, Node] = field(default_factory=dict)
    changed_ns: int = field(default_factory=time.time_ns)

    def sync(self) -> None:
        """Make all names safe."""
        self.synced_names = dict(self.names)


Node = File | Folder
