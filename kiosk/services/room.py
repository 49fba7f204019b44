"""Keeps the room's profile: the one place that writes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kiosk import room_profile
from kiosk.api.base import Model
from kiosk.api.recorder import AlarmKey
from kiosk.api.room import GET_ROOM, SET_ROOM, Room, RoomProfile
from kiosk.config import Settings
from kiosk.errors import ConfigError, DeviceAbsentError, KioskError
from kiosk.hardware.audio.sound_devices import (
    ROOT,
    AmbiguousDeviceError,
    Direction,
    find_device,
    list_devices,
)
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.services.local_api import Call, Route
from kiosk.settings_files import SettingsFile, SettingsFiles, apply_profile, load_settings_files
from kiosk.storage.atomic_io import make_folder, write_text

log = logging.getLogger(__name__)


class RoomProfileRefusedError(KioskError):
    """A room profile is not allowed, or a setting of it fits several devices."""

    code = "room_profile_refused"
    status = 400


class RoomService:
    """The calls about the room's profile.

    Args:
        settings: in force.
        file: ``kiosk.toml``.
        open_hearing_id: returns the id of the open hearing.
        root: folder that has ``sys`` and ``proc``.
    """

    def __init__(
        self,
        settings: Settings,
        file: Path,
        open_hearing_id: Callable[[], str | None],
        root: Path = ROOT,
    ) -> None:
        self._settings, self._file, self._root = settings, file, root
        self._open_hearing_id = open_hearing_id
        self._lock = asyncio.Lock()
        self._problem = load_settings_files(file).problem

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [(GET_ROOM, self._get_room), (SET_ROOM, self._set_room)]

    def alarms(self) -> Iterator[AlarmKey]:
        """Yield the alarm that the profile does not count."""
        if self._problem:
            yield "room_profile_refused", "recorder"

    async def _get_room(self, _call: Call) -> Model:
        return await asyncio.to_thread(self._read)

    async def _set_room(self, call: Call) -> Model:
        profile = (await call.read(RoomProfile)).profile
        async with self._lock:
            # A recorder that is restarted in a hearing goes on with the devices that it began with.
            if (open_hearing := self._open_hearing_id()) is not None:
                raise AlreadyRecordingError(open_hearing)
            room = await asyncio.to_thread(self.keep, profile)
        log.info("%s keeps a room profile", call.person.id)
        return room

    def _read(self) -> Room:
        files = load_settings_files(self._file)
        self._problem = files.problem
        return self._describe(files)

    def _describe(self, files: SettingsFiles) -> Room:
        return Room(
            profile=files.profile.tables,
            settings=_room_tables(files.settings),
            problem=files.problem,
            is_in_force=files.settings == self._settings,
        )

    def keep(self, tables: dict[str, Any]) -> Room:
        """Keep ``tables`` as the profile, if they are allowed.

        Raises:
            RoomProfileRefusedError: they are not; StorageError: they cannot be kept.
        """
        base = load_settings_files(self._file).base
        file = room_profile.room_file(self._settings.paths.data)
        try:
            profile = SettingsFile(file, room_profile.format_profile(tables), tables)
            settings = apply_profile(base, profile)
        except (room_profile.RoomProfileError, ConfigError) as error:
            raise RoomProfileRefusedError(str(error)) from error
        self._refuse_ambiguous(settings)
        make_folder(file.parent, 0o755)
        write_text(file, profile.text, 0o644)  # all services read it
        self._problem = ""
        return self._describe(SettingsFiles(settings, base, profile))

    def _refuse_ambiguous(self, settings: Settings) -> None:
        """Raise an error if a device of ``settings`` fits several that are there; name them all."""
        wanted: list[tuple[Direction, str, str]] = [
            ("input", row.name, row.device) for row in settings.microphones
        ]
        if settings.headset.device:
            wanted.append(("output", "headset", settings.headset.device))
        for direction, name, device in wanted:
            try:
                find_device(device, list_devices(direction, root=self._root))
            except AmbiguousDeviceError as error:
                raise RoomProfileRefusedError(f"{name}: {error}") from error
            except DeviceAbsentError:
                continue  # what is in the profile and not there is shown, not refused


def _room_tables(settings: Settings) -> dict[str, Any]:
    """Return what ``settings`` say of the room."""
    tables = settings.model_dump(mode="json", include=set(room_profile.TABLES))
    kiosk_keys = room_profile.TABLES["kiosk"] or ()
    tables["kiosk"] = {key: tables["kiosk"][key] for key in kiosk_keys}
    return tables
