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
"""Below this the disk counts as full; journals, seals and logs need the rest."""
FLAC_RATIO = 0.6
"""Size of FLAC relative to 16-bit samples in a courtroom; speech with pauses needs less."""
SPEED_TEST_BYTES = 16 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class DiskSpace:
    """Space under one folder.

    Attributes:
        hours_left: hours of recording that fit with these settings.
    """

    free_bytes: int
    total_bytes: int
    hours_left: float
    state: StorageState


def bytes_per_hour(settings: Settings) -> float:
    """Return the bytes that an hour of recording takes at the bit rates of the settings."""
    video = settings.camera.bitrate if settings.camera.back_end != "none" else 0
    sound = sum(microphone.rate * 16 * FLAC_RATIO for microphone in settings.microphones)
    mix = settings.recording.mix_bitrate if settings.microphones else 0
    return max(1.0, (video + mix + sound) * 3600 / 8)


def measure_space(folder: Path, settings: Settings) -> DiskSpace:
    """Return the space under ``folder``; its state is ``failed`` if the file system fails."""
    try:
        stat = os.statvfs(folder)
    except OSError:
        return DiskSpace(0, 0, 0.0, "failed")
    free = stat.f_bavail * stat.f_frsize
    hours = max(0, free - FULL_BYTES) / bytes_per_hour(settings)
    state: StorageState = "ok"
    if stat.f_flag & os.ST_RDONLY:
        state = "failed"
    elif free < FULL_BYTES:
        state = "full"
    elif hours < settings.recording.low_space_hours:
        state = "low"
    return DiskSpace(free, stat.f_blocks * stat.f_frsize, round(hours, 1), state)


@dataclass(frozen=True)
class DiskSpeed:
    """Speed of a durable write and of reading it back from the disk, in bytes a second.

    Attributes:
        sync_ms: longest sync of a block of 64 KiB, as one fragment is.
    """

    write_bytes_s: float
    read_bytes_s: float
    sync_ms: float


def measure_speed(folder: Path, size: int = SPEED_TEST_BYTES) -> DiskSpeed:
    """Write ``size`` random bytes durably, read them back from the disk and compare.

    Raises:
        StorageError: it cannot be written, or other bytes are read back.
    """
    path = folder / f".speed-test.{os.getpid()}"
    block = os.urandom(_BLOCK_BYTES)
    blocks = max(1, size // _BLOCK_BYTES)
    try:
        write_s = _time_write(path, block, blocks)
        sync_ms = max(_time_synced_append(path, block[:65536]) for _ in range(5)) * 1e3
        read_s, digest = _time_read(path, blocks * _BLOCK_BYTES)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    if digest != hashlib.sha256(block * blocks).hexdigest():
        raise StorageError(f"{folder}: what was read is not what was written")
    return DiskSpeed(
        blocks * _BLOCK_BYTES / write_s, blocks * _BLOCK_BYTES / read_s, round(sync_ms, 1)
    )


def _time_write(path: Path, block: bytes, blocks: int) -> float:
    begin = time.monotonic()
    with path.open("wb", buffering=0) as file:
        for _ in range(blocks):
            file.write(block)
        os.fsync(file.fileno())
    return max(1e-6, time.monotonic() - begin)


def _time_synced_append(path: Path, data: bytes) -> float:
    with path.open("ab", buffering=0) as file:
        begin = time.monotonic()
        file.write(data)
        os.fsync(file.fileno())
        return time.monotonic() - begin


def _time_read(path: Path, size: int) -> tuple[float, str]:
    """Read the first ``size`` bytes past the page cache; return seconds and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begin = time.monotonic()
        left = size
        while left > 0 and (data := file.read(min(_BLOCK_BYTES, left))):
            digest.update(data)
            left -= len(data)
        return max(1e-6, time.monotonic() - begin), digest.hexdigest()
