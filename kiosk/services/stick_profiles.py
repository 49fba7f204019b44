"""Room profiles on the technician's stick: those of other rooms, and this room's own."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk import room_profile
from kiosk.api.base import Model
from kiosk.api.room import (
    LIST_STICK_PROFILES,
    SAVE_STICK_PROFILE,
    SavedProfile,
    StickProfile,
    StickProfiles,
)
from kiosk.config import Settings
from kiosk.errors import ConfigError
from kiosk.services.local_api import Call, Route
from kiosk.services.stick import find_stick, stick_error
from kiosk.settings_files import SettingsFile, apply_profile, load_settings_files
from kiosk.storage.atomic_io import write_text
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
MAX_BYTES = 64 * 1024
"""A room with sixteen microphones takes 3 KB."""
MAX_FILES = 12
_UNSAFE = re.compile(r"[^\w-]+")


class StickProfileService:
    """Reads and writes profiles on the stick; what is read is checked as if it were kept.

    Args:
        settings: in force.
        file: ``kiosk.toml``, over which a profile must be right.
        find: returns the folder of the stick; raises ``StorageError`` where there is none.
    """

    def __init__(
        self, settings: Settings, file: Path, find: Callable[[Settings], Path] = find_stick
    ) -> None:
        self._settings, self._file, self._find = settings, file, find

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [(LIST_STICK_PROFILES, self._list), (SAVE_STICK_PROFILE, self._save)]

    async def _list(self, _call: Call) -> Model:
        return StickProfiles(profiles=tuple(await asyncio.to_thread(self.read)))

    async def _save(self, call: Call) -> Model:
        name = await asyncio.to_thread(self.save)
        log.info("%s saves the room's profile onto a stick", call.person.id)
        return SavedProfile(file=name)

    def read(self) -> list[StickProfile]:
        """Return the profiles on the stick by name; one that does not count says why.

        Raises:
            StorageError: there is no stick, or it cannot be read.
        """
        stick = self._find(self._settings)
        base = load_settings_files(self._file).base
        try:
            files = sorted(path for path in stick.iterdir() if _is_shown(path))
        except OSError as error:
            raise stick_error(error) from error
        return [_read(path, base) for path in files[:MAX_FILES]]

    def save(self) -> str:
        """Write the profile that is kept; return the name of the file.

        Raises:
            StorageError: there is no stick, or it refuses.
        """
        stick = self._find(self._settings)
        files = load_settings_files(self._file)
        room = files.settings.kiosk.room
        kiosk = {**files.profile.tables.get("kiosk", {}), "room": room}
        text = room_profile.format_profile({**files.profile.tables, "kiosk": kiosk})
        name = f"room-{_UNSAFE.sub('_', room)[:40]}.toml"
        try:
            write_text(stick / name, text, 0o644)
        except STORAGE_ERRORS as error:
            raise stick_error(error) from error
        return name


def _is_shown(path: Path) -> bool:
    """Return whether it may be a profile; a Mac adds to each a file that begins with a dot."""
    return path.suffix.lower() == ".toml" and not path.name.startswith(".")


def _shown_name(path: Path) -> str:
    """Return the file's name as it can be shown: bytes that are no text, and signs that only steer.

    A stick that another computer has written may hold any bytes, and one file must hide no other.
    """
    text = os.fsencode(path.name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _read(path: Path, base: SettingsFile) -> StickProfile:
    """Return one profile without the number of its room, which is another one."""
    file = _shown_name(path)
    try:
        text = _read_text(path)
        tables = room_profile.parse_profile(text)
        apply_profile(base, SettingsFile(path, text, tables))
    except (OSError, UnicodeDecodeError) as error:
        return StickProfile(file=file, problem=f"cannot be read: {type(error).__name__}")
    except (room_profile.RoomProfileError, ConfigError) as error:
        return StickProfile(file=file, problem=str(error))
    kiosk = dict(tables.get("kiosk", {}))
    room = str(kiosk.pop("room", ""))
    profile: dict[str, Any] = {**tables, "kiosk": kiosk}
    if not kiosk:
        del profile["kiosk"]
    count = len(tables.get("microphones", []))
    return StickProfile(file=file, room=room, microphones=count, profile=profile)


def _read_text(path: Path) -> str:
    """Return the text of a file of the stick itself; a link could name a file of this kiosk.

    Raises:
        OSError: it cannot be read; RoomProfileError: it is no profile at all.
    """
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise room_profile.RoomProfileError("this is no file")
    if about.st_size > MAX_BYTES:
        raise room_profile.RoomProfileError(f"larger than {MAX_BYTES // 1024} KiB")
    return path.read_text(encoding="utf-8-sig")
