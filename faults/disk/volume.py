"""The trial disk's content and its power cut, without FUSE.

POSIX promises little: bytes are safe after ``fsync`` of the file, names after ``fsync`` of the
folder. The volume guarantees exactly that. ``UnsyncedNames.UNDONE`` (the default, harsher) undoes
every name created, moved or removed since its folder was synced. ``UnsyncedNames.ORDERED`` behaves
like ext4's journal: any ``fsync`` makes all earlier names safe, and of later ones a random first
part is kept, in order. A file may then exist without its bytes.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from random import Random

from faults.disk.nodes import PAGE, Fate, File, Folder, Node

FATES: tuple[Fate, ...] = ("none", "torn", "torn", "all")


class UnsyncedNames(Enum):
    """Fate of names whose folder was not synced."""

    UNDONE = "undone"
    ORDERED = "ordered"


@dataclass(frozen=True)
class Change:
    """A name before a change; None if it did not exist."""

    folder: Folder
    name: str
    before: Node | None


def os_error(number: int) -> OSError:
    """Return the error of a system call."""
    return OSError(number, os.strerror(number))


class Volume:
    """Files and folders in memory.

    Args:
        capacity: bytes.
    """

    def __init__(self, capacity: int = 4 << 30) -> None:
        self.capacity = capacity
        self.used = 0
        self.root = Folder(stat.S_IFDIR | 0o755)
        self.lock = threading.RLock()
        self._log: list[list[Change]] = []

    # -- names ---------------------------------------------------------------------------------
    def find(self, path: str) -> Node:
        """Return the node at ``path``.

        Raises:
            OSError: ENOENT, ENOTDIR.
        """
        node: Node = self.root
        for name in PurePosixPath(path).parts[1:]:
            if not isinstance(node, Folder):
                raise os_error(errno.ENOTDIR)
            if name not in node.names:
                raise os_error(errno.ENOENT)
            node = node.names[name]
        return node

    def parent_and_name(self, path: str) -> tuple[Folder, str]:
        """Return the folder of ``path``, and the name in it."""
        place = PurePosixPath(path)
        folder = self.find(str(place.parent))
        if not isinstance(folder, Folder):
            raise os_error(errno.ENOTDIR)
        return folder, place.name

    def add(self, path: str, node: Node) -> None:
        """Name ``node``."""
        folder, name = self.parent_and_name(path)
        if name in folder.names:
            raise os_error(errno.EEXIST)
        self._change([(folder, name, node)])

    def remove(self, path: str) -> None:
        """Remove the name of a file or of an empty folder."""
        folder, name = self.parent_and_name(path)
        node = self.find(path)
        if isinstance(node, Folder) and node.names:
            raise os_error(errno.ENOTEMPTY)
        self._change([(folder, name, None)])
        if isinstance(node, File):
            self.used -= len(node.data)

    def move(self, old: str, new: str) -> None:
        """Rename; replace a file of the new name."""
        (folder, name), (other, new_name) = self.parent_and_name(old), self.parent_and_name(new)
        node, gone = self.find(old), other.names.get(new_name)
        if gone is node:
            return
        if isinstance(gone, Folder) and gone.names:
            raise os_error(errno.ENOTEMPTY)
        self._change([(other, new_name, node), (folder, name, None)])
        if isinstance(gone, File):
            self.used -= len(gone.data)

    def _change(self, steps: list[tuple[Folder, str, Node | None]]) -> None:
        """Change names in one step, as a journalling file system does."""
        done = []
        for folder, name, node in steps:
            done.append(Change(folder, name, folder.names.get(name)))
            if node is None:
                del folder.names[name]
            else:
                folder.names[name] = node
        self._log.append(done)

    # -- bytes ---------------------------------------------------------------------------------
    def write(self, file: File, data: bytes, offset: int) -> int:
        """Write; return the number of bytes.

        Raises:
            OSError: ENOSPC.
        """
        grown = max(0, offset + len(data) - len(file.data))
        if grown and self.used + grown > self.capacity:
            raise os_error(errno.ENOSPC)
        file.write(data, offset)
        self.used += grown
        return len(data)

    def truncate(self, file: File, length: int) -> None:
        """Cut or lengthen a file."""
        self.used += length - len(file.data)
        file.truncate(length)

    def sync(self, node: Node) -> None:
        """Make the bytes of a file, or the names in a folder, safe."""
        node.sync()
        self._log.clear()  # as ext4 commits its journal

    # -- the power cut ---------------------------------------------------------------------------
    def cut_power(self, random: Random, names: UnsyncedNames) -> int:
        """Forget unsynced data; return the number of files that lost some."""
        if names is UnsyncedNames.ORDERED:
            for _ in range(random.randint(0, len(self._log))):
                for change in reversed(self._log.pop()):
                    self._undo(change)
        self._log.clear()
        waiting, unsafe, seen = [self.root], 0, set[int]()
        while waiting:
            folder = waiting.pop()
            if names is UnsyncedNames.UNDONE:
                folder.names = dict(folder.synced_names)
            folder.sync()
            waiting += [node for node in folder.names.values() if isinstance(node, Folder)]
            for node in folder.names.values():
                if isinstance(node, File) and id(node) not in seen:
                    seen.add(id(node))
                    unsafe += node.is_unsynced
                    node.lose_unsynced(random, random.choice(FATES))
        self.used = sum(len(file.data) for file in self.files())
        return unsafe

    @staticmethod
    def _undo(change: Change) -> None:
        if change.before is None:
            change.folder.names.pop(change.name, None)
        else:
            change.folder.names[change.name] = change.before

    def files(self) -> Iterator[File]:
        """Yield all files that have a name."""
        waiting = [self.root]
        while waiting:
            for node in waiting.pop().names.values():
                if isinstance(node, Folder):
                    waiting.append(node)
                else:
                    yield node

    def statvfs(self, *, full: bool) -> dict[str, int]:
        """Return sizes and free space in the form of ``os.statvfs``."""
        free = 0 if full else max(0, self.capacity - self.used) // PAGE
        sizes = {"f_bsize": PAGE, "f_frsize": PAGE, "f_namemax": 255}
        counts = {"f_blocks": self.capacity // PAGE, "f_bfree": free, "f_bavail": free}
        return {**sizes, **counts, "f_files": 1 << 20, "f_ffree": 1 << 20, "f_favail": 1 << 20}
