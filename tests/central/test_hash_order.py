"""A small file gets its verdict while recordings are being hashed on a slow disk."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

from bench.court_fleet import enrol_fleet
from kiosk.central.arrival.spool import Spool
from kiosk.central.contract import UploadAnnouncement
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries import uploads as module
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.server import open_authority, open_database
from tests.support.central_rig import file_of, new_id

KIOSK, RECORDINGS = "fleet-0000", 6
LARGE, SMALL = bytes(module.SMALL_BYTES + 1), b"x" * 500


class SlowStore(FolderStore):
    """A store on a disk that gives recordings back only after ``released``."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.sizes: dict[str, int] = {}
        self.released = threading.Event()
        self.held = 0

    def read_sha256(self, key: str) -> str:
        """Hash a file when the disk gives it."""
        if self.sizes[key] > len(SMALL):
            self.held += 1
            self.released.wait(60)
        return super().read_sha256(key)


async def deliver(service: UploadService, store: SlowStore, content: bytes) -> str:
    """Deliver a file; return its state after it has its verdict."""
    upload = new_id()
    store.sizes[upload] = len(content)
    announced = UploadAnnouncement(kind="filing", owner=new_id(), **file_of("a", content))
    await service.announce(KIOSK, upload, announced)
    await service.import_file(await service.find(KIOSK, upload), iter([content]))
    return str((await service.find(KIOSK, upload)).state)


def test_a_small_file_does_not_wait_for_six_recordings(tmp_path: Path) -> None:
    database, authority = open_database(tmp_path), open_authority(tmp_path)
    enrol_fleet(database, authority, tmp_path / "k", 1)
    signer = ReceiptSigner(*authority.server_files(["localhost"]))
    store = SlowStore(tmp_path / "store")
    service = UploadService(database, store, Spool(tmp_path / "spool", database, store), signer)

    async def work() -> tuple[str, set[str]]:
        recordings = [
            asyncio.create_task(deliver(service, store, LARGE)) for _ in range(RECORDINGS)
        ]
        try:
            async with asyncio.timeout(50):  # less than the recordings would wait
                while store.held < module.MAX_CONCURRENT_HASHES:
                    await asyncio.sleep(0.01)
                small = await deliver(service, store, SMALL)
            assert not any(task.done() for task in recordings)
        finally:
            store.released.set()
        return small, set(await asyncio.gather(*recordings))

    with contextlib.closing(database):
        assert asyncio.run(work()) == ("complete", {"complete"})
