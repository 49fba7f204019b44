"""The calls with which a technician looks at the second storage and adopts a new one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kiosk.api.base import Model
from kiosk.api.upkeep import ADOPT_MIRROR, GET_MIRROR, AdoptMirror, MirrorStorage
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.services.local_api import Call, Route
from kiosk.services.upkeep import refuse_in_hearing
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import MirrorRefusedError, adopt_mirror, read_marker

log = logging.getLogger(__name__)
ANSWER_S = 5.0
"""A storage that hangs longer has failed."""


class SecondStorageService:
    """Answers for the second storage.

    Args:
        settings: of this kiosk.
        is_hearing_open: whether a hearing is open.
    """

    def __init__(self, settings: Settings, is_hearing_open: Callable[[], bool]) -> None:
        self._kiosk, self._data = settings.kiosk.id, settings.paths.data
        self._root = settings.paths.mirror
        self._is_hearing_open = is_hearing_open

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [(GET_MIRROR, self._get_mirror), (ADOPT_MIRROR, self._adopt)]

    async def _get_mirror(self, _call: Call) -> Model:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.to_thread(self.look)
        except TimeoutError:
            return MirrorStorage(folder=str(self._root or ""), state="failed")

    async def _adopt(self, call: Call) -> Model:
        agreed = (await call.read(AdoptMirror)).kiosk
        if self._is_hearing_open():
            raise refuse_in_hearing()
        root = self._root
        if root is None:
            raise MirrorRefusedError("no second storage is set (paths.mirror)", code="mirror_off")
        if (await asyncio.to_thread(self.look)).kiosk != agreed:
            raise MirrorRefusedError(
                f"{root}: is another storage than the one that was asked about"
            )
        try:
            await asyncio.to_thread(adopt_mirror, root, self._kiosk, self._data, takeover=True)
        except MirrorRefusedError:
            raise
        except StorageError as error:  # as an ext4 of which only root may write the root folder
            raise MirrorRefusedError(str(error)) from error
        log.warning("%s adopts the second storage", call.person.id)
        return await asyncio.to_thread(self.look)

    def look(self) -> MirrorStorage:
        """Return what is in the place of the second storage; the disk is asked."""
        if self._root is None:
            return MirrorStorage()
        volume = StorageVolume(self._root, self._kiosk, "mirror")
        state, _uuid = volume.identity()
        found = MirrorStorage.model_validate({"folder": str(self._root), "state": state})
        if state not in ("ok", "foreign"):
            return found
        try:
            marker = read_marker(self._root)
            free, total = volume.space()
        except OSError:
            return found.model_copy(update={"state": "failed"})
        owner = marker.kiosk if marker else ""
        return found.model_copy(update={"kiosk": owner, "free_bytes": free, "total_bytes": total})
