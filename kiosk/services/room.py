"""Keeps the room's profile and how far it is set up; shows the inputs that are there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kiosk import room_profile
from kiosk.api.base import Model
from kiosk.api.camera import CameraPicture
from kiosk.api.recorder import AlarmKey, Level
from kiosk.api.room import (
    GET_COMMISSIONING,
    GET_ROOM,
    LIST_INPUTS,
    LIST_SPOKEN,
    SET_COMMISSIONING,
    SET_ROOM,
    Commissioning,
    FoundInputs,
    Room,
    RoomProfile,
    SpokenSentence,
    SpokenSentences,
)
from kiosk.config import CameraPictureSettings, Settings
from kiosk.errors import ConfigError, DeviceAbsentError, KioskError, StorageError
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.audio.outputs import is_address
from kiosk.hardware.audio.sound_devices import (
    ROOT,
    AmbiguousDeviceError,
    Direction,
    find_device,
    list_devices,
)
from kiosk.hardware.sources.input_survey import InputSurvey
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.services.local_api import Call, Route
from kiosk.settings_files import SettingsFile, SettingsFiles, apply_profile, load_settings_files
from kiosk.storage.atomic_io import make_folder, read_json, write_json, write_text
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
SURVEY_S = 60.0
"""Inputs stay open so long after a screen has asked for them."""


class RoomProfileRefusedError(KioskError):
    """A room profile is not allowed, or a setting of it fits several devices."""

    code = "room_profile_refused"
    status = 400


class RoomService:
    """The calls about the room as a technician sets it up.

    Args:
        settings: in force.
        file: ``kiosk.toml``.
        open_hearing_id: returns the id of the open hearing.
        root: folder that has ``sys`` and ``proc``.
        turns: returns the turns of speech outside hearings, the newest last.
    """

    def __init__(
        self,
        settings: Settings,
        file: Path,
        open_hearing_id: Callable[[], str | None],
        root: Path = ROOT,
        turns: Callable[[], Sequence[Turn]] = tuple,
    ) -> None:
        self._settings, self._file, self._root = settings, file, root
        self._open_hearing_id, self._turns = open_hearing_id, turns
        self._lock = asyncio.Lock()
        self._problem = load_settings_files(file).problem
        self._record = Paths.from_settings(settings.paths).commissioning
        self._survey = InputSurvey(settings.microphones, root)
        self._survey_until = 0.0

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (GET_ROOM, self._get_room),
            (SET_ROOM, self._set_room),
            (LIST_INPUTS, self._list_inputs),
            (LIST_SPOKEN, self._list_spoken),
            (GET_COMMISSIONING, self._get_commissioning),
            (SET_COMMISSIONING, self._set_commissioning),
        ]

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

    # -- inputs that are there ---------------------------------------------------------------------
    async def _list_inputs(self, _call: Call) -> Model:
        async with self._lock:
            if (open_hearing := self._open_hearing_id()) is not None:
                raise AlreadyRecordingError(open_hearing)
            self._survey_until = time.monotonic() + SURVEY_S
            await asyncio.to_thread(self._survey.refresh)
        return FoundInputs(inputs=self._survey.inputs())

    async def _list_spoken(self, _call: Call) -> Model:
        if (open_hearing := self._open_hearing_id()) is not None:
            raise AlreadyRecordingError(open_hearing)
        return SpokenSentences(
            sentences=tuple(
                SpokenSentence(
                    source=turn.name,
                    start_ns=turn.start_ns,
                    end_ns=turn.end_ns,
                    level_db=turn.level_db,
                )
                for turn in self._turns()
            )
        )

    @property
    def is_surveying(self) -> bool:
        """Whether inputs are open that the settings do not name."""
        return time.monotonic() < self._survey_until

    def levels(self) -> dict[str, Level]:
        """Return the levels of the inputs that only the survey has opened."""
        return dict(self._survey.levels())

    async def run(self) -> None:
        """Close the survey when nobody looks any more, or a hearing begins."""
        while True:
            await asyncio.sleep(1.0)
            is_open = self._open_hearing_id() is not None
            if self._survey_until and (is_open or not self.is_surveying):
                await self.close()

    async def close(self) -> None:
        """End the survey."""
        async with self._lock:
            self._survey_until = 0.0
            await asyncio.to_thread(self._survey.close)

    # -- commissioning -----------------------------------------------------------------------------
    async def _get_commissioning(self, _call: Call) -> Model:
        return Commissioning(record=await asyncio.to_thread(self._read_record))

    async def _set_commissioning(self, call: Call) -> Model:
        request = await call.read(Commissioning)
        async with self._lock:
            await asyncio.to_thread(self._keep_record, request.record)
        return request

    def _read_record(self) -> dict[str, Any]:
        try:
            return read_json(self._record)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # it begins anew: the profile is a file of its own
            log.error("%s: cannot be read: %s", self._record.name, error)
            return {}

    def _keep_record(self, record: dict[str, Any]) -> None:
        make_folder(self._record.parent, 0o755)
        write_json(self._record, record, 0o644)

    # -- profile -----------------------------------------------------------------------------------
    async def keep_camera_picture(
        self, picture: CameraPicture, *, may_be_open: bool = False
    ) -> None:
        """Keep ``picture``, which is in force at once, beside what the profile has already.

        Args:
            may_be_open: whether it is kept while a hearing is open, too.

        Raises:
            RoomProfileRefusedError: the profile that is there is damaged, and is not overwritten.
            AlreadyRecordingError: a hearing has begun.
        """
        async with self._lock:
            files = await asyncio.to_thread(load_settings_files, self._file)
            if files.problem:
                raise RoomProfileRefusedError(files.problem)
            tables = files.profile.tables
            camera = {**tables.get("camera", {}), "picture": picture.to_json()}
            tables = {**tables, "camera": camera}
            await asyncio.to_thread(self.keep, tables, may_be_open=may_be_open)
            kept = CameraPictureSettings(**picture.model_dump())
            self._settings = self._settings.model_copy(
                update={"camera": self._settings.camera.model_copy(update={"picture": kept})}
            )

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

    def keep(self, tables: dict[str, Any], *, may_be_open: bool = False) -> Room:
        """Keep ``tables`` as the profile, if they are allowed.

        One that does not count stays beside it: it may hold a room's seats for another version.
        A hearing that begins before the file is written comes first; the write itself is finished.

        Args:
            may_be_open: whether they are kept while a hearing is open, too.

        Raises:
            RoomProfileRefusedError: they are not; StorageError: they cannot be kept.
            AlreadyRecordingError: a hearing has begun.
        """
        before = load_settings_files(self._file)
        base = before.base
        file = room_profile.room_file(self._settings.paths.data)
        try:
            profile = SettingsFile(file, room_profile.format_profile(tables), tables)
            settings = apply_profile(base, profile)
        except (room_profile.RoomProfileError, ConfigError) as error:
            raise RoomProfileRefusedError(str(error)) from error
        self._refuse_ambiguous(settings)
        make_folder(file.parent, 0o755)
        if not may_be_open and (open_hearing := self._open_hearing_id()) is not None:
            raise AlreadyRecordingError(open_hearing)
        if before.problem:
            _put_aside(file)
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
        wanted += [
            ("output", name, device)
            for name in ("loudspeaker", "headphones")
            if is_address(device := getattr(settings.voice, name))
        ]
        for direction, name, device in wanted:
            try:
                find_device(device, list_devices(direction, root=self._root))
            except AmbiguousDeviceError as error:
                raise RoomProfileRefusedError(f"{name}: {error}") from error
            except DeviceAbsentError:
                continue  # what is in the profile and not there is shown, not refused


def _put_aside(file: Path) -> None:
    """Keep a profile that does not count under another name.

    Raises:
        StorageError: it cannot be kept; it stays where it is.
    """
    try:
        file.replace(file.with_name(f"{file.name}.refused"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{file}: cannot be put aside: {error.strerror}") from error


def _room_tables(settings: Settings) -> dict[str, Any]:
    """Return what ``settings`` say of the room."""
    tables = settings.model_dump(mode="json", include=set(room_profile.TABLES))
    kiosk_keys = room_profile.TABLES["kiosk"] or ()
    tables["kiosk"] = {key: tables["kiosk"][key] for key in kiosk_keys}
    return tables
