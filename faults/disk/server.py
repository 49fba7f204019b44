"""The trial disk as a process: a FUSE file system, controlled by lines on standard input.

Each line is a JSON object ``{"do": WORD, ...}`` and is answered by one JSON line:

``mount``                      serve the volume at the mount point (again)
``cut`` (``seed``, ``names``)  power cut: forget; every call fails until the next ``mount``
``fail`` (``how``, ``seconds``)  ``ok``, ``full`` (ENOSPC), ``read_only`` (EROFS), ``gone`` (EIO),
                               ``slow`` (each sync takes so many seconds)

It ends with its standard input.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import mfusepy

from faults.disk.nodes import File, Folder, Node
from faults.disk.volume import UnsyncedNames, Volume, os_error

T = TypeVar("T")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class DiskHealth:
    """The disk's failure mode: ``ok``, ``full``, ``read_only``, ``gone``, ``slow``, ``off``."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.seconds = 0.0

    def check(self, *, changing: bool, growing: bool = False) -> None:
        """Fail as the failure mode says.

        Raises:
            OSError: EIO, EROFS, ENOSPC.
        """
        if self.mode in ("gone", "off"):
            raise os_error(errno.EIO)
        if changing and self.mode == "read_only":
            raise os_error(errno.EROFS)
        if growing and self.mode == "full":
            raise os_error(errno.ENOSPC)

    def wait(self) -> None:
        """Wait as long as a sync takes."""
        if self.mode == "slow":
            time.sleep(self.seconds)


class TrialDisk(mfusepy.Operations):  # type: ignore[misc]
    """FUSE's calls on a :class:`Volume`.

    Handles are numbers of nodes, so that a file that lost its name can still be read and written
    by those who have it open.
    """

    use_ns = True

    def __init__(self, volume: Volume, health: DiskHealth, ready: Callable[[], None]) -> None:
        self._volume = volume
        self._health = health
        self._ready = ready
        self._open: dict[int, Node] = {}
        self._last_handle = 0

    def init(self, path: str) -> None:
        """Report that the file system is served."""
        del path
        self._ready()

    def _handle(self, node: Node) -> int:
        self._last_handle += 1
        self._open[self._last_handle] = node
        return self._last_handle

    def _node(self, path: str, handle: int | None) -> Node:
        found = self._open.get(handle) if handle is not None else None
        return found if found is not None else self._volume.find(path)

    def _file(self, path: str, handle: int | None) -> File:
        node = self._node(path, handle)
        if not isinstance(node, File):
            raise os_error(errno.EISDIR)
        return node

    # -- reading metadata ----------------------------------------------------------------------
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Return the metadata of a node, see stat(2)."""
        with self._volume.lock:
            self._health.check(changing=False)
            node = self._node(path, fh)
            size = len(node.data) if isinstance(node, File) else 4096
            times = dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), node.changed_ns)
            links = 1 if isinstance(node, File) else 2
            owner = {"st_uid": os.getuid(), "st_gid": os.getgid()}
            blocks = -(-size // 512)
            attributes = {
                "st_mode": node.mode,
                "st_nlink": links,
                "st_size": size,
                "st_blocks": blocks,
            }
            return {**attributes, **times, **owner}

    def readdir(self, path: str, fh: int) -> list[str]:
        """Return the names in a folder."""
        with self._volume.lock:
            self._health.check(changing=False)
            node = self._node(path, fh)
            if not isinstance(node, Folder):
                raise os_error(errno.ENOTDIR)
            return [".", "..", *node.names]

    def statfs(self, path: str) -> dict[str, int]:
        """Return sizes and free space, see statvfs(3)."""
        del path
        with self._volume.lock:
            self._health.check(changing=False)
            return self._volume.statvfs(full=self._health.mode == "full")

    # -- names ---------------------------------------------------------------------------------
    def create(self, path: str, mode: int, fi: object = None) -> int:
        """Make a file and open it."""
        del fi
        with self._volume.lock:
            self._health.check(changing=True, growing=True)
            file = File(stat.S_IFREG | stat.S_IMODE(mode))
            self._volume.add(path, file)
            return self._handle(file)

    def mkdir(self, path: str, mode: int) -> int:
        """Make a folder."""
        with self._volume.lock:
            self._health.check(changing=True, growing=True)
            self._volume.add(path, Folder(stat.S_IFDIR | stat.S_IMODE(mode)))
        return 0

    def unlink(self, path: str) -> int:
        """Remove a name."""
        with self._volume.lock:
            self._health.check(changing=True)
            self._volume.remove(path)
        return 0

    def rmdir(self, path: str) -> int:
        """Remove an empty folder."""
        return self.unlink(path)

    def rename(self, old: str, new: str) -> int:
        """Move."""
        with self._volume.lock:
            self._health.check(changing=True)
            self._volume.move(old, new)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        """Set permissions; they are durable at once, because no trial depends on them."""
        with self._volume.lock:
            self._health.check(changing=True)
            node = self._volume.find(path)
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        """Do nothing: everything belongs to the mounting user."""
        del path, uid, gid
        self._health.check(changing=True)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Set the time of change."""
        with self._volume.lock:
            self._health.check(changing=True)
            self._volume.find(path).changed_ns = times[1] if times else time.time_ns()
        return 0

    # -- bytes ---------------------------------------------------------------------------------
    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        with self._volume.lock:
            self._health.check(changing=bool(flags & WRITING))
            return self._handle(self._volume.find(path))

    def opendir(self, path: str) -> int:
        """Open a folder."""
        return self.open(path, os.O_RDONLY)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read."""
        with self._volume.lock:
            self._health.check(changing=False)
            return bytes(self._file(path, fh).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write."""
        with self._volume.lock:
            file = self._file(path, fh)
            self._health.check(changing=True, growing=offset + len(data) > len(file.data))
            return self._volume.write(file, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut or lengthen."""
        with self._volume.lock:
            self._health.check(changing=True)
            self._volume.truncate(self._file(path, fh), length)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Make a file's bytes safe, or a folder's names."""
        del datasync
        self._health.wait()
        with self._volume.lock:
            self._health.check(changing=True)
            self._volume.sync(self._node(path, fh))
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        """Make a folder's names safe."""
        return self.fsync(path, datasync, fh)

    def release(self, path: str, fh: int) -> int:
        """Close."""
        del path
        with self._volume.lock:
            self._open.pop(fh, None)
        return 0

    def releasedir(self, path: str, fh: int) -> int:
        """Close."""
        return self.release(path, fh)


def unmount(mount_point: Path, *, lazily: bool = False) -> bool:
    """Unmount; return whether that was possible: it is not while somebody uses it."""
    command = ["fusermount3", "-u", *(["-z"] if lazily else []), str(mount_point)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Server:
    """Listens to standard input in a thread of its own; the main thread is FUSE's."""

    def __init__(self, mount_point: Path) -> None:
        self._mount_point = mount_point
        self._volume = Volume()
        self._health = DiskHealth()
        self._mounts: queue.Queue[bool] = queue.Queue()

    def run(self) -> None:
        """Serve until standard input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        while self._mounts.get():
            # Each mount has its own thread and health: the earlier one may linger in the mount
            # namespace of a process that is just being killed.
            threading.Thread(target=self._serve, args=(self._health,), daemon=True).start()

    def _serve(self, health: DiskHealth) -> None:
        operations = TrialDisk(self._volume, health, lambda: self._answer(done="mount"))
        mount_point = str(self._mount_point)
        mfusepy.FUSE(operations, mount_point, foreground=True, nothreads=True, hard_remove=True)

    @staticmethod
    def _answer(**answer: object) -> None:
        print(json.dumps(answer), flush=True)

    def _listen(self) -> None:
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "mount":
                self._health = DiskHealth()
                self._mounts.put(True)  # answered once it is served
            elif request["do"] == "cut":
                with self._volume.lock:
                    self._health.mode = "off"
                    lost = self._volume.cut_power(
                        Random(request["seed"]), UnsyncedNames(request["names"])
                    )
                self._answer(done="cut", lost=lost)
            elif request["do"] == "fail":
                self._health.seconds = float(request.get("seconds", 0.0))
                self._health.mode = str(request["how"])
                self._answer(done="fail")
        self._mounts.put(False)
        unmount(self._mount_point, lazily=True)


if __name__ == "__main__":
    Server(Path(sys.argv[1])).run()
