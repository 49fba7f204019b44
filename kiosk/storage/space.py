"""Free space, how many hours of recording fit in it, and how fast durable writes are."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.config import Settings
from kiosk.errors import StorageError

StorageState = Literal["ok", "low", "full", "failed"]
FULL_BYTES = 64 * 1024 * 1024
"""Less than this is "full": journals, seals and logs need the rest."""
FLAC_SHARE = 0.6
"""FLAC of a courtroom against 16-bit samples; measured on speech with pauses it is less."""
TEST_BYTES = 16 * 1024 * 1024
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Space:
    """Space under one folder.

    Attributes:
        hours_left: of recording with these settings.
    """

    free_bytes: int
    total_bytes: int
    hours_left: float
    state: StorageState


def bytes_per_hour(settings: Settings) -> float:
    """Return what an hour of recording takes, from the bit rates of the settings."""
    video = settings.camera.bitrate if settings.camera.back_end != "none" else 0
    sound = sum(microphone.rate * 16 * FLAC_SHARE for microphone in settings.microphones)
    mix = settings.recording.mix_bitrate if settings.microphones else 0
    return max(1.0, (video + mix + sound) * 3600 / 8)


def space_of(folder: Path, settings: Settings) -> Space:
    """Return the space under ``folder``; a file system that does not answer is ``failed``."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return Space(0, 0, 0.0, "failed")
    free = found.f_bavail * found.f_frsize
    hours = max(0, free - FULL_BYTES) / bytes_per_hour(settings)
    state: StorageState = "ok"
    if found.f_flag & os.ST_RDONLY:
        state = "failed"
    elif free < FULL_BYTES:
        state = "full"
    elif hours < settings.recording.low_space_hours:
        state = "low"
    return Space(free, found.f_blocks * found.f_frsize, round(hours, 1), state)


@dataclass(frozen=True)
class Speed:
    """Speed of a durable write and of reading it back from the disk, in bytes a second.

    Attributes:
        sync_ms: longest sync of a block of 64 KiB, as one fragment is.
    """

    write_bytes_s: float
    read_bytes_s: float
    sync_ms: float


def measure_speed(folder: Path, size: int = TEST_BYTES) -> Speed:
    """Write ``size`` random bytes durably, read them back from the disk and compare.

    Raises:
        StorageError: it cannot be written, or what is read is not what was written.
    """
    path = folder / f".speed-test.{os.getpid()}"
    block = os.urandom(_BLOCK)
    blocks = max(1, size // _BLOCK)
    try:
        write_s = _write(path, block, blocks)
        sync_ms = max(_append_synced(path, block[:65536]) for _ in range(5)) * 1e3
        read_s, digest = _read(path, blocks * _BLOCK)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    if digest != hashlib.sha256(block * blocks).hexdigest():
        raise StorageError(f"{folder}: what was read is not what was written")
    return Speed(blocks * _BLOCK / write_s, blocks * _BLOCK / read_s, round(sync_ms, 1))


def _write(path: Path, block: bytes, blocks: int) -> float:
    begin = time.monotonic()
    with path.open("wb", buffering=0) as file:
        for _ in range(blocks):
            file.write(block)
        os.fsync(file.fileno())
    return max(1e-6, time.monotonic() - begin)


def _append_synced(path: Path, data: bytes) -> float:
    with path.open("ab", buffering=0) as file:
        begin = time.monotonic()
        file.write(data)
        os.fsync(file.fileno())
        return time.monotonic() - begin


def _read(path: Path, size: int) -> tuple[float, str]:
    """Read the first ``size`` bytes past the page cache; return seconds and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begin = time.monotonic()
        left = size
        while left > 0 and (data := file.read(min(_BLOCK, left))):
            digest.update(data)
            left -= len(data)
        return max(1e-6, time.monotonic() - begin), digest.hexdigest()
